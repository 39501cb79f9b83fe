"""Checkpoints in CTranslate2's form (faster-whisper), under transformers' names."""

import struct
from collections.abc import Iterator
from mmap import mmap

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]

_KINDS = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2", 5: "<u2"}
_BFLOAT16 = 5
_SPEC = "WhisperSpec"

_PARTS = {
    "embeddings/weight": "embed_tokens.weight",
    "position_encodings/encodings": "embed_positions.weight",
    "conv1/weight": "conv1.weight",
    "conv1/bias": "conv1.bias",
    "conv2/weight": "conv2.weight",
    "conv2/bias": "conv2.bias",
    "layer_norm/gamma": "layer_norm.weight",
    "layer_norm/beta": "layer_norm.bias",
}
_LAYER_PARTS = {
    "self_attention/layer_norm": ("self_attn_layer_norm",),
    "self_attention/linear_0": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "self_attention/linear_1": ("self_attn.out_proj",),
    "attention/layer_norm": ("encoder_attn_layer_norm",),
    "attention/linear_0": ("encoder_attn.q_proj",),
    "attention/linear_1": ("encoder_attn.k_proj", "encoder_attn.v_proj"),
    "attention/linear_2": ("encoder_attn.out_proj",),
    "ffn/layer_norm": ("final_layer_norm",),
    "ffn/linear_0": ("fc1",),
    "ffn/linear_1": ("fc2",),
}
_LEAVES = {"gamma": "weight", "beta": "bias", "weight": "weight", "bias": "bias"}


class _Cursor:
    """Reads a model file front to back; a length that leads outside is a ValueError."""

    def __init__(self, data: bytes | mmap) -> None:
        self._data = data
        self._at = 0

    def number(self, form: str) -> int:
        """One unsigned number: B, H or I as in `struct`."""
        (value,) = struct.unpack(f"<{form}", self._take(struct.calcsize(f"<{form}")))
        return int(value)

    def word(self) -> str:
        """A string with its length before it and a zero behind it."""
        return self._take(self.number("H")).rstrip(b"\0").decode("utf-8")

    def array(self, kind: int, shape: tuple[int, ...], size: int) -> Array:
        """A view on `size` bytes, in the given shape."""
        if kind not in _KINDS:
            raise ValueError(f"unknown kind of number {kind}")
        dtype = np.dtype(_KINDS[kind])
        if size != dtype.itemsize * int(np.prod(shape, dtype=np.int64)):
            raise ValueError("a variable's size does not fit its shape")
        start = self._at
        self._skip(size)
        flat = np.frombuffer(self._data, dtype, size // dtype.itemsize, start)
        if kind == _BFLOAT16:
            flat = (flat.astype(np.uint32) << 16).view(np.float32)
        return flat.reshape(shape)

    def _skip(self, size: int) -> None:
        if self._at + size > len(self._data):
            raise ValueError("the file ends in the middle of a variable")
        self._at += size

    def _take(self, size: int) -> bytes:
        start = self._at
        self._skip(size)
        return bytes(self._data[start : self._at])


def read_variables(data: bytes | mmap) -> dict[str, Array]:
    """Every variable of a `model.bin`; quantised weights are given back their scale.

    Raises:
        ValueError: damaged, or not a Whisper model.
    """
    cursor = _Cursor(data)
    version = cursor.number("I")
    spec = cursor.word() if version >= 2 else _SPEC
    if spec != _SPEC or not 2 <= version <= 6:
        raise ValueError(f"not a Whisper model in a known form: {spec[:40]!r}, version {version}")
    cursor.number("I")  # revision of the spec
    found: dict[str, Array] = {}
    for _ in range(cursor.number("I")):
        name = cursor.word()
        shape = tuple(cursor.number("I") for _ in range(cursor.number("B")))
        kind = cursor.number("B")
        found[name] = cursor.array(kind, shape, cursor.number("I"))
    return {
        name: _scaled(values, found.get(f"{name}_scale"))
        for name, values in found.items()
        if not name.endswith("_scale")
    }


def _scaled(values: Array, scale: Array | None) -> Array:
    if scale is None:
        return values
    by_row = scale.reshape(-1, *[1] * (values.ndim - 1)) if scale.size > 1 else scale
    return np.divide(values, by_row, dtype=np.float32).astype(np.float16)


def heads(variables: dict[str, Array], side: str) -> int:
    """Attention heads of `encoder` or `decoder`; files that do not say so have 64 values each."""
    said = variables.get(f"{side}/num_heads")
    if said is not None:
        return int(said.reshape(-1)[0])
    return int(variables[f"{side}/position_encodings/encodings"].shape[1]) // 64


def transformers_weights(variables: dict[str, Array]) -> Iterator[tuple[str, Array]]:
    """The weights under transformers' names.

    Raises:
        ValueError: a variable that Whisper does not have.
    """
    for name, values in variables.items():
        side, _, rest = name.partition("/")
        if side not in ("encoder", "decoder") or values.ndim == 0 or "alignment" in rest:
            continue
        if rest in _PARTS:
            yield f"model.{side}.{_PARTS[rest]}", np.ascontiguousarray(values)
        elif rest.startswith("layer_"):
            layer, _, part = rest.partition("/")
            yield from _of_layer(
                f"model.{side}.layers.{layer.removeprefix('layer_')}", part, values
            )
        elif not rest.startswith("projection/"):
            raise ValueError(f"unknown variable {name[:80]!r}")


def _of_layer(prefix: str, part: str, values: Array) -> Iterator[tuple[str, Array]]:
    block, _, leaf = part.rpartition("/")
    if block not in _LAYER_PARTS or leaf not in _LEAVES:
        raise ValueError(f"unknown variable {part[:80]!r}")
    names = _LAYER_PARTS[block]
    for name, stacked in zip(names, np.split(values, len(names)), strict=True):
        if name.endswith("k_proj") and leaf == "bias":
            continue  # zeros: Whisper's keys have no bias
        yield f"{prefix}.{name}.{_LEAVES[leaf]}", np.ascontiguousarray(stacked)
