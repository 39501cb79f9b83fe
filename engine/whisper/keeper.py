"""Keeps one model process: started with the first job, warm between jobs, replaced if it fails."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from pydantic import SecretStr

from engine import errors
from engine.audio.decoding import Aborted
from engine.errors import EngineDied, Permanent, Temporary, TonspurError
from engine.gpu.environment import helpful
from engine.settings import Settings, environment
from engine.whisper.child import Child
from engine.whisper.messages import (
    Alive,
    Done,
    Ending,
    Event,
    Failed,
    Job,
    Loaded,
    Prepared,
    Stopped,
)

_POLL_S = 0.05


@dataclass(frozen=True)
class Patience:
    """How long a model process may keep its keeper waiting, in seconds."""

    silent_s: float = 30.0
    """Without a sign of life, which comes every second."""
    stuck_s: float = 120.0
    """Alive, but without a step of its job: the longest step is a window on a slow CPU."""
    loading_s: float = 3600.0
    """Before the first step: the weights may have to come from the hub."""
    stopping_s: float = 1.5
    """From the wish to stop a job to its end; the GPU is promised to be free after two."""


class Keeper:
    """One model process and the job in its hand; for one thread at a time."""

    def __init__(
        self,
        settings: Settings,
        *,
        patience: Patience | None = None,
        complain: Callable[[str], None] = lambda line: None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._settings = settings
        self._patience = patience or Patience()
        self._complain = complain
        self._clock = clock
        self._child: Child | None = None
        self.holds: Loaded | None = None
        """The model in memory."""
        self.loads = 0
        """How often one was loaded."""
        self.losses = 0
        """How often the process ended or hung."""

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        child = self._child
        return child.pid if child else None

    def run(self, job: Job, take: Callable[[Event], None], abort: Callable[[], bool]) -> Ending:
        """Do a job; `take` gets what the process says before its end.

        Raises:
            TonspurError: the job failed, and the process is kept.
            EngineDied: the process ended or hung, and is gone.
            Aborted: `abort` said so; the process is kept if it could stop in time.
        """
        child = self._started()
        try:
            child.ask(job)
            ending = self._await_end(child, take, abort)
            if isinstance(ending, Failed) and ending.error == EngineDied.__name__:
                raise EngineDied(ending.message)
        except _InTime:
            raise
        except EngineDied:
            self.losses += 1
            self.close(0)
            raise
        except BaseException as error:
            # The job still runs there.
            self.close(0 if isinstance(error, Aborted) else None)
            raise
        if isinstance(ending, Failed):
            raise error_of(ending)
        return ending

    def close(self, patience_s: float | None = None) -> None:
        """End the process, if there is one; may be called again."""
        child, self._child, self.holds = self._child, None, None
        if child is not None:
            child.end() if patience_s is None else child.end(patience_s)

    def _await_end(
        self, child: Child, take: Callable[[Event], None], abort: Callable[[], bool]
    ) -> Ending | Failed:
        watch = _Watch(self._patience, self._clock)
        while True:
            if abort():
                self._stop(child)
            event = child.event(_POLL_S)
            watch.look(event)
            if isinstance(event, Done | Prepared | Failed):
                return event
            if isinstance(event, Loaded):
                self.holds = event
                self.loads += 1
            if event is not None and not isinstance(event, Alive):
                take(event)

    def _stop(self, child: Child) -> None:
        child.stop_job()
        deadline = self._clock() + self._patience.stopping_s
        while self._clock() < deadline:
            if isinstance(child.event(_POLL_S), Stopped | Done | Prepared | Failed):
                raise _InTime("The job was stopped.")
        raise Aborted("The job was stopped with its process.")

    def _started(self) -> Child:
        if self._child is not None and not self._child.alive:
            self.losses += 1
            self.close()
        if self._child is None:
            self._child = Child(variables(self._settings), self._complain)
        return self._child


class _InTime(Aborted):
    """The process stopped the job by itself."""


class _Watch:
    """Notices a process that hangs."""

    def __init__(self, patience: Patience, clock: Callable[[], float]) -> None:
        self._patience = patience
        self._clock = clock
        self._heard = self._moved = clock()
        self._work = 0

    def look(self, event: Event | None) -> None:
        now = self._clock()
        if event is not None:
            self._heard = now
        if isinstance(event, Alive):
            if event.work != self._work:
                self._work, self._moved = event.work, now
        elif event is not None:
            self._moved = now
        allowed = self._patience.stuck_s if self._work else self._patience.loading_s
        if now - self._heard > self._patience.silent_s:
            raise EngineDied(f"The model process was silent for {now - self._heard:.0f} s.")
        if now - self._moved > allowed:
            raise EngineDied(f"The model process did not move for {now - self._moved:.0f} s.")


def variables(settings: Settings) -> dict[str, str]:
    """Our environment with the settings in it, without any secret: the model needs none."""
    secrets = {"API_KEY", "API_SECRET", "YT_API_KEYS"}
    secrets |= {
        name.upper()
        for name in type(settings).model_fields
        if isinstance(getattr(settings, name), SecretStr)
    }
    secrets.add("ENGINE_TOKEN")
    found = os.environ | environment(settings)
    found |= helpful(found)
    # The child finds this package wherever it was started.
    here = str(Path(__file__).parents[2])
    found["PYTHONPATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    # Threads that spin while they wait slow down whatever else runs, and then themselves.
    found.setdefault("OMP_WAIT_POLICY", "passive")
    return {name: value for name, value in found.items() if name.upper() not in secrets}


def error_of(event: Failed) -> TonspurError:
    """The error that the process met, as the same leaf."""
    leaf = getattr(errors, event.error, None)
    if isinstance(leaf, type) and issubclass(leaf, Permanent | Temporary):
        return leaf(event.message)
    return EngineDied(f"The model process failed: {event.error}: {event.message}")
