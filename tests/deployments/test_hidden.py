"""A command without a window, as Windows' scheduled tasks start it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deployments import hidden
from deployments.hidden import console_python
from engine.settings import Settings

ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parents[2])}


def run(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "deployments.hidden", *command],
        env={**os.environ, **ENVIRONMENT, **more},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def test_what_it_says_goes_to_a_file_and_its_status_is_passed_on(settings: Settings) -> None:
    log = settings.logs_dir / "service-keys.log"
    done = run("keys")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    begun, said = log.read_text(encoding="utf-8").splitlines()
    assert begun.startswith("--- ")
    assert begun.endswith(" tonspur keys")
    assert "No YouTube API key is set" in said
    assert run("nonsense").returncode == 2


def test_a_setting_that_cannot_be_used_is_told_where_one_looks(tmp_path: Path) -> None:
    home = {"XDG_DATA_HOME": str(tmp_path / "data")}
    done = run("keys", **home, WHISPER_PRESET="fast")
    assert done.returncode == 2
    log = tmp_path / "data" / "tonspur" / "logs" / "service-keys.log"
    assert "WHISPER_PRESET" in log.read_text(encoding="utf-8")


def test_a_long_file_makes_room(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden, "_LARGEST_LOG", 5)
    log = hidden._log_of("worker")
    log.write_text("a long file", encoding="utf-8")
    assert hidden._log_of("worker") == log
    assert not log.exists()
    assert log.with_suffix(".log.1").read_text(encoding="utf-8") == "a long file"


@pytest.mark.parametrize(
    ("given", "used"),
    [("pythonw.exe", "python.exe"), ("PythonW.EXE", "python.exe"), ("python3",) * 2],
)
def test_the_interpreter_with_a_console_is_used(given: str, used: str) -> None:
    assert console_python(Path("some folder") / given) == Path("some folder") / used
