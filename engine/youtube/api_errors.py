"""What the Data API's refusals mean: one table of reasons, the old style and the new."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Meaning(Enum):
    """What is to be done about a refusal; the order is that of precedence."""

    BAD_KEY = "the key leaves the ring"
    QUOTA = "the key rests until Pacific midnight"
    RATE = "slower, on the same key"
    STALE_PAGE = "the list has to be read from its start"
    FORBIDDEN = "this channel or playlist is not for us"
    GONE = "no such channel or playlist"
    SERVICE = "Google's trouble; the same again later"
    REQUEST = "the request is wrong"


class ApiRefusal(Exception):  # noqa: N818
    """One refused request; never leaves engine.youtube. Holds no URL and no key."""

    def __init__(self, meaning: Meaning, status: int, reason: str, message: str) -> None:
        super().__init__(f"HTTP {status} {reason}: {message}" if reason else f"HTTP {status}")
        self.meaning = meaning
        self.status = status
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class _Row:
    meaning: Meaning
    reasons: frozenset[str]
    advice: str = ""


def _row(meaning: Meaning, reasons: str, advice: str = "") -> _Row:
    return _Row(meaning, frozenset(reasons.split()), advice)


_NEW_KEY = "Make a new key in Google's Cloud console (APIs & Services, Credentials)."
_ENABLE = (
    "Enable it: https://console.cloud.google.com/apis/library/youtube.googleapis.com "
    "(in the key's project)."
)
_RESTRICTION = "Change the key's application restrictions in Google's Cloud console."
_SERVICES = "Add YouTube Data API v3 to the APIs that the key may call."

TABLE: tuple[_Row, ...] = (
    _row(Meaning.BAD_KEY, "accessNotConfigured SERVICE_DISABLED", _ENABLE),
    _row(
        Meaning.BAD_KEY,
        "ipRefererBlocked API_KEY_IP_ADDRESS_BLOCKED API_KEY_HTTP_REFERRER_BLOCKED "
        "API_KEY_ANDROID_APP_BLOCKED API_KEY_IOS_APP_BLOCKED",
        _RESTRICTION,
    ),
    _row(Meaning.BAD_KEY, "API_KEY_SERVICE_BLOCKED", _SERVICES),
    _row(
        Meaning.BAD_KEY,
        "keyInvalid keyExpired API_KEY_INVALID API_KEY_EXPIRED authError UNAUTHENTICATED "
        "CONSUMER_INVALID CONSUMER_SUSPENDED accountDelegationForbidden",
        _NEW_KEY,
    ),
    _row(Meaning.QUOTA, "quotaExceeded dailyLimitExceeded dailyLimitExceededUnreg"),
    _row(
        Meaning.RATE,
        "rateLimitExceeded userRateLimitExceeded RATE_LIMIT_EXCEEDED RESOURCE_EXHAUSTED",
    ),
    _row(Meaning.STALE_PAGE, "invalidPageToken"),
    _row(
        Meaning.GONE,
        "playlistNotFound channelNotFound videoNotFound notFound NOT_FOUND",
    ),
    _row(
        Meaning.FORBIDDEN,
        "forbidden channelForbidden channelClosed channelSuspended playlistForbidden "
        "playlistItemsNotAccessible watchHistoryNotAccessible watchLaterNotAccessible "
        "PERMISSION_DENIED",
    ),
    _row(Meaning.SERVICE, "backendError internalError INTERNAL UNAVAILABLE DEADLINE_EXCEEDED"),
    _row(
        Meaning.REQUEST,
        "missingRequiredParameter incompatibleParameters playlistOperationUnsupported "
        "invalidCriteria invalidParameter badRequest INVALID_ARGUMENT",
    ),
)

_BAD_KEY_TEXT = re.compile(
    r"api key (not valid|expired|not found)|unregistered callers|missing a valid api key",
    re.IGNORECASE,
)
_PER_DAY = re.compile(r"per\s*day", re.IGNORECASE)
_PER_MINUTE = re.compile(r"per\s*(minute|\d*\s*second)", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_BY_STATUS = {401: Meaning.BAD_KEY, 403: Meaning.FORBIDDEN, 404: Meaning.GONE, 429: Meaning.RATE}


def classify(status: int, content: bytes) -> ApiRefusal:
    """The refusal that an answer with an error status means; any body is taken."""
    error = _error_object(content)
    message = _plain(error.get("message"))
    reasons = [*_reasons(error)]
    row = next((row for row in TABLE if row.reasons.intersection(reasons)), None)
    named = next((reason for reason in reasons if row and reason in row.reasons), "")
    meaning = row.meaning if row else _by_status(status)
    advice = row.advice if row else ""
    if meaning is not Meaning.BAD_KEY and _BAD_KEY_TEXT.search(message):
        meaning, advice = Meaning.BAD_KEY, _NEW_KEY
    if meaning is Meaning.RATE and _limit_is(_PER_DAY, error, message):
        meaning = Meaning.QUOTA
    elif meaning is Meaning.QUOTA and _limit_is(_PER_MINUTE, error, message):
        meaning = Meaning.RATE  # a key is not to rest until midnight for one busy minute
    if meaning is Meaning.BAD_KEY and not advice:
        advice = _NEW_KEY
    said = " ".join(part for part in (message, advice) if part)
    return ApiRefusal(meaning, status, named or next(iter(reasons), ""), said)


def _by_status(status: int) -> Meaning:
    return _BY_STATUS.get(status, Meaning.SERVICE if not 400 <= status < 500 else Meaning.REQUEST)


def _error_object(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _reasons(error: dict[str, Any]) -> Iterator[str]:
    """Every reason, the most telling first: details, then errors, then the status word."""
    for part in ("details", "errors"):
        yield from (str(entry["reason"]) for entry in _entries(error, part) if "reason" in entry)
    if isinstance(error.get("status"), str):
        yield error["status"]


def _entries(error: dict[str, Any], part: str) -> list[dict[str, Any]]:
    listed = error.get(part)
    return (
        [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    )


def _limit_is(span: re.Pattern[str], error: dict[str, Any], message: str) -> bool:
    details = _entries(error, "details")
    told = [str(entry.get(part, "")) for entry in details for part in ("metadata", "violations")]
    return any(span.search(text) for text in (message, *told))


def _plain(message: object) -> str:
    text = _TAG.sub("", message) if isinstance(message, str) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]
