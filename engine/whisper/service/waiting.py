"""Between the threads that work and the requests that wait: events as they come, and the end."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from starlette.requests import Request

from engine.audio.decoding import Aborted
from engine.errors import EngineDied
from engine.whisper.keeper import error_of
from engine.whisper.messages import (
    Alive,
    Done,
    Ending,
    Event,
    Failed,
    Job,
    Prepared,
    Progress,
    Spoken,
    Stopped,
)
from engine.whisper.service.desk import Desk

_QUIET_S = 1.0
_LOOK_S = 0.25


async def events(desk: Desk, job: Job) -> AsyncGenerator[Event]:
    """Everything that a job says, its end last, and a sign of life every second.

    Whoever stops listening stops the job.

    Raises:
        Busy: too many are waiting.
    """
    came: asyncio.Queue[Event] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def tell(event: Event) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            loop.call_soon_threadsafe(came.put_nowait, event)

    ticket = desk.submit(job, tell)
    try:
        while True:
            try:
                event = await asyncio.wait_for(came.get(), _QUIET_S)
            except TimeoutError:
                event = Alive()
            yield event
            if isinstance(event, Done | Prepared | Failed | Stopped):
                return
    finally:
        ticket.abort()


async def ending(desk: Desk, job: Job, request: Request) -> Ending:
    """What a job has come to, for a request that waits for nothing else.

    Raises:
        TonspurError: it failed.
        Aborted: the client has gone.
        Busy: too many are waiting.
    """
    work = asyncio.create_task(_last(desk, job))
    try:
        while not (await asyncio.wait({work}, timeout=_LOOK_S))[0]:
            if await request.is_disconnected():
                raise Aborted("The client has gone.")
    finally:
        work.cancel()
        await asyncio.wait({work})
    event = work.result()
    if isinstance(event, Failed):
        raise error_of(event)
    if isinstance(event, Done | Prepared):
        return event
    raise EngineDied("The engine was stopped.")


async def _last(desk: Desk, job: Job) -> Event:
    async with contextlib.aclosing(events(desk, job)) as said:
        return [event async for event in said if not isinstance(event, Progress | Spoken)][-1]
