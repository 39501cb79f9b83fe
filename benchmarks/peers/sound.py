"""Samples of a media file, for peers that take no file themselves."""

import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.audio.decoding import SAMPLE_RATE, ffmpeg_program

_NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows would open a console


def samples(media: Path) -> npt.NDArray[np.float32]:
    """Decode to 16 kHz mono, -1 to 1, as openai-whisper and transformers do with an own ffmpeg.

    Raises:
        subprocess.CalledProcessError: ffmpeg cannot read it.
    """
    command = [str(ffmpeg_program()), "-nostdin", "-loglevel", "error", "-i", str(media)]
    command += ["-f", "s16le", "-ac", "1", "-acodec", "pcm_s16le", "-ar", str(SAMPLE_RATE), "-"]
    done = subprocess.run(command, capture_output=True, check=True, creationflags=_NO_WINDOW)
    return np.frombuffer(done.stdout, np.int16).astype(np.float32) / 32_768.0


def seconds(media: Path) -> float:
    """How long a media file sounds."""
    return len(samples(media)) / SAMPLE_RATE
