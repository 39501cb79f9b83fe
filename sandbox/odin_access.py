"""Who may do what at ODIN AI: two headers, two kinds of keys, projects; and a proxy's limit."""

import hmac
from typing import Annotated, Any

from fastapi import Depends, Header, HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.world import Here, World

_TOO_LARGE = (
    "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n"
    "<center><h1>413 Request Entity Too Large</h1></center>\r\n<hr><center>nginx</center>\r\n"
    "</body>\r\n</html>\r\n"
)
_FORM_BYTES = 64 * 1024  # names, metadata and boundaries around the file
UPLOAD_PATHS = ("/v3/project/knowledge/add/file", "/v2/project/knowledge/add/file")


def reader(
    world: Here,
    x_api_key: Annotated[str | None, Header()] = None,
    x_api_secret: Annotated[str | None, Header()] = None,
) -> World:
    """Lets anybody with a known pair of key and secret pass.

    Raises:
        HTTPException: 401, `detail` is a string.
    """
    odin = world.spec.odin
    pairs = ((odin.key, odin.secret), (odin.viewer_key, odin.viewer_secret))
    if not any(_same(x_api_key, key) and _same(x_api_secret, secret) for key, secret in pairs):
        raise HTTPException(401, "Invalid API key or secret")
    return world


def writer(
    world: Annotated[World, Depends(reader)],
    x_api_key: Annotated[str | None, Header()] = None,
) -> World:
    """Lets the privileged key pass.

    Raises:
        HTTPException: 401 as `reader`; 403 for a viewer's key.
    """
    if not _same(x_api_key, world.spec.odin.key):
        raise HTTPException(403, "This API key has read-only access")
    return world


Reader = Annotated[World, Depends(reader)]
"""The world, for a route that any known key may call."""
Writer = Annotated[World, Depends(writer)]
"""The world, for a route that changes something."""


def _same(given: str | None, expected: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(), expected.encode())


def check_project(world: World, project_id: str) -> None:
    """Lets the projects of the spec pass.

    Raises:
        HTTPException: 403, as for a project of somebody else.
    """
    if project_id not in world.spec.odin.project_ids:
        raise HTTPException(403, "You do not have access to this project")


def unprocessable(place: str, said: str, kind: str) -> HTTPException:
    """FastAPI's 422, for what a route finds out itself."""
    detail: list[dict[str, Any]] = [{"loc": ["body", place], "msg": said, "type": kind}]
    return HTTPException(422, detail)


class SizeLimit:
    """The proxy before the application: too large a request gets its HTML page, unread."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what is small enough."""
        if scope["type"] != "http" or scope["path"] not in UPLOAD_PATHS:
            await self._app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if int(length) <= self._world.spec.odin.max_bytes + _FORM_BYTES:
            await self._app(scope, receive, send)
            return
        await _drain(receive)  # an answer in the middle of an upload could be lost in a reset
        raw = _TOO_LARGE.encode()
        headers = [(b"content-type", b"text/html"), (b"content-length", str(len(raw)).encode())]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": raw})


async def _drain(receive: Receive) -> None:
    while (message := await receive())["type"] == "http.request":
        if not message.get("more_body", False):
            return
