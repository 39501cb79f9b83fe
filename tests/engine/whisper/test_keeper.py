"""A model process that hangs is noticed, and replaced."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from engine.audio.decoding import Aborted
from engine.audio.preparation import PreparedAudio
from engine.errors import EngineDied
from engine.settings import Settings
from engine.whisper import keeper as module
from engine.whisper.checkpoints import Checkpoint
from engine.whisper.child import Child
from engine.whisper.keeper import Keeper, Patience
from engine.whisper.messages import Done, Event, PrepareJob, TranscribeJob, Wishes
from engine.whisper.presets import PRESETS

STABIL = PRESETS["stabil"]
HASTY = Patience(silent_s=2.5, stuck_s=20.0, loading_s=60.0, stopping_s=0.5)


@pytest.fixture
def keeper(real_settings: Settings, base: Checkpoint) -> Iterator[Keeper]:
    kept = Keeper(real_settings, patience=HASTY)
    yield kept
    kept.close()


def job_of(talk: PreparedAudio) -> TranscribeJob:
    return TranscribeJob(prepared=talk, preset=STABIL, wishes=Wishes(language="en"))


def never() -> bool:
    return False


@pytest.mark.e2e
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGSTOP")
def test_a_process_that_gives_no_sign_of_life_is_replaced(
    keeper: Keeper, talk: PreparedAudio
) -> None:
    def freeze(event: Event) -> None:
        if event.kind == "progress" and keeper.pid:
            os.kill(keeper.pid, signal.SIGSTOP)

    begun = time.monotonic()
    with pytest.raises(EngineDied, match="silent for"):
        keeper.run(job_of(talk), freeze, never)
    assert time.monotonic() - begun < 30
    assert (keeper.pid, keeper.holds, keeper.losses) == (None, None, 1)
    assert isinstance(keeper.run(job_of(talk), lambda event: None, never), Done)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGSTOP")
@pytest.mark.e2e
def test_an_idle_process_that_hangs_is_noticed_with_the_next_job(
    keeper: Keeper, talk: PreparedAudio
) -> None:
    keeper.run(job_of(talk), lambda event: None, never)
    assert keeper.pid is not None
    os.kill(keeper.pid, signal.SIGSTOP)
    with pytest.raises(EngineDied, match="silent for"):
        keeper.run(job_of(talk), lambda event: None, never)


@pytest.fixture
def scripted(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Keeper]:
    """A keeper whose process runs the given code in the place of the real one."""
    package = tmp_path / "engine" / "whisper"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()

    def keeper(code: str) -> Keeper:
        (package / "process.py").write_text(code, encoding="utf-8")
        other = os.environ | {"PYTHONPATH": str(tmp_path)}
        monkeypatch.setattr(module, "Child", lambda _, complain: Child(other, complain))
        patience = Patience(silent_s=5, stuck_s=1.0, loading_s=2.0, stopping_s=0.3)
        return Keeper(settings, patience=patience)

    return keeper


JOB = PrepareJob(source=Path("a"), folder=Path("b"), preset=STABIL)


def test_a_process_that_lives_but_does_not_move_is_replaced(
    scripted: Callable[[str], Keeper],
) -> None:
    keeper = scripted(
        "import time\n"
        "while True:\n"
        '    print(\'{"kind": "alive", "work": 7}\', flush=True)\n'
        "    time.sleep(0.1)\n"
    )
    with pytest.raises(EngineDied, match="did not move for 1 s"):
        keeper.run(JOB, lambda event: None, never)


def test_before_its_first_step_it_is_given_more_time(scripted: Callable[[str], Keeper]) -> None:
    keeper = scripted(
        "import time\n"
        "while True:\n"
        '    print(\'{"kind": "alive", "work": 0}\', flush=True)\n'
        "    time.sleep(0.1)\n"
    )
    with pytest.raises(EngineDied, match="did not move for 2 s"):
        keeper.run(JOB, lambda event: None, never)


def test_a_job_that_cannot_be_stopped_is_ended_with_its_process(
    scripted: Callable[[str], Keeper],
) -> None:
    keeper = scripted("import time; time.sleep(60)")
    begun = time.monotonic()
    with pytest.raises(Aborted):
        keeper.run(JOB, lambda event: None, lambda: True)
    assert time.monotonic() - begun < 2.0
    assert (keeper.pid, keeper.losses) == (None, 0)


def test_a_process_that_hangs_does_not_block_who_gives_it_a_large_job(
    scripted: Callable[[str], Keeper], talk: PreparedAudio
) -> None:
    """Its pipe is full long before the job is written."""
    keeper = scripted("import time; time.sleep(60)")
    long = talk.model_copy(update={"windows": talk.windows * 5000})
    before = set(psutil.Process().children())
    begun = time.monotonic()
    with pytest.raises(EngineDied, match="did not move"):
        keeper.run(job_of(long), lambda event: None, never)
    assert time.monotonic() - begun < 8
    assert set(psutil.Process().children()) == before
