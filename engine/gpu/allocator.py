"""torch's allocator on the card: what is free, what was held at most, and a lid on it."""

from typing import Any

from engine.gpu.memory import CAP_SHARE, Room

CONTEXT_BYTES = 600_000_000
"""What a process takes of a card outside torch's allocator: CUDA's context, the kernels of torch,
cuBLAS and cuDNN. An estimate for one RTX 4090; it has not been measured."""
_LEAST_FRACTION = 0.05


def room(torch: Any, device: Any) -> Room:
    """The device's memory now. What torch has cached is free for us, though not for others."""
    free, total = torch.cuda.mem_get_info(device)
    allocated = torch.cuda.memory_allocated(device)
    cached = torch.cuda.memory_reserved(device) - allocated
    return Room(total, free + cached, allocated + CONTEXT_BYTES)


def hold_below_cap(torch: Any, device: Any) -> None:
    """From now on torch reports out of memory at the cap of this process.

    On Windows the driver would not: from 536.40 on it goes on in the machine's memory instead, many
    times slower (https://nvidia.custhelp.com/app/answers/detail/a_id/5490).
    """
    _, total = torch.cuda.mem_get_info(device)
    fraction = CAP_SHARE - CONTEXT_BYTES / total
    torch.cuda.set_per_process_memory_fraction(max(_LEAST_FRACTION, fraction), device)


def peak_bytes(torch: Any, device: Any) -> int:
    """The most that this process held of the card since `forget_peak`.

    Reserved and not allocated memory is counted: cached blocks are taken from the card whether
    something lies in them or not. NVML could tell no better: on Windows it does not know what
    belongs to which process.
    """
    return int(torch.cuda.max_memory_reserved(device)) + CONTEXT_BYTES


def forget_peak(torch: Any, device: Any) -> None:
    """Begin a new measurement for `peak_bytes`."""
    torch.cuda.reset_peak_memory_stats(device)
