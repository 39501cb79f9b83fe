import sys
import time
from pathlib import Path

import psutil
import pytest

from deployments.processes import Child, stop_tree
from engine.running import RunningCard, is_alive

SLEEPER = [sys.executable, "-c", "import time; print('hello', flush=True); time.sleep(60)"]
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys, time, signal\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print('ready', flush=True)\n"
    "time.sleep(60)",
]


def child(tmp_path: Path, arguments: list[str]) -> Child:
    return Child(arguments, {"A": "b"}, tmp_path / "logs" / "x.log", tmp_path / "run" / "x.json")


def wait_for_line(tmp_path: Path, text: str) -> None:
    log = tmp_path / "logs" / "x.log"
    deadline = time.monotonic() + 20
    while text not in log.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_running_child_is_found_again_by_its_card(tmp_path: Path) -> None:
    sleeper = child(tmp_path, SLEEPER)
    sleeper.start("http://127.0.0.1:1/api")
    try:
        card = RunningCard.read(tmp_path / "run" / "x.json")
        assert card is not None
        assert card.url == "http://127.0.0.1:1/api"
        assert sleeper.alive
        wait_for_line(tmp_path, "hello")
        assert sleeper.last_lines() == "hello"
    finally:
        sleeper.stop()
    assert not sleeper.alive
    assert RunningCard.read(tmp_path / "run" / "x.json") is None


def test_the_card_of_a_dead_process_finds_nobody(tmp_path: Path) -> None:
    sleeper = child(tmp_path, SLEEPER)
    sleeper.start()
    card = (tmp_path / "run" / "x.json").read_text(encoding="utf-8")
    sleeper.stop()
    (tmp_path / "run" / "x.json").write_text(card, encoding="utf-8")
    assert RunningCard.read(tmp_path / "run" / "x.json") is None


def test_a_process_id_that_was_given_out_again_is_not_taken_for_ours(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    me = psutil.Process()
    file.write_text(RunningCard(pid=me.pid, created=0).model_dump_json(), encoding="utf-8")
    assert RunningCard.read(file) is None


def test_what_does_not_listen_is_killed_with_its_family(tmp_path: Path) -> None:
    parent = child(tmp_path, PARENT)
    parent.start()
    wait_for_line(tmp_path, "ready")
    card = RunningCard.read(tmp_path / "run" / "x.json")
    assert card is not None
    family = psutil.Process(card.pid).children(recursive=True)
    assert family
    stop_tree(card.pid, grace_s=0.3)
    assert not any(is_alive(process) for process in family)
    parent.stop()
    stop_tree(card.pid)  # of a process that has gone: nothing to do


def test_a_log_that_is_not_there_has_no_last_lines(tmp_path: Path) -> None:
    assert child(tmp_path, SLEEPER).last_lines() == ""


@pytest.mark.parametrize("content", ["", "{}", "nonsense"])
def test_a_damaged_card_finds_nobody(tmp_path: Path, content: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(content, encoding="utf-8")
    assert RunningCard.read(file) is None
