"""The engine of this machine as a process that is started, found again and stopped."""

import os
import sys
import time
from collections.abc import Callable

from deployments.processes import Child
from deployments.server import free_port
from engine.errors import ServiceTrouble
from engine.library import locks
from engine.running import card_file
from engine.settings import Settings, environment
from engine.whisper import shared
from engine.whisper.service import CARD

_START_SECONDS = 60.0
_LOOK_SECONDS = 0.1


class EngineService:
    """The engine of this STATE_DIR: a running one, or one of our own."""

    name = "engine"

    def __init__(self, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._sleep = sleep
        self._card = card_file(settings, CARD)
        self._child: Child | None = None
        self.url = ""

    def ensure(self, *, elsewhere: bool = False) -> bool:
        """Have an engine; True when one was started.

        `elsewhere` lets it listen on another port where another program has taken ENGINE_PORT.

        Raises:
            ServiceTrouble: it did not start.
        """
        with locks.held(self._settings.locks_dir, "start", "engine", _START_SECONDS):
            running = shared.answering(self._settings)
            if running:
                self.url = running.url
                return False
            port = self._settings.engine_port
            self._start(free_port(port) if elsewhere else port)
        return True

    @property
    def alive(self) -> bool:
        """Whether the engine that this object started runs; True for a foreign one."""
        return self._child is None or self._child.alive

    def restart(self) -> None:
        """Start our engine again, at the address that everybody knows."""
        if self._child:
            self._child.stop()
            self._start(int(self.url.rsplit(":", 1)[1]))

    def stop(self) -> None:
        """Stop the engine with its model process, if this object started it."""
        child, self._child = self._child, None
        if child:
            child.stop()
            self._card.unlink(missing_ok=True)

    def _start(self, port: int) -> None:
        program = [sys.executable, "-P", "-m", "engine.whisper.service", "--port", str(port)]
        program += ["--watcher", str(os.getpid())]
        log = self._settings.logs_dir / "engine-start.log"
        self._child = Child(program, environment(self._settings), log, None)
        self._child.start()
        deadline = time.monotonic() + _START_SECONDS
        while (running := shared.answering(self._settings)) is None:
            if not self._child.alive or time.monotonic() > deadline:
                said = self._child.last_lines(1)
                self._child.stop()
                raise ServiceTrouble(f"The engine did not start: {said}")
            self._sleep(_LOOK_SECONDS)
        self.url = running.url
