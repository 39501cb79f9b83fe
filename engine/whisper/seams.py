"""Where a window repeats the end of the one before: the two texts become one, by their words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from engine.audio.windows import Window
from engine.transcript import Segment, Word
from engine.whisper.words import WORD

_SLACK_S = 1.0
"""By how much the guessed time of a word may be wrong."""


@dataclass(frozen=True)
class _Word:
    """A word of a segment; without a time of its own it has one by its place in the text."""

    segment: int
    text: str
    middle_s: float
    timed: Word | None = None

    @property
    def sound(self) -> str:
        """What two hearings of the same word have in common."""
        return "".join(char for char in self.text.casefold() if char.isalnum())


class Joiner:
    """Takes the windows' segments in order and gives them back joined.

    The segments of the last window are kept until it is known whether the next one joins it.
    """

    def __init__(self) -> None:
        self._window: Window | None = None
        self._kept: list[Segment] = []

    def add(self, window: Window, segments: Sequence[Segment]) -> list[Segment]:
        """Segments that are final now that this window is known."""
        before, segments = self._kept, list(segments)
        if self._window and window.joins_previous and window.start_s < self._window.end_s:
            before, segments = joined(before, segments, window.start_s, self._window.end_s)
        self._window, self._kept = window, segments
        return before

    def finish(self) -> list[Segment]:
        """The rest."""
        kept, self._kept = self._kept, []
        return kept


def joined(
    before: Sequence[Segment], after: Sequence[Segment], start_s: float, end_s: float
) -> tuple[list[Segment], list[Segment]]:
    """Both sides of a seam without what they say twice; `start_s` to `end_s` was heard twice.

    They meet in the middle of the longest run of words on which they agree; where they agree on
    nothing, in the middle of what was heard twice.
    """
    old, new = _words(before), _words(after)
    first = next((i for i, w in enumerate(old) if w.middle_s >= start_s - _SLACK_S), len(old))
    last = next((i for i, w in enumerate(new) if w.middle_s > end_s + _SLACK_S), len(new))
    tail, head = [w.sound for w in old[first:]], [w.sound for w in new[:last]]
    match = SequenceMatcher(None, tail, head, autojunk=False).find_longest_match()
    if match.size:
        half = (match.size + 1) // 2
        keep, skip = first + match.a + half, match.b + half
    else:
        middle = (start_s + end_s) / 2
        keep = sum(word.middle_s < middle for word in old)
        skip = sum(word.middle_s < middle for word in new)
    return _cut(before, old[:keep], 0), _cut(after, new[skip:], -1)


def _words(segments: Iterable[Segment]) -> list[_Word]:
    words = []
    for index, segment in enumerate(segments):
        if segment.words:
            words += [_Word(index, w.text, (w.start + w.end) / 2, w) for w in segment.words]
            continue
        length = max(len(segment.text), 1)
        for found in WORD.finditer(segment.text):
            share = (found.start() + found.end()) / 2 / length
            middle = segment.start + share * (segment.end - segment.start)
            words.append(_Word(index, found.group(), middle))
    return words


def _cut(segments: Sequence[Segment], words: Sequence[_Word], side: int) -> list[Segment]:
    """The segments with these words alone; a shortened one keeps its start (0) or its end (-1)."""
    left = []
    for index, segment in enumerate(segments):
        mine = [word for word in words if word.segment == index]
        text = "".join(word.text for word in mine).strip()
        if text == segment.text:
            left.append(segment)
        elif text:
            edge = round(mine[-1 - side].middle_s, 3)
            start, end = (segment.start, edge) if side == 0 else (edge, segment.end)
            timed = tuple(word.timed for word in mine if word.timed) or None
            left.append(Segment(start=start, end=end, text=text, words=timed))
    return left
