"""Progress of a transfer: the bytes of all parts of a video as one count."""

from collections.abc import Callable, Sequence
from typing import Any

Progress = Callable[[int, int | None], None]
"""Takes the bytes that arrived, and those in all; None while unknown."""


class Reporter:
    """Tells the caller of progress, and keeps what the caller raises."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._before = 0
        self._last = 0
        self._to_come: int | None = 0
        self.failure: Exception | None = None

    def begin(self, sizes: Sequence[int | None], number: int) -> None:
        """Says that part `number` is next, of parts of these sizes; None where unknown."""
        self._before = self._before + self._last if number else 0
        self._last = 0
        to_come = sizes[number + 1 :]
        self._to_come = None if None in to_come else sum(size or 0 for size in to_come)

    def __call__(self, status: dict[str, Any]) -> None:
        """Takes yt-dlp's word on the part that is under way."""
        total = status.get("total_bytes") or status.get("total_bytes_estimate")
        arrived = status.get("downloaded_bytes") or (total if status["status"] == "finished" else 0)
        self._last = int(arrived or 0)
        known = bool(total) and self._to_come is not None
        whole = self._before + int(total or 0) + (self._to_come or 0)
        try:
            self._progress(self._before + self._last, whole if known else None)
        except Exception as error:
            self.failure = error
            raise
