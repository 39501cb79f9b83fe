"""What a failure of yt-dlp means for a video: its type first, then the table of its texts."""

import errno
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from engine import errors
from engine.errors import TonspurError
from engine.youtube.failure_table import TABLE, TYPES, Row

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_PREFIX = re.compile(r"^(error:\s*)?(\[[^\]]{1,60}\]\s*)?", re.IGNORECASE)
_URL = re.compile(r"(https?://)(?:[^\s/?#@\"'<>]*@)?([^\s/?#\"'<>]+)[^\s\"'<>]*")
_HINTS = re.compile(
    r"(;?\s*please report this issue|\s*see\s+https?://|\. use --|\s*\(caused by).*",
    re.S | re.IGNORECASE,
)
_APOSTROPHES = dict.fromkeys(map(ord, "\u2018\u2019\u02bc\uff07"), "'")
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
    texts = _folded("\n".join(str(cause) for cause in chain)).replace(video_id.lower(), "")
    row = next((row for cause in chain if (row := _by_type(cause))), None)
    row = row or next((row for row in TABLE if row.matches(texts)), None)
    if row is None:
        return errors.UnknownTrouble(f"{video_id}: {said or type(error).__name__}.")
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


def _by_type(error: BaseException) -> Row | None:
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return next(row for row in TABLE if row.leaf is errors.DiskFull)
    named = (TYPES.get(kind.__name__) for kind in type(error).__mro__)
    return next((row for row in named if row), None)


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
    text = "".join(c if c.isprintable() else " " for c in redacted(_HINTS.sub("", text)))
    text = " ".join(text.split())
    return text[:_LONGEST].rstrip(" .")


def _folded(text: str) -> str:
    return _URL.sub("", _ANSI.sub("", text)).translate(_APOSTROPHES).lower()
