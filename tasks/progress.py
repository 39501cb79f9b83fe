"""The progress of a transcription on the dashboard."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from time import monotonic
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

_EVERY_S = 2.0


class ProgressBar:
    """A progress artifact, told of seconds of speech, that says how much time is left.

    It moves every two seconds and at the end, in a thread of its own: the GPU slot is held
    meanwhile, and a request that fails is not worth a transcription.
    """

    def __init__(self, what: str, clock: Callable[[], float] = monotonic) -> None:
        self._what = what
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
        if error is None:
            self._publish(100.0, f"{self._what}: done in {self._clock() - self._begun:.0f} s")
        self._thread.shutdown(wait=False)

    def show(self, done: float, total: float) -> None:
        """So many seconds of all speech are transcribed."""
        now = self._clock()
        waiting = self._last is not None and not self._last.done()
        if waiting or now - self._shown < _EVERY_S:
            return
        self._shown = now
        percent = min(100.0 * done / total, 100.0) if total else 100.0
        left_s = (now - self._begun) * (total - done) / done if done else 0.0
        heard = f"{done / 60:.1f} of {total / 60:.1f} minutes of speech, {left_s:.0f} s left"
        self._publish(percent, f"{self._what}: {heard}")

    def _publish(self, percent: float, said: str) -> None:
        self._last = self._thread.submit(self._context.run, self._write, percent, said)

    def _write(self, percent: float, said: str) -> None:
        if self._artifact is None:
            made = create_progress_artifact(progress=percent, description=said)
            self._artifact = made if isinstance(made, UUID) else None
        else:
            update_progress_artifact(self._artifact, progress=percent, description=said)
