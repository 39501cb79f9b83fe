"""Real engines: listening processes with a model process of real weights."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from engine.audio.preparation import PreparedAudio, prepare
from engine.running import RunningCard, card_file
from engine.settings import Settings, load
from engine.whisper.checkpoints import Checkpoint
from engine.whisper.messages import TranscribeJob, Wishes
from engine.whisper.presets import PRESETS
from engine.whisper.service import CARD
from engine.whisper.service.access import token_of
from sandbox.voice import speak

REPOSITORY = Path(__file__).resolve().parents[4]
STABIL = PRESETS["stabil"]
ENGLISH = (
    "The harbour was quiet that morning. Three fishing boats had come back before sunrise. "
    "Nobody in the village expected a storm before the end of the week."
)


@dataclass
class Running:
    """One engine, and a client that knows its token."""

    settings: Settings
    process: subprocess.Popen[str]
    url: str
    http: httpx.Client

    def health(self) -> dict[str, object]:
        answer = self.http.get("/health")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def queue(self) -> dict[str, float]:
        found = self.health()["queue"]
        assert isinstance(found, dict)
        return found

    def model_process(self) -> psutil.Process:
        pid = self.health()["model_pid"]
        assert isinstance(pid, int)
        return psutil.Process(pid)


Start = Callable[..., Running]


@pytest.fixture(scope="session")
def start_engine(
    tmp_path_factory: pytest.TempPathFactory, base: Checkpoint, shared_state: Path
) -> Iterator[Start]:
    """Starts an engine with a state folder of its own, and settings by keyword."""
    started: list[Running] = []

    def start(**settings: str) -> Running:
        state = tmp_path_factory.mktemp("engine")
        (state / "checkpoints").symlink_to(shared_state / "checkpoints")
        variables = {
            "STATE_DIR": str(state),
            "WHISPER_MODEL": "base",
            "WHISPER_DEVICE": "cpu",
            "ENGINE_PORT": "0",
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": str(REPOSITORY),
            **settings,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "engine.whisper.service"],
            env=os.environ | variables,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        known = load(state_dir=state)
        deadline = time.monotonic() + 30
        while (card := RunningCard.read(card_file(known, CARD))) is None:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        token = settings.get("ENGINE_TOKEN") or token_of(known).get_secret_value()  # type: ignore[union-attr]
        http = httpx.Client(
            base_url=str(card.url),
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            trust_env=False,
        )
        started.append(Running(known, process, str(card.url), http))
        wait_until(lambda: started[-1].health()["status"] == "ok", 20)
        return started[-1]

    yield start
    for engine in started:
        engine.process.terminate()
        engine.process.wait(10)


@pytest.fixture(scope="session")
def running(start_engine: Start) -> Running:
    """The engine that most tests share."""
    return start_engine()


@pytest.fixture(scope="session")
def long_talk(tmp_path_factory: pytest.TempPathFactory) -> PreparedAudio:
    """Two and a half minutes: seconds of work, to be interrupted in."""
    folder = tmp_path_factory.mktemp("long-talk")
    speak(" ".join([ENGLISH] * 15), "en", folder / "talk.wav")
    return prepare(folder / "talk.wav", folder / "prepared", STABIL)


def job_of(prepared: PreparedAudio, **wishes: object) -> TranscribeJob:
    fields = {"language": "en", **wishes}
    return TranscribeJob(prepared=prepared, preset=STABIL, wishes=Wishes.model_validate(fields))


def wait_until(condition: Callable[[], bool], deadline_s: float) -> float:
    """Seconds until it was so."""
    begun = time.monotonic()
    while True:
        try:
            if condition():
                return time.monotonic() - begun
        except httpx.TransportError:
            pass  # it does not listen yet
        assert time.monotonic() - begun < deadline_s
        time.sleep(0.02)
