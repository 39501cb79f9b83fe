"""The progress of a long step on the dashboard, where commands and the console find it too."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

_EVERY_S = 2.0


@dataclass(frozen=True)
class Unit:
    """What is counted, and how much of it one of the shown unit is."""

    name: str
    size: float
    rate: str
    """How a second's worth is told, counted in `rate_size`."""
    rate_size: float = 1.0


SPEECH = Unit("minutes of speech", 60.0, "× real time")
"""Told in seconds."""
MEDIA = Unit("MB", 1e6, "MB/s", 1e6)
"""Told in bytes."""


class ProgressBar:
    """A progress artifact that says how much is done, and how much time is left.

    It moves every two seconds and at the end, in a thread of its own: the GPU slot is held
    meanwhile, and a request that fails is not worth a transcription.
    """

    def __init__(
        self, what: str, clock: Callable[[], float] = monotonic, unit: Unit = SPEECH
    ) -> None:
        self._what = what
        self._unit = unit
        self._clock = clock
        self._begun = clock()
        self._shown = float("-inf")
        self._artifact: UUID | None = None
        self._context = copy_context()  # which run the artifact belongs to
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="progress")
        self._last: Future[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None and self._last is not None:
            self._publish(100.0, f"{self._what}: done in {self._clock() - self._begun:.0f} s")
        self._thread.shutdown(wait=False)

    def show(self, done: float, total: float | None) -> None:
        """So much of all is done; nobody knows of how much while `total` is None."""
        now = self._clock()
        waiting = self._last is not None and not self._last.done()
        if waiting or now - self._shown < _EVERY_S:
            return
        self._shown = now
        size, name = self._unit.size, self._unit.name
        if total is None:
            self._publish(0.0, f"{self._what}: {done / size:.1f} {name}")
            return
        percent = min(100.0 * done / total, 100.0) if total else 100.0
        so_far = f"{done / size:.1f} of {total / size:.1f} {name}"
        if done and now > self._begun:
            rate = done / (now - self._begun)
            told = f"{rate / self._unit.rate_size:.1f} {self._unit.rate}"
            so_far += f", {told}, {(total - done) / rate:.0f} s left"
        self._publish(percent, f"{self._what}: {so_far}")

    def _publish(self, percent: float, said: str) -> None:
        self._last = self._thread.submit(self._context.run, self._write, percent, said)

    def _write(self, percent: float, said: str) -> None:
        if self._artifact is None:
            made = create_progress_artifact(progress=percent, description=said)
            self._artifact = made if isinstance(made, UUID) else None
        else:
            update_progress_artifact(self._artifact, progress=percent, description=said)
