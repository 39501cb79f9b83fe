"""One application for all stand-ins: routes, counts, faults."""

import asyncio
import time
from collections import Counter
from itertools import count
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox import feed, odin_listing, odin_search, odin_upload, watch, youtube_api
from sandbox.chances import KINDS, drawn
from sandbox.counts import Counts
from sandbox.faults import Aborted, Fault, FaultySend, answer
from sandbox.google_errors import GoogleRefusal
from sandbox.lies import Lie, misheard
from sandbox.odin_access import SizeLimit
from sandbox.sayings import Saying
from sandbox.spec import SandboxSpec
from sandbox.world import Here, World

control = APIRouter(prefix="/sandbox", include_in_schema=False)


@control.get("/counts")
def counts(world: Here) -> Counts:
    """What happened since the state folder was made."""
    tally, now = world.tally, time.time()
    uploads = tally.all_of("uploads")
    return Counts(
        requests=tally.requests(),
        answers=tally.answers(),
        units=tally.spent("units"),
        searches=tally.spent("searches"),
        media_bytes=tally.all_of("bytes").get("media", 0),
        media_bytes_of=tally.all_of("media_bytes_of"),
        uploads=uploads.get("stored", 0),
        upload_bytes=uploads.get("bytes", 0),
        credits=uploads.get("credits", 0),
        struck=tally.all_of("struck"),
        documents=dict(Counter(known.status(now) for known in world.documents.every())),
    )


@control.get("/faults")
def planned_faults(world: Here) -> list[dict[str, object]]:
    """Faults that still wait."""
    return world.tally.faults()


@control.post("/faults")
def plan_fault(world: Here, fault: Fault) -> dict[str, int]:
    """Plans one more."""
    return {"id": world.tally.plan_fault(fault)}


@control.delete("/faults")
def drop_faults(world: Here) -> dict[str, str]:
    """Forgets all of them."""
    world.tally.drop_faults()
    return {}


@control.get("/saying")
def saying(world: Here, path: str) -> Saying | None:
    """What yt-dlp's plugin shall say of the watch page `path`; if anything, it is a request."""
    fault = world.tally.due_fault("GET", path, says=True)
    if fault is None:
        return None
    world.tally.add("requests", f"GET {_pattern(path)}")
    world.tally.add("answers", f"GET {_pattern(path)} said")
    return fault.says


@control.get("/spec")
def spec(world: Here) -> SandboxSpec:
    """What is served."""
    return world.spec


@control.put("/spec")
def adopt(world: Here, spec: SandboxSpec) -> dict[str, str]:
    """Serves something else from now on; new talks are spoken before the answer."""
    world.adopt(spec)
    return {}


class Watcher:
    """Counts every request and answer, and lets planned faults strike; not for /sandbox."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world
        self._numbers = count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http" or scope["path"].startswith("/sandbox/"):
            await self._app(scope, receive, send)
            return
        counted = _Count(self._world, scope, send)
        fault = self._world.tally.due_fault(scope["method"], scope["path"]) or self._chance(
            scope["path"]
        )
        try:
            await self._handle(fault, scope, receive, counted)
        except Aborted:
            counted.note("aborted")

    def _chance(self, path: str) -> Fault | None:
        chances = self._world.spec.odin.chances
        kind = drawn(chances, next(self._numbers), path) if chances else None
        if kind is None:
            return None
        self._world.tally.add("struck", kind)
        return KINDS[kind]

    async def _handle(
        self, fault: Fault | None, scope: Scope, receive: Receive, counted: "_Count"
    ) -> None:
        if fault is None:
            await self._app(scope, receive, counted)
            return
        scope["state"]["fault"] = fault
        await asyncio.sleep(fault.delay_s)
        if fault.hangs_up:
            scope["state"]["transport"].abort()
            raise Aborted
        outward = FaultySend(fault, scope, counted)
        if fault.answered is None:
            await self._app(misheard(scope, fault.lie or Lie()), receive, outward)
            return
        while (await receive()).get("more_body", False):
            pass
        await answer(fault, scope["path"], outward)


class _Count:
    """The innermost send: notes what really leaves."""

    def __init__(self, world: World, scope: Scope, send: Send) -> None:
        self._tally = world.tally
        self._route = f"{scope['method']} {_pattern(scope['path'])}"
        self._media = Path(scope["path"]).stem if scope["path"].startswith("/media/") else None
        self._send = send
        self._tally.add("requests", self._route)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.note(str(message["status"]))
        await self._send(message)
        if self._media and message["type"] == "http.response.body":
            size = len(message.get("body", b""))
            self._tally.add("bytes", "media", size)
            self._tally.add("media_bytes_of", self._media, size)

    def note(self, outcome: str) -> None:
        self._tally.add("answers", f"{self._route} {outcome}")


def _pattern(path: str) -> str:
    """The route without the ids in it: /media/*, /project/*/knowledge."""
    head, *rest = path.strip("/").split("/")
    if head in ("media", "watch") and rest:
        return f"/{head}/*"
    parts = [head, *rest]
    for at, part in enumerate(parts[:-1]):
        if part == "project" and parts[at + 1] not in ("knowledge", "search"):
            parts[at + 1] = "*"
            if parts[at + 2 : at + 3] == ["knowledge"] and len(parts) > at + 4:
                parts[at + 3] = "*"
            break
    return "/" + "/".join(parts)


def _google_refusal(_: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, GoogleRefusal)  # noqa: S101  # registered for nothing else
    return JSONResponse(refusal.body, status_code=refusal.status)


def make_app(world: World) -> FastAPI:
    """The application; /openapi.json describes ODIN AI's part, as the real one does."""
    app = FastAPI(title="ODIN AI (sandbox)", docs_url=None, redoc_url=None)
    app.state.world = world
    for part in (youtube_api, feed, watch, odin_upload, odin_listing, odin_search):
        app.include_router(part.router)
    app.include_router(control)
    app.add_exception_handler(GoogleRefusal, _google_refusal)
    app.add_middleware(SizeLimit, world=world)
    app.add_middleware(Watcher, world=world)
    return app
