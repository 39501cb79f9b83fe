"""The forms in which media are kept: the sound as YouTube has it, MP3, or MP4 with the picture."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from engine.audio.conversion import ffmpeg_program
from engine.audio.probing import DEMUXERS, PROTOCOLS, Probe, probe
from engine.errors import DiskFull, EngineDied, MissingProgram, NotMedia
from engine.settings import MediaFormat

MP3_BITS_PER_S = 192_000
_MP4_PICTURES = frozenset(("h264", "hevc", "av1", "vp9", "mpeg4"))
_MP4_SOUNDS = frozenset(("aac", "mp3", "opus", "ac3", "eac3", "alac", "flac"))
_EVEN = {"w": "ceil(iw/2)*2", "h": "ceil(ih/2)*2"}  # H.264 has no odd sizes
_NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows would open a console
_LONGEST_SAID = 200


@dataclass(frozen=True)
class Form:
    """A form that ffmpeg makes: of files whose last one holds the sound, into a target."""

    suffix: str
    command: Callable[[Sequence[Path], Path], list[str]]


def form_of(wanted: MediaFormat) -> Form | None:
    """What is to be made of a download; None when it stays as it is."""
    return _FORMS.get(wanted)


def make(form: Form, sources: Sequence[Path], target: Path) -> None:
    """Writes `target` in this form.

    Raises:
        MissingProgram: no ffmpeg, or one that lacks the encoder.
        DiskFull: no space left beside `target`.
        BadMedia: there is no sound, or ffmpeg cannot read what is there.
        EngineDied: ffmpeg was ended from outside.
    """
    done = subprocess.run(  # noqa: S603
        form.command(sources, target),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        creationflags=_NO_WINDOW,
        check=False,
    )
    if done.returncode:
        raise _trouble(done.returncode, done.stderr.decode("utf-8", "replace"), form, target)


def _mp3(sources: Sequence[Path], target: Path) -> list[str]:
    about = probe(sources[-1])
    sound = _opened(sources[-1])[f"a:{about.track}"]
    if _is_mp3(about):
        return _argv(ffmpeg.output(sound, _to(target), format="mp3", acodec="copy"))
    # MP3 knows no times: where sound begins late or has gaps, silence keeps what follows in place.
    sound = sound.filter("aresample", **{"async": 1, "first_pts": 0})
    coded = {"acodec": "libmp3lame", "audio_bitrate": MP3_BITS_PER_S}
    return _argv(ffmpeg.output(sound, _to(target), format="mp3", **coded))


def _mp4(sources: Sequence[Path], target: Path) -> list[str]:
    about = probe(sources[-1])
    inputs = [_opened(source) for source in sources]
    picture, coded = _picture(sources[0]), dict[str, Any]()
    streams = [inputs[-1][f"a:{about.track}"]]
    coded["acodec"] = "copy" if _sound(sources[-1], about.track) in _MP4_SOUNDS else "aac"
    if picture:
        shown = inputs[0]["V:0"]  # a capital V: no cover
        if picture in _MP4_PICTURES:
            coded["vcodec"] = "copy"
        else:
            shown = shown.filter("pad", **_EVEN)
            coded |= {"vcodec": "libx264", "pix_fmt": "yuv420p", "preset": "veryfast", "crf": 20}
        streams.insert(0, shown)
    # Older builds ask for `strict` before they put Opus into MP4.
    container = {"format": "mp4", "movflags": "+faststart", "strict": -2}
    return _argv(ffmpeg.output(*streams, _to(target), **container, **coded))


_FORMS = {"mp3": Form(".mp3", _mp3), "mp4": Form(".mp4", _mp4)}


def _argv(written: Any) -> list[str]:
    told = written.global_args("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error")
    argv: list[str] = told.compile(cmd=str(ffmpeg_program()), overwrite_output=True)
    return argv


def _opened(source: Path) -> Any:
    whole = str(source.absolute())
    return ffmpeg.input(whole, protocol_whitelist=PROTOCOLS, format_whitelist=DEMUXERS)


def _to(target: Path) -> str:
    # Without the protocol a name with a colon would be taken for one.
    return f"file:{target.absolute()}"


def _is_mp3(about: Probe) -> bool:
    return about.codec.startswith("mp3") and not about.has_video and not about.starts_s


def _picture(path: Path) -> str | None:
    """The codec of the picture; None where there is only sound."""
    shown = [s for s in _streams(path, "video") if "attached_pic" not in s[1]]
    return shown[0][0] if shown else None


def _sound(path: Path, track: int) -> str:
    return _streams(path, "audio")[track][0]


def _streams(path: Path, kind: str) -> list[tuple[str, set[str]]]:
    """Codec and flags of each stream of a kind."""
    import av  # 20 MB that light processes do without

    allowed = {"protocol_whitelist": PROTOCOLS, "format_whitelist": DEMUXERS}
    with av.open(str(path.absolute()), options=allowed, metadata_errors="replace") as media:
        return [
            (
                stream.codec_context.codec.canonical_name if stream.codec_context else "",
                {str(flag.name) for flag in stream.disposition},
            )
            for stream in media.streams
            if stream.type == kind
        ]


def _trouble(code: int, said: str, form: Form, target: Path) -> Exception:
    if "No space left on device" in said:
        return DiskFull(f"No space left for {target.parent}: free some and retry.")
    if code < 0:
        return EngineDied(f"ffmpeg was ended by signal {-code} while it wrote {form.suffix}.")
    if "Unknown encoder" in said:
        program = ffmpeg_program()
        return MissingProgram(
            f"{program} cannot write {form.suffix}: put a full build of ffmpeg on PATH."
        )
    last = said.strip().splitlines()[-1:] or [f"status {code}"]
    return NotMedia(f"ffmpeg could not make {form.suffix} of it ({last[0][:_LONGEST_SAID]}).")
