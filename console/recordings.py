"""Recordings that were dragged in: transcribed one after the other, whoever looks at the page."""

import logging
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from engine.errors import TonspurError
from engine.library.outcome import Outcome
from engine.steps.local_way import walk
from engine.transcript import Segment
from engine.whisper.client import Engine
from tasks.job import Job

_SHOWN_SEGMENTS = 12
_log = logging.getLogger(__name__)


@dataclass
class Recording:
    """One file on its way; times in seconds, of speech and of the clock."""

    file: Path
    job: Job
    upload: bool
    done_s: float = 0.0
    total_s: float = 0.0
    begun: float | None = None
    latest: deque[Segment] = field(default_factory=lambda: deque(maxlen=_SHOWN_SEGMENTS))
    outcome: Outcome | None = None

    def progress(self, done_s: float, total_s: float) -> None:
        """So many seconds of speech of all are transcribed; from the first on the clock runs."""
        self.begun = self.begun or time.monotonic()
        self.done_s, self.total_s = done_s, total_s

    @property
    def speed(self) -> float | None:
        """Seconds of speech per second of the clock."""
        took = time.monotonic() - self.begun if self.begun else 0.0
        return self.done_s / took if took > 0 and self.done_s else None

    @property
    def left_s(self) -> float | None:
        """How long it will take still."""
        return (self.total_s - self.done_s) / self.speed if self.speed else None


class Recordings:
    """The queue of this console."""

    def __init__(self) -> None:
        self.every: list[Recording] = []
        self._waiting: queue.Queue[Recording] = queue.Queue()
        threading.Thread(target=self._work, daemon=True).start()

    def add(self, file: Path, job: Job, *, upload: bool) -> None:
        """Transcribe this too; one that is waiting or at work already is left to that."""
        if any(one.file == file and one.outcome is None for one in self.every):
            return
        recording = Recording(file, job, upload)
        self.every.append(recording)
        self._waiting.put(recording)

    def forget_ended(self) -> None:
        """Show only what is not over."""
        self.every = [one for one in self.every if one.outcome is None]

    def _work(self) -> None:
        while True:
            first = self._waiting.get()
            try:
                # kept while more is waiting: without the machine's engine it loads the model itself
                with Engine(first.job.settings()) as engine:
                    self._transcribe(first, engine)
                    while not self._waiting.empty():
                        self._transcribe(self._waiting.get(), engine)
            except TonspurError as error:
                first.outcome = first.outcome or _failed(first, str(error))

    def _transcribe(self, recording: Recording, engine: Engine) -> None:
        try:
            recording.outcome = walk(
                recording.file,
                recording.job.settings(),
                engine,
                uploading=recording.upload,
                progress=recording.progress,
                segment=recording.latest.append,
            )
        except TonspurError as error:
            recording.outcome = _failed(recording, str(error))
        except Exception as error:  # a bug must not end the queue for all that wait
            _log.exception("%s failed", recording.file)
            said = f"This is a bug of Tonspur: {type(error).__name__}: {error}"
            recording.outcome = _failed(recording, said)


def _failed(recording: Recording, why: str) -> Outcome:
    return Outcome(title=recording.file.stem, status="failed", reason=why)


@st.cache_resource(show_spinner=False)
def recordings() -> Recordings:
    """The one queue of all windows of this console."""
    return Recordings()
