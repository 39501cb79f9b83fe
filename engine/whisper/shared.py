"""The engine of this machine, seen from a client: found by its card, spoken to over loopback."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import SecretStr, ValidationError

from engine.audio.decoding import Aborted
from engine.errors import EngineDied, ServiceTrouble
from engine.running import RunningCard, card_file
from engine.settings import Settings
from engine.whisper.keeper import error_of
from engine.whisper.messages import (
    EVENTS,
    Alive,
    Done,
    Ending,
    Event,
    Failed,
    Job,
    Prepared,
    Stopped,
)
from engine.whisper.service import CARD
from engine.whisper.service.access import token_of
from engine.whisper.service.hearing import Now

_HOST = "127.0.0.1"
_SILENT_S = 30.0
"""The engine says something every second."""
_CONNECT_S = 3.0
_COMING_BACK_S = 45.0
"""The longest pause before a restart (deployments/supervisor.py), and the start."""
_LOOK_S = 0.2


@dataclass(frozen=True)
class SharedEngine:
    """The listening process at an address."""

    url: str
    token: SecretStr

    def run(self, job: Job, take: Callable[[Event], None], abort: Callable[[], bool]) -> Ending:
        """Do a job; `take` gets what is said before its end.

        Raises:
            TonspurError: the job failed.
            EngineDied: the engine ended, or is silent.
            Aborted: `abort` said so; the connection is closed, which stops the job.
        """
        try:
            with self._client() as client, client.stream("POST", "/jobs", **_body(job)) as answer:
                if answer.status_code != httpx.codes.OK:
                    answer.read()
                    raise ServiceTrouble(f"The engine refused a job: {answer.text}")
                return _ending(answer.iter_lines(), take, abort)
        except httpx.TimeoutException as error:
            raise EngineDied(f"The engine was silent for {_SILENT_S:.0f} s.") from error
        except httpx.TransportError as error:
            raise EngineDied(f"The engine ended in the middle of a job: {error}.") from error
        except ValidationError as error:
            raise EngineDied("The engine said something that is no event.") from error

    def health(self) -> dict[str, Any] | None:
        """How it is; None where nobody answers, or somebody else."""
        try:
            with self._client() as client:
                answer = client.get("/health", timeout=_CONNECT_S)
                return dict(answer.json()) if answer.status_code == httpx.codes.OK else None
        except (httpx.TransportError, ValueError):
            return None

    def now(self) -> Now:
        """What it hears at this moment; nothing where it does not answer."""
        try:
            with self._client() as client:
                answer = client.get("/now", timeout=_CONNECT_S)
                return Now.model_validate_json(answer.content) if answer.is_success else Now()
        except (httpx.TransportError, ValidationError):
            return Now()

    def close(self) -> None:
        """Nothing is kept between jobs."""

    def _client(self) -> httpx.Client:
        timeout = httpx.Timeout(_SILENT_S, connect=_CONNECT_S)
        bearer = {"Authorization": f"Bearer {self.token.get_secret_value()}"}
        # The environment's proxies are not for loopback, and its certificates take time to read.
        return httpx.Client(
            base_url=self.url,
            headers=bearer,
            timeout=timeout,
            trust_env=False,
            verify=False,  # noqa: S501 - plain HTTP
        )


def _ending(
    lines: Iterable[str], take: Callable[[Event], None], abort: Callable[[], bool]
) -> Ending:
    for line in lines:
        event = EVENTS.validate_json(line)
        if isinstance(event, Done | Prepared):
            return event
        if isinstance(event, Failed):
            raise error_of(event)
        if isinstance(event, Stopped):
            raise EngineDied("The engine was stopped.")
        if abort():
            raise Aborted("The job was stopped.")
        if not isinstance(event, Alive):
            take(event)
    raise EngineDied("The engine ended in the middle of a job.")


def _body(job: Job) -> dict[str, Any]:
    return {
        "content": job.model_dump_json().encode("utf-8"),
        "headers": {"Content-Type": "application/json"},
    }


def find(settings: Settings, sleep: Callable[[float], None] = time.sleep) -> SharedEngine | None:
    """The engine that runs on this machine; None where there is none.

    One that was killed is given time to be started again while whoever looks after it lives: a
    second engine beside it would want the same GPU.
    """
    deadline = time.monotonic() + _COMING_BACK_S
    while True:
        engine = answering(settings)
        if engine or time.monotonic() > deadline or not _is_awaited(settings):
            return engine
        sleep(_LOOK_S)


def _is_awaited(settings: Settings) -> bool:
    card = RunningCard.left(card_file(settings, CARD))
    return card is not None and (card.runs or (card.watcher is not None and card.watcher.runs))


def answering(settings: Settings) -> SharedEngine | None:
    """The engine that answers at this moment, if there is one."""
    token = token_of(settings)
    if token is None:
        return None
    card = RunningCard.read(card_file(settings, CARD))
    if card and card.url:
        url = card.url
    elif settings.engine_token and settings.engine_port:
        url = f"http://{_HOST}:{settings.engine_port}"  # that of another STATE_DIR
    else:
        return None  # the token is not for whoever happens to listen there
    engine = SharedEngine(url, token)
    return engine if engine.health() else None
