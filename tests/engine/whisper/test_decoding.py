import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.audio.decoding import Aborted
from engine.audio.samples import Samples
from engine.audio.windows import Span
from engine.whisper import attempts, decoding, rows
from engine.whisper.cpu import CpuBackend
from engine.whisper.decoding import Manner, Scribe
from engine.whisper.encoder import Memory
from engine.whisper.model import Model
from engine.whisper.rows import Row
from engine.whisper.tasks import Tasks
from engine.whisper.vocabulary import Vocabulary
from tests.engine.whisper.conftest import noise

ENGLISH = Manner("en")


def never() -> bool:
    return False


class Heard:
    """Windows without a recording, in all of which somebody speaks."""

    def __init__(self, windows: Sequence[Samples]) -> None:
        self._windows = windows

    def sound(self, number: int) -> Samples:
        return self._windows[number]

    def speech(self, number: int) -> list[Span]:
        return [Span(0.0, len(self._windows[number]) / 16_000)]


def rows_of(
    model: Model,
    windows: Sequence[Samples],
    *,
    manner: Manner = ENGLISH,
    backend: CpuBackend | None = None,
    abort: Callable[[], bool] = never,
) -> list[Row]:
    """What one scribe makes of these windows."""
    numbers = range(len(windows))
    tasks = Tasks(numbers)
    backend = backend or CpuBackend(model, len(windows), 1)
    Scribe(model, backend, tasks, Heard(windows), manner, {}, abort).work()
    return list(tasks.results(numbers))


def text(model: Model, row: Row) -> str:
    return model.text.text([t for t in row.tokens if model.vocabulary.is_text(t)])


def written(model: Model, *windows: Samples, manner: Manner = ENGLISH) -> list[str]:
    return [text(model, row) for row in rows_of(model, windows, manner=manner)]


def test_speech_is_written(model: Model, speech: Samples) -> None:
    (said,) = written(model, speech)
    assert "harbour was quiet" in said or "harbor was quiet" in said
    assert "storm" in said


def test_rows_of_a_batch_do_not_disturb_each_other(model: Model, speech: Samples) -> None:
    short = speech[: 3 * 16_000]
    alone = written(model, speech)
    assert written(model, speech, short, noise(4, 0.05))[0] == alone[0]
    assert "quiet" in written(model, noise(4, 0.05), short)[1]


def test_windows_take_the_places_of_those_that_are_written(model: Model, speech: Samples) -> None:
    parts = [speech[i * 32_000 : (i + 2) * 32_000] for i in range(4)]
    narrow = CpuBackend(model, 2, 1)
    assert [row.tokens for row in rows_of(model, parts, backend=narrow)] == [
        row.tokens for row in rows_of(model, parts)
    ]


@pytest.mark.parametrize("loudness", [0.0, 0.001, 0.1])
def test_nothing_is_written_where_nobody_speaks(model: Model, loudness: float) -> None:
    assert written(model, noise(8, loudness)) == [""]


def test_music_is_no_speech(model: Model) -> None:
    t = np.arange(10 * 16_000) / 16_000
    notes = np.array([262, 294, 330, 349, 392, 440])[(t * 3).astype(int) % 6]
    assert written(model, (0.3 * np.sin(2 * np.pi * notes * t)).astype(np.float32)) == [""]


@pytest.mark.parametrize("beams", [2, 5])
def test_with_beams_the_row_is_at_least_as_likely(
    beams: int, exact_model: Model, speech: Samples
) -> None:
    (greedy,) = rows_of(exact_model, [speech])
    (widened,) = rows_of(exact_model, [speech], manner=replace(ENGLISH, beams=beams))
    assert "storm" in text(exact_model, widened)
    assert widened.mean_logprob >= greedy.mean_logprob - 1e-4


@pytest.mark.parametrize("after", [0, 1, 3, 8])
def test_an_abort_is_heard_at_every_step(model: Model, speech: Samples, after: int) -> None:
    asked = 0

    def abort() -> bool:
        nonlocal asked
        asked += 1
        return asked > after

    with pytest.raises(Aborted):
        rows_of(model, [speech, speech], abort=abort)
    assert asked == after + 1


def test_a_row_that_loops_is_tried_again(
    model: Model, speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = attempts.is_loop
    looped: list[bool] = []

    def once(tokens: Sequence[int], vocabulary: Vocabulary) -> bool:
        if not looped and len(tokens) > 6:
            looped.append(True)
            return True
        return real(tokens, vocabulary)

    monkeypatch.setattr(attempts, "is_loop", once)
    (said,) = written(model, speech)
    assert looped
    assert "storm" in said


def test_a_row_that_always_fails_keeps_its_best_and_the_same_each_time(
    model: Model, speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "TRIES", ((0.0, 1.0), (0.4, 1.0)))
    monkeypatch.setattr(rows, "WORST_LOGPROB", 1.0)
    first, again = written(model, speech), written(model, speech)
    assert "storm" in first[0]
    assert first == again


def test_a_later_try_hears_the_window_with_silence_up_to_30_s(
    model: Model, speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Memory] = []

    class Listening(CpuBackend):
        def listen(self, sounds: Sequence[Samples], margin_s: float) -> list[Memory]:
            memories = super().listen(sounds, margin_s)
            heard.extend(memories)
            return memories

    monkeypatch.setattr(decoding, "TRIES", ((0.0, 1.0), (0.0, 30.0)))
    monkeypatch.setattr(rows, "WORST_LOGPROB", 1.0)
    rows_of(model, [speech], backend=Listening(model, 1, 1))
    seconds = len(speech) / 16_000
    assert [m.positions / 50 for m in heard] == [pytest.approx(seconds + 1, abs=0.04), 30.0]


def test_what_was_begun_is_given_back_when_memory_runs_out(model: Model, speech: Samples) -> None:
    class Full(CpuBackend):
        def listen(self, sounds: Sequence[Samples], margin_s: float) -> list[Memory]:
            raise torch.OutOfMemoryError("CUDA out of memory")

    tasks = Tasks(range(3))
    heard = Heard([speech] * 3)
    scribe = Scribe(model, Full(model, 2, 1), tasks, heard, ENGLISH, {}, never)
    with pytest.raises(torch.OutOfMemoryError):
        scribe.work()
    assert [task.window for task in tasks.take(9)] == [0, 1, 2]


def test_scribes_share_the_windows(model: Model, speech: Samples) -> None:
    parts = [speech[i * 24_000 : i * 24_000 + 48_000] for i in range(4)]
    tasks = Tasks(range(4))
    scribes = [
        Scribe(model, CpuBackend(model, 1, 1), tasks, Heard(parts), ENGLISH, {}, never)
        for _ in range(2)
    ]
    threads = [threading.Thread(target=scribe.work) for scribe in scribes]
    for thread in threads:
        thread.start()
    shared = [row.tokens for row in tasks.results(range(4))]
    for thread in threads:
        thread.join()
    assert shared == [row.tokens for row in rows_of(model, parts)]
