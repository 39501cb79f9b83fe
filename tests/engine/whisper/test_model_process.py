import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.audio.decoding import Aborted
from engine.audio.preparation import PreparedAudio
from engine.settings import Settings
from engine.whisper.messages import (
    EVENTS,
    Alive,
    Ask,
    Done,
    Event,
    Failed,
    PrepareJob,
    Progress,
    Started,
    TranscribeJob,
    Wishes,
)
from engine.whisper.presets import PRESETS
from engine.whisper.process import _Desk, _speaker

STABIL = PRESETS["stabil"]
REPOSITORY = Path(__file__).resolve().parents[3]


def served(settings: Settings, job: PrepareJob | TranscribeJob) -> tuple[bool, list[Event]]:
    said: list[Event] = []
    desk = _Desk(settings, said.append, lambda number: False)
    return desk.serve(1, job), said


def test_a_job_ends_with_one_event(settings: Settings, silent_talk: PreparedAudio) -> None:
    job = TranscribeJob(prepared=silent_talk, preset=STABIL, wishes=Wishes(language="en"))
    goes_on, said = served(settings, job)
    assert goes_on
    assert isinstance(said[0], Started)
    assert isinstance(said[-1], Done)


def test_our_errors_are_told_by_name_without_their_advice(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "empty.mp3").touch()
    job = PrepareJob(source=tmp_path / "empty.mp3", folder=tmp_path / "p", preset=STABIL)
    goes_on, said = served(settings, job)
    assert goes_on
    assert isinstance(said[-1], Failed)
    assert said[-1].error == "EmptyFile"


def test_a_full_disk_is_told_as_such(
    settings: Settings, silent_talk: PreparedAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = TranscribeJob(prepared=silent_talk, preset=STABIL, wishes=Wishes(language="en"))

    def full(self: _Desk, job: TranscribeJob) -> Event:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_Desk, "_transcribe", full)
    goes_on, said = served(settings, job)
    assert goes_on
    assert isinstance(said[-1], Failed)
    assert said[-1].error == "DiskFull"


def test_speaking_to_nobody_stops_the_work() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(Aborted):
        _speaker(Closed())(Progress(done_s=1.0, total_s=2.0))


def test_standard_output_carries_events_alone_and_its_input_ends_it(
    silent_talk: PreparedAudio,
) -> None:
    """A library that prints, as native code does, must not disturb."""
    code = (
        "import os, sys\n"
        "import engine.whisper.process as process\n"
        "real = process._Desk.serve\n"
        "def serve(self, number, job):\n"
        "    print('chatter'); os.write(1, b'native chatter\\n')\n"
        "    return real(self, number, job)\n"
        "process._Desk.serve = serve\n"
        "sys.exit(process.main())\n"
    )
    job = TranscribeJob(prepared=silent_talk, preset=STABIL, wishes=Wishes(language="en"))
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(Ask(number=1, job=job).model_dump_json().encode() + b"\n")
    process.stdin.flush()
    said: list[Event] = []
    while not said or not isinstance(said[-1], Done):
        said.append(EVENTS.validate_json(process.stdout.readline()))
    rest, complaints = process.communicate(timeout=30)
    assert {type(event) for event in said} <= {Started, Alive, Done}
    assert b"chatter" not in rest
    assert b"chatter" in complaints
    assert b"native chatter" in complaints
    assert process.returncode == 0


def test_a_process_that_hangs_ends_with_its_input() -> None:
    code = (
        "import time, sys\n"
        "import engine.whisper.process as process\n"
        "process._Desk.serve = lambda self, number, job: time.sleep(60)\n"
        "sys.exit(process.main())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
    )
    assert process.stdin is not None
    job = PrepareJob(source=Path("a"), folder=Path("b"), preset=STABIL)
    process.stdin.write(Ask(number=1, job=job).model_dump_json().encode() + b"\n")
    process.stdin.flush()
    time.sleep(2)
    begun = time.monotonic()
    process.stdin.close()
    assert process.wait(10) == 1
    assert time.monotonic() - begun < 4
