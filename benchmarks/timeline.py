"""Spans of time as sets: what lay in several of them, and what was left between."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Span:
    """From `start` to `end`, in seconds of one clock."""

    start: float
    end: float


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time in spans that neither touch nor overlap, in order."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        elif span.end > span.start:
            joined.append(span)
    return joined


def minus(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """What lies in `spans` and in none of `others`."""
    left: list[Span] = []
    taken = union(others)
    for span in union(spans):
        start = span.start
        for other in taken:
            if other.end <= start or other.start >= span.end:
                continue
            if other.start > start:
                left.append(Span(start, other.start))
            start = other.end
        if start < span.end:
            left.append(Span(start, span.end))
    return left


def length(spans: Iterable[Span]) -> float:
    """Seconds in all; of spans that do not overlap."""
    return sum(span.end - span.start for span in spans)
