"""A Video from what yt-dlp found out; the id is the one that was asked for."""

from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from engine.errors import ExtractorTrouble
from engine.video import Video, iso_duration
from engine.youtube.answers import WATCH_PAGE
from engine.youtube.extraction import moment

_LONGEST_S = 10**7
_LIVE = {"is_live": "live", "is_upcoming": "upcoming"}


def described(info: dict[str, Any], video_id: str) -> Video:
    """The fields that yt-dlp knows.

    Raises:
        ExtractorTrouble: it tells neither title nor date: a name with invented ones would stay.
    """
    title = _text(info, "fulltitle", "title")
    published = moment(info.get("timestamp")) or _day(info.get("upload_date"))
    if not title or not published:
        missing = "title" if published else "date"
        raise ExtractorTrouble(f"{video_id}: yt-dlp tells no {missing}.")
    handle = _text(info, "uploader_id")
    public = info.get("availability") in ("public", "unlisted", "private")
    fields = {
        "video_id": video_id,
        "published_at": published,
        "channel_id": _text(info, "channel_id"),
        "title": title,
        "description": _text(info, "description") or "",
        "thumbnail": _text(info, "thumbnail"),
        "channel_title": _text(info, "channel", "uploader"),
        "channel_handle": handle if handle and handle.startswith("@") else None,
        "tags": tuple(tag for tag in info.get("tags") or () if isinstance(tag, str)),
        "default_audio_language": _text(info, "language"),
        "duration": _length(info.get("duration")),
        "view_count": _count(info, "view_count"),
        "like_count": _count(info, "like_count"),
        "comment_count": _count(info, "comment_count"),
        "privacy_status": info.get("availability") if public else None,
        "live_broadcast_content": _LIVE.get(str(info.get("live_status")), "none"),
        "webpage_url": WATCH_PAGE.format(id=video_id),
    }
    try:
        return Video.model_validate(fields)
    except ValidationError:
        raise ExtractorTrouble(f"{video_id}: yt-dlp's metadata cannot be read.") from None


def _text(info: dict[str, Any], *names: str) -> str | None:
    found = (info.get(name) for name in names)
    return next((text.strip() for text in found if isinstance(text, str) and text.strip()), None)


def _count(info: dict[str, Any], name: str) -> int | None:
    value = info.get(name)
    return value if isinstance(value, int) else None


def _length(seconds: object) -> str | None:
    if isinstance(seconds, int | float) and 0 < seconds < _LONGEST_S:
        return iso_duration(seconds)
    return None


def _day(text: object) -> datetime | None:
    """Midnight of a YYYYMMDD, which is all that some pages tell."""
    try:
        return datetime.strptime(str(text), "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None
