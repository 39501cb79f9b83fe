"""What is known about one video: the fields that every sidecar carries."""

import re
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic.alias_generators import to_camel

_ISO_DURATION = re.compile(
    r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?"
)


class Video(BaseModel):
    """One video or local recording; serialised by alias it is the top level of a sidecar.

    The first six fields are the ones that older tools read; the others are those of videos.list.
    Times are UTC, `duration` is ISO 8601 as YouTube writes it.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True
    )

    video_id: str
    published_at: datetime
    channel_id: str | None = None
    title: str
    description: str = ""
    thumbnail: str | None = None

    channel_title: str | None = None
    channel_handle: str | None = None
    thumbnails: dict[str, Any] | None = None
    tags: tuple[str, ...] = ()
    category_id: str | None = None
    default_language: str | None = None
    default_audio_language: str | None = None
    duration: str | None = None
    definition: str | None = None
    caption: str | None = None
    view_count: int | None = None
    like_count: int | None = None
    comment_count: int | None = None
    privacy_status: str | None = None
    upload_status: str | None = None
    embeddable: bool | None = None
    license: str | None = None
    content_rating: dict[str, Any] | None = None
    region_restriction: dict[str, Any] | None = None
    live_broadcast_content: str | None = None
    scheduled_start_time: datetime | None = None
    webpage_url: str | None = None

    @field_validator("published_at", "scheduled_start_time")
    @classmethod
    def _utc(cls, value: datetime | None) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    @property
    def address(self) -> str | None:
        """Where it can be seen; None for a local recording."""
        watch = f"https://www.youtube.com/watch?v={self.video_id}" if self.channel_id else None
        return self.webpage_url or watch

    @property
    def duration_s(self) -> float | None:
        """The promised length in seconds; None where there is none yet (live, upcoming)."""
        return iso_seconds(self.duration) if self.duration else None


def moment(url: str, start_s: float) -> str:
    """The address of a second of a video."""
    return f"{url}{'&' if '?' in url else '?'}t={int(start_s)}s"


def iso_seconds(text: str) -> float | None:
    """Seconds of an ISO 8601 duration as YouTube writes them; None for `P0D` and nonsense."""
    found = _ISO_DURATION.fullmatch(text)
    if not found:
        return None
    days, hours, minutes, seconds = (float(found[part] or 0) for part in "dhms")
    total = days * 86400 + hours * 3600 + minutes * 60 + seconds
    return total or None


def iso_duration(seconds: float) -> str:
    """The ISO 8601 form of a length in seconds, without days, as videos.list writes it."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    parts = [
        f"{hours}H" if hours else "",
        f"{minutes}M" if minutes else "",
        f"{left}S" if left else "",
    ]
    return "PT" + ("".join(parts) or "0S")
