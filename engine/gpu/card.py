"""Which of several cards is meant: torch, CUDA and NVML number them differently."""

from collections.abc import Mapping
from typing import Any


def uuid_of(torch: Any, index: int = 0) -> str:
    """NVML's name for torch's CUDA device `index`; makes a CUDA context."""  # cuda only
    return f"GPU-{torch.cuda.get_device_properties(index).uuid}"


def find(nvml: Any, uuid: str | None, environ: Mapping[str, str]) -> Any | None:
    """NVML's handle of a card; None when CUDA shows none to this process.

    Without a UUID it is the first that CUDA_VISIBLE_DEVICES names. Where several cards are numbered
    there, or nothing is set, that may be another than torch's first: CUDA counts the fastest first,
    NVML by slot.

    Raises:
        nvml.NVMLError: no card has this UUID, or NVML does not answer.
    """
    if uuid is not None:
        return nvml.nvmlDeviceGetHandleByUUID(uuid)
    cards = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    first = "0" if visible is None else visible.split(",")[0].strip()
    if first.isdigit():
        return cards[int(first)] if int(first) < len(cards) else None
    if not first.startswith("GPU-"):
        return None
    # CUDA takes the beginning of a UUID for the whole.
    named = (card for card in cards if nvml.nvmlDeviceGetUUID(card).startswith(first))
    return next(named, None)
