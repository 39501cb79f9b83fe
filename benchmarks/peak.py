"""How much memory the processes of a measurement hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import psutil


class Peak:
    """The most memory that the processes below this one held together, in MB."""

    def __init__(self, every_s: float = 0.05) -> None:
        self.megabytes = 0.0
        self._every_s = every_s

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch while the block runs."""
        over = Event()

        def watch() -> None:
            while not over.wait(self._every_s):
                self.megabytes = max(self.megabytes, _held() / 1e6)

        watcher = Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


def _held() -> int:
    held = 0
    for process in psutil.Process().children(recursive=True):
        try:
            held += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue  # it ended meanwhile
    return held
