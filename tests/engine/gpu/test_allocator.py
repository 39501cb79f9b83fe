from types import SimpleNamespace

import pytest

from engine.gpu import allocator
from engine.gpu.allocator import CONTEXT_BYTES
from engine.gpu.memory import CAP_SHARE

GB = 10**9
DEVICE = "cuda:0"


class Cuda:
    """torch.cuda's memory functions over four numbers."""

    def __init__(self, total: int, others: int, reserved: int, allocated: int) -> None:
        self.total, self.others, self.reserved, self.allocated = total, others, reserved, allocated
        self.peak = reserved
        self.fraction = 1.0

    def mem_get_info(self, device: str) -> tuple[int, int]:
        return self.total - self.others - CONTEXT_BYTES - self.reserved, self.total

    def memory_allocated(self, device: str) -> int:
        return self.allocated

    def memory_reserved(self, device: str) -> int:
        return self.reserved

    def max_memory_reserved(self, device: str) -> int:
        return self.peak

    def reset_peak_memory_stats(self, device: str) -> None:
        self.peak = self.reserved

    def set_per_process_memory_fraction(self, fraction: float, device: str) -> None:
        assert 0 <= fraction <= 1
        self.fraction = fraction


def test_what_torch_has_cached_is_free_for_us():
    cuda = Cuda(24 * GB, 1 * GB, reserved=10 * GB, allocated=3 * GB)
    room = allocator.room(SimpleNamespace(cuda=cuda), DEVICE)
    assert room.total_bytes == 24 * GB
    assert room.free_bytes == 24 * GB - 1 * GB - CONTEXT_BYTES - 3 * GB
    assert room.held_bytes == 3 * GB + CONTEXT_BYTES


@pytest.mark.parametrize("total", [4 * GB, 24 * GB, 80 * GB])
def test_torch_and_context_together_stay_below_the_cap(total):
    cuda = Cuda(total, 0, 0, 0)
    allocator.hold_below_cap(SimpleNamespace(cuda=cuda), DEVICE)
    assert cuda.fraction * total + CONTEXT_BYTES == pytest.approx(CAP_SHARE * total)


def test_a_tiny_card_still_gets_a_fraction_that_torch_takes():
    cuda = Cuda(GB // 2, 0, 0, 0)
    allocator.hold_below_cap(SimpleNamespace(cuda=cuda), DEVICE)
    assert cuda.fraction > 0


def test_the_peak_counts_reserved_memory_and_the_context_and_can_be_forgotten():
    cuda = Cuda(24 * GB, 0, reserved=12 * GB, allocated=2 * GB)
    torch = SimpleNamespace(cuda=cuda)
    cuda.reserved = 5 * GB
    assert allocator.peak_bytes(torch, DEVICE) == 12 * GB + CONTEXT_BYTES
    allocator.forget_peak(torch, DEVICE)
    assert allocator.peak_bytes(torch, DEVICE) == 5 * GB + CONTEXT_BYTES
