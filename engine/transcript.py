"""What was said, and the forms in which it is written: TXT, SRT, VTT and JSON."""

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from operator import itemgetter

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core.core_schema import ValidationInfo

Header = Sequence[tuple[str, str]]
"""What stands above a transcript: labels and values, in their order."""

_TIMED = re.compile(
    r"\[(?:(?P<h>\d+):)?(?P<m>\d\d):(?P<s>\d\d) - (?:(?P<eh>\d+):)?(?P<em>\d\d):(?P<es>\d\d)\]"
)
_SHORTEST_S = 0.02  # one step of Whisper's clock


class Word(BaseModel):
    """A word with the blank before it, its start and end in seconds."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    start: float
    end: float
    text: str


class Segment(BaseModel):
    """A piece of text with its start and end in seconds, and perhaps those of its words."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    start: float
    end: float
    text: str
    words: tuple[Word, ...] | None = Field(None, exclude_if=lambda words: words is None)


@dataclass(frozen=True)
class Draft:
    """A segment as Whisper leaves it: in seconds, None where it told no time."""

    start: float | None
    end: float | None
    text: str
    words: tuple[Word, ...] | None = None


class Transcript(BaseModel):
    """All that was said in one recording; the content of `.transcript.json`.

    Times are seconds. The segments are always ordered, inside the duration and never overlapping:
    whatever is given is brought into that form.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    language: str | None
    duration_s: float
    model: str
    preset: str
    segments: tuple[Segment, ...]

    @field_validator("segments", mode="after")
    @classmethod
    def _in_order(cls, value: tuple[Segment, ...], info: ValidationInfo) -> tuple[Segment, ...]:
        return ordered(value, info.data["duration_s"]) if "duration_s" in info.data else value


def ordered(segments: Iterable[Segment | Draft], duration_s: float) -> tuple[Segment, ...]:
    """Segments in order, inside the duration (seconds), none overlapping the next, none lost.

    A missing or late end becomes the start of the next segment or the duration; a missing start is
    where the one before ended. Only a segment without text is left out.
    """
    length = max(duration_s, 0.0)
    told = sorted(_told(segments, length), key=itemgetter(0))
    step = min(_SHORTEST_S, length / len(told)) if told else 0.0
    starts: list[float] = []
    for start, _, _ in told:
        starts.append(max(start, starts[-1] + step) if starts else start)
    latest = length
    for place in reversed(range(len(starts))):
        latest = starts[place] = max(0.0, min(starts[place], latest - step))
    ends = [
        min(max(end, start + step), next_start)
        for (_, end, _), (start, next_start) in zip(told, pairwise([*starts, length]), strict=True)
    ]
    return tuple(
        _placed(segment, min(round(start, 3), length), min(round(end, 3), length))
        for start, end, (_, _, segment) in zip(starts, ends, told, strict=True)
    )


def _placed(segment: Segment | Draft, start: float, end: float) -> Segment:
    words = segment.words and tuple(
        Word(
            start=min(max(word.start, start), end),
            end=min(max(word.end, start), end),
            text=word.text,
        )
        for word in segment.words
    )
    return Segment(start=start, end=end, text=segment.text.strip(), words=words)


def _told(
    segments: Iterable[Segment | Draft], length: float
) -> Iterable[tuple[float, float, Segment | Draft]]:
    """Start inside the recording, end or infinity, and the segment."""
    before = 0.0
    for segment in segments:
        if not _line(segment.text):
            continue
        start = segment.start
        if start is None or not math.isfinite(start):
            start = before
        start = min(max(start, 0.0), length)
        end = segment.end
        if end is None or not start < end < math.inf:
            end = math.inf
        before = min(end, length) if end < math.inf else start
        yield start, end, segment


def render(transcript: Transcript, header: Header, extension: str) -> str:
    """The transcript as the content of a file with this extension, such as `.srt`.

    Only `.txt` shows the header. Every form ends with a line end; a segment is one line of text.

    Raises:
        KeyError: there is no such form; `FORMS` holds them all.
    """
    return FORMS[extension](transcript, header)


def _txt(transcript: Transcript, header: Header) -> str:
    lines = [f"{_line(label)}: {_line(value)}" for label, value in header]
    if lines:
        lines.append("")
    lines += [f"[{_span(s.start, s.end)}] {_line(s.text)}" for s in transcript.segments]
    return "".join(f"{line}\n" for line in lines)


def _srt(transcript: Transcript, header: Header) -> str:
    cues = (
        f"{number}\n{_exact(s.start, ',')} --> {_exact(s.end, ',')}\n"
        # SRT knows no escape; an arrow would be read as a line of times.
        f"{_line(s.text).replace('-->', '→')}\n"
        for number, s in enumerate(transcript.segments, start=1)
    )
    return "\n".join(cues) or "\n"


def _vtt(transcript: Transcript, header: Header) -> str:
    cues = (
        f"{_exact(s.start, '.')} --> {_exact(s.end, '.')}\n{escape(_line(s.text), quote=False)}\n"
        for s in transcript.segments
    )
    return "\n".join(["WEBVTT\n", *cues])


def _json(transcript: Transcript, header: Header) -> str:
    return transcript.model_dump_json(indent=1) + "\n"


FORMS: dict[str, Callable[[Transcript, Header], str]] = {
    ".txt": _txt,
    ".srt": _srt,
    ".vtt": _vtt,
    ".transcript.json": _json,
}
"""Every form by its extension."""


def spoken_at(line: str) -> tuple[int, int] | None:
    """Start and end, in seconds, that stand in front of a line of the text; None without them."""
    times = _TIMED.match(line)
    return (_seconds(times, "h", "m", "s"), _seconds(times, "eh", "em", "es")) if times else None


def _seconds(times: re.Match[str], hours: str, minutes: str, seconds: str) -> int:
    return int(times[hours] or 0) * 3600 + int(times[minutes]) * 60 + int(times[seconds])


def _line(text: str) -> str:
    """The text on one line, without control characters and halves of characters."""
    shown = (" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
    return " ".join("".join(shown).split())


def _span(start_s: float, end_s: float) -> str:
    with_hours = end_s >= 3600
    return f"{clock(start_s, with_hours)} - {clock(end_s, with_hours)}"


def clock(seconds: float, with_hours: bool) -> str:
    """MM:SS or HH:MM:SS of the whole seconds."""
    minutes, left = divmod(int(seconds), 60)
    if not with_hours:
        return f"{minutes:02}:{left:02}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{left:02}"


def _exact(seconds: float, mark: str) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{clock(whole, with_hours=True)}{mark}{thousandths:03}"
