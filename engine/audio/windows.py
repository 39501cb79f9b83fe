"""Which stretches of the audio Whisper hears at once: cut in pauses, never in a word if avoidable.

Whisper does best on whole sentences with what was said before them, and invents text in long
silences. So utterances that follow each other closely share a window as long as it stays short
enough, and the cuts between windows go where the pauses are longest.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

from engine.whisper.presets import Preset

LONGEST_WINDOW_S = 30.0
"""What Whisper's encoder sees at most."""

_LONGEST_GROUP_S = 26.0  # attention costs by the square of a window; only unbroken speech is longer
_LONGEST_PAUSE_S = 2.5  # inside a window; Whisper invents text in longer ones
_MARGIN_S = 0.3  # heard before and after speech: soft beginnings and ends escape the detector
_WINDOW_COST = 1.0
_CUT_COST = 3.0
_FREE_CUT_S = 1.0  # a pause so long parts sentences; cutting there costs nothing


@dataclass(frozen=True)
class Span:
    """A stretch in which somebody speaks, in seconds."""

    start_s: float
    end_s: float


class Window(BaseModel):
    """A stretch that is heard at once, in seconds, at most 30 of them.

    `joins_previous`: it repeats the last seconds of the window before, because speech runs on; the
    two texts are to be joined by their words.
    """

    model_config = ConfigDict(frozen=True)

    start_s: float
    end_s: float
    joins_previous: bool = False

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class _Piece:
    """What is never cut: an utterance, or a part of one that is too long for a window."""

    start_s: float
    end_s: float
    pause_s: float
    """Silence before it."""
    joins: bool


def plan(speech: Iterable[Span], duration_s: float, preset: Preset) -> tuple[Window, ...]:
    """Windows that together hear every second of `speech`, ordered, inside the duration.

    None is longer than 30 s or the preset's chunk. They overlap, by the preset's overlap, only
    where speech goes on without a pause for longer than a window.
    """
    limit = min(LONGEST_WINDOW_S, preset.chunk_seconds)
    overlap = min(preset.overlap_seconds, limit / 3)
    pieces = list(_pieces(_tidy(speech, duration_s), duration_s, limit, overlap))
    return tuple(
        Window(
            start_s=pieces[first].start_s,
            end_s=pieces[last].end_s,
            joins_previous=pieces[first].joins,
        )
        for first, last in _grouped(pieces, limit)
    )


def _tidy(speech: Iterable[Span], duration_s: float) -> list[Span]:
    tidy: list[Span] = []
    for span in sorted(speech, key=lambda span: span.start_s):
        start, end = max(span.start_s, 0.0), min(span.end_s, duration_s)
        if end <= start:
            continue
        if tidy and start <= tidy[-1].end_s:
            tidy[-1] = Span(tidy[-1].start_s, max(end, tidy[-1].end_s))
        else:
            tidy.append(Span(start, end))
    return tidy


def _pieces(
    speech: list[Span], duration_s: float, limit: float, overlap: float
) -> Iterator[_Piece]:
    # The sound before the first and after the last utterance counts as silence shared with nobody.
    before = Span(-math.inf, -2 * _MARGIN_S)
    after = Span(duration_s + 2 * _MARGIN_S, math.inf)
    silences = [b.start_s - a.end_s for a, b in pairwise([before, *speech, after])]
    for span, silence, next_silence in zip(speech, silences, silences[1:], strict=False):
        start = max(span.start_s - min(_MARGIN_S, silence / 2), 0.0)
        end = min(span.end_s + min(_MARGIN_S, next_silence / 2), duration_s)
        parts = max(1, math.ceil((end - start - overlap) / (limit - overlap)))
        step = (end - start - overlap) / parts
        for part in range(parts):
            first = start + part * step
            last = end if part == parts - 1 else min(first + step + overlap, first + limit)
            yield _Piece(max(first, last - limit), last, 0.0 if part else silence, joins=part > 0)


def _grouped(pieces: list[_Piece], limit: float) -> list[tuple[int, int]]:
    """First and last piece of each window, by the cheapest way through all of them."""
    cheapest = [0.0] + [math.inf] * len(pieces)
    came_from = [0] * (len(pieces) + 1)
    for behind in range(1, len(pieces) + 1):
        for first in _starts(pieces, behind - 1, limit):
            cost = cheapest[first] + _WINDOW_COST + _cut_cost(pieces[first])
            if cost < cheapest[behind]:
                cheapest[behind], came_from[behind] = cost, first
    groups = []
    behind = len(pieces)
    while behind:
        groups.append((came_from[behind], behind - 1))
        behind = came_from[behind]
    return groups[::-1]


def _starts(pieces: list[_Piece], last: int, limit: float) -> Iterator[int]:
    """Every piece with which a window that ends with piece `last` may start."""
    yield last
    for first in range(last - 1, -1, -1):
        later = pieces[first + 1]
        if later.joins or later.pause_s > _LONGEST_PAUSE_S:
            return
        if pieces[last].end_s - pieces[first].start_s > min(limit, _LONGEST_GROUP_S):
            return
        yield first


def _cut_cost(piece: _Piece) -> float:
    if piece.joins:
        return 0.0
    return _CUT_COST * max(0.0, 1 - piece.pause_s / _FREE_CUT_S) ** 2
