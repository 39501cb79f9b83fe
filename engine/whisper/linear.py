"""A matrix and a bias, applied as fast as the device allows."""

from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor

Compute = Literal["int8", "bfloat16", "float16", "float32"]
"""In what a model multiplies; with int8 all that is no matrix of weights stays in `dtype_of`."""

_ROWS = 16
"""For how many rows oneDNN lays a weight out; other numbers work too."""
_OFFSET = 128
"""oneDNN multiplies unsigned numbers by signed ones fastest."""


class Linear:
    """What `nn.Linear` computes, for weights that stay where they are.

    On the CPU bfloat16 weights are laid out once, which oneDNN else does at every call and which
    for few rows takes longer than the product. With `int8` each row of the weight and each row of
    what comes in is rounded to 8 bits with a scale of its own (LLM.int8, arXiv 2208.07339, without
    its outliers).
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, *, int8: bool = False) -> None:
        self._bias = bias
        self._weight = weight
        self._form = self._plain
        self.inputs, self.outputs = weight.shape[1], weight.shape[0]
        if weight.device.type != "cpu":
            return
        if int8:
            scales = weight.float().abs().amax(1).clamp(min=1e-8) / 127
            rounded = (weight.float() / scales[:, None]).round().to(torch.int8)
            self._scales, self._zeros = scales, torch.zeros(len(scales), dtype=torch.long)
            self._weight = torch.ops.onednn.qlinear_prepack(rounded, None)
            offsets = torch.zeros(len(scales)) if bias is None else bias.float()
            self._offsets = offsets.numpy()
            self._form = self._rounded
        elif weight.dtype == torch.bfloat16 and can_pack():
            self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS)
            self._form = self._packed

    def __call__(self, x: Tensor) -> Tensor:
        """The product with `x` (…, inputs), plus the bias."""
        return self._form(x)

    def _plain(self, x: Tensor) -> Tensor:
        return F.linear(x, self._weight, self._bias)

    def _packed(self, x: Tensor) -> Tensor:
        product: Tensor = torch.ops.mkldnn._linear_pointwise(
            x, self._weight, self._bias, "none", [], ""
        )
        return product

    def _rounded(self, x: Tensor) -> Tensor:
        from engine.whisper import kernels  # Numba, which only the CPU needs
        from engine.whisper.kernels import bits

        rows = x.reshape(-1, self.inputs)
        steps = torch.empty(rows.shape, dtype=torch.uint8)
        sizes = torch.empty(len(rows), 1)
        kernels.round_rows(bits(rows), steps.numpy(), sizes.numpy())
        product: Tensor = torch.ops.onednn.qlinear_pointwise(
            steps,
            1.0,
            _OFFSET,
            self._weight,
            self._scales,
            self._zeros,
            None,
            1.0,
            0,
            torch.float32,
            "none",
            [],
            "",
        )
        out = torch.empty(len(rows), self.outputs, dtype=x.dtype)
        kernels.scale_rows(product.numpy(), sizes.numpy(), self._offsets, bits(out))
        return out.view(*x.shape[:-1], self.outputs)


def can_pack() -> bool:
    """Whether this torch was built with oneDNN and its packed form."""
    return torch._C._has_mkldnn and hasattr(torch.ops.mkldnn, "_reorder_linear_weight")


def can_round() -> bool:
    """Whether this torch and this processor multiply 8-bit numbers faster than others."""
    able = torch._C._has_mkldnn and hasattr(torch.ops.onednn, "qlinear_pointwise")
    return able and bool(torch.cpu._is_vnni_supported())
