"""A transcript in passages of about half a minute, the unit of a hit."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LENGTH_S = 30.0
"""Seconds after which a passage ends with its segment."""
_LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True)
class Line:
    """A segment; seconds."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True)
class Passage:
    """Some segments in a row; seconds.

    `text` reaches into the next passage by one segment, so that a phrase across both is found.
    """

    start_s: float
    end_s: float
    text: str


def lines_of(file: Path) -> list[Line]:
    """The segments of a `.transcript.json`; none where it holds something else."""
    try:
        if file.stat().st_size > _LARGEST:
            return []
        raw = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    segments = raw.get("segments") if isinstance(raw, dict) else None
    return [line for one in segments if (line := _line(one))] if isinstance(segments, list) else []


def passages(lines: Sequence[Line]) -> list[Passage]:
    """The passages of a transcript in their order."""
    found: list[Passage] = []
    begun = 0
    for place, line in enumerate(lines):
        is_last = place + 1 == len(lines)
        if is_last or line.end_s - lines[begun].start_s >= LENGTH_S:
            text = " ".join(one.text for one in lines[begun : place + 2])
            found.append(Passage(lines[begun].start_s, line.end_s, text))
            begun = place + 1
    return found


def _line(segment: Any) -> Line | None:
    if not isinstance(segment, dict):
        return None
    start, end, text = (segment.get(name) for name in ("start", "end", "text"))
    if not isinstance(start, (int, float)) or not isinstance(end, (int, float)):
        return None
    return Line(float(start), float(end), text.strip()) if isinstance(text, str) else None
