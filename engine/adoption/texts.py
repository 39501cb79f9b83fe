"""Transcripts as the predecessor wrote them, in each of its layouts.

One segment a line behind its times; the times on a line of their own with the text below; plain
text; and each of these as `content` of a JSON object with the video's metadata.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import BadMedia
from engine.transcript import Draft

LARGEST_BYTES = 50_000_000
"""A transcript of a thousand hours; what is larger is no transcript."""
_CLOCK = r"(?:(?P<{0}h>\d+):)?(?P<{0}m>\d+):(?P<{0}s>\d\d)"
_TIMES = re.compile(
    rf"\[\s*{_CLOCK.format('a')}\s*[-–]\s*(?:{_CLOCK.format('b')}|[^\]\d]*)\s*\]\s*(?P<said>.*)"
)
_NO_TIMES = re.compile(r"\[Timestamps unavailable\]\s*(?P<said>.*)", re.IGNORECASE)
_CHARACTERS_PER_SECOND = 15.0
"""How fast people speak; for a last segment whose end nobody knows."""


class NoTranscript(BadMedia):
    """The file holds no text, or is no text at all."""


@dataclass(frozen=True)
class OldText:
    """What was said, with times in seconds as far as they were told, and what is known of it.

    `described` holds the fields of the JSON layout by the names of the six-field sidecar.
    """

    drafts: tuple[Draft, ...]
    timed: bool
    described: Mapping[str, Any] = field(default_factory=dict)

    @property
    def length_s(self) -> float:
        """Seconds that it lasts at least, by its own times."""
        latest = 0.0
        for draft in self.drafts:
            start = draft.start or 0.0
            guess = start + len(draft.text) / _CHARACTERS_PER_SECOND
            latest = max(latest, guess if draft.end is None else draft.end)
        return latest


def read(file: Path) -> OldText:
    """The old transcript in a file.

    Raises:
        NoTranscript: it is empty, too large, or no text.
    """
    if file.stat().st_size > LARGEST_BYTES:
        raise NoTranscript(f"{file.name} is too large for a transcript.")
    return parsed(decoded(file.read_bytes(), file.name))


def decoded(content: bytes, name: str = "The file") -> str:
    """The text of UTF-8 with or without a mark, else of Windows' old code page.

    Raises:
        NoTranscript: it is no text.
    """
    if b"\0" in content:
        raise NoTranscript(f"{name} is no text.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def parsed(text: str) -> OldText:
    """The transcript in a text of any layout.

    Raises:
        NoTranscript: nothing is said in it.
    """
    described: Mapping[str, Any] = {}
    found = _object(text)
    if found is not None:
        text = str(found.get("content") or "")
        described = {name[:1].lower() + name[1:]: value for name, value in found.items()}
    drafts, timed = _drafts(text)
    if not drafts:
        raise NoTranscript("It holds no transcript: there is no text.")
    return OldText(drafts, timed, described)


def _object(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "content" in found else None


def _drafts(text: str) -> tuple[tuple[Draft, ...], bool]:
    """Each line that begins with times begins a segment; other lines go on with the one before."""
    pieces: list[tuple[float | None, float | None, list[str]]] = []
    timed = False
    for line in text.splitlines():
        if times := _TIMES.fullmatch(line.strip()):
            timed = True
            pieces.append((_seconds(times, "a"), _seconds(times, "b"), [times["said"]]))
        elif unknown := _NO_TIMES.fullmatch(line.strip()):
            pieces.append((None, None, [unknown["said"]]))
        elif pieces:
            pieces[-1][2].append(line)
        elif line.strip():
            pieces.append((None, None, [line]))
    drafts = (Draft(start, end, " ".join(" ".join(said).split())) for start, end, said in pieces)
    return tuple(draft for draft in drafts if draft.text), timed


def _seconds(times: re.Match[str], which: str) -> float | None:
    if times[f"{which}m"] is None:
        return None
    hours, minutes = int(times[f"{which}h"] or 0), int(times[f"{which}m"])
    return float(hours * 3600 + minutes * 60 + int(times[f"{which}s"]))
