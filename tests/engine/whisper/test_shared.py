"""Whether an engine that was killed is waited for."""

import os
from pathlib import Path

import pytest

from engine.running import RunningCard, card_file
from engine.settings import Settings
from engine.whisper import shared
from engine.whisper.service import CARD

DEAD = {"pid": os.getpid(), "created": 0.0, "url": "http://127.0.0.1:9"}


@pytest.fixture
def card(settings: Settings) -> Path:
    return card_file(settings, CARD)


@pytest.mark.parametrize(("watcher", "looks"), [(None, 0), (RunningCard(**DEAD), 0), ("me", 1)])
def test_only_one_that_somebody_alive_starts_again(
    settings: Settings, card: Path, watcher: RunningCard | str | None, looks: int
) -> None:
    alive = RunningCard.of() if watcher == "me" else watcher
    RunningCard.model_validate({**DEAD, "watcher": alive}).write(card)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        card.unlink()  # stopped in order

    assert shared.find(settings, sleep) is None
    assert len(slept) == looks
