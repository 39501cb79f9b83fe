"""How many windows are worked on at once: as many as the preset allows and memory holds."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import psutil
import torch

from engine.whisper.model import Model

Item = TypeVar("Item")
Result = TypeVar("Result")

_SHARE = 0.6
"""Of the free memory that the rows of a batch may fill; the rest is for what comes and goes."""


def rows_that_fit(model: Model, wanted: int) -> int:
    """`wanted`, or as many full windows as the device has memory for; at least 1."""
    if model.device.type == "cuda":  # cuda only
        free, _ = torch.cuda.mem_get_info(model.device)
    else:
        free = psutil.virtual_memory().available
    return max(1, min(wanted, int(free * _SHARE / model.decoder.row_bytes)))


def in_batches(
    items: Sequence[Item], rows: int, work: Callable[[Sequence[Item]], list[Result]]
) -> Iterator[tuple[Sequence[Item], list[Result]]]:
    """Work on the items batch by batch, in order; out of memory halves the batch and tries again.

    Raises:
        torch.OutOfMemoryError: not even one item fits.
    """
    done = 0
    while done < len(items):
        batch = items[done : done + rows]
        try:
            results = work(batch)
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                raise
            rows = len(batch) // 2
            continue
        yield batch, results
        done += len(batch)
