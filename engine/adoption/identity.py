"""Whose files these are: the video by sidecar, JSON or name, else a local recording.

The last eleven characters of a name need not be an id: `2024-05-06_My_description` ends in a word.
So a name alone is believed where it begins with the predecessor's date, and its end is not just a
word or a number; 64^11 ids have room for 26^11 words, and one in 20,000 is one.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.adoption.groups import Group
from engine.library import names
from engine.video import Video

_ID = re.compile(r"[0-9A-Za-z_-]{11}")
_CHANNEL = re.compile(r"UC[0-9A-Za-z_-]{22}")
_JUST_A_WORD = re.compile(r"[A-Za-z]?[a-z]{10}|[A-Z]{11}|\d{11}")
_DATED = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})_(?P<title>.*)", re.DOTALL)


@dataclass(frozen=True)
class Identity:
    """The video that the files are of; for local recordings without one, what their name tells.

    `remark` says what was left open.
    """

    video: Video | None
    title: str
    published_at: datetime
    remark: str | None = None


def identity(group: Group, described: Mapping[str, Any], titles: Mapping[str, str]) -> Identity:
    """Who these files are of.

    Args:
        group: the files.
        described: what the JSON layout of the transcript says; the sidecar comes before it.
        titles: what channels are called, by their ids, as far as anything tells it.
    """
    known = {**described, **{name: v for name, v in group.described.items() if v not in (None, "")}}
    named, doubted = _id_of_name(group.stem)
    told = known.get("videoId")
    video_id = told if isinstance(told, str) and _ID.fullmatch(told) else named
    published = _day_of(group.stem) or _moment(known.get("publishedAt")) or _modified(group.path)
    if video_id is None:
        remark = f"`{doubted}` was taken for a word, not for an id" if doubted else None
        return Identity(None, _title(known, group.stem, None), published, remark)
    if told == video_id:  # what Simple Mode wrote has no id, and the moment of its download
        published = _moment(known.get("publishedAt")) or published
    channel = known.get("channelId")
    channel_id = channel if isinstance(channel, str) and _CHANNEL.fullmatch(channel) else None
    title = _title(known, group.stem, video_id)
    video = Video(
        video_id=video_id,
        published_at=published,
        channel_id=channel_id,
        channel_title=titles.get(channel_id) if channel_id else None,
        title=title,
        description=str(known.get("description") or ""),
        thumbnail=_text(known.get("thumbnail")),
        webpage_url=f"https://www.youtube.com/watch?v={video_id}",
    )
    return Identity(video, title, published)


def _id_of_name(stem: str) -> tuple[str | None, str | None]:
    """The id at the end of a name, or what only looks like one."""
    found = names.id_of(stem)
    if found is None or _JUST_A_WORD.fullmatch(found):
        return None, found
    return found, None


def _title(known: Mapping[str, Any], stem: str, video_id: str | None) -> str:
    told = _text(known.get("title"))
    if told and told != f"video_{video_id}":
        return html.unescape(told)
    dated = _DATED.fullmatch(stem)
    title = dated["title"] if dated else stem
    if video_id:
        title = title.removesuffix(video_id).rstrip("_")
    return " ".join(title.replace("_", " ").split()) or stem


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _day_of(stem: str) -> datetime | None:
    found = _DATED.fullmatch(stem)
    return _moment(found["day"]) if found else None


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _modified(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).replace(microsecond=0)
