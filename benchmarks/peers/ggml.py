"""whisper.cpp's file: sizes, mel filters, words, weights; all little-endian.

The form is the one that whisper.cpp's `models/README.md` and its loader describe. A dimension list
runs from the innermost outwards.
"""

import struct
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import BinaryIO

import numpy as np

from benchmarks.peers.openai_form import Array, Dims

_MAGIC = 0x67676D6C  # "ggml"
_F32, _F16 = 0, 1
_ALWAYS_F32 = ("encoder.positional_embedding", "decoder.positional_embedding")


def write(
    target: Path,
    dims: Dims,
    filters: Array,
    words: Sequence[bytes],
    weights: dict[str, Array],
) -> None:
    """Write a model in 16 bits.

    `filters` are (mels, frequencies); `words` the bytes of every text token in the order of ids;
    `weights` bear OpenAI's names.
    """
    with target.open("wb") as file:
        file.write(struct.pack("<12i", _MAGIC, *astuple(dims), _F16))
        file.write(struct.pack("<2i", *filters.shape))
        file.write(filters.astype("<f4").tobytes())
        file.write(struct.pack("<i", len(words)))
        for word in words:
            file.write(struct.pack("<i", len(word)) + word)
        for name, values in weights.items():
            _write_weight(file, name, values)


def byte_level(word: str) -> bytes:
    """The bytes that a word of a byte-level vocabulary stands for.

    Printable characters of Latin-1 stand for their own byte; the other bytes are counted from
    U+0100 on.
    """
    return bytes(_BYTES[character] for character in word)


def _byte_of_character() -> dict[str, int]:
    own = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in own]
    named = {chr(byte): byte for byte in own}
    return named | {chr(0x100 + count): byte for count, byte in enumerate(others)}


_BYTES = _byte_of_character()


def _write_weight(file: BinaryIO, name: str, values: Array) -> None:
    small = values.ndim < 2 or name in _ALWAYS_F32
    if name.endswith(("conv1.bias", "conv2.bias")):
        values = values.reshape(-1, 1)
    encoded = name.encode("utf-8")
    kind = _F32 if small else _F16
    file.write(struct.pack("<3i", values.ndim, len(encoded), kind))
    file.write(struct.pack(f"<{values.ndim}i", *reversed(values.shape)))
    file.write(encoded)
    file.write(np.ascontiguousarray(values, dtype="<f4" if small else "<f2").tobytes())
