"""A matrix and a bias, applied as fast as the device allows."""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor, nn

_ROWS = 16
"""For how many rows oneDNN lays a weight out; other numbers work too."""


class Linear:
    """What `nn.Linear` computes.

    oneDNN would rearrange a bfloat16 weight at every call, which for few rows takes longer than to
    multiply by it: here that is done once.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._bias = bias
        self._packed = (
            weight.dtype == torch.bfloat16 and weight.device.type == "cpu" and _can_pack()
        )
        self._weight: Tensor = (
            torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS) if self._packed else weight
        )

    @classmethod
    def of(cls, module: nn.Linear) -> "Linear":
        """The same as `module`."""
        return cls(module.weight, module.bias)

    def __call__(self, x: Tensor) -> Tensor:
        """The product with `x` (…, inputs), plus the bias."""
        if self._packed:
            product: Tensor = torch.ops.mkldnn._linear_pointwise(
                x, self._weight, self._bias, "none", [], ""
            )
            return product
        return F.linear(x, self._weight, self._bias)


def _can_pack() -> bool:
    """Whether this torch was built with oneDNN and its packed form."""
    return torch._C._has_mkldnn and hasattr(torch.ops.mkldnn, "_reorder_linear_weight")
