"""What stays is found by its card, and stopped by it."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from deployments.foreground import card_name, staying
from deployments.stopping import stop_all
from engine.running import RunningCard, card_file
from engine.settings import Settings


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture(autouse=True)
def same_signals() -> Iterator[None]:
    import signal

    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_command_that_stays_leaves_a_card_and_takes_it_away(settings: Settings) -> None:
    card = card_file(settings, card_name("server"))
    with staying(settings, "server"):
        assert RunningCard.read(card) is not None
    assert not card.exists()


def test_a_second_one_leaves_the_card_of_the_first_alone(
    settings: Settings, other: subprocess.Popen[bytes]
) -> None:
    card = card_file(settings, card_name("server"))
    RunningCard.of(other.pid).write(card)
    with staying(settings, "server"):
        pass
    first = RunningCard.read(card)
    assert first is not None
    assert first.pid == other.pid


def test_the_card_of_one_that_was_killed_is_replaced(
    settings: Settings, other: subprocess.Popen[bytes]
) -> None:
    card = card_file(settings, card_name("worker"))
    RunningCard.of(other.pid).write(card)
    other.kill()
    other.wait()
    assert stop_all(settings) == []
    with staying(settings, "worker"):
        assert RunningCard.read(card) is not None


def test_what_nobody_looks_after_any_more_is_stopped_too(
    settings: Settings, other: subprocess.Popen[bytes]
) -> None:
    RunningCard.of(other.pid).write(card_file(settings, "prefect-server"))
    assert stop_all(settings) == ["Prefect server"]
    assert other.poll() is not None
    assert stop_all(settings) == []
