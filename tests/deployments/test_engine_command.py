"""`tonspur engine` as an operator uses it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine.running import RunningCard, card_file, is_alive
from engine.settings import Settings
from engine.whisper import shared
from engine.whisper.service import CARD

ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parents[2]), "WHISPER_MODEL": "base"}
COMMAND = [sys.executable, "-P", "-m", "tonspur", "engine"]


@pytest.fixture
def engine(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        COMMAND, stderr=subprocess.PIPE, encoding="utf-8", env={**os.environ, **ENVIRONMENT}
    )
    yield process
    if process.poll() is None:
        process.terminate()
        process.wait(12)


def listener(settings: Settings, other_than: int = 0, deadline_s: float = 60) -> int:
    deadline = time.monotonic() + deadline_s
    while True:
        card = RunningCard.read(card_file(settings, CARD))
        if card and card.pid != other_than and shared.answering(settings):
            return card.pid
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_it_is_one_engine_that_comes_back_when_it_dies_and_leaves_nothing(
    engine: subprocess.Popen[str], settings: Settings
) -> None:
    first = listener(settings)
    found = shared.answering(settings)
    assert found is not None
    assert engine.stderr is not None
    assert found.url in engine.stderr.readline()

    second = subprocess.run(
        COMMAND,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        env={**os.environ, **ENVIRONMENT},
    )
    assert second.returncode == 0
    assert second.stderr.strip() == f"The engine runs already: {found.url}"

    psutil.Process(first).kill()
    assert "it is started again" in engine.stderr.readline()
    listener(settings, other_than=first)
    again = shared.find(settings)
    assert again is not None
    assert again.url == found.url

    family = psutil.Process(engine.pid).children(recursive=True)
    engine.send_signal(signal.SIGINT)
    assert engine.wait(10) == 1
    assert not [process for process in family if is_alive(process)]
    assert shared.find(settings) is None


def test_a_port_that_is_taken_is_one_line_and_status_1(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = subprocess.run(
            COMMAND,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            env={**os.environ, **ENVIRONMENT, "ENGINE_PORT": port},
        )
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
