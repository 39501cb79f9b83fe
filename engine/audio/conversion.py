"""The ffmpeg command that turns a sound track into 16 kHz mono and measures it on the way."""

import shutil
from pathlib import Path
from typing import Any

import ffmpeg
import imageio_ffmpeg

from engine.audio.probing import DEMUXERS, PROTOCOLS, Probe
from engine.audio.samples import SAMPLE_RATE
from engine.errors import MissingProgram

LONGEST_S = 48 * 3600
"""Sound beyond this many seconds is left out: a small hostile file can unfold without end."""

_OPPOSITE_DEG = 120  # a mix of channels further apart is quieter than each of them
_OPPOSITE_FROM_S = 0.5
_TREMBLE_S = 0.1
_LONGEST_GAP_S = 600
# Keeps every transcript time that of the media: where packets are missing, time goes on and silence
# is filled in behind this; where time jumps back (files joined end to end) or absurdly far, the
# sound just runs on; where it only trembles, frames follow each other, and nothing adds up.
# Variables: 0 this frame's time, 1 shift so far, 2 when this frame was due.
_STEADY_TIME = (
    "st(0,PTS+ld(1));"
    f"if(gt(N,0)*lt(abs(ld(0)-ld(2)),{_TREMBLE_S}/TB),st(0,ld(2)),0);"
    f"if(gt(N,0)*(lt(ld(0),ld(2))+gt(ld(0),ld(2)+{_LONGEST_GAP_S}/TB)),"
    "st(1,ld(2)-PTS);st(0,ld(2)),0);"
    "st(2,ld(0)+NB_SAMPLES/SR/TB);"
    "ld(0)"
)


def ffmpeg_program() -> Path:
    """The ffmpeg on PATH, else the one that imageio-ffmpeg brings.

    Raises:
        MissingProgram: there is neither.
    """
    if found := shutil.which("ffmpeg"):
        return Path(found)
    try:
        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        raise MissingProgram("ffmpeg is not installed: put it on PATH.") from None


def command(
    source: Path, target: Path, about: Probe, threads: int, steadfast: bool = False
) -> list[str]:
    """The arguments of one run: `source`'s chosen track to `target`, its level to standard error.

    Where channels are mixed, standard error also tells for how long they were in opposite phase: a
    plain mix cancels them. A `steadfast` mix hears every channel and cancels nothing, but raises
    what is in the middle less above the rest.

    Raises:
        MissingProgram: no ffmpeg.
    """
    opened = ffmpeg.input(
        str(source.absolute()),
        protocol_whitelist=PROTOCOLS,
        format_whitelist=DEMUXERS,
        max_error_rate=1,
        threads=threads,
    )
    sound = opened[f"a:{about.track}"].filter("asetpts", _STEADY_TIME)
    if about.channels > 1:
        sound = _steadfast(sound, about.channels) if steadfast else _watched(sound)
    sound = _formed(sound, "mono")
    sound = sound.filter("aresample", **{"async": 1})
    if about.starts_s:
        sound = sound.filter("adelay", round(about.starts_s * 1000))
    sound = sound.filter("ebur128", peak="sample", framelog="verbose")
    written = sound.output(
        str(target.absolute()),
        format="wav",
        acodec="pcm_s16le",
        ar=SAMPLE_RATE,
        ac=1,
        rf64="auto",
        map_metadata=-1,
        t=LONGEST_S,
    )
    told = written.global_args("-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info")
    argv: list[str] = told.compile(cmd=str(ffmpeg_program()), overwrite_output=True)
    return argv


def _watched(sound: Any) -> Any:
    """Two channels, and a line for every stretch in which they are in opposite phase."""
    return _formed(sound, "stereo").filter(
        "aphasemeter", video=0, phasing=1, angle=_OPPOSITE_DEG, duration=_OPPOSITE_FROM_S
    )


def _steadfast(sound: Any, channels: int) -> Any:
    """Two halves of the channels with their phases a quarter turn apart, so that none cancels."""
    if channels > 2:
        halves = ("+".join(f"c{c}" for c in range(half, channels, 2)) for half in (0, 1))
        sound = sound.filter("pan", "stereo|" + "|".join(f"c{i}<{h}" for i, h in enumerate(halves)))
    split = _formed(sound, "stereo").filter_multi_output("channelsplit", channel_layout="stereo")
    turned = [split.stream(i).filter("aphaseshift", shift=i / 2) for i in (0, 1)]
    return ffmpeg.filter(turned, "join", inputs=2, channel_layout="stereo")


def _formed(sound: Any, layout: str) -> Any:
    # 16 bits before the mix: ffmpeg keeps a mix of integers below full scale, one of floats not.
    return sound.filter(
        "aformat", sample_fmts="s16", sample_rates=SAMPLE_RATE, channel_layouts=layout
    )
