"""The windows of a recording as work for several scribes: who takes what, and what is done."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Condition

from engine.whisper.rows import Row

_POLL_S = 0.2


@dataclass(frozen=True)
class Task:
    """A window to be written, the number of the try, and the best of those before."""

    window: int
    tries: int = 0
    best: Row | None = None


class Tasks:
    """Shared by threads; every window is done once, whoever does it."""

    def __init__(self, windows: Sequence[int]) -> None:
        self._open = deque(Task(window) for window in windows)
        self._results: dict[int, Row] = {}
        self._changed = Condition()
        self._fault: BaseException | None = None

    def take(self, most: int) -> list[Task]:
        """Up to `most` tasks that are nobody's; none when there are none left."""
        with self._changed:
            if self._fault is not None:
                return []
            return [self._open.popleft() for _ in range(min(most, len(self._open)))]

    def put_back(self, tasks: Sequence[Task]) -> None:
        """They come next: tries that failed, or what did not fit into memory."""
        with self._changed:
            self._open.extendleft(reversed(tasks))

    def finish(self, window: int, row: Row) -> None:
        """This is what the window says."""
        with self._changed:
            self._results[window] = row
            self._changed.notify_all()

    def fail(self, fault: BaseException) -> None:
        """Nothing more is taken, and who waits is told."""
        with self._changed:
            self._fault = self._fault or fault
            self._changed.notify_all()

    def results(self, windows: Sequence[int]) -> Iterator[Row]:
        """The rows of these windows in this order, each as soon as it is there.

        Raises:
            BaseException: what a scribe met.
        """
        for window in windows:
            with self._changed:
                while window not in self._results:
                    if self._fault is not None:
                        raise self._fault
                    self._changed.wait(_POLL_S)
                row = self._results.pop(window)
            yield row
