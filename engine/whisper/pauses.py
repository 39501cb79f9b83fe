"""Segments laid over what the speech detector heard: they end where a pause begins.

Whisper's own times lie up to a second off, and it lets sentences run over pauses. Its words tell in
which stretch of speech they were said; the stretch tells when exactly that began and ended.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from engine.audio.windows import Span, Window
from engine.transcript import Segment, Word
from engine.whisper.segments import clean

PAUSE_S = 0.4
"""Silence that parts segments; shorter ones belong to speaking."""
_OUTSIDE_S = 0.25
"""By so much speech may reach out of a window that was cut in the pause beside it."""
_SLACK_S = 1.0
"""A first or last word further than this from the edge of its stretch is not moved there."""


@dataclass
class _Part:
    """What of a segment was said in one stretch of speech."""

    segment: Segment
    stretch: int
    words: list[Word]


def at_pauses(segments: Sequence[Segment], window: Window, speech: Sequence[Span]) -> list[Segment]:
    """One window's segments, parted at pauses and with their bounds moved to where speech has its.

    `speech` is what lies in the window, in seconds of the recording like all else here. Segments
    without words stay as they are.
    """
    stretches = list(_stretches(speech, window))
    if not stretches or not all(segment.words for segment in segments):
        return list(segments)
    parts = list(_parts(segments, stretches))
    fitted = []
    for number, part in enumerate(parts):
        here = stretches[part.stretch]
        opens = number == 0 or parts[number - 1].stretch < part.stretch
        closes = number == len(parts) - 1 or parts[number + 1].stretch > part.stretch
        start = _start(part, here, opens)
        end = max(start, _end(part, here, closes))
        text = clean("".join(word.text for word in part.words))
        if text:
            fitted.append(
                Segment(
                    start=round(start, 3), end=round(end, 3), text=text, words=tuple(part.words)
                )
            )
    return fitted


def _stretches(speech: Sequence[Span], window: Window) -> Iterator[Span]:
    """Speech inside the window, without its short pauses."""
    inside = [
        Span(
            s.start_s if s.start_s > window.start_s - _OUTSIDE_S else window.start_s,
            s.end_s if s.end_s < window.end_s + _OUTSIDE_S else window.end_s,
        )
        for s in speech
    ]
    for span in inside[:1]:
        start, end = span.start_s, span.end_s
        for later in inside[1:]:
            if later.start_s - end >= PAUSE_S:
                yield Span(start, end)
                start = later.start_s
            end = later.end_s
        yield Span(start, end)


def _parts(segments: Sequence[Segment], stretches: Sequence[Span]) -> Iterator[_Part]:
    latest = 0
    for segment in segments:
        placed = []
        for word in segment.words or ():
            latest = max(latest, _nearest(word, stretches))
            placed.append((latest, word))
        for stretch, words in groupby(placed, key=lambda pair: pair[0]):
            yield _Part(segment, stretch, [word for _, word in words])


def _nearest(word: Word, stretches: Sequence[Span]) -> int:
    """The stretch that the word lies in for the longest time, or the one next to it."""

    def shared(number: int) -> float:
        return min(word.end, stretches[number].end_s) - max(word.start, stretches[number].start_s)

    return max(range(len(stretches)), key=shared)


def _start(part: _Part, here: Span, opens: bool) -> float:
    first = part.words[0].start
    if opens:
        return here.start_s if first - here.start_s <= _SLACK_S else first
    return min(max(part.segment.start, here.start_s), part.words[-1].end)


def _end(part: _Part, here: Span, closes: bool) -> float:
    last = part.words[-1].end
    if closes:
        return here.end_s if here.end_s - last <= _SLACK_S else last
    return max(min(part.segment.end, here.end_s), part.words[0].start)
