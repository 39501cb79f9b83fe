"""The model process: orders come in on standard input, events go out on standard output, by line.

It ends when its input closes, also in the middle of a job: whoever started it is gone, or wants it
gone.
"""

import contextlib
import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event as Flag
from threading import Lock, Thread
from time import sleep
from typing import TYPE_CHECKING, BinaryIO, TextIO

import psutil

from engine.audio.decoding import Aborted
from engine.errors import DiskFull, EngineDied, TonspurError
from engine.gpu.environment import complaints
from engine.settings import Settings, load
from engine.transcript import Segment
from engine.whisper.messages import (
    ORDERS,
    Alive,
    Ask,
    Done,
    Event,
    Failed,
    Job,
    Loaded,
    Prepared,
    PrepareJob,
    Progress,
    Spoken,
    Started,
    Stopped,
    TranscribeJob,
)

if TYPE_CHECKING:
    from engine.whisper.model import Model
    from engine.whisper.transcriber import Transcriber

_PATIENCE_S = 2.0
"""So long a job may take to notice that the input has closed."""
_PULSE_S = 1.0
_QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
}


def main() -> int:
    """Work until the input closes; the exit status is 1 after a fault that nobody foresaw."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the client, which then closes us
    os.environ.update(_QUIET)
    events = _own_stdout()
    for complaint in complaints(os.environ):
        print(complaint, file=sys.stderr)
    orders = _Orders()
    Thread(target=orders.listen, args=(sys.stdin.buffer,), daemon=True).start()
    desk = _Desk(load(), _speaker(events), orders.stopped)
    Thread(target=desk.pulse, args=(orders.closed,), daemon=True).start()
    while (ask := orders.next()) is not None:
        if not desk.serve(ask.number, ask.job):
            return 1
    return 0


def _own_stdout() -> TextIO:
    """The real standard output; what libraries print goes to standard error from now on."""
    real = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return real


class _Orders:
    """What comes in: jobs in their order, and the wish to stop one."""

    def __init__(self) -> None:
        self.closed = Flag()
        self._asked: SimpleQueue[Ask | None] = SimpleQueue()
        self._stopped = 0

    def next(self) -> Ask | None:
        """The next job; None when no more will come."""
        ask = self._asked.get()
        return None if self.closed.is_set() else ask

    def stopped(self, number: int) -> bool:
        """Whether that job shall not go on."""
        return self.closed.is_set() or self._stopped >= number

    def listen(self, stdin: BinaryIO) -> None:
        """Read until the input closes, and see to it that the process then ends."""
        for line in stdin:
            order = ORDERS.validate_json(line)
            if isinstance(order, Ask):
                self._asked.put(order)
            else:
                self._stopped = order.number
        self.closed.set()
        self._asked.put(None)
        sleep(_PATIENCE_S)
        # The main thread is stuck where no flag is looked at; what it started ends with it.
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        os._exit(1)


def _speaker(events: TextIO) -> Callable[[Event], None]:
    lock = Lock()

    def say(event: Event) -> None:
        try:
            with lock:
                events.write(event.model_dump_json() + "\n")
                events.flush()
        except (BrokenPipeError, OSError) as error:
            raise Aborted("Nobody listens any more.") from error

    return say


class _Desk:
    """Does one job after the other, and keeps the model between them."""

    def __init__(
        self, settings: Settings, say: Callable[[Event], None], stopped: Callable[[int], bool]
    ) -> None:
        self._settings = settings
        self._say = say
        self._stopped = stopped
        self._number = 0
        self._work = 0
        self._transcriber: Transcriber | None = None

    def pulse(self, closed: Flag) -> None:
        """Say every second that this process lives and how far it has come."""
        with contextlib.suppress(Aborted):  # nobody listens: then nobody misses it
            while not closed.wait(_PULSE_S):
                self._say(Alive(work=self._work))

    def serve(self, number: int, job: Job) -> bool:
        """Do a job and say how it ended; False when this process should not take another."""
        self._number, self._work = number, 0
        try:
            self._say(Started())
            self._say(self._prepare(job) if isinstance(job, PrepareJob) else self._transcribe(job))
        except Aborted:
            return self._tell_stopped()
        except TonspurError as error:
            self._fail(type(error).__name__, str(error.args[0]))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                return self._fault(error)
            self._fail(DiskFull.__name__, f"No space left: {error}.")
        except Exception as error:  # noqa: BLE001 - a process of unknown state must not go on
            return self._fault(error)
        return True

    def _abort(self) -> bool:
        """Looked at after every step of a job, so it is the sign that the job moves, too."""
        self._work += 1
        return self._stopped(self._number)

    def _tell_stopped(self) -> bool:
        try:
            self._say(Stopped())
        except Aborted:
            return False
        return True

    def _fault(self, error: Exception) -> bool:
        traceback.print_exc()
        self._fail(
            EngineDied.__name__, f"The model process failed: {type(error).__name__}: {error}"
        )
        return False

    def _fail(self, name: str, message: str) -> None:
        self._say(Failed(error=name, message=message))

    def _prepare(self, job: PrepareJob) -> Event:
        from engine.audio.preparation import prepare

        return Prepared(prepared=prepare(job.source, job.folder, job.preset, abort=self._abort))

    def _transcribe(self, job: TranscribeJob) -> Event:
        if self._transcriber is None:
            from engine.whisper.transcriber import Transcriber  # torch takes seconds to import

            self._transcriber = Transcriber(self._settings)

        def progress(done_s: float, total_s: float) -> None:
            self._say(Progress(done_s=done_s, total_s=total_s))

        def segment(segment: Segment) -> None:
            self._say(Spoken(segment=segment))

        def loaded(model: "Model") -> None:
            self._say(Loaded(model=model.name, device=model.device.type, compute=model.compute))

        done = self._transcriber.transcribe(
            job.prepared,
            preset=job.preset,
            language=job.wishes.language,
            model=job.wishes.model,
            progress=progress,
            segment=segment,
            loaded=loaded,
            abort=self._abort,
            settings=job.wishes.over(self._settings),
        )
        return Done(transcription=done)


if __name__ == "__main__":
    sys.exit(main())
