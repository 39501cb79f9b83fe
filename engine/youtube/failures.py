"""What a failure of yt-dlp means for a video: its type first, then the table of its texts."""

import errno
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from engine import errors
from engine.errors import TonspurError
from engine.youtube.failure_table import TABLE, Row

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_PREFIX = re.compile(r"^(error:\s*)?(\[[^\]]{1,60}\]\s*)?", re.IGNORECASE)
_URL = re.compile(r"(https?://)(?:[^\s/?#@\"'<>]*@)?([^\s/?#\"'<>]+)[^\s\"'<>]*")
_HINTS = re.compile(
    r"(;\s*please report this issue|\s*see\s+https?://|\. use --|\s*\(caused by).*", re.S
)
_STARTS_IN = re.compile(r"(?:begin|premieres?) in (?:an? |(\d+) )(minute|hour|day)")
_SPANS = {"minute": 60, "hour": 3600, "day": 86400}
_LONGEST = 240
_DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


def understood(error: BaseException, video_id: str, now: datetime) -> TonspurError:
    """The leaf that `error` means; a leaf comes back as it is.

    Args:
        error: what yt-dlp, the network or the disk raised.
        video_id: goes into the message.
        now: deferred leaves count from it.
    """
    chain = list(_chain(error))
    ours = next((cause for cause in chain if isinstance(cause, TonspurError)), None)
    if ours is not None:
        return ours
    said = _said(error)
    by_type = next((leaf for cause in chain if (leaf := _by_type(cause, video_id, said))), None)
    if by_type is not None:
        return by_type
    texts = _folded("\n".join(str(cause) for cause in chain)).replace(video_id.lower(), "")
    row = next((row for row in TABLE if row.matches(texts)), None)
    if row is None:
        return errors.ExtractorTrouble(f"{video_id}: {said or type(error).__name__}.")
    return _leaf(row, video_id, said, texts, now)


def redacted(text: str) -> str:
    """`text` with addresses cut down to their host: the rest holds signatures and passwords."""
    return _URL.sub(r"\1\2/…", text)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that it wraps, outermost first."""
    waiting: list[Any] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        told = getattr(cause, "exc_info", None)
        wrapped = told[1] if isinstance(told, tuple) and len(told) == 3 else None
        waiting += [wrapped, getattr(cause, "cause", None), cause.__cause__]


def _by_type(error: BaseException, video_id: str, said: str) -> TonspurError | None:
    from yt_dlp.cookies import CookieLoadError
    from yt_dlp.utils import ContentTooShortError, GeoRestrictedError, ThrottledDownload

    if isinstance(error, CookieLoadError):
        return errors.BadSettings("YT_COOKIES_FILE is no cookie file of Netscape's format.")
    if isinstance(error, GeoRestrictedError):
        return errors.RegionBlocked(f"{video_id} is not shown in this country.")
    if isinstance(error, ContentTooShortError):
        return errors.IncompleteDownload(f"{video_id}: the transfer ended too early.")
    if isinstance(error, ThrottledDownload):
        return errors.NetworkTrouble(f"{video_id}: YouTube slows the transfer down.")
    if isinstance(error, PermissionError):
        return errors.BadSettings(f"{video_id}: no permission to write {error.filename or ''}.")
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return errors.DiskFull(f"{video_id}: no space left on the disk.")
    return None


def _leaf(row: Row, video_id: str, said: str, texts: str, now: datetime) -> TonspurError:
    message = f"{video_id}: {row.says}" + (f" ({said})." if row.quotes and said else ".")
    if issubclass(row.leaf, errors.Deferred):
        return row.leaf(message, now + (_announced(texts) or row.wait or timedelta(hours=1)))
    return row.leaf(message)


def _announced(texts: str) -> timedelta | None:
    """How long until the start that the text names."""
    found = _STARTS_IN.search(texts)
    if not found:
        return None
    return timedelta(seconds=int(found[1] or 1) * _SPANS[found[2]])


def _said(error: BaseException) -> str:
    """yt-dlp's sentence without decoration, advice to programmers, and addresses."""
    text = _PREFIX.sub("", _ANSI.sub("", str(error)).strip())
    text = re.sub(r"^[\w-]{5,20}: ", "", text)
    text = " ".join(redacted(_HINTS.sub("", text)).split())
    return text[:_LONGEST].rstrip(" .")


def _folded(text: str) -> str:
    return _URL.sub("", _ANSI.sub("", text)).replace("\u2019", "'").lower()
