"""A CUDA device as a backend: one scribe, windows encoded together, all rows in one batch."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from engine.audio.samples import Samples
from engine.whisper.encoder import Memory
from engine.whisper.graphs import Capture, Graphs, capture_of
from engine.whisper.hearing import hear
from engine.whisper.static import StaticBatch

if TYPE_CHECKING:  # a network alone will do, without settings and files
    from engine.whisper.model import Model

_TOGETHER = 8


class CudaBackend:
    """See `Backend`."""

    workers = 1

    def __init__(
        self,
        model: "Model",
        windows: int,
        capture: Capture | None = None,
        rest: Callable[[], object] = lambda: None,
    ) -> None:
        """`capture` records steps, by default as the model's device can; `rest` lets it cool."""
        self._model = model
        self._rest = rest
        self._capture = capture or capture_of(model.device)
        self.windows = windows
        self.together = min(_TOGETHER, windows)

    def listen(self, sounds: Sequence[Samples], margin_s: float) -> list[Memory]:
        """See `Backend`."""
        self._rest()
        return hear(self._model, sounds, margin_s)

    def batch(self) -> StaticBatch:
        """See `Backend`."""
        return StaticBatch(self._model.decoder, self.windows, Graphs(self._capture))

    def at_work(self) -> AbstractContextManager[object]:
        """See `Backend`."""
        return nullcontext()
