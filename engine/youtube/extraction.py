"""What yt-dlp finds at a video's address, with cookies only where nothing else helps."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from engine.errors import (
    AgeRestricted,
    BotWall,
    Deferred,
    ExtractorTrouble,
    LiveVideo,
    MembersOnly,
    PrivateVideo,
    RateLimited,
    TonspurError,
    UpcomingVideo,
)
from engine.settings import Settings
from engine.youtube import pause
from engine.youtube.failures import understood
from engine.youtube.ytdlp_options import Hook, options

_MENDED_BY_COOKIES = (AgeRestricted, MembersOnly, PrivateVideo, BotWall)
_SETS_BREAKER = (BotWall, RateLimited)
_UNTIL_RECORDED = timedelta(hours=2)
_UNTIL_READY = timedelta(hours=1)

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Source:
    """An open YoutubeDL and what it found out; closed at the end of a `with`."""

    ytdl: Any
    info: dict[str, Any]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ytdl.close()


def look_up(
    video_id: str,
    settings: Settings,
    clock: Clock,
    *,
    hook: Hook | None = None,
    patient: bool = False,
) -> Source:
    """Looks the video up at `YT_WATCH_URL`, and leaves yt-dlp open for its transfer.

    Args:
        video_id: the video.
        settings: addresses, cookies, the breaker.
        clock: the present, in UTC.
        hook: told of a transfer's progress.
        patient: takes a slow transfer for the line's fault, not for YouTube's throttle.

    Raises:
        TonspurError: the leaf that says why not. A bot wall or a rate limit sets the breaker.
    """
    pause.check(settings, clock)
    attempts = (False, True) if settings.yt_cookies_file else (False,)
    for cookies in attempts:
        chosen = options(settings, hook=hook, cookies=cookies, patient=patient)
        try:
            return _looked_up(video_id, settings, clock, chosen)
        except TonspurError as error:
            trouble = error
        if not isinstance(trouble, _MENDED_BY_COOKIES):
            break
    raise remembered(trouble, settings, clock)


def remembered(error: TonspurError, settings: Settings, clock: Clock) -> TonspurError:
    """The same error; one that concerns this whole machine sets the breaker first."""
    if isinstance(error, _SETS_BREAKER):
        pause.set_until(settings, error.not_before, clock())
    return error


def _looked_up(video_id: str, settings: Settings, clock: Clock, chosen: dict[str, Any]) -> Source:
    from yt_dlp import YoutubeDL

    url = settings.yt_watch_url.replace("{id}", video_id)
    ytdl = YoutubeDL(chosen)
    try:
        info = _single(ytdl.extract_info(url, download=False), video_id)
        _refuse_unfinished(info, video_id, clock())
        return Source(ytdl, info)
    except Exception as error:
        trouble = understood(error, video_id, clock())
        ytdl.close()
    except BaseException:
        ytdl.close()
        raise
    raise trouble


def _single(found: object, video_id: str) -> dict[str, Any]:
    """The one video of an answer, which may be a list of one."""
    if isinstance(found, dict) and found.get("_type", "video") != "video":
        listed = [entry for entry in found.get("entries") or () if entry]
        found = listed[0] if len(listed) == 1 else None
    if not isinstance(found, dict):
        raise ExtractorTrouble(f"{video_id}: yt-dlp found no single video at its address.")
    return found


def _refuse_unfinished(info: dict[str, Any], video_id: str, now: datetime) -> None:
    status = info.get("live_status")
    trouble: Deferred | None = None
    if status == "is_upcoming":
        starts = moment(info.get("release_timestamp"))
        length = timedelta(seconds=info.get("duration") or 0) or _UNTIL_RECORDED
        trouble = UpcomingVideo(f"{video_id} has not started yet.", (starts or now) + length)
    elif status == "is_live":
        trouble = LiveVideo(f"{video_id} is on air.", now + _UNTIL_RECORDED)
    elif status == "post_live":
        trouble = LiveVideo(f"{video_id}: its recording is not ready.", now + _UNTIL_READY)
    if trouble:
        raise trouble


def moment(timestamp: object) -> datetime | None:
    """A Unix time in UTC; None for what is none."""
    if not isinstance(timestamp, int | float):
        return None
    try:
        return datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        return None
