"""What videos.list already tells about a video's chances, before yt-dlp is asked."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from engine.errors import (
    AgeRestricted,
    Deferred,
    GoneVideo,
    LiveVideo,
    Permanent,
    PrivateVideo,
    RegionBlocked,
    StillProcessing,
    UpcomingVideo,
)
from engine.settings import Settings
from engine.video import Video
from engine.youtube.region import country

Verdict = Literal["planned", "deferred", "skipped"]

UNTIL_RECORDED = timedelta(hours=2)
"""What a live stream or premiere is given when nobody says how long it lasts."""
UNTIL_READY = timedelta(minutes=30)
"""What YouTube is given to process an upload or a recording."""
_EVERYWHERE = 240
"""Of about 250 countries: a longer list of blocked ones leaves none that matters."""
_UPLOADS = {
    "rejected": "removed by YouTube",
    "failed": "its upload failed",
    "deleted": "removed by its owner",
}


@dataclass(frozen=True)
class Planned:
    """One video of a plan; `not_before` (UTC) is set on deferred ones, `reason` on all unplanned.

    For a video that YouTube does not show, `video` holds what the list told; its date may be 1970.
    """

    video: Video
    verdict: Verdict
    reason: str | None = None
    not_before: datetime | None = None


@dataclass(frozen=True)
class Viewer:
    """Who asks: when, from which country (None: unknown), and whether signed in by cookies."""

    now: datetime
    country: str | None = None
    signed_in: bool = False


def viewer(settings: Settings, now: datetime) -> Viewer:
    """This machine as a viewer."""
    return Viewer(now, country(settings), settings.yt_cookies_file is not None)


def judged(video: Video, who: Viewer) -> Planned:
    """Whether the video may be fetched now, later, or not at all."""
    if permanent := _obstacle(video, who):
        return Planned(video, "skipped", permanent[1])
    if early := _too_early(video, who.now):
        return Planned(video, "deferred", *early[1:])
    return Planned(video, "planned")


def obstacle(video: Video, settings: Settings, now: datetime) -> Permanent | Deferred | None:
    """The leaf that says why the video cannot be fetched, or not yet; None: nothing is known."""
    who = viewer(settings, now)
    if permanent := _obstacle(video, who):
        leaf, reason = permanent
        return leaf(f"{video.video_id}: {reason}.")
    if early := _too_early(video, who.now):
        kind, reason, not_before = early
        return kind(f"{video.video_id}: {reason}.", not_before)
    return None


def absent(video: Video) -> Planned:
    """A video that a list names but videos.list does not show."""
    titles = {"private video": "private", "deleted video": "removed by its owner"}
    return Planned(
        video, "skipped", titles.get(video.title.strip().lower(), "not shown: private or removed")
    )


def _obstacle(video: Video, who: Viewer) -> tuple[type[Permanent], str] | None:
    if video.privacy_status == "private":
        return PrivateVideo, "private"
    if video.upload_status in _UPLOADS:
        return GoneVideo, _UPLOADS[video.upload_status]
    if (video.content_rating or {}).get("ytRating") == "ytAgeRestricted" and not who.signed_in:
        return AgeRestricted, "age-restricted"
    region = _region(video.region_restriction or {}, who.country)
    return (RegionBlocked, region) if region else None


def _region(restriction: dict[str, Any], here: str | None) -> str | None:
    allowed, blocked = (_countries(restriction.get(name)) for name in ("allowed", "blocked"))
    if allowed is not None and not allowed:
        return "region: blocked in every country"
    if blocked and len(blocked) >= _EVERYWHERE:
        return "region: blocked in nearly every country"
    if here and (here in (blocked or ()) or (allowed and here not in allowed)):
        return f"region: not shown in {here}"
    return None


def _countries(listed: object) -> Collection[str] | None:
    if not isinstance(listed, list):
        return None
    return {code.upper() for code in listed if isinstance(code, str)}


def _too_early(video: Video, now: datetime) -> tuple[type[Deferred], str, datetime] | None:
    if video.live_broadcast_content == "live":
        return LiveVideo, "live now", now + UNTIL_RECORDED
    if video.live_broadcast_content == "upcoming":
        starts = video.scheduled_start_time
        said = f"upcoming: starts {starts:%Y-%m-%d %H:%M} UTC" if starts else "upcoming"
        lasts = timedelta(seconds=video.duration_s) if video.duration_s else UNTIL_RECORDED
        return UpcomingVideo, said, max((starts or now) + lasts, now + UNTIL_READY)
    if video.upload_status == "uploaded":
        return StillProcessing, "YouTube is still processing it", now + UNTIL_READY
    if video.duration is not None and video.duration_s is None:
        return LiveVideo, "its recording is not ready", now + UNTIL_READY
    return None
