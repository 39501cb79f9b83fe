"""Hits as people want them: which video, which second, what was said, and a link."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from engine.library.sidecar import Sidecar
from engine.search.index import Found, Index
from engine.search.passages import Line, lines_of
from engine.search.query import Query, parsed, words
from engine.settings import Settings
from engine.video import moment

PER_VIDEO = 3
"""Hits of one video at most, so that it does not hide the others."""
_SUFFIX = ".transcript.json"
_LINES_SHOWN = 3


class Hit(BaseModel):
    """One place: `start_s` is the second in which the line that fits best begins.

    `link` and `published` are null for what has none; the smaller `score`, the better.
    """

    model_config = ConfigDict(frozen=True)

    video_id: str
    title: str
    channel: str | None
    published: datetime | None
    start_s: float
    link: str | None
    text: str
    score: float
    transcript: Path


def search(settings: Settings, text: str, limit: int = 10, channel: str | None = None) -> list[Hit]:
    """Where it was said, the best first; the index is brought up to date before.

    Args:
        settings: whose library, and where its index lies.
        text: words, phrases in double quotes, `begin*`.
        limit: hits at most.
        channel: only channels whose title or handle holds this.

    Raises:
        BadQuery: there is no word in it.
        NoPermission, DiskFull, Busy: the index cannot be written.
    """
    query = parsed(text)
    hits: list[Hit] = []
    for found in _apart(Index(settings).find(query)):
        hit = _hit(found, query)
        if hit is not None and (channel is None or _is_of(hit, found, channel)):
            hits.append(hit)
        if len(hits) == limit:
            break
    return hits


def _apart(found: Iterable[Found]) -> Iterator[Found]:
    """At most three of a video, and of two passages that touch the better one."""
    taken: dict[Path, list[Found]] = {}
    count = Counter[Path]()
    for one in found:
        near = taken.setdefault(one.file, [])
        touches = any(one.start_s <= other.end_s and other.start_s <= one.end_s for other in near)
        if count[one.file] < PER_VIDEO and not touches:
            count[one.file] += 1
            near.append(one)
            yield one


def _hit(found: Found, query: Query) -> Hit | None:
    stem = found.file.name.removesuffix(_SUFFIX)
    sidecar = Sidecar.read(found.file.with_name(f"{stem}.json"))
    if sidecar is None:
        return None
    video = sidecar.video
    start_s, text = _place(found, query)
    return Hit(
        video_id=video.video_id,
        title=video.title,
        channel=video.channel_title,
        published=video.published_at if video.address else None,
        start_s=start_s,
        link=moment(video.address, start_s) if video.address else None,
        text=text,
        score=round(found.score, 3),
        transcript=found.file.with_name(f"{stem}.txt"),
    )


def _place(found: Found, query: Query) -> tuple[float, str]:
    """The line of the passage that holds most of what was asked for, with what follows."""
    every = lines_of(found.file)
    inside = [place for place, line in enumerate(every) if _is_inside(line, found)]
    if not inside:
        return found.start_s, ""
    best = max(inside, key=lambda place: (_held(every, place, query), -place))
    shown = every[best : min(best + _LINES_SHOWN, inside[-1] + 2)]
    return every[best].start_s, " ".join(line.text for line in shown)


def _is_inside(line: Line, found: Found) -> bool:
    return found.start_s <= line.start_s < found.end_s or line.start_s == found.start_s


def _held(every: list[Line], place: int, query: Query) -> float:
    """How many of the terms the line holds; those that end in the next one count half."""
    alone = f" {' '.join(words(every[place].text))} "
    follows = " ".join(words(every[place + 1].text)) if place + 1 < len(every) else ""
    both = f"{alone}{follows} "
    return sum(1.0 if _in(term, alone) else 0.5 * _in(term, both) for term in query.terms)


def _in(term: str, said: str) -> bool:
    return f" {term[:-1]}" in said if term.endswith("*") else f" {term} " in said


def _is_of(hit: Hit, found: Found, channel: str) -> bool:
    wanted = channel.lstrip("@").casefold()
    return any(wanted in name.casefold() for name in (hit.channel or "", found.file.parent.name))
