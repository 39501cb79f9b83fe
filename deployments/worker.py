"""The worker that starts flow runs on this machine."""

import platform
import sys
import time
from collections.abc import Callable, Sequence

from deployments.processes import Child
from engine.errors import ServiceTrouble
from engine.library import locks
from engine.running import RunningCard, card_file
from engine.settings import Settings, environment

WORK_POOL = "rtx4090"
CARD = "worker"
# One sync, and enough videos that downloads go on while one is transcribed.
FLOW_RUNS_AT_ONCE = 6
HEARTBEAT_SECONDS = 30
_START_SECONDS = 60.0

WORKER_SETTINGS = {
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
}


class Worker:
    """The process worker of this STATE_DIR: a running one, or one of our own.

    It serves the queues that are named; without any, all.
    """

    name = "worker"

    def __init__(
        self,
        settings: Settings,
        prefect: dict[str, str],
        queues: Sequence[str] = (),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._prefect = prefect
        self._queues = queues
        self._sleep = sleep
        self._card = card_file(settings, CARD)
        self._child: Child | None = None
        self.prefect_name = f"{platform.node() or 'workstation'}-{settings.state_dir.name}"

    def ensure(self) -> bool:
        """Have a worker; True when one was started.

        Raises:
            ServiceTrouble: it did not start.
        """
        with locks.held(self._settings.locks_dir, "start", "worker", _START_SECONDS):
            if self.found():
                return False
            self._start()
        return True

    def found(self) -> bool:
        """Whether a worker of this STATE_DIR runs, whoever started it."""
        return RunningCard.read(self._card) is not None

    @property
    def alive(self) -> bool:
        """Whether the worker that this object started runs; True for a foreign one."""
        return self._child is None or self._child.alive

    def restart(self) -> None:
        """Start our worker again."""
        if self._child:
            self._child.stop()
            self._start()

    def stop(self) -> bool:
        """Stop the worker and its flow runs, if this object started it; True if so."""
        child, self._child = self._child, None
        if child:
            child.stop()
        return child is not None

    def _start(self) -> None:
        program = [sys.executable, "-P", "-m", "prefect", "worker", "start", "--type", "process"]
        self._child = Child(
            [*program, "--pool", WORK_POOL, "--name", self.prefect_name]
            + ["--limit", str(FLOW_RUNS_AT_ONCE)]
            + [part for queue in self._queues for part in ("--work-queue", queue)],
            environment(self._settings) | self._prefect | WORKER_SETTINGS,
            self._settings.logs_dir / "worker.log",
            self._card,
        )
        self._child.start()
        self._sleep(0.5)
        if not self._child.alive:
            raise ServiceTrouble(f"The worker did not start: {self._child.last_lines()}")
