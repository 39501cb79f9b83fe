import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.whisper import kernels
from engine.whisper.kernels import bits

DTYPES = [torch.float32, torch.bfloat16]


def drawn(dtype: torch.dtype, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape))).to(dtype)


def attention(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """(rows, heads, 64) by torch, in float32."""
    return torch.nn.functional.scaled_dot_product_attention(
        queries.float()[:, :, None], keys.float(), values.float(), scale=1.0
    )[:, :, 0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", [1, 37, 1500])
def test_attention_to_what_was_heard_is_torchs(dtype: torch.dtype, length: int) -> None:
    queries, keys, values = (
        drawn(dtype, 3, 8, 64),
        drawn(dtype, 8, length, 64),
        drawn(dtype, 8, length, 64),
    )
    out = torch.empty(3, 8, 64, dtype=dtype)
    kernels.attend_heard(*map(bits, (queries, keys, values, out)))
    assert torch.allclose(out.float(), attention(queries, keys[None], values[None]), atol=2e-2)


@pytest.mark.parametrize("dtype", DTYPES)
def test_attention_to_what_was_written_takes_the_new_token_in(dtype: torch.dtype) -> None:
    room = drawn(dtype, 2, 4, 16, 64), drawn(dtype, 2, 4, 16, 64) * 3
    queries, keys, values = (drawn(dtype, n, 4, 64)[:2] for n in (2, 3, 4))
    lengths = np.array([0, 9])
    old = [block.clone() for block in room]
    out = torch.empty(2, 4, 64, dtype=dtype)
    kernels.attend_written(
        *map(bits, (queries, keys, values)), *map(bits, room), lengths, bits(out)
    )
    for row, length in enumerate(lengths):
        assert torch.equal(room[0][row, :, length], keys[row])
        assert torch.equal(room[1][row, :, :length], old[1][row, :, :length])
        seen = [block[row : row + 1, :, : length + 1] for block in room]
        expected = attention(queries[row : row + 1], *seen)
        assert torch.allclose(out[row : row + 1].float(), expected, atol=2e-2)


@settings(deadline=None, max_examples=50)
@given(st.floats(1e-3, 1e4), st.integers(1, 90), st.sampled_from(DTYPES))
def test_a_rounded_row_is_off_by_half_a_step_at_most(
    size: float, width: int, dtype: torch.dtype
) -> None:
    rows = (size * drawn(torch.float32, 2, width)).to(dtype)
    steps, sizes = torch.empty(2, width, dtype=torch.uint8), torch.empty(2, 1)
    kernels.round_rows(bits(rows), steps.numpy(), sizes.numpy())
    back = (steps.float() - 128) * sizes
    assert ((back - rows.float()).abs() <= 0.501 * sizes).all()
    assert int(steps.min()) >= 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_product_is_scaled_row_by_row(dtype: torch.dtype) -> None:
    product, sizes, bias = (
        drawn(torch.float32, 5, 33),
        drawn(torch.float32, 5, 1),
        drawn(torch.float32, 33),
    )
    out = torch.empty(5, 33, dtype=dtype)
    kernels.scale_rows(product.numpy(), sizes.numpy(), bias.numpy(), bits(out))
    expected = (product * sizes + bias).to(dtype)
    assert torch.allclose(out.float(), expected.float(), rtol=1e-2, atol=1e-6)
