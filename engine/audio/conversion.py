"""The ffmpeg command that turns a sound track into 16 kHz mono and measures it on the way."""

import shutil
from pathlib import Path

import ffmpeg
import imageio_ffmpeg

from engine.audio.probing import DEMUXERS, PROTOCOLS, Probe
from engine.audio.samples import SAMPLE_RATE
from engine.errors import MissingProgram

LONGEST_S = 48 * 3600
"""Sound beyond this many seconds is left out: a small hostile file can unfold without end."""

_LONGEST_GAP_S = 600
# Keeps every transcript time that of the media: where packets are missing, time goes on and silence
# is filled in behind this; where time jumps back (files joined end to end) or absurdly far, the
# sound just runs on. Variables: 0 this frame's time, 1 shift so far, 2 when this frame was due.
_STEADY_TIME = (
    "st(0,PTS+ld(1));"
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


def command(source: Path, target: Path, about: Probe, threads: int) -> list[str]:
    """The arguments of one run: `source`'s chosen track to `target`, its level to standard error.

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
    # 16 bits before the mix: ffmpeg keeps a mix of integers below full scale, one of floats not.
    sound = sound.filter(
        "aformat", sample_fmts="s16", sample_rates=SAMPLE_RATE, channel_layouts="mono"
    )
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
