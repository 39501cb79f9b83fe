"""One part of the station alone, in the foreground until interrupted: for services."""

import os
import time
from collections.abc import Callable

from deployments.recovery import Recovery
from deployments.server import Server, answers, find
from deployments.supervisor import LOOK_SECONDS, Supervisor
from deployments.worker import Worker
from engine.errors import BadSettings, ServiceTrouble
from engine.settings import Settings

_SERVER_LOOK_SECONDS = 2.0
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
        from deployments.bootstrap import bootstrap

        bootstrap(settings)
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
    """The worker of this machine, started again when it dies; waits for the server to answer."""
    wait_for_server(settings, say, sleep)
    server = reached(settings)
    from deployments.bootstrap import bootstrap

    bootstrap(settings)
    worker = Worker(settings, server.environment(), settings.worker_queues)
    try:
        if not worker.ensure():
            say("The worker runs already.")
            return
        say(f"The worker serves {server.url}  (Ctrl-C ends it)")
        supervisor = Supervisor([worker], say)
        recovery = Recovery(worker.prefect_name, server.url, say, reviving=True)
        while True:
            sleep(LOOK_SECONDS)
            supervisor.look()
            recovery.look()
    finally:
        if worker.stop() and answers(server.url):
            from deployments.leftovers import mark_lost

            mark_lost(worker.prefect_name, at_once=True)


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
