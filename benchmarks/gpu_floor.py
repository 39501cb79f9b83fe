"""The least time that a device needs, from the rates that it was measured at.

The encoder is bound by products, a step of the decoder by reading its weights and what all rows
have heard and written. Both are lower bounds: nothing is said to overlap, and nothing else counted.
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor

from benchmarks.gpu_network import config_of, dtype_on, footprint_of, wall_s

_POSITIONS = 1500
_TIMES = 5
_AT_ONCE = 10


@dataclass(frozen=True)
class Rates:
    """What a device was measured at."""

    copy_bytes_per_s: float
    """Read and written bytes together."""
    products_per_s: float
    """Floating point operations of a matrix product of the encoder's shape."""


def rates(name: str, device: torch.device) -> Rates:
    """Measure a device."""
    numbers = 2**28 if device.type == "cuda" else 2**22
    source = torch.zeros(numbers, dtype=dtype_on(device), device=device)
    target = torch.empty_like(source)
    copy_s = _median_s(device, lambda: target.copy_(source))
    config = config_of(name)
    rows = (8 if device.type == "cuda" else 1) * _POSITIONS
    wide = torch.randn(rows, config.d_model, dtype=dtype_on(device), device=device)
    matrix = torch.randn(
        config.encoder_ffn_dim, config.d_model, dtype=dtype_on(device), device=device
    )
    product_s = _median_s(device, lambda: F.linear(wide, matrix))
    return Rates(
        2 * numbers * source.itemsize / copy_s,
        2 * rows * config.d_model * config.encoder_ffn_dim / product_s,
    )


def attention_rates(name: str, device: torch.device, rows: int) -> dict[str, float]:
    """Bytes per second at which each form of attention reads what `rows` rows have heard."""
    config = config_of(name)
    heads = config.decoder_attention_heads
    shape = rows, heads, 1504, config.d_model // heads
    keys, values = (torch.randn(shape, dtype=dtype_on(device), device=device) for _ in range(2))
    query = torch.randn(rows, heads, 1, shape[3], dtype=keys.dtype, device=device)
    mask = torch.zeros(rows, 1, 1, shape[2], dtype=keys.dtype, device=device)

    def products() -> Tensor:
        return torch.softmax(query @ keys.transpose(-1, -2) + mask, -1) @ values

    def fused() -> Tensor:
        return F.scaled_dot_product_attention(query, keys, values, attn_mask=mask, scale=1.0)

    read = 2 * keys.numel() * keys.itemsize
    forms = {"fused": fused, "products": products}
    return {form: read / _median_s(device, work) for form, work in forms.items()}


def encoder_operations(name: str) -> float:
    """Of one full window, the decoder's keys and values of it counted in."""
    c, d, n = config_of(name), config_of(name).d_model, _POSITIONS
    begin = 2 * 2 * n * 3 * c.num_mel_bins * d + 2 * n * 3 * d * d
    layer = 2 * n * 4 * d * d + 4 * n * n * d + 4 * n * d * c.encoder_ffn_dim
    return float(begin + c.encoder_layers * layer + c.decoder_layers * 2 * n * 2 * d * d)


def step_bytes(name: str, device: torch.device, rows: int, written: float) -> float:
    """What a step of the decoder reads when its rows have written so many tokens each."""
    c, d, number = config_of(name), config_of(name).d_model, dtype_on(device).itemsize
    layer = (4 + 2) * d * d + 2 * d * c.decoder_ffn_dim
    weights = (c.decoder_layers * layer + c.vocab_size * d) * number
    own = 2 * c.decoder_layers * written * d * number
    return weights + rows * (footprint_of(name, device).heard_bytes + own)


def floor_s(
    name: str, device: torch.device, found: Rates, batches: list[int], tokens: int
) -> float:
    """For batches of so many windows, one after the other, `tokens` tokens each."""
    seconds = 0.0
    for rows in batches:
        seconds += rows * encoder_operations(name) / found.products_per_s
        read = step_bytes(name, device, rows, tokens / 2)
        seconds += tokens * read / found.copy_bytes_per_s
    return seconds


def _median_s(device: torch.device, work: Callable[[], object]) -> float:
    """Of one time, measured in portions."""

    def portion() -> None:
        for _ in range(_AT_ONCE):
            work()

    portion()
    return statistics.median(wall_s(device, portion) for _ in range(_TIMES)) / _AT_ONCE
