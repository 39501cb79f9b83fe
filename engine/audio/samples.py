"""Reading prepared audio: 16 kHz mono WAV of 16-bit samples, a stretch at a time."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.errors import NotMedia

SAMPLE_RATE = 16_000
"""Hz; what Whisper and the speech detector hear."""

Samples = NDArray[np.float32]
_BYTES = 2
_FULL_SCALE = 32768.0
_BLOCK_SAMPLES = 64 * SAMPLE_RATE


@dataclass(frozen=True)
class Sound:
    """Where the samples of a WAV file lie: offset of the first in bytes, and how many."""

    offset: int
    samples: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / SAMPLE_RATE


def locate(wav: Path) -> Sound:
    """Find the samples of a file that `decode` wrote, of any size (RIFF or RF64).

    Raises:
        NotMedia: it is not such a file.
    """
    with wav.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        magic, kind = file.read(4), file.read(8)[4:]
        if magic not in (b"RIFF", b"RF64") or kind != b"WAVE":
            raise NotMedia(f"{wav} is not a WAV file.")
        offset = _data_offset(file)
    if offset is None:
        raise NotMedia(f"{wav} is not a 16 kHz mono WAV file of 16-bit samples.")
    # The size field ends at 4 GiB; the data chunk is the last, so the file's size says more.
    return Sound(offset, (size - offset) // _BYTES)


def _data_offset(file: BinaryIO) -> int | None:
    right_form = False
    while len(head := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name == b"data":
            return file.tell() if right_form else None
        if name == b"fmt ":
            form = file.read(size + size % 2)[:16]
            if len(form) < 16:
                return None
            tag, channels, rate, _, _, bits = struct.unpack("<HHIIHH", form)
            right_form = (tag, channels, rate, bits) == (1, 1, SAMPLE_RATE, 16)
        else:
            file.seek(size + size % 2, 1)
    return None


def read_samples(wav: Path, gain_db: float, start_s: float, end_s: float) -> Samples:
    """Samples of one stretch, full scale 1.0, raised by `gain_db`; outside the file there are none.

    Only the stretch is read, whatever the length of the file.

    Raises:
        NotMedia: it is not a file that `decode` wrote.
    """
    sound = locate(wav)
    first = min(max(round(start_s * SAMPLE_RATE), 0), sound.samples)
    last = min(max(round(end_s * SAMPLE_RATE), first), sound.samples)
    return _read(wav, sound, gain_db, first, last)


def read_blocks(wav: Path, gain_db: float, block: int = _BLOCK_SAMPLES) -> Iterator[Samples]:
    """All samples in order, `block` at a time; the last block may be shorter.

    Raises:
        NotMedia: it is not a file that `decode` wrote.
    """
    sound = locate(wav)
    for first in range(0, sound.samples, block):
        yield _read(wav, sound, gain_db, first, min(first + block, sound.samples))


def _read(wav: Path, sound: Sound, gain_db: float, first: int, last: int) -> Samples:
    # Not mapped: Windows could not delete the file, and a share that fails would end the process.
    offset = sound.offset + first * _BYTES
    whole = np.fromfile(wav, dtype="<i2", count=last - first, offset=offset)
    factor = np.float32(10 ** (gain_db / 20) / _FULL_SCALE)
    raised: Samples = whole.astype(np.float32) * factor
    return raised.clip(-1.0, 1.0, out=raised)
