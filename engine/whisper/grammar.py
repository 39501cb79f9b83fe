"""Whisper's grammar of timestamps: what may come next in one row.

A row is `<|start|> text <|end|>` again and again. Times never fall, a segment is never empty in
time, and no time lies behind the end of the window.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from engine.whisper.vocabulary import SECONDS_PER_TIMESTAMP, TIMESTAMPS, Vocabulary

LATEST_FIRST_TIME_S = 1.0
"""Seconds from the window's start by which the first segment has begun."""

SHORTEST_LAST_SEGMENT_S = 0.5
"""A segment that opens earlier before the window's end has text: nothing heard is left out."""

_LATEST_FIRST = int(LATEST_FIRST_TIME_S / SECONDS_PER_TIMESTAMP)
_SHORTEST_LAST = int(SHORTEST_LAST_SEGMENT_S / SECONDS_PER_TIMESTAMP)


class Allowed(NamedTuple):
    """What may come next: text, the end, and times from the first to the last step of 20 ms."""

    text: bool
    end: bool
    first_time: int
    last_time: int


_NO_TIME = (TIMESTAMPS, -1)


@dataclass
class Grammar:
    """Where one row stands; `latest` is the last step of 20 ms inside its window."""

    vocabulary: Vocabulary
    latest: int
    _earliest: int = 0
    _after_time: bool = False
    _in_pair: bool = field(default=True)
    _started: bool = False

    @classmethod
    def of_window(cls, vocabulary: Vocabulary, seconds: float) -> "Grammar":
        """The start of a row that hears so many seconds."""
        return cls(vocabulary, min(int(seconds / SECONDS_PER_TIMESTAMP), TIMESTAMPS - 1))

    def allowed(self) -> Allowed:
        """What may come next."""
        if not self._started:
            return Allowed(False, False, 0, min(self.latest, _LATEST_FIRST))
        if self._after_time and self._in_pair:
            room = self.latest - self._earliest
            goes_on = self._earliest > 1 and room > _SHORTEST_LAST
            return Allowed(True, not goes_on, *_NO_TIME)
        return Allowed(not self._after_time, True, self._earliest, self.latest)

    def advance(self, token: int) -> None:
        """The row has gone on with this token."""
        # The time after a time opens a segment, which then must last at least one step.
        opens = self._after_time or not self._started
        step = token - self.vocabulary.first_timestamp
        if step >= 0:
            self._earliest = step + opens
        self._in_pair, self._after_time, self._started = opens, step >= 0, True
