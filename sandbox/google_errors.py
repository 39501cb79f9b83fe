"""Refusals in the shapes that Google's APIs give them."""

from typing import Any

DAY_IS_SPENT = (
    'The request cannot be completed because you have exceeded your <a href="/youtube/v3/'
    'getting-started#quota">quota</a>.'
)
"""What Google writes when a key's day has no unit left; with markup, as it comes."""
_NO_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). Please use "
    "API Key or other form of API consumer identity to call this API."
)
_BAD_KEY = "API key not valid. Please pass a valid API key."


class GoogleRefusal(Exception):  # noqa: N818  # an answer, raised where it is decided
    """Ends a request with an error body."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def error(
    status: int, reason: str, message: str, domain: str = "youtube.api", place: str | None = None
) -> dict[str, Any]:
    """The body of a refusal; `place` is the parameter at fault."""
    entry = {"message": message, "domain": domain, "reason": reason}
    if place:
        entry |= {"location": place, "locationType": "parameter"}
    return {"error": {"code": status, "message": message, "errors": [entry]}}


def refusal(status: int, reason: str, message: str, place: str | None = None) -> GoogleRefusal:
    """A refusal by the YouTube API itself."""
    return GoogleRefusal(status, error(status, reason, message, place=place))


def bad_parameter(name: str, message: str, reason: str = "invalidParameter") -> GoogleRefusal:
    """400 for one parameter."""
    return refusal(400, reason, message, name)


def quota_exceeded() -> GoogleRefusal:
    """The key's day has no unit left."""
    return GoogleRefusal(403, error(403, "quotaExceeded", DAY_IS_SPENT, "youtube.quota"))


def key_missing() -> GoogleRefusal:
    """No key at all."""
    body = error(403, "forbidden", _NO_KEY, "global")
    body["error"]["status"] = "PERMISSION_DENIED"
    return GoogleRefusal(403, body)


def key_invalid() -> GoogleRefusal:
    """A key that nobody issued."""
    body = error(400, "badRequest", _BAD_KEY, "global")
    body["error"]["status"] = "INVALID_ARGUMENT"
    body["error"]["details"] = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
            "metadata": {"service": "youtube.googleapis.com"},
        },
        {
            "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
            "locale": "en-US",
            "message": _BAD_KEY,
        },
    ]
    return GoogleRefusal(400, body)
