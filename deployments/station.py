"""The workstation at work: what is missing of server, deployments and worker is started."""

import os
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from deployments.server import Server
from deployments.worker import Worker
from engine.errors import ServiceTrouble
from engine.settings import Settings

_LOOK_SECONDS = 1.0
_PAUSE_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
_CALM_SECONDS = 60.0


class Station:
    """Server, deployments and worker; stops at the end what it started itself.

    Entering may raise ServiceTrouble: a part did not start, or a remote server does not answer.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None] = lambda text: None) -> None:
        self._settings = settings
        self._say = say
        self.server = Server(settings)
        self._worker: Worker | None = None
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
            from deployments.leftovers import mark_crashed

            mark_crashed("Tonspur was stopped while this ran; retry it.")
        self.server.stop()

    def check(self) -> None:
        """Look whether what was started here still runs.

        Raises:
            ServiceTrouble: a part has died; work that waits for it would wait for ever.
        """
        if not self.server.alive:
            raise ServiceTrouble("The Prefect server has ended: give the same command again.")
        if self._worker is not None and not self._worker.alive:
            raise ServiceTrouble("The worker has ended: give the same command again.")

    def watch(self, sleep: Callable[[float], None] = time.sleep) -> None:
        """Restart what dies, with growing pauses, until interrupted."""
        failures, calm_since = 0, time.monotonic()
        while True:
            sleep(_LOOK_SECONDS)
            if self.server.alive and self._worker is not None and self._worker.alive:
                if time.monotonic() - calm_since > _CALM_SECONDS:
                    failures = 0
                continue
            dead = "Prefect server" if not self.server.alive else "worker"
            pause = _PAUSE_SECONDS[min(failures, len(_PAUSE_SECONDS) - 1)]
            self._say(f"The {dead} has ended; it is started again in {pause:.0f} s.")
            sleep(pause)
            failures, calm_since = failures + 1, time.monotonic()
            self._revive()

    def _open(self) -> None:
        self._say("Looking for the Prefect server …")
        fresh_server = self.server.ensure()
        os.environ.update(self.server.environment())
        from prefect.context import refresh_global_settings_context

        from deployments.bootstrap import bootstrap

        refresh_global_settings_context()  # Prefect reads the environment once, at its import
        bootstrap()
        self._worker = Worker(self._settings, self.server.environment())
        if fresh_server and not self._worker.found():
            from deployments.leftovers import mark_crashed

            mark_crashed("The machine or Tonspur went down while this ran; retry it.")
        fresh_worker = self._worker.ensure()
        self.started_any = fresh_server or fresh_worker

    def _revive(self) -> None:
        if not self.server.alive:
            self.server.restart()
        if self._worker is not None and not self._worker.alive:
            self._worker.restart()
