"""What the engine answers over HTTP."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import SecretStr
from starlette.exceptions import HTTPException

from engine.audio.decoding import Aborted
from engine.errors import Busy, ConfigurationError, Permanent, TonspurError, UnknownModel
from engine.settings import Settings
from engine.whisper.messages import Failed, Job
from engine.whisper.service import transcriptions, waiting
from engine.whisper.service.desk import Desk, Health
from engine.whisper.service.gate import Gate, refusal
from engine.whisper.service.hearing import Now
from engine.whisper.service.here import Here, Place

router = APIRouter()

_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (UnknownModel, 404),
    (ConfigurationError, 400),
    (Permanent, 400),
    (Busy, 503),
    (TonspurError, 500),
    (Aborted, 499),  # nobody reads it
)
"""What an error is in HTTP; the first that fits."""


def make_app(desk: Desk, settings: Settings, token: SecretStr) -> Gate:
    """The application behind its gate; a listening process has one."""
    app = FastAPI(title="Tonspur engine", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.place = Place(desk, settings)
    app.include_router(router)
    app.include_router(transcriptions.router)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _no_such)
    for kind, _ in _STATUSES:
        app.add_exception_handler(kind, _failed)
    return Gate(app, token, settings.engine_max_upload_mb)


@router.get("/health")
def health(here: Here) -> Health:
    """How the engine is."""
    return here.desk.health()


@router.get("/now")
def now(here: Here) -> Now:
    """What is being heard, for those who only look on."""
    return here.desk.now()


@router.post("/jobs")
async def work(job: Job, here: Here) -> StreamingResponse:
    """Do a job: a line of JSON for every event, until its end. A closed connection stops it."""

    async def lines() -> AsyncIterator[str]:
        try:
            async with contextlib.aclosing(waiting.events(here.desk, job)) as events:
                async for event in events:
                    yield event.model_dump_json() + "\n"
        except Busy as error:
            yield Failed(error="Busy", message=str(error)).model_dump_json() + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


def _failed(request: Request, error: Exception) -> JSONResponse:
    code = next(code for kind, code in _STATUSES if isinstance(error, kind))
    kind = "invalid_request_error" if code < 500 else "server_error"
    return JSONResponse(refusal(str(error), kind), code)


def _not_understood(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    return JSONResponse(refusal(f"{where}: {first['msg']}.", "invalid_request_error"), 400)


def _no_such(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    said = f"{request.method} {request.url.path}: {error.detail}."
    return JSONResponse(refusal(said, "invalid_request_error"), error.status_code)
