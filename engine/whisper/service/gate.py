"""Who may speak to the engine, and how much may be sent: looked at before a body is read."""

import asyncio
import hmac
import json

from pydantic import SecretStr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_DRAIN_S = 60.0
_FORM_BYTES = 1_000_000  # what a form holds beside its file


class TooLarge(Exception):  # noqa: N818
    """More was sent than is taken."""


class Gate:
    """Lets requests with the token pass, up to a number of bytes."""

    def __init__(self, app: ASGIApp, token: SecretStr, most_mb: int) -> None:
        self._app = app
        self._expected = b"Bearer " + token.get_secret_value().encode()
        self._most_mb = most_mb
        self._most_bytes = most_mb * 1_000_000 + _FORM_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if not hmac.compare_digest(headers.get(b"authorization", b""), self._expected):
            said = "The engine's token is missing or wrong: send `Authorization: Bearer TOKEN`."
            await _refuse(scope, receive, send, 401, said)
            return
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._most_bytes:
            await _refuse(scope, receive, send, 413, self._too_large)
            return
        meter = _Meter(receive, send, self._most_bytes)
        try:
            await self._app(scope, meter.receive, meter.send)
        except TooLarge:
            if meter.answered:
                raise
        if meter.exceeded and not meter.answered:
            await _refuse(scope, receive, send, 413, self._too_large)

    @property
    def _too_large(self) -> str:
        return f"The upload is larger than the {self._most_mb} MB of ENGINE_MAX_UPLOAD_MB."


class _Meter:
    """Counts a body without a length while it comes; from too much on, the application is mute."""

    def __init__(self, receive: Receive, send: Send, most_bytes: int) -> None:
        self._receive = receive
        self._send = send
        self._most_bytes = most_bytes
        self._got = 0
        self.exceeded = False
        self.answered = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._got += len(message.get("body", b""))
        if self._got > self._most_bytes:
            self.exceeded = True
            raise TooLarge
        return message

    async def send(self, message: Message) -> None:
        if self.answered or not self.exceeded:  # it may take TooLarge for a fault of the form
            self.answered = True
            await self._send(message)


def refusal(message: str, kind: str) -> dict[str, object]:
    """The body of an answer that says no, in OpenAI's form."""
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, said: str) -> None:
    # Who asks before sending is told before; others get the answer lost in a reset if it comes
    # in the middle of their upload.
    if dict(scope["headers"]).get(b"expect", b"").lower() != b"100-continue":
        await _drain(receive)
    body = json.dumps(refusal(said, "invalid_request_error")).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _drain(receive: Receive) -> None:
    try:
        async with asyncio.timeout(_DRAIN_S):
            while (message := await receive())["type"] == "http.request":
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return  # the answer must come some time, read or not
