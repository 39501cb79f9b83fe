"""Trouble on demand: what a test plans to happen to matching requests."""

import asyncio
import json
from collections.abc import AsyncIterator
from fnmatch import fnmatchcase
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope, Send

from sandbox.google_answers import ANSWERS
from sandbox.lies import Lie, LyingSend
from sandbox.sayings import Saying

ODIN_PATHS = ("/project", "/v2/project", "/v3/project", "/tools/kb")
"""How the addresses of ODIN AI begin."""
_FASTAPI = {404: "Not Found", 405: "Method Not Allowed"}
_SLICES_A_SECOND = 10


class Fault(BaseModel):
    """One rule. Several effects in one rule work together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    route: str = "*"
    """Pattern of the path, such as `/media/*`."""
    method: str = "*"
    skip: int = Field(default=0, ge=0)
    """Requests that pass before it strikes."""
    times: int | None = Field(default=1, ge=1)
    """How often it strikes; None: always."""
    delay_s: float = Field(default=0.0, ge=0)
    """Seconds until the request is looked at."""
    status: int | None = Field(default=None, ge=200, le=599)
    """Answer this in place of the real answer; the request has no effect. Without a body ODIN AI's
    404 and 405 read as for an address that is gone."""
    body: str | dict[str, Any] | None = None
    google: str | None = None
    """Answer this refusal of the Data API: a name in `sandbox.google_answers`. A `status` given
    beside it takes the place of the usual one."""
    headers: dict[str, str] = {}
    """In place of the answer's own, of the real one too."""
    bytes_per_second: int | None = Field(default=None, ge=1)
    """The answer's body trickles."""
    cut_after: int | None = Field(default=None, ge=0)
    """The connection breaks after so many bytes of the answer's body."""
    lost_answer: bool = False
    """The request has its effect, then the connection breaks without an answer."""
    hangs_up: bool = False
    """The connection breaks before the request is read; it has no effect."""
    fate: str | None = None
    """What becomes of the document that this request uploads: failed, timeout, deleting, …"""
    hides: tuple[str, ...] = ()
    """Videos that a feed leaves out."""
    lags: int = Field(default=0, ge=0)
    """So many of a feed's newest videos are not in it yet."""
    lie: Lie | None = None
    """What is not true about the media that are sent."""
    says: Saying | None = None
    """What yt-dlp says of the video, for a watch page of an outspoken sandbox. Such a rule has no
    other effect, and waits for yt-dlp's plugin alone."""

    @field_validator("google")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        if name is not None and name not in ANSWERS:
            raise ValueError(f"Google has no answer {name!r}")
        return name

    @property
    def answered(self) -> int | None:
        """The status that it answers in place of the real answer; None: the real answer comes."""
        return self.status or (ANSWERS[self.google].status if self.google else None)

    def concerns(self, method: str, path: str) -> bool:
        """Whether a request is one that it strikes."""
        return fnmatchcase(path, self.route) and self.method in ("*", method)


async def _of(request: Request) -> Fault:  # async: no thread for so little
    struck: Fault | None = getattr(request.state, "fault", None)
    return struck or Fault()


Struck = Annotated[Fault, Depends(_of)]
"""The fault that strikes the request, for a route's signature; one without effect if none does."""


class Aborted(Exception):  # noqa: N818  # control flow, not a failure
    """The connection was broken on purpose."""


class FaultySend:
    """Passes an answer on, worse than it came."""

    def __init__(self, fault: Fault, scope: Scope, send: Send) -> None:
        self._fault = fault
        self._scope = scope
        self._send = LyingSend(fault.lie, scope, send) if fault.lie else send
        self._sent = 0

    async def __call__(self, message: Message) -> None:
        """Sends one message of the answer, or breaks the connection.

        Raises:
            Aborted: the connection is broken now.
        """
        if self._fault.lost_answer:
            self._abort()
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            headers.update(self._fault.headers)
            await self._send({**message, "headers": headers.raw})
            return
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        async for part, is_last in self._slices(message.get("body", b"")):
            more = not is_last or message.get("more_body", False)
            await self._send({"type": message["type"], "body": part, "more_body": more})

    async def _slices(self, body: bytes) -> AsyncIterator[tuple[bytes, bool]]:
        rate, limit = self._fault.bytes_per_second, self._fault.cut_after
        size = max(1, rate // _SLICES_A_SECOND) if rate else max(1, len(body))
        for start in range(0, max(1, len(body)), size):
            part = body[start : start + size]
            if limit is not None and self._sent + len(part) > limit:
                kept = part[: limit - self._sent]
                await self._send({"type": "http.response.body", "body": kept, "more_body": True})
                await asyncio.sleep(0.05)  # aborting drops what the socket has not taken yet
                self._abort()
            self._sent += len(part)
            yield part, start + size >= len(body)
            if rate:
                await asyncio.sleep(len(part) / rate)

    def _abort(self) -> None:
        self._scope["state"]["transport"].abort()
        raise Aborted


async def answer(fault: Fault, path: str, send: Send) -> None:
    """The answer that a fault gives in place of the real one."""
    status = fault.answered or 500
    body = fault.body if fault.body is not None else _usual_body(fault, status, path)
    kind = "text/html" if isinstance(body, str) else "application/json"
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    headers = {"content-type": kind, "content-length": str(len(raw))}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": raw})


def _usual_body(fault: Fault, status: int, path: str) -> str | dict[str, Any]:
    if fault.google:
        return ANSWERS[fault.google].body
    if path.startswith("/youtube/"):
        said = "The service is currently unavailable."
        errors = [{"message": said, "domain": "global", "reason": "backendError"}]
        return {"error": {"code": status, "message": said, "errors": errors}}
    if status in _FASTAPI and path.startswith(ODIN_PATHS):
        return {"detail": _FASTAPI[status]}
    return f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
