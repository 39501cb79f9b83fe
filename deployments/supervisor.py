"""Starts again what dies, each part with pauses of its own."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from engine.errors import ServiceTrouble

LOOK_SECONDS = 1.0
_PAUSE_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
_CALM_SECONDS = 60.0


class Part(Protocol):
    """A process that is looked after."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def alive(self) -> bool:
        """Whether it runs, or is somebody else's."""

    def restart(self) -> None:
        """Start it again; may raise ServiceTrouble."""


class Supervisor:
    """Looks at its parts in their order; what dies again and again is given growing pauses."""

    def __init__(
        self,
        parts: Sequence[Part],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._clock = clock
        self._cares = [_Care(part) for part in parts]

    def look(self) -> None:
        """Start again what is dead and whose pause is over."""
        for care in self._cares:
            now = self._clock()
            if care.part.alive:
                care.seen_alive(now)
            elif care.due is None:
                pause = care.died(now)
                self._say(f"The {care.part.name} has ended; it is started again in {pause:.0f} s.")
            elif now >= care.due:
                try:
                    care.part.restart()
                except ServiceTrouble as error:
                    self._say(str(error))  # it is dead still: the next look begins another pause
                care.restarted(self._clock())


class _Care:
    """What is known of one part."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.due: float | None = None
        self._failures = 0
        self._since = 0.0

    def seen_alive(self, now: float) -> None:
        self.due = None
        if now - self._since > _CALM_SECONDS:
            self._failures = 0

    def died(self, now: float) -> float:
        pause = _PAUSE_SECONDS[min(self._failures, len(_PAUSE_SECONDS) - 1)]
        self._failures += 1
        self.due = now + pause
        return pause

    def restarted(self, now: float) -> None:
        self.due, self._since = None, now
