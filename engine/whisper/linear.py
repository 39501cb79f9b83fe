"""A matrix and a bias, applied as fast as the device allows."""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor, nn


class Linear:
    """What `nn.Linear` computes."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._weight = weight
        self._bias = bias

    @classmethod
    def of(cls, module: nn.Linear) -> "Linear":
        """The same as `module`."""
        return cls(module.weight, module.bias)

    def __call__(self, x: Tensor) -> Tensor:
        return F.linear(x, self._weight, self._bias)
