"""A queue of jobs, worked off in their order by one thread per model process."""

import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from threading import Condition, Thread
from time import monotonic

from engine.audio.decoding import Aborted
from engine.errors import Busy, EngineDied, TonspurError
from engine.whisper.keeper import Keeper
from engine.whisper.messages import (
    Done,
    Ending,
    Event,
    Failed,
    Job,
    Prepared,
    PrepareJob,
    Queued,
    Restarted,
    Stopped,
)

log = logging.getLogger(__name__)

_MOST_WAITING = 500


class Ticket:
    """One job on its way through a lane; `tell` is called by the lane's threads."""

    def __init__(self, number: int, job: Job, tell: Callable[[Event], None]) -> None:
        self.number = number
        self.job = job
        self.tell = tell
        self._aborted = False

    def abort(self) -> None:
        """Take it out of the queue, or stop it; harmless when it has ended."""
        self._aborted = True

    def is_aborted(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._aborted


class Lane:
    """Jobs of one kind, first come first served; `close` must be called.

    A job whose model process is lost begins anew once, in a fresh process; then it fails with the
    reason, and the next one is taken up. A process that had nothing to do for `idle_s` seconds is
    ended: 0 ends it after each job, below 0 it stays.
    """

    def __init__(
        self,
        name: str,
        keepers: Sequence[Keeper],
        idle_s: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.name = name
        self.keepers = tuple(keepers)
        self.counts: Counter[str] = Counter()
        """How many jobs ended as `done`, `failed` or `aborted`."""
        self._idle_s = idle_s
        self._clock = clock
        self._waiting: deque[Ticket] = deque()
        self._running: dict[Keeper, tuple[Ticket, float]] = {}
        self._closed = False
        self._change = Condition()
        self._threads = [Thread(target=self._work, args=(k,), daemon=True) for k in self.keepers]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Jobs that are not taken up yet."""
        with self._change:
            return sum(not ticket.is_aborted() for ticket in self._waiting)

    @property
    def running_s(self) -> list[float]:
        """For how long each job in hand has been worked on."""
        with self._change:
            return [self._clock() - since for _, since in self._running.values()]

    def submit(self, number: int, job: Job, tell: Callable[[Event], None]) -> Ticket:
        """Put a job at the end of the queue.

        Raises:
            Busy: too many are waiting.
        """
        ticket = Ticket(number, job, tell)
        with self._change:
            if len(self._waiting) >= _MOST_WAITING:
                raise Busy(f"{_MOST_WAITING} jobs are waiting; try again later.")
            self._waiting.append(ticket)
            tell(Queued(ahead=len(self._waiting) - 1 + len(self._running) // len(self.keepers)))
            self._change.notify_all()
        return ticket

    def close(self) -> None:
        """Stop all jobs and end the processes."""
        with self._change:
            self._closed = True
            for ticket in (*self._waiting, *(ticket for ticket, _ in self._running.values())):
                ticket.abort()
            self._change.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self, keeper: Keeper) -> None:
        while (ticket := self._next(keeper)) is not None:
            begun = self._clock()
            last = self._served(keeper, ticket)
            outcome = _OUTCOMES[type(last)]
            with self._change:
                del self._running[keeper]
                self.counts[outcome] += 1
            took_s, what = self._clock() - begun, _told(ticket.job)
            log.info("job %d: %s took %.1f s: %s", ticket.number, what, took_s, outcome)
            ticket.tell(last)
            if self._idle_s == 0:
                keeper.close()
        keeper.close()

    def _next(self, keeper: Keeper) -> Ticket | None:
        """The next ticket that somebody waits for; None when the lane is closed."""
        idle_since = self._clock()
        while True:
            with self._change:
                if not (self._closed or (self._waiting and self._is_needed(keeper))):
                    self._change.wait(self._left_s(keeper, idle_since))
                if self._closed:
                    return None
                if (ticket := self._taken(keeper)) is not None:
                    return ticket
            if self._left_s(keeper, idle_since) == 0:
                log.info("%s: process ended after %.0f s without a job", self.name, self._idle_s)
                keeper.close()

    def _taken(self, keeper: Keeper) -> Ticket | None:
        while self._waiting and self._is_needed(keeper):
            ticket = self._waiting.popleft()
            if ticket.is_aborted():
                self.counts["aborted"] += 1
                continue
            self._running[keeper] = (ticket, self._clock())
            for place, other in enumerate(self._waiting, start=1):
                other.tell(Queued(ahead=place))
            self._change.notify_all()
            return ticket
        return None

    def _is_needed(self, keeper: Keeper) -> bool:
        """A process is started only where those that are warm cannot take all that wait."""
        idle = (other for other in self.keepers if other not in self._running)
        warm = sum(other.pid is not None for other in idle)
        return keeper.pid is not None or warm < len(self._waiting)

    def _left_s(self, keeper: Keeper, idle_since: float) -> float | None:
        """Seconds until the idle process is ended; None: no process, or it stays."""
        if keeper.pid is None or self._idle_s < 0:
            return None
        return max(0.0, self._idle_s - (self._clock() - idle_since))

    def _served(self, keeper: Keeper, ticket: Ticket) -> Ending | Failed | Stopped:
        """Do the job; the last that is to be said of it."""
        try:
            return self._ending(keeper, ticket)
        except Aborted:
            return Stopped()
        except TonspurError as error:
            log.warning("job %d: %s: %s", ticket.number, type(error).__name__, error)
            return Failed(error=type(error).__name__, message=str(error.args[0]))
        except Exception:
            # A fault of ours must not end the queue; the process is gone, see Keeper.run.
            log.exception("job %d: failed", ticket.number)
            return Failed(error=EngineDied.__name__, message="The engine failed; see its log.")

    def _ending(self, keeper: Keeper, ticket: Ticket) -> Ending:
        try:
            return keeper.run(ticket.job, ticket.tell, ticket.is_aborted)
        except EngineDied as error:
            log.warning("job %d: begun anew: %s", ticket.number, error)
            if ticket.is_aborted():
                raise Aborted("Nobody waits for it any more.") from error
            ticket.tell(Restarted(why=str(error)))
            return keeper.run(ticket.job, ticket.tell, ticket.is_aborted)


_OUTCOMES = {Done: "done", Prepared: "done", Stopped: "aborted", Failed: "failed"}


def _told(job: Job) -> str:
    """What to call a job in the log: the folder of its sound tells which video it is."""
    folder = job.folder if isinstance(job, PrepareJob) else job.prepared.wav.parent
    return f"{job.kind} {folder.name}"
