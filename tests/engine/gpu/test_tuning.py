from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType

import pytest
import torch

from engine.gpu.tuning import tune

SWITCHES = ("flash_sdp", "mem_efficient_sdp", "math_sdp")


@pytest.fixture(autouse=True)
def switches_off() -> Iterator[None]:
    """All of them off before, and as they were after."""
    cuda, cudnn = torch.backends.cuda, torch.backends.cudnn
    were = {name: getattr(cuda, f"{name}_enabled")() for name in SWITCHES}
    tf32 = cuda.matmul.allow_tf32, cudnn.allow_tf32
    for name in SWITCHES:
        getattr(cuda, f"enable_{name}")(False)
    cuda.matmul.allow_tf32 = cudnn.allow_tf32 = False
    yield
    for name, was in were.items():
        getattr(cuda, f"enable_{name}")(was)
    cuda.matmul.allow_tf32, cudnn.allow_tf32 = tf32


def test_tb8_attention_switches_are_called_and_not_overwritten():
    before = {name: getattr(torch.backends.cuda, f"enable_{name}") for name in SWITCHES}
    tune(torch)
    for name in SWITCHES:
        assert getattr(torch.backends.cuda, f"{name}_enabled")() is True
        assert getattr(torch.backends.cuda, f"enable_{name}") is before[name]
        assert isinstance(before[name], FunctionType | BuiltinFunctionType)


def test_tf32_is_on_for_products_and_convolutions():
    tune(torch)
    assert torch.backends.cuda.matmul.allow_tf32 is True
    assert torch.backends.cudnn.allow_tf32 is True
    assert torch.backends.cudnn.benchmark is False


def test_the_cpu_computes_as_before():
    generator = torch.Generator().manual_seed(0)
    left, right = torch.randn(2, 64, 64, generator=generator)
    before = left @ right
    tune(torch)
    assert torch.equal(left @ right, before)
