"""Media servers that lie: about a length, about a range, about where a file ends."""

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope, Send


class Lie(BaseModel):
    """What is wrong with an answer that looks right.

    For a page in place of media plan a `status` of 200 with that `body` and a content type.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    length: int = 0
    """Content-Length names so many bytes more than are sent; less than are sent if negative."""
    deaf: bool = False
    """A range that is asked for is not heard: 200, and everything."""
    misplaced: int = 0
    """A range is answered with one from so much further on, as its Content-Range says."""
    disguised: bool = False
    """The Content-Range of such an answer names what was asked for: only decoding tells."""
    whole: int | None = Field(default=None, ge=1)
    """The file ends after so many bytes, and every header agrees with that."""


def misheard(scope: Scope, lie: Lie) -> Scope:
    """The request as the server takes it."""
    asked = Headers(scope=scope).get("range", "")
    first, dash, last = asked.removeprefix("bytes=").partition("-")
    if not dash or not first.isdecimal() or not (lie.deaf or lie.misplaced):
        return scope
    headers = MutableHeaders(raw=list(scope["headers"]))
    if lie.deaf:
        del headers["range"]
    else:
        further = str(int(last) + lie.misplaced) if last else ""
        headers["range"] = f"bytes={int(first) + lie.misplaced}-{further}"
    return {**scope, "headers": headers.raw}


class LyingSend:
    """Passes an answer on with headers that are not true."""

    def __init__(self, lie: Lie, scope: Scope, send: Send) -> None:
        self._lie = lie
        self._scope = scope
        self._send = send
        self._left: int | None = None

    async def __call__(self, message: Message) -> None:
        """Sends one message of the answer; the connection ends with what the lie cannot end."""
        if message["type"] == "http.response.start":
            await self._send(self._headed(message))
        elif self._left is None or self._scope["method"] == "HEAD":
            await self._send(message)
        else:
            await self._sent(message.get("body", b""), message.get("more_body", False))

    def _headed(self, message: Message) -> Message:
        headers = MutableHeaders(raw=list(message["headers"]))
        span = headers.get("content-range", "").removeprefix("bytes ")
        if self._lie.disguised and "-" in span:  # a refused range names none
            places, _, total = span.partition("/")
            first, last = (int(place) - self._lie.misplaced for place in places.split("-"))
            headers["content-range"] = f"bytes {first}-{last}/{total}"
        if self._lie.length and "content-length" in headers:
            self._left = max(0, int(headers["content-length"]) + self._lie.length)
            headers["content-length"] = str(self._left)
        return {**message, "headers": headers.raw}

    async def _sent(self, body: bytes, more: bool) -> None:
        assert self._left is not None  # noqa: S101  # the caller looked
        kept, surplus = body[: self._left], body[self._left :]
        self._left -= len(kept)
        ends = not more and not self._left
        await self._send({"type": "http.response.body", "body": kept, "more_body": not ends})
        transport = self._scope["state"]["transport"]
        if surplus:
            transport.write(surplus)  # past the server, which would not send it
        if not more:
            transport.close()  # what is written is sent first
