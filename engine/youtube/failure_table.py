"""What yt-dlp and YouTube say, in the order in which it is tried, and what each means.

Texts are compared in lower case, with curly apostrophes made straight. The eighteen classes are
those by which a failure is treated; some have several rows, no leaf stands for two of them.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from engine import errors
from engine.errors import TonspurError

UNKNOWN = 18
"""The class of what no row knows: it is an UnknownTrouble."""


@dataclass(frozen=True)
class Row:
    """Texts of one class. `wait` counts for deferred leaves; `quotes` adds yt-dlp's words."""

    number: int
    leaf: type[TonspurError]
    says: str
    pattern: re.Pattern[str] = re.compile(r"(?!)")
    wait: timedelta | None = None
    quotes: bool = False

    def matches(self, folded: str) -> bool:
        """Whether one of the row's texts is in `folded`."""
        return self.pattern.search(folded) is not None


def _row(
    number: int,
    leaf: type[TonspurError],
    says: str,
    *patterns: str,
    wait: timedelta | None = None,
    quotes: bool = False,
) -> Row:
    return Row(number, leaf, says, re.compile("|".join(patterns)), wait, quotes)


_HOUR = timedelta(hours=1)

TABLE: tuple[Row, ...] = (
    _row(
        1,
        errors.BotWall,
        "YouTube takes this address for a bot",
        "not a bot",
        "captcha challenge",
        "all player responses are invalid. your ip is likely being blocked",
        "http error 402",
        wait=_HOUR,
    ),
    _row(
        2,
        errors.RateLimited,
        "YouTube asks for a pause",
        "content isn't available, try again later",
        "rate-limited by youtube",
        "http error 429",
        "too many requests",
        wait=_HOUR,
    ),
    _row(
        3,
        errors.AgeRestricted,
        "YouTube asks for a signed-in adult",
        "confirm your age",
        "age-restricted",
        "inappropriate for some users",
        "age_verification_required",
    ),
    _row(
        4,
        errors.MembersOnly,
        "for members of the channel only",
        "join this channel",
        "members-only",
        "members only",
        "available to this channel's members",
    ),
    _row(
        5,
        errors.PrivateVideo,
        "private",
        "private video",
        "video is private",
        "granted access to this video",
    ),
    _row(
        6,
        errors.RegionBlocked,
        "not shown in this country",
        "not made this video available in your country",
        "blocked it in your country",
        "not available in your country",
        "not available from your location",
        "geo.?restrict",
    ),
    _row(
        7,
        errors.PaidVideo,
        "to be bought or rented",
        "requires payment",
        "only available to music premium",
        r"\brental\b",
        r"\bypc(\b|_)",
    ),
    _row(
        8,
        errors.GoneVideo,
        "removed",
        "removed by the uploader",
        "removed for violating",
        "has been removed",
        "account associated with this video has been terminated",
        "copyright claim",
        "copyright grounds",
        "video does not exist",
        "no longer available",
    ),
    _row(
        8,
        errors.UnknownVideo,
        "YouTube knows no such video",
        r"unable to download webpage: http error (404|410)",
    ),
    _row(
        9,
        errors.UpcomingVideo,
        "not started yet",
        "live event will begin",
        "premieres? in",
        "premiere will begin",
        r"\boffline\b",
        "live_stream_offline",
        "is_upcoming",
        wait=2 * _HOUR,
    ),
    _row(
        10,
        errors.LiveVideo,
        "on air, or its recording is not ready",
        "live stream recording is not available",
        r"\bis_live\b",
        r"\bpost_live\b",
        wait=3 * _HOUR,
    ),
    _row(11, errors.DrmProtected, "encrypted", "drm protected"),
    _row(
        12,
        errors.ExtractorTrouble,
        "yt-dlp found nothing to download",
        "requested format is not available",
        "no video formats found",
        "only images are available",
        r"\bsabr\b",
        r"\bnsig\b",
        r"\bn challenge\b",
        "failed to extract any player response",
        "unsupported url",
        quotes=True,
    ),
    _row(
        13,
        errors.MediaRefused,
        "YouTube refuses the media's address (HTTP 403)",
        "http error 403",
    ),
    _row(
        14,
        errors.ServiceTrouble,
        "YouTube cannot answer for now",
        r"http error 5\d\d",
        quotes=True,
    ),
    _row(
        14,
        errors.IncompleteDownload,
        "what an earlier try left does not fit the media",
        "http error 416",
    ),
    _row(
        14,
        errors.NetworkTrouble,
        "the connection failed",
        "timed out",
        "timeout",
        r"connection (reset|refused|aborted|broken)",
        "remote end closed",
        "name resolution",
        "getaddrinfo failed",
        "name or service not known",
        "network is unreachable",
        "eof occurred",
        "incomplete",
        "bytes missing",
        "bytes read",
        quotes=True,
    ),
    _row(
        15,
        errors.StillProcessing,
        "YouTube is still processing it",
        "processing this video",
        wait=_HOUR / 2,
    ),
    _row(16, errors.DiskFull, "no space left on the disk", "no space left", "not enough space"),
    _row(16, errors.NoPermission, "no permission to write", "permission denied", quotes=True),
    _row(
        16,
        errors.MissingProgram,
        "ffmpeg is missing: put it on PATH",
        "ffmpeg (is )?not (installed|found)",
        "ffmpeg could not be found",
    ),
    _row(
        17,
        errors.UnclearVideo,
        "YouTube calls it unavailable, and does not say why",
        "video unavailable",
        "video is unavailable",
        "video is not available",
        "video isn't available",
    ),
)

# By the class's name: yt-dlp is not loaded before it is needed, and its texts may change.
TYPES: dict[str, Row] = {
    "GeoRestrictedError": Row(6, errors.RegionBlocked, "not shown in this country"),
    "UserNotLive": Row(9, errors.UpcomingVideo, "not on air yet", wait=2 * _HOUR),
    "ContentTooShortError": Row(14, errors.IncompleteDownload, "the transfer ended too early"),
    "ThrottledDownload": Row(14, errors.NetworkTrouble, "YouTube slows the transfer down"),
    "PermissionError": Row(16, errors.NoPermission, "no permission to write", quotes=True),
    "CookieLoadError": Row(
        16, errors.BadSettings, "YT_COOKIES_FILE is no cookie file of Netscape's format"
    ),
}
"""What the type of an error already tells; it counts more than its text."""
