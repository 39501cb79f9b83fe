"""The Data API's answers, read into values; everything in them is doubted."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from engine.errors import ServiceTrouble
from engine.video import Video

_log = logging.getLogger(__name__)

WATCH_PAGE = "https://www.youtube.com/watch?v={id}"
"""The address that people know a video by, whatever the downloader is given."""
_VIDEO_ID = r"^[A-Za-z0-9_-]{11}$"
_LIST_ID = r"^[A-Za-z0-9_-]{2,80}$"
_PARTS = ("snippet", "contentDetails", "statistics", "status")
Model = TypeVar("Model")
_THUMBNAILS = ("high", "medium", "default", "standard", "maxres")


@dataclass(frozen=True)
class Channel:
    """A channel; `handle` starts with `@`, and is None where there is none."""

    channel_id: str
    handle: str | None
    title: str
    uploads_playlist: str


@dataclass(frozen=True)
class Entry:
    """A video in a list. `published_at` is UTC, None for one that is private or removed."""

    video_id: str
    published_at: datetime | None
    title: str


@dataclass(frozen=True)
class Playlist:
    """A channel's playlist; `videos` is the number that YouTube claims."""

    playlist_id: str
    title: str
    videos: int


class _Item(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class _ChannelSnippet(_Item):
    title: str
    custom_url: str | None = None


class _RelatedPlaylists(_Item):
    uploads: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,80}$")] = ""


class _ChannelDetails(_Item):
    related_playlists: _RelatedPlaylists = _RelatedPlaylists()


class _Channel(_Item):
    id: str = Field(pattern=r"^UC[A-Za-z0-9_-]{22}$")
    snippet: _ChannelSnippet
    content_details: _ChannelDetails = _ChannelDetails()


class _EntryDetails(_Item):
    video_id: str = Field(pattern=_VIDEO_ID)
    video_published_at: datetime | None = None


class _Titled(_Item):
    title: str = ""


class _Entry(_Item):
    content_details: _EntryDetails
    snippet: _Titled = _Titled()


class _Counted(_Item):
    item_count: int = 0


class _Playlist(_Item):
    id: str = Field(pattern=_LIST_ID)
    snippet: _Titled = _Titled()
    content_details: _Counted = _Counted()


_channel = TypeAdapter(_Channel)
_entry = TypeAdapter(_Entry)
_playlist = TypeAdapter(_Playlist)


def items(answer: dict[str, Any]) -> list[Any]:
    """The items of an answer; Google leaves the field out when there are none.

    Raises:
        ServiceTrouble: the field is no list.
    """
    listed = answer.get("items", [])
    if not isinstance(listed, list):
        raise ServiceTrouble("YouTube's Data API sends an answer in an unknown form.")
    return listed


def channels(answer: dict[str, Any]) -> Iterator[Channel]:
    """Those of channels.list."""
    for item in _valid(_channel, items(answer)):
        url = item.snippet.custom_url or ""
        yield Channel(
            channel_id=item.id,
            handle=url if url.startswith("@") else None,
            title=item.snippet.title,
            uploads_playlist=item.content_details.related_playlists.uploads or f"UU{item.id[2:]}",
        )


def entries(answer: dict[str, Any]) -> Iterator[Entry]:
    """Those of playlistItems.list; the time is the video's, not that of joining the list."""
    for item in _valid(_entry, items(answer)):
        at = item.content_details.video_published_at
        yield Entry(item.content_details.video_id, utc(at) if at else None, item.snippet.title)


def playlists(answer: dict[str, Any]) -> Iterator[Playlist]:
    """Those of playlists.list."""
    for item in _valid(_playlist, items(answer)):
        yield Playlist(item.id, item.snippet.title, item.content_details.item_count)


def videos(answer: dict[str, Any]) -> Iterator[Video]:
    """Those of videos.list, with every field of the parts that were asked for."""
    flat = [_flattened(item) for item in items(answer) if isinstance(item, dict)]
    yield from _valid(TypeAdapter(Video), flat)


def utc(at: datetime) -> datetime:
    """The same moment in UTC; a time without zone is taken for UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def thumbnail(sizes: object) -> str | None:
    """The address of the size that sidecars name: high, or the nearest to it."""
    if not isinstance(sizes, dict):
        return None
    found = (sizes.get(name) for name in _THUMBNAILS)
    urls = (size.get("url") for size in found if isinstance(size, dict))
    return next((url for url in urls if isinstance(url, str)), None)


def _flattened(item: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name in _PARTS:
        part = item.get(name)
        flat |= part if isinstance(part, dict) else {}
    live = item.get("liveStreamingDetails")
    start = live.get("scheduledStartTime") if isinstance(live, dict) else None
    return flat | {
        "videoId": item.get("id"),
        "thumbnail": thumbnail(flat.get("thumbnails")),
        "scheduledStartTime": start,
        "webpageUrl": WATCH_PAGE.format(id=item.get("id")),
    }


def _valid(kind: TypeAdapter[Model], listed: list[Any]) -> Iterator[Model]:
    """What can be read of a list: one odd item must not hide the others."""
    for item in listed:
        try:
            yield kind.validate_python(item)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            _log.warning("Unreadable item from YouTube: %s %s", first["loc"], first["msg"])
