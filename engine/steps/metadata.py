"""Step 1: what is known about a video, from the sidecar, the Data API or the page itself."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.errors import (
    MissingCredentials,
    QuotaUsedUp,
    RefusedCredentials,
    TonspurError,
    UnknownVideo,
)
from engine.library.shelf import Entry, Library, written_at
from engine.settings import Settings
from engine.steps import marks
from engine.steps.recording import failure, versions
from engine.video import Video
from engine.youtube import downloads
from engine.youtube.catalog import Catalog
from engine.youtube.plan import obstacle


def metadata(
    library: Library,
    video_id: str,
    settings: Settings,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Entry:
    """Find out what is known about the video and give it a place in the library.

    The sidecar that a sync wrote is taken as it is; without an API key that works the page is
    asked.

    Raises:
        UnavailableVideo, UnknownVideo: it may not be fetched; kept in `.failed` if it has no title.
        Deferred: it is upcoming or on air.
    """
    mark = marks.of_metadata(video_id)
    entry = library.find(video_id)
    if entry and library.read(entry).is_done("metadata", mark):
        return entry
    try:
        video = _looked_up(video_id, settings)
    except TonspurError as error:
        library.note_failure(video_id, written_at(fingerprint=mark, **failure(error)))
        raise
    return keep(library, video, settings, now())


def keep(library: Library, video: Video, settings: Settings, now: datetime) -> Entry:
    """Place a video whose metadata are at hand, and record whether it may be fetched.

    Raises:
        UnavailableVideo: a known obstacle stands in the way.
        Deferred: it is upcoming or on air.
    """
    [entry] = keep_all(library, [video], settings, now)
    in_the_way = obstacle(video, settings, now)
    if in_the_way:
        raise in_the_way
    return entry


def keep_all(
    library: Library, videos: Sequence[Video], settings: Settings, now: datetime
) -> list[Entry]:
    """The same for many, with one look at the library; what stands in the way is recorded."""
    entries = library.place_all(videos)
    used = versions("yt-dlp")
    for entry, video in zip(entries, videos, strict=True):
        library.forget_failure(video.video_id)
        base: dict[str, Any] = {
            "fingerprint": marks.of_metadata(video.video_id),
            "versions": used,
        }
        in_the_way = obstacle(video, settings, now)
        said = failure(in_the_way) if in_the_way else {"status": "done"}
        library.record(entry, "metadata", written_at(**base, **said))
    return entries


def _looked_up(video_id: str, settings: Settings) -> Video:
    if not settings.api_keys:
        return downloads.metadata(video_id, settings)
    try:
        with Catalog(settings) as catalog:
            found = catalog.videos([video_id])
    except (QuotaUsedUp, MissingCredentials, RefusedCredentials):
        return downloads.metadata(video_id, settings)  # the page needs no key
    if video_id not in found:
        raise UnknownVideo(f"YouTube shows no video {video_id}: private, removed or mistyped.")
    return found[video_id]
