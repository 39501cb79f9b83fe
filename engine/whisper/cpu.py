"""The CPU as a backend: one scribe per core, each with everything on a thread of its own.

Steps of the decoder are too small to be shared by cores, and a window on each core keeps them
busier than one window on all of them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from engine.audio.samples import Samples
from engine.whisper.encoder import Memory
from engine.whisper.hearing import hear
from engine.whisper.model import Model
from engine.whisper.ragged import RaggedBatch


class CpuBackend:
    """See `Backend`."""

    together = 1

    def __init__(self, model: Model, windows: int, threads: int) -> None:
        """`windows` in all are at work at a time, on `threads` threads."""
        self._model = model
        self.workers = max(1, min(threads, windows))
        self.windows = max(1, windows // self.workers)

    def listen(self, sounds: Sequence[Samples], margin_s: float) -> list[Memory]:
        """See `Backend`."""
        return [memory for sound in sounds for memory in hear(self._model, [sound], margin_s)]

    def batch(self) -> RaggedBatch:
        """See `Backend`."""
        return RaggedBatch(self._model.decoder)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """See `Backend`."""
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)
