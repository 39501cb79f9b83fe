"""Steps that the device has recorded: one for each shape, started again without Python's work.

A step of the decoder is some hundred small kernels, which take longer to start one by one than to
run. CUDA records them once as a graph and then starts them all at once. That needs tensors that
stay where they are, and no work of the host in between.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple, Protocol
from weakref import WeakSet

import torch
from torch import Tensor

Step = Callable[[], Tensor]
"""Reads tensors that stay where they are; done twice in a row it does the same."""

MOST = 32
"""Graphs at a time; each takes some megabytes of the device's memory."""


class Bucket(NamedTuple):
    """The shape of a step: rows, room for what they wrote, positions of what they heard."""

    rows: int
    room: int
    positions: int


class Capture(Protocol):
    """Makes a replay of a step that has been done before."""

    def __call__(self, step: Step) -> Step:
        """A replay's result holds until the next replay of any step."""
        ...


def call(step: Step) -> Step:
    """The capture of devices that record nothing: a replay is the step itself."""
    return step


class Graphs:
    """The replays of one batch."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._replays: dict[Bucket, Step | None] = {}

    def run(self, bucket: Bucket, step: Step) -> Tensor:
        """Do the step. It is recorded when its bucket comes a second time: many come only once."""
        if bucket not in self._replays:
            self._replays[bucket] = None
            return step()
        # Put behind the others: the first is always the one that was not used for longest.
        replay = self._replays.pop(bucket) or self._capture(step)
        self._replays[bucket] = replay
        if len(self._replays) > MOST:
            del self._replays[next(iter(self._replays))]
        return replay()

    def drop(self) -> None:
        """Forget all; to be called before tensors that steps read are given up."""
        self._replays.clear()


class CudaCapture:  # cuda only
    """Records steps as CUDA graphs that share one pool of memory, for they never run together."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._alive: WeakSet[torch.cuda.CUDAGraph] = WeakSet()

    def __call__(self, step: Step) -> Step:
        """See `Capture`.

        Raises:
            torch.OutOfMemoryError: there is no room for what the step makes.
        """
        graph = torch.cuda.CUDAGraph()
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            result = self._recorded(graph, self._pool(step), step)
        current.wait_stream(self._stream)
        self._alive.add(graph)

        def replay() -> Tensor:
            graph.replay()
            return result

        return replay

    def _pool(self, step: Step) -> Any:
        """The pool of the graphs that there are, or a new one: a pool ends with its last graph."""
        sharing = next(iter(self._alive), None)
        if sharing is not None:
            return sharing.pool()
        step()  # cuBLAS takes its working memory per thread and stream: now, outside of the pool
        # While a graph is recorded the allocator frees nothing to make room: what is only cached
        # goes before.
        torch.cuda.empty_cache()
        return torch.cuda.graph_pool_handle()

    def _recorded(self, graph: torch.cuda.CUDAGraph, pool: Any, step: Step) -> Tensor:
        # Relaxed: what is freed meanwhile has no part in the step, and with a threshold for its
        # collection (see environment.py) the allocator may free cached memory even now.
        graph.capture_begin(pool=pool, capture_error_mode="relaxed")
        try:
            result = step()
        except BaseException:
            with suppress(RuntimeError):  # the recording is lost, its cause is what counts
                graph.capture_end()
            raise
        graph.capture_end()
        return result


@cache
def capture_of(device: torch.device) -> Capture:
    """What suits a device; one for all batches, so that they share a stream of the device."""
    return CudaCapture(device) if device.type == "cuda" else call
