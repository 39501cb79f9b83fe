"""The batch loop: windows come in, rows are written step by step, finished rows leave.

A window takes the place of another as soon as that one is written, so the batch stays full; a row
that cannot be believed comes back as another try.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from engine.audio.decoding import Aborted
from engine.audio.samples import SAMPLE_RATE, Samples
from engine.audio.windows import Span
from engine.whisper.alignment import align
from engine.whisper.attempts import Attempt
from engine.whisper.choosing import Chooser
from engine.whisper.encoder import Memory
from engine.whisper.model import Model
from engine.whisper.rows import better, final
from engine.whisper.tasks import Task, Tasks

MARGIN_S = 1.0
"""Silence heard behind a window at the first try, which makes short windows cheap."""
FULL_S = 30.0
"""At later tries: the window is filled with silence, as it was when Whisper learnt."""
TRIES = (
    (0.0, MARGIN_S),
    (0.0, FULL_S),
    (0.2, FULL_S),
    (0.4, FULL_S),
    (0.6, FULL_S),
    (0.8, FULL_S),
    (1.0, FULL_S),
)
"""Temperature and margin, in this order until a row can be believed."""


class Batch(Protocol):
    """Rows in the memory of a device, each at its own position."""

    def add(self, memories: Sequence[Memory]) -> None:
        """New rows behind those that are there, nothing written yet."""

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows alone, in this order; a row may be named more than once."""

    def write(self, tokens: Sequence[int]) -> Tensor:
        """Logits (rows, vocabulary) behind the next token of each row."""
        ...

    def memory(self, row: int) -> Memory:
        """What a row has heard."""
        ...


class Windows(Protocol):
    """The windows of a recording by their number."""

    def sound(self, number: int) -> Samples:
        """A window's samples."""
        ...

    def speech(self, number: int) -> Sequence[Span]:
        """Where somebody speaks, in seconds from the window's start."""
        ...


class Backend(Protocol):
    """How a device does the work."""

    workers: int
    """Scribes that work side by side."""
    windows: int
    """That one scribe has at a time."""
    together: int
    """Windows that are best encoded at once."""

    def listen(self, sounds: Sequence[Samples], margin_s: float) -> list[Memory]:
        """Encode windows; `margin_s` is the silence heard behind each, as far as 30 s allow."""
        ...

    def batch(self) -> Batch:
        """An empty batch."""
        ...

    def at_work(self) -> AbstractContextManager[object]:
        """What a thread needs around its work."""
        ...


@dataclass(frozen=True)
class Manner:
    """How windows are written: `seed` decides what is drawn, whoever draws it and when."""

    language: str
    beams: int = 1
    seed: int = 0


class Scribe:
    """Takes tasks until there are none."""

    def __init__(
        self,
        model: Model,
        backend: Backend,
        tasks: Tasks,
        windows: Windows,
        manner: Manner,
        heard: dict[int, Memory],
        abort: Callable[[], bool],
    ) -> None:
        """`heard` are windows that were encoded before, at the first try's margin."""
        self._model = model
        self._backend = backend
        self._tasks = tasks
        self._windows = windows
        self._manner = manner
        self._heard = heard
        self._abort = abort
        self._chooser = Chooser(model.vocabulary, model.suppressed, model.device)
        self._prompt = model.vocabulary.prompt(manner.language)
        self._at_work: list[tuple[Task, Attempt]] = []

    def work(self) -> None:
        """Write windows until none is left; what was begun is given back when that fails.

        Raises:
            Aborted: `abort` said so.
            torch.OutOfMemoryError: the batch is too large.
        """
        try:
            with torch.inference_mode(), self._backend.at_work():
                batch = self._backend.batch()
                while True:
                    self._admit(batch)
                    if not self._at_work:
                        return
                    check(self._abort)
                    self._step(batch)
        except BaseException:
            self._tasks.put_back([task for task, _ in self._at_work])
            raise

    def _admit(self, batch: Batch) -> None:
        free = self._backend.windows - len(self._at_work)
        if free < min(self._backend.together, self._backend.windows):
            return
        tasks = self._tasks.take(free)
        sounds = [self._windows.sound(task.window) for task in tasks]
        # From here on they are ours, also if encoding fails.
        self._at_work += [(t, self._attempt(t, s)) for t, s in zip(tasks, sounds, strict=True)]
        for first in range(0, len(tasks), self._backend.together):
            check(self._abort)
            some = slice(first, first + self._backend.together)
            batch.add(self._memories(tasks[some], sounds[some]))

    def _memories(self, tasks: Sequence[Task], sounds: Sequence[Samples]) -> list[Memory]:
        """Of windows that are begun together; at the first try one may have been heard before."""
        memories = [self._heard.pop(t.window, None) if t.tries == 0 else None for t in tasks]
        margins = [TRIES[task.tries][1] for task in tasks]
        for margin_s in sorted(set(margins)):
            new = [i for i, m in enumerate(memories) if m is None and margins[i] == margin_s]
            heard = self._backend.listen([sounds[i] for i in new], margin_s) if new else []
            for i, memory in zip(new, heard, strict=True):
                memories[i] = memory
        return [memory for memory in memories if memory is not None]

    def _attempt(self, task: Task, sound: Samples) -> Attempt:
        return Attempt(
            self._model,
            self._chooser,
            self._prompt,
            seconds(sound),
            beams=self._manner.beams,
            temperature=TRIES[task.tries][0],
            seed=self._manner.seed + task.window * len(TRIES) + task.tries,
        )

    def _step(self, batch: Batch) -> None:
        attempts = [attempt for _, attempt in self._at_work]
        logits = batch.write([token for a in attempts for token in a.next_tokens()])
        likeliest = self._chooser.likeliest(logits, [r for a in attempts for r in a.allowed()])
        kept: list[int] = []
        still: list[tuple[Task, Attempt]] = []
        first = 0
        for task, attempt in self._at_work:
            last = first + attempt.rows
            rows = attempt.advance(logits[first:last], likeliest[first:last])
            kept += [first + row for row in rows]
            if rows:
                still.append((task, attempt))
            else:
                self._finish(task, attempt, batch.memory(first))
            first = last
        self._at_work = still
        if kept != list(range(first)):
            batch.keep(kept)

    def _finish(self, task: Task, attempt: Attempt, memory: Memory) -> None:
        row = better(task.best, attempt.result)
        if not row.believable and task.tries + 1 < len(TRIES):
            self._tasks.put_back([Task(task.window, task.tries + 1, row)])
            return
        row = final(row, self._model.vocabulary)
        text = [token for token in row.tokens if self._model.vocabulary.is_text(token)]
        speech = self._windows.speech(task.window)
        row.timed = align(self._model, memory, self._prompt, text, speech)
        self._tasks.finish(task.window, row)


def seconds(samples: Samples) -> float:
    """Length of a window."""
    return len(samples) / SAMPLE_RATE


def check(abort: Callable[[], bool]) -> None:
    """Stop the work if that was asked for.

    Raises:
        Aborted: `abort` said so.
    """
    if abort():
        raise Aborted("Transcription was stopped.")
