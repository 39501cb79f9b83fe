"""What a media file says about itself, read without running a program."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import EmptyFile, NoSoundTrack, NotMedia

# Containers and streams that hold their own sound. Whatever opens other files or the network on a
# script's word (hls, concat, dash, sdp, image2, ...) is not among them, nor are pictures and text.
DEMUXERS = (
    "3gp,aac,ac3,adx,aiff,amr,amrnb,amrwb,ape,asf,asf_o,au,avi,caf,dsf,dts,dtshd,dv,eac3,flac,flv,"
    "gsm,gxf,h264,hevc,iff,ivf,live_flv,loas,m4v,matroska,mlp,mov,mp3,mp4,mpc,mpc8,mpeg,mpegts,"
    "mpegvideo,mxf,nut,obu,ogg,oma,rm,shn,sox,tak,truehd,tta,voc,w64,wav,webm,wtv,wv"
)
PROTOCOLS = "file"
_TAGGED = re.compile(r"(\d+):(\d{2}):(\d{2}(?:\.\d+)?)")
_LATEST_START_S = 6 * 3600.0
_FROM_ZERO = {"matroska", "webm", "ogg"}
_ASIDE_FLAGS = (
    *("dub", "comment", "visual_impaired", "hearing_impaired"),
    *("descriptions", "karaoke", "lyrics", "clean_effects"),
)
_ORIGINAL = re.compile(r"\borigin", re.IGNORECASE)  # also Originalton, originale
_ASIDE = re.compile(r"\b(?:dub|synchron|[ck]omment|audio ?-?des[ck]ri)", re.IGNORECASE)


@dataclass(frozen=True)
class Probe:
    """What the container promises; lengths in seconds, None where it promises none.

    `duration_s` is that of the whole file, `sound_s` that of the chosen sound track with the
    silence before it, `starts_s` how long after the picture the sound begins: time 0 is the first
    sound or picture, as in players, whatever the container's clock says there. `track` counts
    sound tracks from 0.
    """

    duration_s: float | None
    sound_s: float | None
    starts_s: float
    has_video: bool
    audio_streams: int
    track: int
    codec: str
    channels: int
    sample_rate: int


def probe(path: Path) -> Probe:
    """Look at a media file and choose its sound track: original, else default, else first.

    Dubs, comments and descriptions come last, and tracks of unknown codecs are passed over.

    Raises:
        EmptyFile: it holds no byte.
        NotMedia: it is missing, no file, unreadable, or neither audio nor video.
        NoSoundTrack: a video without sound.
    """
    _check_file(path)
    import av  # 20 MB that light processes do without

    options = {"protocol_whitelist": PROTOCOLS, "format_whitelist": DEMUXERS}
    try:
        with av.open(str(path.absolute()), options=options, metadata_errors="replace") as container:
            return _described(path, container)
    except av.FFmpegError:
        message = f"{path} is neither audio nor video, or damaged beyond reading."
        raise NotMedia(message) from None


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise NotMedia(f"{path} is a folder, not a media file.")
        if not path.is_file():
            missing = (
                "is not a regular file" if path.exists() else "does not exist: there is no file"
            )
            raise NotMedia(f"{path} {missing}.")
        with path.open("rb") as file:
            if not file.read(1):
                raise EmptyFile(f"{path} is empty: it holds no byte.")
    except OSError as error:
        raise NotMedia(f"{path} cannot be read ({error.strerror}).") from None


def _described(path: Path, container: Any) -> Probe:
    pictures = [s for s in container.streams.video if not _has(s, "attached_pic")]
    sounds = list(container.streams.audio)
    if not sounds:
        if pictures:
            raise NoSoundTrack(f"{path} is a video without sound.")
        raise NotMedia(f"{path} holds neither sound nor pictures.")
    known = [pair for pair in enumerate(sounds) if _can_be_decoded(pair[1])]
    if not known:
        raise NotMedia(f"{path} holds no sound that can be decoded.")
    track, stream = min(known, key=lambda pair: _rank(pair[1]))
    context = stream.codec_context
    starts_s = _start(container, stream)
    return Probe(
        duration_s=_length(container),
        sound_s=_sound_end(container, stream, starts_s),
        starts_s=starts_s,
        has_video=bool(pictures),
        audio_streams=len(sounds),
        track=track,
        codec=context.name,
        channels=context.channels,
        sample_rate=context.sample_rate,
    )


def _has(stream: Any, flag: str) -> bool:
    return any(member.name == flag for member in stream.disposition)


def _rank(stream: Any) -> tuple[bool, bool, bool]:
    # Matroska marks tracks by flags, MP4 by names alone; a dub may well be the default.
    title = stream.metadata.get("title") or stream.metadata.get("name") or ""
    original = _has(stream, "original") or _ORIGINAL.search(title)
    aside = any(_has(stream, flag) for flag in _ASIDE_FLAGS) or _ASIDE.search(title)
    return (not original, bool(aside), not _has(stream, "default"))


def _can_be_decoded(stream: Any) -> bool:
    context = stream.codec_context
    return context is not None and bool(context.sample_rate and context.channels)


def _start(container: Any, stream: Any) -> float:
    if stream.start_time is None or container.start_time is None:
        return 0.0
    late = float(stream.start_time * stream.time_base) - container.start_time / 1_000_000
    # Players keep 50 ms in step anyway; an absurd value is damage, not silence.
    return late if 0.05 <= late <= _LATEST_START_S else 0.0


def _length(container: Any) -> float | None:
    if not container.duration:
        return None
    return float(container.duration) / 1_000_000 - _before(container)


def _before(container: Any) -> float:
    """Seconds from the zero of the container's clock to its first sound or picture.

    No player shows them, but these formats count them in what they call duration.
    """
    counts = bool(_FROM_ZERO & set(container.format.name.split(",")))
    return max(0.0, (container.start_time or 0) / 1_000_000) if counts else 0.0


def _sound_end(container: Any, stream: Any, starts_s: float) -> float | None:
    if stream.duration:
        length = float(stream.duration * stream.time_base)
        return starts_s + length - _before(container)
    tag = _TAGGED.match(stream.metadata.get("DURATION", ""))  # Matroska's way: it tells the end
    if tag is None:
        return None
    hours, minutes, seconds = tag.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds) - _before(container)
