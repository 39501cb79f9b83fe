"""All that the engine does: preparations beside each other, transcriptions one at a time."""

from collections.abc import Callable
from itertools import count
from time import monotonic

from pydantic import BaseModel

from engine.gpu.watch import Watch
from engine.settings import Settings
from engine.whisper.keeper import Keeper, Patience
from engine.whisper.messages import Event, Job, PrepareJob
from engine.whisper.service.hearing import Hearing, Now
from engine.whisper.service.lane import Lane, Ticket

PREPARERS = 2
"""One for the video that is next, and one that a recording of many hours does not hold up."""
_PREPARER_IDLE_S = 120.0  # it holds no memory of the card


class Vram(BaseModel):
    """The card's memory in MB (10^6 bytes), by all programs together."""

    used_mb: float
    total_mb: float


class QueueState(BaseModel):
    """What is waiting and what is worked on; `running_s` is for how long already, in seconds."""

    waiting: int
    running: int
    running_s: float | None
    preparing: int
    waiting_for_preparation: int


class JobCounts(BaseModel):
    """Transcriptions and preparations since the engine started."""

    done: int
    failed: int
    aborted: int
    prepared: int


class Health(BaseModel):
    """How the engine is. `model`, `device` and `compute` are null while no model is loaded."""

    status: str = "ok"
    model: str | None
    device: str | None
    compute: str | None
    vram: Vram | None
    queue: QueueState
    uptime_s: float
    jobs: JobCounts
    loads: int
    restarts: int
    model_pid: int | None


class Desk:
    """Takes jobs and hands them to the lane of their kind; `close` must be called."""

    def __init__(
        self,
        settings: Settings,
        *,
        patience: Patience | None = None,
        complain: Callable[[str], None] = lambda line: None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        def keeper() -> Keeper:
            return Keeper(settings, patience=patience, complain=complain)

        self._numbers = count(1)
        self._clock = clock
        self._started = clock()
        self._watch = Watch()
        self._hearing = Hearing()
        self._slot = Lane("model", [keeper()], settings.whisper_idle_unload_seconds)
        preparers = [keeper() for _ in range(PREPARERS)]
        self._preparation = Lane("preparation", preparers, _PREPARER_IDLE_S)

    def submit(self, job: Job, tell: Callable[[Event], None]) -> Ticket:
        """Queue a job.

        Raises:
            Busy: too many are waiting.
        """
        number = next(self._numbers)
        if isinstance(job, PrepareJob):
            return self._preparation.submit(number, job, tell)
        return self._slot.submit(number, job, self._hearing.of(job, tell))

    def now(self) -> Now:
        """What is being heard at this moment."""
        return self._hearing.now

    def health(self) -> Health:
        """How things are at this moment."""
        slot, preparation = self._slot, self._preparation
        (keeper,) = slot.keepers
        holds = keeper.holds
        running = slot.running_s
        return Health(
            model=holds.model if holds else None,
            device=holds.device if holds else None,
            compute=holds.compute if holds else None,
            vram=self._vram(),
            queue=QueueState(
                waiting=slot.waiting,
                running=len(running),
                running_s=round(running[0], 1) if running else None,
                preparing=len(preparation.running_s),
                waiting_for_preparation=preparation.waiting,
            ),
            uptime_s=round(self._clock() - self._started, 1),
            jobs=JobCounts(
                done=slot.counts["done"],
                failed=slot.counts["failed"] + preparation.counts["failed"],
                aborted=slot.counts["aborted"] + preparation.counts["aborted"],
                prepared=preparation.counts["done"],
            ),
            loads=keeper.loads,
            restarts=keeper.losses + sum(other.losses for other in preparation.keepers),
            model_pid=keeper.pid,
        )

    def close(self) -> None:
        """Stop every job and end every process."""
        self._slot.close()
        self._preparation.close()
        self._watch.close()

    def _vram(self) -> Vram | None:
        card = self._watch.read().state
        if card is None or card.used_bytes is None or card.total_bytes is None:
            return None
        return Vram(  # cuda only
            used_mb=round(card.used_bytes / 1e6), total_mb=round(card.total_bytes / 1e6)
        )
