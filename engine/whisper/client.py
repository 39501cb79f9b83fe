"""The client of the model process: starts it with the first job, and never leaves it behind.

Needs neither torch nor transformers, so that the processes which ask for work stay light.
"""

import contextlib
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import IO, Self

import psutil
from pydantic import SecretStr, ValidationError

from engine import errors
from engine.audio.decoding import Aborted
from engine.audio.preparation import PreparedAudio
from engine.errors import EngineDied, TonspurError
from engine.settings import Settings, environment
from engine.transcript import Segment
from engine.whisper.checkpoints import check_name
from engine.whisper.messages import (
    EVENTS,
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
_PATIENCE_S = 4.0
"""So long the process may take to end by itself when its input is closed; it promises two seconds."""
_LAST_LINES = 12
_NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows would open a console


class Engine:
    """Whisper in a process of its own; jobs are done one at a time, by one thread.

    The process starts with the first job, keeps its model for those that follow and ends with `close`, with an
    aborted job, or with the process that holds this object.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: _Process | None = None

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
        for event in self._events(job, abort):
            if isinstance(event, Prepared):
                return event.prepared
        raise AssertionError("a job ends with an event or an error")

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
        """Transcribe prepared audio; `language` is `auto` or a code, `model` None for the settings'.

        Raises:
            ConfigurationError: the model is not known, is damaged, or does not know the language.
            EngineDied: the process ended in the middle of it.
            Aborted: `abort` said so; the process is gone by then.
        """
        if model is not None:
            check_name(model)
        job = TranscribeJob(prepared=prepared, preset=preset, language=language, model=model)
        for event in self._events(job, abort):
            if isinstance(event, Progress):
                progress(event.done_s, event.total_s)
            elif isinstance(event, Spoken):
                segment(event.segment)
            elif isinstance(event, Done):
                return event.transcription
        raise AssertionError("a job ends with an event or an error")

    def close(self) -> None:
        """End the process, if there is one; may be called again."""
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def _events(self, job: Job, abort: Callable[[], bool]) -> Iterator[Event]:
        """What the process says about a job, until it is done; whatever goes wrong ends the process."""
        process = self._started()
        try:
            process.ask(job)
            while True:
                if abort():
                    raise Aborted("The job was stopped.")
                event = process.event(_POLL_S)
                if isinstance(event, Failed):
                    break
                if event is not None:
                    yield event
                if isinstance(event, Done | Prepared):
                    return
        except BaseException:
            self.close()
            raise
        raise _error(event)

    def _started(self) -> "_Process":
        if self._process is not None and not self._process.alive:
            self.close()
        if self._process is None:
            self._process = _Process(_environment(self._settings))
        return self._process


class _Process:
    """The running model process and what it has said."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "engine.whisper.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(variables),
            creationflags=_NO_WINDOW,
        )
        assert self._popen.stdin and self._popen.stdout and self._popen.stderr  # noqa: S101
        self._stdin = self._popen.stdin
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        self._complaints: deque[str] = deque(maxlen=_LAST_LINES)
        self._readers = [
            Thread(target=self._read_events, args=(self._popen.stdout,), daemon=True),
            Thread(target=self._read_complaints, args=(self._popen.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def alive(self) -> bool:
        """Whether it can still take a job."""
        return self._popen.poll() is None

    def ask(self, job: Job) -> None:
        """Hand over a job."""
        try:
            self._stdin.write(job.model_dump_json().encode("utf-8") + b"\n")
            self._stdin.flush()
        except OSError as error:
            raise self._death() from error

    def event(self, timeout_s: float) -> Event | None:
        """The next thing it says; None when it says nothing for so long."""
        try:
            line = self._lines.get(timeout=timeout_s)
        except Empty:
            return None
        if line is None:
            raise self._death()
        try:
            return EVENTS.validate_json(line)
        except ValidationError as error:
            raise EngineDied("The model process said something that is no event.") from error

    def end(self) -> None:
        """Close its input and wait; kill it and what it started when it does not end by itself."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        try:
            self._popen.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            _kill_family(self._popen.pid)
            self._popen.wait()
        for reader in self._readers:
            reader.join(_PATIENCE_S)

    def _death(self) -> EngineDied:
        self.end()
        said = "\n".join(self._complaints)
        code = self._popen.returncode
        return EngineDied(
            f"The model process ended with status {code}." + (f"\n{said}" if said else "")
        )

    def _read_events(self, stdout: IO[bytes]) -> None:
        with stdout:
            for line in stdout:
                self._lines.put(line)
        self._lines.put(None)

    def _read_complaints(self, stderr: IO[bytes]) -> None:
        with stderr:
            for line in stderr:
                self._complaints.append(line.decode("utf-8", "replace").rstrip())


def _kill_family(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for process in (*parent.children(recursive=True), parent):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def _environment(settings: Settings) -> dict[str, str]:
    """Ours with the settings in it, without any secret: the model needs none."""
    secrets = {"API_KEY", "API_SECRET", "YT_API_KEYS"}
    secrets |= {
        name.upper()
        for name in type(settings).model_fields
        if isinstance(getattr(settings, name), SecretStr)
    }
    variables = os.environ | environment(settings)
    return {name: value for name, value in variables.items() if name.upper() not in secrets}


def _error(event: Failed) -> TonspurError:
    """The error that the process met, as the same leaf."""
    leaf = getattr(errors, event.error, EngineDied)
    return leaf(event.message)
