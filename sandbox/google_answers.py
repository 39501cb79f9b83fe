"""Every refusal of the Data API that Google documents or sends, by name: old style and new.

Old ones carry `errors[].reason` alone and are called by it. New ones carry a status word and, most
of them, an ErrorInfo among the `details` beside it; they are called by its reason, in capitals.
"""

from dataclasses import dataclass
from typing import Any

from sandbox.google_errors import DAY_IS_SPENT, error

_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_PROJECT = "123456789012"
_SERVICE = {"service": "youtube.googleapis.com", "consumer": f"projects/{_PROJECT}"}
_ENABLE = (
    f"YouTube Data API v3 has not been used in project {_PROJECT} before or it is disabled. "
    "Enable it by visiting https://console.developers.google.com/apis/api/youtube.googleapis.com/"
    f"overview?project={_PROJECT} then retry."
)


@dataclass(frozen=True)
class GoogleAnswer:
    """A refusal: HTTP status and JSON body."""

    status: int
    body: dict[str, Any]


def _old(status: int, reason: str, message: str, domain: str = "youtube.api") -> GoogleAnswer:
    return GoogleAnswer(status, error(status, reason, message, domain))


def _new(
    status: int, old: str, word: str, message: str, reason: str = "", **metadata: str
) -> GoogleAnswer:
    body = error(status, old, message, "global")
    body["error"]["status"] = word
    if reason:
        info = {"@type": _INFO, "reason": reason, "domain": "googleapis.com"}
        body["error"]["details"] = [info | {"metadata": _SERVICE | metadata}]
    return GoogleAnswer(status, body)


def _limit(span: str, value: str) -> GoogleAnswer:
    return _new(
        429,
        "rateLimitExceeded",
        "RESOURCE_EXHAUSTED",
        f"Quota exceeded for quota metric 'Queries' and limit 'Queries per {span}' of service "
        f"'youtube.googleapis.com' for consumer 'project_number:{_PROJECT}'.",
        "RATE_LIMIT_EXCEEDED",
        quota_metric="youtube.googleapis.com/default",
        quota_limit=f"defaultPer{span.title()}PerProject",
        quota_limit_value=value,
        quota_location="global",
    )


def _blocked(reason: str, message: str) -> GoogleAnswer:
    return _new(403, "forbidden", "PERMISSION_DENIED", message, reason)


ANSWERS: dict[str, GoogleAnswer] = {
    # The day's pot is empty.
    "quotaExceeded": _old(403, "quotaExceeded", DAY_IS_SPENT, "youtube.quota"),
    "dailyLimitExceeded": _old(403, "dailyLimitExceeded", "Daily Limit Exceeded", "usageLimits"),
    "dailyLimitExceededUnreg": _old(
        403,
        "dailyLimitExceededUnreg",
        "Daily Limit for Unauthenticated Use Exceeded. Continued use requires signup.",
        "usageLimits",
    ),
    "RATE_LIMIT_EXCEEDED per day": _limit("day", "10000"),
    # Too fast.
    "rateLimitExceeded": _old(403, "rateLimitExceeded", "Rate Limit Exceeded", "usageLimits"),
    "userRateLimitExceeded": _old(
        403, "userRateLimitExceeded", "User Rate Limit Exceeded", "usageLimits"
    ),
    "RATE_LIMIT_EXCEEDED per minute": _limit("minute", "1800000"),
    "RESOURCE_EXHAUSTED": _new(
        429,
        "rateLimitExceeded",
        "RESOURCE_EXHAUSTED",
        "Resource has been exhausted (e.g. check quota).",
    ),
    # The key is bad.
    "keyInvalid": _old(400, "keyInvalid", "Bad Request", "usageLimits"),
    "keyExpired": _old(400, "keyExpired", "Bad Request", "usageLimits"),
    "API_KEY_INVALID": _new(
        400,
        "badRequest",
        "INVALID_ARGUMENT",
        "API key not valid. Please pass a valid API key.",
        "API_KEY_INVALID",
    ),
    "API_KEY_EXPIRED": _new(
        400,
        "badRequest",
        "INVALID_ARGUMENT",
        "API key expired. Please renew the API key.",
        "API_KEY_INVALID",  # what Google sends: only the message says that it ran out
    ),
    "PERMISSION_DENIED without a key": _new(
        403,
        "forbidden",
        "PERMISSION_DENIED",
        "Method doesn't allow unregistered callers (callers without established identity).",
    ),
    "authError": _old(401, "authError", "Invalid Credentials", "global"),
    "UNAUTHENTICATED": _new(
        401, "authError", "UNAUTHENTICATED", "Request had invalid authentication credentials."
    ),
    # The API is off in the key's project.
    "accessNotConfigured": _old(
        403, "accessNotConfigured", "Access Not Configured.", "usageLimits"
    ),
    "SERVICE_DISABLED": _new(
        403, "accessNotConfigured", "PERMISSION_DENIED", _ENABLE, "SERVICE_DISABLED"
    ),
    # The key may not be used from here, or for this.
    "ipRefererBlocked": _old(
        403,
        "ipRefererBlocked",
        "There is a per-IP or per-Referer restriction configured on your API key and the request "
        "does not match these restrictions.",
        "usageLimits",
    ),
    "API_KEY_IP_ADDRESS_BLOCKED": _blocked(
        "API_KEY_IP_ADDRESS_BLOCKED",
        "The provided API key has an IP address restriction. The originating IP address of the "
        "call violates this restriction.",
    ),
    "API_KEY_HTTP_REFERRER_BLOCKED": _blocked(
        "API_KEY_HTTP_REFERRER_BLOCKED", "Requests from referer <empty> are blocked."
    ),
    "API_KEY_SERVICE_BLOCKED": _blocked(
        "API_KEY_SERVICE_BLOCKED",
        "Requests to this API youtube method youtube.api.v3.V3DataPlaylistItemService.List are "
        "blocked.",
    ),
    # This channel or list is not for everybody.
    "forbidden": _old(403, "forbidden", "Forbidden", "global"),
    "channelForbidden": _old(403, "channelForbidden", "Channel not accessible.", "youtube.channel"),
    "playlistItemsNotAccessible": _old(
        403,
        "playlistItemsNotAccessible",
        "The request is not properly authorized to retrieve the specified playlist.",
        "youtube.playlistItem",
    ),
    "watchHistoryNotAccessible": _old(
        403, "watchHistoryNotAccessible", "Watch history cannot be listed.", "youtube.playlistItem"
    ),
    "watchLaterNotAccessible": _old(
        403, "watchLaterNotAccessible", "Watch later cannot be listed.", "youtube.playlistItem"
    ),
    # There is none.
    "playlistNotFound": _old(
        404, "playlistNotFound", "The playlist cannot be found.", "youtube.playlistItem"
    ),
    "channelNotFound": _old(
        404, "channelNotFound", "The channel cannot be found.", "youtube.channel"
    ),
    "videoNotFound": _old(404, "videoNotFound", "The video cannot be found.", "youtube.video"),
    # A token that ran out, or a request that should not have been sent.
    "invalidPageToken": _old(
        400, "invalidPageToken", "The request specifies an invalid page token."
    ),
    "missingRequiredParameter": _old(
        400, "missingRequiredParameter", "No filter selected.", "youtube.parameter"
    ),
    "incompatibleParameters": _old(
        400, "incompatibleParameters", "Incompatible parameters.", "youtube.parameter"
    ),
    "playlistOperationUnsupported": _old(
        400, "playlistOperationUnsupported", "This playlist cannot be listed.", "youtube.api"
    ),
    "invalidCriteria": _old(400, "invalidCriteria", "A maximum of 50 ids is accepted."),
    # Google itself.
    "backendError": _old(500, "backendError", "Backend Error", "global"),
    "internalError": _old(500, "internalError", "Internal Error", "youtube.api"),
    "INTERNAL": _new(500, "backendError", "INTERNAL", "Internal error encountered."),
    "BAD_GATEWAY": _new(502, "backendError", "UNAVAILABLE", "Bad gateway."),
    "UNAVAILABLE": _new(
        503, "backendError", "UNAVAILABLE", "The service is currently unavailable."
    ),
    "DEADLINE_EXCEEDED": _new(
        504,
        "backendError",
        "DEADLINE_EXCEEDED",
        "Deadline expired before operation could complete.",
    ),
}
