"""Who wants something transcribed asks here: the engine of the machine, or one of its own.

Needs neither torch nor transformers, so that the processes which ask for work stay light.
"""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from engine.audio.preparation import PreparedAudio
from engine.errors import EngineDied
from engine.settings import Settings
from engine.transcript import Segment
from engine.whisper import shared
from engine.whisper.checkpoints import check_name
from engine.whisper.keeper import Keeper
from engine.whisper.messages import (
    Done,
    Ending,
    Event,
    Job,
    Prepared,
    PrepareJob,
    Progress,
    Queued,
    Restarted,
    Spoken,
    TranscribeJob,
    Transcription,
    Wishes,
)
from engine.whisper.presets import Preset

ALONE = "No engine runs on this machine: the model is loaded for this run alone."


class _Worker(Protocol):
    def run(self, job: Job, take: Callable[[Event], None], abort: Callable[[], bool]) -> Ending:
        """Do a job."""

    def close(self) -> None:
        """Leave nothing behind."""


class Engine:
    """Prepares and transcribes, one job at a time.

    The engine that runs on this machine is used; where there is none, a model process is started
    that ends with `close` or with the process that holds this object, and `say` is told so.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None] = lambda text: None) -> None:
        self._settings = settings
        self._say = say
        self._own: Keeper | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def prepare(
        self,
        source: Path,
        folder: Path,
        preset: Preset,
        *,
        abort: Callable[[], bool] = lambda: False,
    ) -> PreparedAudio:
        """Prepare a recording in `folder`.

        Raises:
            BadMedia: it cannot be transcribed.
            EngineDied: the engine ended in the middle of it.
            Aborted: `abort` said so.
        """
        job = PrepareJob(source=source.absolute(), folder=folder.absolute(), preset=preset)
        ending = self._worker().run(job, self._listener(), abort)
        if not isinstance(ending, Prepared):
            raise EngineDied("The engine answered another job than it was given.")
        return ending.prepared

    def transcribe(
        self,
        prepared: PreparedAudio,
        preset: Preset,
        wishes: Wishes,
        *,
        progress: Callable[[float, float], None] = lambda done_s, total_s: None,
        segment: Callable[[Segment], None] = lambda segment: None,
        abort: Callable[[], bool] = lambda: False,
    ) -> Transcription:
        """Transcribe prepared audio.

        `progress` and `segment` begin anew when the engine lost its model process and begins anew.

        Raises:
            ConfigurationError: the model is not known, is damaged, or does not know the language.
            EngineDied: the engine ended in the middle of it.
            Aborted: `abort` said so; the GPU is free within two seconds.
        """
        if wishes.model is not None:
            check_name(wishes.model)
        job = TranscribeJob(prepared=prepared, preset=preset, wishes=wishes)
        ending = self._worker().run(job, self._listener(progress, segment), abort)
        if not isinstance(ending, Done):
            raise EngineDied("The engine answered another job than it was given.")
        return ending.transcription

    def close(self) -> None:
        """End the process of this object, if there is one; may be called again."""
        own, self._own = self._own, None
        if own is not None:
            own.close()

    def _worker(self) -> _Worker:
        if self._own is not None:
            return self._own
        found = shared.find(self._settings)
        if found is not None:
            return found
        self._say(ALONE)
        self._own = Keeper(self._settings)
        return self._own

    def _listener(
        self,
        progress: Callable[[float, float], None] = lambda done_s, total_s: None,
        segment: Callable[[Segment], None] = lambda segment: None,
    ) -> Callable[[Event], None]:
        def take(event: Event) -> None:
            if isinstance(event, Progress):
                progress(event.done_s, event.total_s)
            elif isinstance(event, Spoken):
                segment(event.segment)
            elif isinstance(event, Queued) and event.ahead:
                self._say(f"{event.ahead} jobs of the engine come before this one.")
            elif isinstance(event, Restarted):
                self._say(f"The engine begins anew in a fresh process: {event.why}")

        return take
