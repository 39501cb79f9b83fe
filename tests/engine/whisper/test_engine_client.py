import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from engine.audio.decoding import Aborted
from engine.audio.preparation import PreparedAudio
from engine.errors import BadCheckpoint, EngineDied, NotMedia, UnknownModel
from engine.settings import Settings, load
from engine.transcript import Segment
from engine.whisper import keeper
from engine.whisper.checkpoints import Checkpoint
from engine.whisper.child import Child
from engine.whisper.client import Engine
from engine.whisper.messages import Failed, Wishes
from engine.whisper.presets import PRESETS
from sandbox.voice import speak

STABIL = PRESETS["stabil"]
REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def engine(real_settings: Settings, base: Checkpoint) -> Iterator[Engine]:
    with Engine(real_settings) as engine:
        yield engine


def children() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children()
        if child.is_running() and "engine.whisper.process" in " ".join(child.cmdline())
    ]


def gone(pid: int, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_importing_the_client_is_light() -> None:
    code = (
        "import sys, engine.whisper.client;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY).returncode == 0


def test_from_a_file_to_segments_with_one_process(engine: Engine, tmp_path: Path) -> None:
    speak("The harbour was quiet that morning.", "en", tmp_path / "talk.mp3")
    assert children() == []
    prepared = engine.prepare(tmp_path / "talk.mp3", tmp_path / "prepared", STABIL)
    (process,) = children()
    steps: list[float] = []
    told: list[Segment] = []
    result = engine.transcribe(
        prepared,
        STABIL,
        Wishes(),
        progress=lambda done_s, total_s: steps.append(done_s),
        segment=told.append,
    )
    assert "quiet" in " ".join(segment.text for segment in result.segments)
    assert result.language == "en"
    assert steps[-1] == pytest.approx(prepared.speech_s)
    assert [s.text for s in told] == [s.text for s in result.segments]
    assert engine.transcribe(prepared, STABIL, Wishes(language="en")).load_s < 0.05
    assert children() == [process]
    engine.close()
    assert children() == []
    engine.close()


def test_a_failure_comes_back_as_the_same_error_and_keeps_the_process(
    engine: Engine, tmp_path: Path, talk: PreparedAudio
) -> None:
    (tmp_path / "text.mp4").write_text("no media at all", encoding="utf-8")
    with pytest.raises(NotMedia):
        engine.prepare(tmp_path / "text.mp4", tmp_path / "prepared", STABIL)
    (process,) = children()
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadCheckpoint, match=r"config\.json is missing"):
        engine.transcribe(talk, STABIL, Wishes(language="en", model=str(tmp_path / "empty")))
    assert children() == [process]


def test_a_name_that_is_nonsense_starts_nothing(engine: Engine, talk: PreparedAudio) -> None:
    with pytest.raises(UnknownModel):
        engine.transcribe(talk, STABIL, Wishes(model="nonsense"))
    assert children() == []


@pytest.mark.e2e
def test_a_process_that_dies_is_replaced(
    engine: Engine, silent_talk: PreparedAudio, talk: PreparedAudio
) -> None:
    def kill(done_s: float, total_s: float) -> None:
        for process in children():
            process.kill()

    with pytest.raises(EngineDied, match="status"):
        engine.transcribe(talk, STABIL, Wishes(language="en"), progress=kill)
    assert children() == []
    assert engine.transcribe(silent_talk, STABIL, Wishes(language="en")).segments == ()


@pytest.mark.e2e
def test_an_abort_frees_the_machine_within_two_seconds(engine: Engine, talk: PreparedAudio) -> None:
    begun: list[float] = []

    def abort() -> bool:
        return bool(begun)

    with pytest.raises(Aborted):
        engine.transcribe(
            talk,
            STABIL,
            Wishes(language="en"),
            progress=lambda done_s, total_s: begun.append(time.monotonic()),
            abort=abort,
        )
    assert time.monotonic() - begun[0] < 2.0
    whole = engine.transcribe(talk, STABIL, Wishes(language="en"))
    assert "storm" in " ".join(segment.text for segment in whole.segments)
    assert whole.load_s < 0.05, "the model was lost with the job"


@pytest.mark.e2e
def test_an_error_in_a_callback_ends_the_process(engine: Engine, talk: PreparedAudio) -> None:
    def fail(done_s: float, total_s: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.transcribe(talk, STABIL, Wishes(language="en"), progress=fail)
    assert children() == []


def test_a_fault_that_nobody_foresaw_ends_the_process(
    engine: Engine, talk: PreparedAudio, tmp_path: Path
) -> None:
    lost = talk.model_copy(update={"wav": tmp_path / "gone.wav"})
    with pytest.raises(EngineDied, match="FileNotFoundError"):
        engine.transcribe(lost, STABIL, Wishes(language="en"))
    assert children() == []


def test_the_process_ends_with_the_one_that_started_it(
    real_settings: Settings, silent_talk: PreparedAudio, base: Checkpoint
) -> None:
    code = (
        "import sys, time, psutil\n"
        "from engine.audio.preparation import PreparedAudio\n"
        "from engine.settings import load\n"
        "from engine.whisper.client import Engine\n"
        "from engine.whisper.messages import Wishes\n"
        "from engine.whisper.presets import PRESETS\n"
        "engine = Engine(load())\n"
        "prepared = PreparedAudio.model_validate_json(sys.argv[1])\n"
        "engine.transcribe(prepared, PRESETS['stabil'], Wishes(language='en'))\n"
        "print(psutil.Process().children()[0].pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, silent_talk.model_dump_json()],
        cwd=REPOSITORY,
        env=os.environ | {"STATE_DIR": str(real_settings.state_dir)},
        stdout=subprocess.PIPE,
    )
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
    finally:
        parent.kill()
        parent.communicate()
    assert gone(pid, 4.0)


def test_the_process_gets_settings_but_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_SECRET", "hidden-1")
    monkeypatch.setenv("YT_API_KEYS", "hidden-2,hidden-3")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    settings = load(odin_api_key=SecretStr("hidden-4"), whisper_model="tiny")
    variables = keeper.variables(settings)
    assert variables["WHISPER_MODEL"] == "tiny"
    assert variables["PYTHONPATH"].split(os.pathsep) == [str(REPOSITORY), "elsewhere"]
    assert variables["OMP_WAIT_POLICY"] == "passive"
    assert "hidden" not in json.dumps(variables)


def test_an_error_without_a_name_of_ours_is_a_dead_engine() -> None:
    assert isinstance(keeper.error_of(Failed(error="Exception", message="x")), EngineDied)
    assert isinstance(keeper.error_of(Failed(error="BotWall", message="x")), EngineDied)
    assert str(keeper.error_of(Failed(error="BadCheckpoint", message="It is broken."))) == (
        "It is broken."
    )


def test_a_process_that_cannot_start_says_why() -> None:
    variables = os.environ | {"PYTHONPATH": str(REPOSITORY), "WHISPER_BATCH": "many"}
    child = Child(variables)
    try:
        with pytest.raises(EngineDied, match="WHISPER_BATCH"):
            while True:
                child.event(0.1)
    finally:
        child.end()
