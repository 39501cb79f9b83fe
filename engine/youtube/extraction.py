"""What yt-dlp finds at a video's address, with cookies only where nothing else helps."""

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from engine.errors import (
    AgeRestricted,
    BotWall,
    Deferred,
    DiskFull,
    ExtractorTrouble,
    LiveVideo,
    MembersOnly,
    MissingProgram,
    PaidVideo,
    PrivateVideo,
    RateLimited,
    TonspurError,
    UpcomingVideo,
)
from engine.settings import Settings
from engine.youtube import pace, pause, slots
from engine.youtube.failures import understood
from engine.youtube.ytdlp_options import Hook, options

_log = logging.getLogger(__name__)

_MENDED_BY_COOKIES = (AgeRestricted, MembersOnly, PrivateVideo, BotWall)
_SETS_BREAKER: dict[type[TonspurError], str] = {
    BotWall: "YouTube takes this address for a bot",
    RateLimited: "YouTube asked for a pause",
    DiskFull: "a download found the disk full; free some space",
}
_DISK_PAUSE = timedelta(minutes=30)
_OBSTACLES: dict[str, tuple[type[TonspurError], str]] = {
    "subscriber_only": (MembersOnly, "for members of the channel only"),
    "private": (PrivateVideo, "private"),
    "premium_only": (PaidVideo, "for subscribers of YouTube Premium"),
    "needs_auth": (AgeRestricted, "YouTube asks for a signed-in adult"),
}
_ADULT = 18
_PO_TOKEN_PLUGIN = "yt_dlp_plugins.extractor.getpot_bgutil_http"  # noqa: S105
_UNTIL_RECORDED = timedelta(hours=2)
_UNTIL_READY = timedelta(hours=1)

Clock = Callable[[], datetime]
Sleep = Callable[[float], None]


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
    sleep: Sleep = time.sleep,
) -> Source:
    """Looks the video up at `YT_WATCH_URL`, and leaves yt-dlp open for its transfer.

    One look at a time on this machine; each, one with cookies too, first waits for its turn
    (`YT_VIDEOS_PER_HOUR`).

    Args:
        video_id: the video.
        settings: addresses, cookies, the breaker.
        clock: the present, in UTC.
        hook: told of a transfer's progress.
        patient: takes a slow transfer for the line's fault, not for YouTube's throttle.
        sleep: waits for so many seconds.

    Raises:
        DownloadsPaused: the breaker is set, or was set while this waited.
        MissingProgram: YT_PO_TOKEN_PROVIDER_URL is set, and yt-dlp lacks the plugin for it.
        TonspurError: the leaf that says why not. A bot wall or a rate limit sets the breaker.
    """
    attempts = (False, True) if settings.yt_cookies_file else (False,)
    with slots.look(settings, clock, sleep):
        for cookies in attempts:
            chosen = options(settings, hook=hook, cookies=cookies, patient=patient)
            pace.wait_for_turn(settings, clock, sleep)
            try:
                return _looked_up(video_id, settings, clock, chosen)
            except TonspurError as error:
                trouble = error
            if not isinstance(trouble, _MENDED_BY_COOKIES):
                break
        raise remembered(trouble, settings, clock)


def remembered(error: TonspurError, settings: Settings, clock: Clock) -> TonspurError:
    """The same error; one that concerns this whole machine sets the breaker first."""
    why = next((why for leaf, why in _SETS_BREAKER.items() if isinstance(error, leaf)), None)
    if why is None:
        return error
    now = clock()
    at = error.not_before if isinstance(error, Deferred) else now + _DISK_PAUSE
    try:
        pause.set_until(settings, at, now, why)
    except TonspurError as failed:  # a full disk may have no room for the breaker either
        _log.warning("The breaker could not be set: %s", failed)
    return error


def _looked_up(video_id: str, settings: Settings, clock: Clock, chosen: dict[str, Any]) -> Source:
    from yt_dlp import YoutubeDL

    url = settings.yt_watch_url.replace("{id}", video_id)
    ytdl = YoutubeDL(chosen)
    try:
        _check_plugin(settings)
        found = ytdl.extract_info(url, download=False, process=False)
        # Before it is processed: without formats yt-dlp raises, and what is known goes with it.
        _refuse_obstacle(found, video_id)
        if isinstance(found, dict) and not found.get("formats"):
            _refuse_unfinished(found, video_id, clock())
        info = _single(found and ytdl.process_ie_result(found, download=False), video_id)
        _refuse_unfinished(info, video_id, clock())
        return Source(ytdl, info)
    except Exception as error:
        trouble = understood(error, video_id, clock())
        ytdl.close()
    except BaseException:
        ytdl.close()
        raise
    raise trouble


def _check_plugin(settings: Settings) -> None:
    # yt-dlp loads its plugins itself, and passes over arguments for one that is not there.
    if settings.yt_po_token_provider_url and _PO_TOKEN_PLUGIN not in sys.modules:
        raise MissingProgram(
            "YT_PO_TOKEN_PROVIDER_URL needs yt-dlp's plugin bgutil-ytdlp-pot-provider: "
            'install it with `pip install -e ".[po-token]"`, or unset it.'
        )


def _refuse_obstacle(found: object, video_id: str) -> None:
    """Raises what stands in the way of a video without formats, where the page names it."""
    if not isinstance(found, dict) or found.get("formats") or found.get("url"):
        return
    availability = str(found.get("availability"))
    if availability == "needs_auth" and (found.get("age_limit") or 0) < _ADULT:
        return
    if availability in _OBSTACLES:
        leaf, says = _OBSTACLES[availability]
        raise leaf(f"{video_id}: {says}.")


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
