"""Where something was said, by ODIN AI's search: the passage, its video, and the moment."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict

from engine.library import names
from engine.library.shelf import Library
from engine.odin.client import OdinClient
from engine.odin.models import SearchHit
from engine.transcript import spoken_at
from engine.video import moment

_WORDS = re.compile(r"\w+")
_LINK = re.compile(r"https?://\S+")
_TIMES = re.compile(r"^\[[\d:]+ - [\d:]+\]\s*")
_LINES_SHOWN = 3


class Answer(BaseModel):
    """One hit: `start_s` in seconds and `link` to that moment, null where nothing tells them."""

    model_config = ConfigDict(frozen=True)

    video_id: str | None
    title: str
    channel: str | None
    start_s: int | None
    link: str | None
    text: str
    score: float | None
    document_key: str | None
    transcript: Path | None


def ask(client: OdinClient, library: Library, question: str, limit: int = 10) -> list[Answer]:
    """The passages that fit best, the best first.

    Args:
        client: an open client.
        library: knows the videos of hits that come without metadata.
        question: words or a sentence.
        limit: how many at most.

    Raises:
        RefusedCredentials, ServiceTrouble, NetworkTrouble: ODIN AI does not answer.
    """
    return [_answer(hit, library, question) for hit in client.search(question, limit)]


def _answer(hit: SearchHit, library: Library, question: str) -> Answer:
    stem = PurePosixPath(hit.name).stem
    video_id = hit.video_id or names.id_of(stem)
    entry = library.find(video_id) if video_id else None
    video = library.read(entry).video if entry else None
    told = _texts(hit)
    line = _best_line(hit.text, question)
    url = told("url") or (video.address if video else None)
    return Answer(
        video_id=video_id,
        title=told("title") or (video.title if video else "") or stem or "?",
        channel=told("channel") or (video.channel_title if video else None),
        start_s=line.start_s,
        link=moment(url, line.start_s) if url and line.start_s is not None else url,
        text=line.text,
        score=hit.score,
        document_key=hit.document_key,
        transcript=entry.text if entry and entry.text.is_file() else None,
    )


def _texts(hit: SearchHit) -> Callable[[str], str | None]:
    def told(name: str) -> str | None:
        value = hit.metadata.get(name)
        return value if isinstance(value, str) and value else None

    return told


@dataclass(frozen=True)
class _Line:
    start_s: int | None
    text: str


def _best_line(passage: str, question: str) -> _Line:
    """The line that holds most of the question's words, with what follows it."""
    wanted = set(_WORDS.findall(question.casefold()))
    said: list[_Line] = []
    for line in passage.splitlines():
        times = spoken_at(line)
        text = _TIMES.sub("", line).strip()
        if text and not _LINK.fullmatch(text):
            # a line without times goes on with the one before it
            start = times[0] if times else (said[-1].start_s if said else None)
            said.append(_Line(start, text))
    if not said:
        return _Line(None, "")

    def held(place: int) -> int:
        return len(wanted.intersection(_WORDS.findall(said[place].text.casefold())))

    best = max(range(len(said)), key=lambda place: (held(place), -place))
    text = " ".join(line.text for line in said[best : best + _LINES_SHOWN])
    return _Line(said[best].start_s, text)
