"""The workstation at work: what is missing of server, engine, deployments and worker is started."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import httpx

from deployments.engine import EngineService
from deployments.parts import connect, register
from deployments.recovery import Recovery, impatient
from deployments.server import Server
from deployments.supervisor import LOOK_SECONDS, Supervisor
from deployments.worker import Worker
from engine.errors import ServiceTrouble
from engine.settings import Settings

ASKED_FOR = ("default", "syncs")
"""The queues of a station that ends with its command: nothing begins there by the clock."""


class Station:
    """Server, engine, deployments and worker; stops at the end what it started itself.

    Its worker serves these queues; without any, all.

    Entering may raise ServiceTrouble: a part did not start, or a remote server does not answer.
    """

    def __init__(
        self,
        settings: Settings,
        say: Callable[[str], None] = lambda text: None,
        queues: Sequence[str] = ASKED_FOR,
    ) -> None:
        self._settings = settings
        self._queues = queues
        self._say = say
        self.server = Server(settings)
        self.engine = EngineService(settings)
        self._engine_watch = Supervisor([self.engine], say)
        self._worker: Worker | None = None
        self._recovery: Recovery | None = None
        self.started_any = False

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def dashboard(self) -> str:
        """Where the operator looks."""
        return self.server.url.removesuffix("/api")

    def close(self) -> None:
        """Stop what was started here; the worker first, so that it can still report."""
        if self._worker and self._worker.stop() and self.server.alive:
            from deployments.leftovers import mark_lost

            with suppress(httpx.HTTPError), impatient():
                mark_lost(self._worker.prefect_name, at_once=True)
        self.engine.stop()
        self.server.stop()

    def check(self) -> None:
        """Look whether what was started here still runs; the engine is started again.

        Raises:
            ServiceTrouble: a part has died; work that waits for it would wait for ever.
        """
        if not self.server.alive:
            raise ServiceTrouble("The Prefect server has ended: give the same command again.")
        if self._worker is not None and not self._worker.alive:
            raise ServiceTrouble("The worker has ended: give the same command again.")
        self._engine_watch.look()
        if self._recovery:
            self._recovery.look()

    def watch(self, sleep: Callable[[float], None] = time.sleep) -> None:
        """Start again what dies, until interrupted."""
        assert self._worker is not None  # noqa: S101
        supervisor = Supervisor([self.server, self.engine, self._worker], self._say)
        recovery = self._recovery_of(self._worker, reviving=True)
        while True:
            sleep(LOOK_SECONDS)
            supervisor.look()
            recovery.look()

    def _recovery_of(self, worker: Worker, *, reviving: bool) -> Recovery:
        return Recovery(worker.prefect_name, self.server.url, self._say, reviving=reviving)

    def _open(self) -> None:
        self._say("Looking for the Prefect server …")
        fresh_server = self.server.ensure()
        fresh_engine = self.engine.ensure(elsewhere=True)
        connect(self.server)
        register(self._settings)
        self._worker = Worker(self._settings, self.server.environment(), self._queues)
        if fresh_server and not self._worker.found():
            from deployments.leftovers import mark_lost

            mark_lost(self._worker.prefect_name, at_once=True)
        fresh_worker = self._worker.ensure()
        self._recovery = self._recovery_of(self._worker, reviving=False)
        self.started_any = fresh_server or fresh_engine or fresh_worker
