"""What is being heard at this moment, for those who only look on."""

from collections.abc import Callable
from threading import Lock

from pydantic import BaseModel

from engine.transcript import Segment
from engine.whisper.messages import (
    Done,
    Event,
    Failed,
    Progress,
    Restarted,
    Spoken,
    Stopped,
    TranscribeJob,
)

_LATEST = 12


class Now(BaseModel):
    """The transcription that is under way: seconds of speech, and the latest segments.

    `folder` is the name of its prepared audio, which tells what it is; null where nothing is.
    """

    folder: str | None = None
    done_s: float = 0.0
    total_s: float = 0.0
    latest: tuple[Segment, ...] = ()


class Hearing:
    """Listens to what transcriptions tell; the engine does one at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._now = Now()

    @property
    def now(self) -> Now:
        """How far the one under way is."""
        with self._lock:
            return self._now

    def of(self, job: TranscribeJob, tell: Callable[[Event], None]) -> Callable[[Event], None]:
        """What is told of this job is heard here too."""
        folder = job.prepared.wav.parent.name

        def told(event: Event) -> None:
            self._take(folder, event)
            tell(event)

        return told

    def _take(self, folder: str, event: Event) -> None:
        with self._lock:
            before = self._now if self._now.folder == folder else Now(folder=folder)
            if isinstance(event, Progress):
                told = {"done_s": event.done_s, "total_s": event.total_s}
                self._now = before.model_copy(update=told)
            elif isinstance(event, Spoken):
                latest = (*before.latest, event.segment)[-_LATEST:]
                self._now = before.model_copy(update={"latest": latest})
            elif isinstance(event, Restarted):
                self._now = Now(folder=folder)
            elif isinstance(event, Done | Failed | Stopped) and self._now.folder == folder:
                self._now = Now()
