"""A matrix and a bias, applied as fast as the device allows."""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor, nn

_ROWS = 16
"""For how many rows oneDNN lays a weight out; other numbers work too."""


class Linear:
    """What `nn.Linear` computes.

    oneDNN would rearrange a bfloat16 weight at every call, which for few rows takes longer than to multiply by it:
    here that is done once.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._bias = bias
        self._packed = (
            weight.dtype == torch.bfloat16 and weight.device.type == "cpu" and _can_pack()
        )
        pack = torch.ops.mkldnn._reorder_linear_weight if self._packed else lambda w, _: w
        self._weight = pack(weight, _ROWS)

    @classmethod
    def of(cls, module: nn.Linear) -> "Linear":
        """The same as `module`."""
        return cls(module.weight, module.bias)

    def __call__(self, x: Tensor) -> Tensor:
        if self._packed:
            product: Tensor = torch.ops.mkldnn._linear_pointwise(
                x, self._weight, self._bias, "none", [], ""
            )
            return product
        return F.linear(x, self._weight, self._bias)


def _can_pack() -> bool:
    """Whether this torch was built with oneDNN and its packed form."""
    return torch.backends.mkldnn.is_available() and hasattr(
        torch.ops.mkldnn, "_reorder_linear_weight"
    )
