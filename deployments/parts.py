"""One part of the station alone, in the foreground until interrupted: for services."""

import os
import time
from collections.abc import Callable
from contextlib import suppress

import httpx

from deployments.recovery import Recovery, impatient
from deployments.server import CARD as SERVER_CARD
from deployments.server import Server, answers, find
from deployments.supervisor import LOOK_SECONDS, Supervisor
from deployments.worker import CARD as WORKER_CARD
from deployments.worker import Worker
from engine.errors import BadSettings, ServiceTrouble
from engine.library import locks
from engine.running import RunningCard, card_file
from engine.settings import Settings

_SERVER_LOOK_SECONDS = 2.0
_REGISTER_SECONDS = 120.0
_SERVER_LOOKS = 15
"""Looks for the server before somebody is told that it is waited for."""


def connect(server: Server) -> None:
    """Let this process speak to the server: Prefect reads the environment once, at its import."""
    os.environ.update(server.environment())
    from prefect.context import refresh_global_settings_context

    refresh_global_settings_context()


def reached(settings: Settings) -> Server:
    """The server of PREFECT_API_URL, or this machine's own that runs; this process speaks to it.

    Raises:
        ServiceTrouble: none answers.
    """
    server = Server(settings)
    if not settings.prefect_api_url:
        server.url = find(settings) or ""
        if not server.url:
            raise ServiceTrouble("No Prefect server runs here: start `tonspur up`.")
    server.ensure()
    connect(server)
    return server


def register(settings: Settings) -> None:
    """Let the server know all that it must, one process of this machine at a time.

    Raises:
        ServiceTrouble: it went away meanwhile.
    """
    from deployments.bootstrap import bootstrap

    # two at once would make things twice that must be there once
    with locks.held(settings.locks_dir, "start", "bootstrap", _REGISTER_SECONDS):
        try:
            bootstrap(settings)
        except httpx.TransportError as error:
            raise ServiceTrouble("The Prefect server went away while it was set up.") from error


def run_server(settings: Settings, say: Callable[[str], None]) -> None:
    """The Prefect server of this machine with its deployments, started again when it dies.

    Raises:
        BadSettings: PREFECT_API_URL names another one.
        ServiceTrouble: it did not start.
    """
    if settings.prefect_api_url:
        raise BadSettings("PREFECT_API_URL names a server that is run elsewhere: unset it here.")
    server = Server(settings)
    try:
        if not server.ensure():
            say(f"The Prefect server runs already: {server.url}")
            return
        connect(server)
        register(settings)
        say(f"The Prefect server listens: {server.url}  (Ctrl-C ends it)")
        supervisor = Supervisor([server], say)
        while True:
            time.sleep(LOOK_SECONDS)
            supervisor.look()
    finally:
        server.stop()


def run_worker(
    settings: Settings, say: Callable[[str], None], sleep: Callable[[float], None] = time.sleep
) -> None:
    """The worker of this machine, started again when it dies; waits for the server to answer.

    Raises:
        BadSettings: the server asks for another password.
    """
    while True:
        if RunningCard.read(card_file(settings, WORKER_CARD)):
            say("The worker runs already.")
            return
        wait_for_server(settings, say, sleep)
        try:
            server = reached(settings)
            register(settings)
        except ServiceTrouble as trouble:
            say(str(trouble))
            sleep(_SERVER_LOOK_SECONDS)
            continue
        _serve(settings, server, say, sleep)


def _serve(
    settings: Settings,
    server: Server,
    say: Callable[[str], None],
    sleep: Callable[[float], None],
) -> None:
    """Work for this server, until it has another address or somebody interrupts."""
    worker = Worker(settings, server.environment(), settings.worker_queues)
    try:
        if not worker.ensure():
            return
        say(f"The worker serves {server.url}  (Ctrl-C ends it)")
        supervisor = Supervisor([worker], say)
        recovery = Recovery(worker.prefect_name, server.url, say, reviving=True)
        while not _has_moved(server, settings):
            sleep(LOOK_SECONDS)
            supervisor.look()
            recovery.look()
        say("The Prefect server has another address now.")
    finally:
        if worker.stop() and answers(server.url):
            from deployments.leftovers import mark_lost

            with suppress(httpx.HTTPError), impatient():  # else the next worker marks them
                mark_lost(worker.prefect_name, at_once=True)


def _has_moved(server: Server, settings: Settings) -> bool:
    """Whether this machine's own server was started anew, where its port had been taken."""
    if settings.prefect_api_url:
        return False
    card = RunningCard.read(card_file(settings, SERVER_CARD))
    return bool(card and card.url and card.url != server.url and answers(card.url))


def wait_for_server(
    settings: Settings, say: Callable[[str], None], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Return when the server of PREFECT_API_URL, or this machine's own, answers."""
    looks = 0
    while not _is_there(settings):
        looks += 1
        if looks == _SERVER_LOOKS:
            where = settings.prefect_api_url or "this machine's Prefect server"
            say(f"Waiting for {where} …")
        sleep(_SERVER_LOOK_SECONDS)


def _is_there(settings: Settings) -> bool:
    remote = settings.prefect_api_url
    return answers(remote) if remote else find(settings) is not None
