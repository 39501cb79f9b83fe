import pytest
import torch

from engine.whisper.linear import Linear, can_round


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("with_bias", [True, False])
def test_a_packed_matrix_multiplies_as_an_unpacked_one(dtype: torch.dtype, with_bias: bool) -> None:
    torch.manual_seed(0)
    weight, x = torch.randn(96, 64).to(dtype), torch.randn(3, 5, 64).to(dtype)
    bias = torch.randn(96).to(dtype) if with_bias else None
    ours = Linear(weight, bias)(x)
    expected = torch.nn.functional.linear(x, weight, bias)
    assert torch.allclose(ours.float(), expected.float(), atol=0.1)


@pytest.mark.skipif(not can_round(), reason="this processor multiplies 8-bit numbers slowly")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("with_bias", [True, False])
def test_a_rounded_matrix_is_wrong_by_a_hundredth(dtype: torch.dtype, with_bias: bool) -> None:
    torch.manual_seed(0)
    weight, x = torch.randn(96, 256).to(dtype), torch.randn(3, 5, 256).to(dtype)
    bias = torch.randn(96).to(dtype) if with_bias else None
    ours = Linear(weight, bias, int8=True)(x)
    expected = torch.nn.functional.linear(x.float(), weight.float())
    if bias is not None:
        expected = expected + bias.float()
    assert ours.dtype == dtype
    assert (ours.float() - expected).norm() / expected.norm() < 0.012


@pytest.mark.skipif(not can_round(), reason="this processor multiplies 8-bit numbers slowly")
def test_a_loud_row_does_not_drown_a_soft_one() -> None:
    torch.manual_seed(0)
    weight, x = torch.randn(64, 64), torch.randn(3, 64)
    x[1] *= 1000
    x[2] = 0
    ours, alone = Linear(weight, None, int8=True)(x), Linear(weight, None, int8=True)(x[:1])
    assert torch.equal(ours[:1], alone)
    assert torch.equal(ours[2], torch.zeros(64))
