"""The progress artifact moves, and never holds up what it tells of."""

import threading
from uuid import UUID, uuid4

import pytest

from tasks import progress
from tasks.progress import ProgressBar

Told = list[tuple[float, str]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What the server was told, in order."""
    said: Told = []

    def create(*, progress: float, description: str) -> UUID:
        said.append((progress, description))
        return uuid4()

    def update(artifact: UUID, *, progress: float, description: str) -> None:
        said.append((progress, description))

    monkeypatch.setattr(progress, "create_progress_artifact", create)
    monkeypatch.setattr(progress, "update_progress_artifact", update)
    return said


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_moves_every_two_seconds_and_ends_at_a_hundred(told: Told) -> None:
    clock = Clock()
    with ProgressBar("Talk", clock) as bar:
        for step in range(101):
            clock.now = step * 0.1
            bar.show(step * 6.0, 600.0)
            if bar._last:
                bar._last.result()
    bar._thread.shutdown()
    percents = [percent for percent, _ in told]
    assert percents == pytest.approx([0, 20, 40, 60, 80, 100, 100])
    assert told[1][1] == "Talk: 2.0 of 10.0 minutes of speech, 60.0 × real time, 8 s left"
    assert told[-1][1] == "Talk: done in 10 s"


def test_a_server_that_is_slow_or_dead_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()

    def create(**_: object) -> UUID:
        answers.wait(10)
        raise ConnectionError

    monkeypatch.setattr(progress, "create_progress_artifact", create)
    clock = Clock()
    with ProgressBar("Talk", clock) as bar:
        for step in range(50):
            clock.now = step * 2.0
            bar.show(step, 50.0)
    answers.set()
    bar._thread.shutdown()


def test_a_transcription_that_fails_does_not_end_at_a_hundred(told: Told) -> None:
    with pytest.raises(ZeroDivisionError), ProgressBar("Talk") as bar:
        bar.show(1.0, 4.0)
        raise ZeroDivisionError
    bar._thread.shutdown()
    assert [percent for percent, _ in told] == [25.0]
