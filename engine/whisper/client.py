"""The client of the model process: starts it with the first job, and never leaves it behind.

Needs neither torch nor transformers, so that the processes which ask for work stay light.
"""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from engine import errors
from engine.audio.decoding import Aborted
from engine.audio.preparation import PreparedAudio
from engine.errors import EngineDied, Permanent, Temporary, TonspurError
from engine.gpu.environment import helpful
from engine.settings import Settings, environment
from engine.transcript import Segment
from engine.whisper.checkpoints import check_name
from engine.whisper.child import Child
from engine.whisper.messages import (
    Done,
    Event,
    Failed,
    Job,
    Prepared,
    PrepareJob,
    Progress,
    Spoken,
    TranscribeJob,
    Transcription,
)
from engine.whisper.presets import Preset

_POLL_S = 0.1


class Engine:
    """Whisper in a process of its own; jobs are done one at a time, by one thread.

    The process starts with the first job, keeps its model for those that follow and ends with
    `close`, with an aborted job, or with the process that holds this object.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: Child | None = None

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
            EngineDied: the process ended in the middle of it.
            Aborted: `abort` said so; the process is gone by then.
        """
        job = PrepareJob(source=source.absolute(), folder=folder.absolute(), preset=preset)
        ending = self._ending(job, lambda event: None, abort)
        if not isinstance(ending, Prepared):
            raise EngineDied("The model process answered another job than it was given.")
        return ending.prepared

    def transcribe(
        self,
        prepared: PreparedAudio,
        preset: Preset,
        language: str,
        model: str | None,
        *,
        progress: Callable[[float, float], None] = lambda done_s, total_s: None,
        segment: Callable[[Segment], None] = lambda segment: None,
        abort: Callable[[], bool] = lambda: False,
    ) -> Transcription:
        """Transcribe prepared audio; `language` is `auto` or a code, `model` None for the default.

        Raises:
            ConfigurationError: the model is not known, is damaged, or does not know the language.
            EngineDied: the process ended in the middle of it.
            Aborted: `abort` said so; the process is gone by then.
        """
        model = model or self._settings.whisper_model
        if model is not None:
            check_name(model)

        def take(event: Event) -> None:
            if isinstance(event, Progress):
                progress(event.done_s, event.total_s)
            elif isinstance(event, Spoken):
                segment(event.segment)

        job = TranscribeJob(prepared=prepared, preset=preset, language=language, model=model)
        ending = self._ending(job, take, abort)
        if not isinstance(ending, Done):
            raise EngineDied("The model process answered another job than it was given.")
        return ending.transcription

    def close(self) -> None:
        """End the process, if there is one; may be called again."""
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def _ending(self, job: Job, take: Callable[[Event], None], abort: Callable[[], bool]) -> Event:
        """The last thing the process says about a job; `take` gets what it says before.

        Only after a failure that it reports by itself is the process kept.
        """
        child = self._started()
        try:
            child.ask(job)
            event = None
            while not isinstance(event, Done | Prepared | Failed):
                if event is not None:
                    take(event)
                if abort():
                    raise Aborted("The job was stopped.")
                event = child.event(_POLL_S)
            if isinstance(event, Failed) and event.error == EngineDied.__name__:
                raise EngineDied(event.message)
        except BaseException:
            self.close()
            raise
        if isinstance(event, Failed):
            raise _error(event)
        return event

    def _started(self) -> Child:
        if self._process is not None and not self._process.alive:
            self.close()
        if self._process is None:
            self._process = Child(_environment(self._settings))
        return self._process


def _environment(settings: Settings) -> dict[str, str]:
    """Ours with the settings in it, without any secret: the model needs none."""
    secrets = {"API_KEY", "API_SECRET", "YT_API_KEYS"}
    secrets |= {
        name.upper()
        for name in type(settings).model_fields
        if isinstance(getattr(settings, name), SecretStr)
    }
    variables = os.environ | environment(settings)
    variables |= helpful(variables)
    # The child finds this package wherever it was started.
    here = str(Path(__file__).parents[2])
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    # Threads that spin while they wait slow down whatever else runs, and then themselves.
    variables.setdefault("OMP_WAIT_POLICY", "passive")
    return {name: value for name, value in variables.items() if name.upper() not in secrets}


def _error(event: Failed) -> TonspurError:
    """The error that the process met, as the same leaf."""
    leaf = getattr(errors, event.error, None)
    if isinstance(leaf, type) and issubclass(leaf, Permanent | Temporary):
        return leaf(event.message)
    return EngineDied(f"The model process failed: {event.error}: {event.message}")
