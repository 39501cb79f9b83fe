"""What Whisper's two halves share: projections, heads, and the layer behind every attention."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor

from engine.whisper.linear import Linear

Maker = Callable[[Tensor, Tensor | None], Linear]
"""Makes the form of a matrix and a bias that suits the device."""


def heads_first(x: Tensor, heads: int) -> Tensor:
    """(…, length, heads x 64) to (…, heads, length, 64)."""
    return x.view(*x.shape[:-1], heads, -1).transpose(-2, -3)


def queries(attention: Any) -> tuple[Tensor, Tensor]:
    """Weight and bias of the queries, scaled by 64 ** -0.5: a power of two, so nothing is lost."""
    projection = attention.q_proj
    return projection.weight * attention.scaling, projection.bias * attention.scaling


def keys_values(attention: Any) -> tuple[Tensor, Tensor]:
    """Weight and bias of keys and values, stacked; keys have no bias."""
    keys, values = attention.k_proj, attention.v_proj
    bias = torch.cat([torch.zeros_like(values.bias), values.bias])
    return torch.cat([keys.weight, values.weight]), bias


def queries_keys_values(attention: Any) -> tuple[Tensor, Tensor]:
    """Weight and bias of all three, stacked."""
    parts = queries(attention), keys_values(attention)
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])


class Feedforward:
    """Norm, two matrices with a gelu between them, and what came in added."""

    def __init__(self, layer: Any, linear: Maker) -> None:
        self._norm = layer.final_layer_norm
        self._widen = linear(layer.fc1.weight, layer.fc1.bias)
        self._narrow = linear(layer.fc2.weight, layer.fc2.bias)

    def __call__(self, x: Tensor) -> Tensor:
        """(…, width) to the same."""
        return x + self._narrow(F.gelu(self._widen(self._norm(x))))
