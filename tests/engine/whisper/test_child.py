"""The client's side, with processes that misbehave in the place of the real one."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from engine.errors import EngineDied
from engine.whisper.child import Child
from engine.whisper.messages import Event, PrepareJob
from engine.whisper.presets import PRESETS

JOB = PrepareJob(source=Path("a"), folder=Path("b"), preset=PRESETS["stabil"])
Start = Callable[[str], Child]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a child whose module is the given code."""
    started: list[Child] = []
    package = tmp_path / "engine" / "whisper"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()

    def run(code: str) -> Child:
        (package / "process.py").write_text(code, encoding="utf-8")
        started.append(Child(os.environ | {"PYTHONPATH": str(tmp_path)}))
        return started[-1]

    yield run
    for child in started:
        child.end()


def first_event(child: Child) -> Event:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if (event := child.event(0.1)) is not None:
            return event
    raise AssertionError("the child said nothing")


def test_silence_is_no_event(start: Start) -> None:
    assert start("import time; time.sleep(2)").event(0.05) is None


def test_a_death_is_told_with_the_last_lines(start: Start) -> None:
    child = start("import sys; [print(f'line {i}', file=sys.stderr) for i in range(50)]; exit(3)")
    with pytest.raises(EngineDied, match=r"status 3\.(.|\n)*line 49") as died:
        first_event(child)
    assert "line 30" not in str(died.value)
    assert not child.alive


def test_what_is_no_event_is_a_dead_engine(start: Start) -> None:
    with pytest.raises(EngineDied, match="no event"):
        first_event(start("print('hello', flush=True); input()"))


def test_a_job_for_a_dead_process_says_so(start: Start) -> None:
    child = start("pass")
    deadline = time.monotonic() + 10
    while child.alive and time.monotonic() < deadline:
        time.sleep(0.02)
    with pytest.raises(EngineDied, match="status 0"):
        child.ask(JOB)


def test_one_that_ignores_its_input_is_killed_with_all_it_started(start: Start) -> None:
    child = start(
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        'print(\'{"kind": "started"}\', flush=True)\n'
        "time.sleep(60)\n"
    )
    first_event(child)
    process = psutil.Process(child._popen.pid)
    family = [process, *process.children()]
    assert len(family) == 2
    child.end()
    _, left = psutil.wait_procs(family, timeout=5)
    assert left == []
