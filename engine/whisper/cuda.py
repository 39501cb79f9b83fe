"""A CUDA device as a backend: one scribe, windows encoded together, all rows in one batch."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from engine.audio.samples import Samples
from engine.whisper.encoder import Memory
from engine.whisper.hearing import hear
from engine.whisper.model import Model
from engine.whisper.padded import PaddedBatch

_TOGETHER = 8


class CudaBackend:
    """See `Backend`."""

    workers = 1

    def __init__(self, model: Model, windows: int) -> None:
        self._model = model
        self.windows = windows
        self.together = min(_TOGETHER, windows)

    def listen(self, sounds: Sequence[Samples], margin_s: float) -> list[Memory]:
        """See `Backend`."""
        return hear(self._model, sounds, margin_s)

    def batch(self) -> PaddedBatch:
        """See `Backend`."""
        return PaddedBatch(self._model.decoder)

    def at_work(self) -> AbstractContextManager[object]:
        """See `Backend`."""
        return nullcontext()
