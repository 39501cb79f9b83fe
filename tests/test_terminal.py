"""The command line on a terminal and off it: progress, colours, completion, errors, version."""

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from sandbox.voice import speak
from tests.json_lines import lines

TEXT = "The library opens at nine in the morning. Please bring back the books you have read. " * 4
pty = pytest.importorskip("pty", reason="Windows has no pseudo terminals of this kind")


def tonspur(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tonspur", *arguments],
        env={**os.environ, "WHISPER_MODEL": "base", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def on_a_terminal(*arguments: str, **environment: str) -> tuple[str, str]:
    """Standard output of a command whose standard error is a terminal, and what that showed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "tonspur", *arguments],
        env={**os.environ, "WHISPER_MODEL": "base", "TERM": "xterm-256color", **environment},
        stdout=subprocess.PIPE,
        stderr=theirs,
        encoding="utf-8",
    ) as running:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65_536)
            except OSError:  # the other end is closed
                break
            shown += part
        assert running.stdout is not None
        said = running.stdout.read()
    os.close(ours)
    return said, shown.decode("utf-8", "replace")


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    file = tmp_path / "talk.wav"
    speak(TEXT, "en", file)
    return file


def test_progress_is_shown_on_a_terminal_and_standard_output_stays_clean(talk: Path) -> None:
    said, shown = on_a_terminal("file", str(talk), "--no-upload", "--json", NO_COLOR="1")
    assert '"status":"done"' in said and "\x1b" not in said
    assert "talk.wav" in shown and "of 1 files" in shown
    assert re.search(r"s of speech, [\d.]+ × real time, \d+ s left", shown)
    assert not re.search(r"\x1b\[(?:3\d|9\d)m", shown), "NO_COLOR is respected"


@pytest.mark.e2e
def test_off_a_terminal_there_is_no_progress(talk: Path) -> None:
    done = tonspur("file", str(talk), "--no-upload", "--json")
    assert done.returncode == 0
    assert "\x1b" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1


BUG = """
import sys
from deployments import commands
commands.key_rows = lambda: [] + 1
sys.argv = ["tonspur", *{arguments}, "keys"]
import tonspur
tonspur.main()
"""


def test_a_bug_is_one_sentence_and_debug_shows_where() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = BUG.format(arguments=list(arguments))
        call = [sys.executable, "-c", code]
        return subprocess.run(call, capture_output=True, encoding="utf-8", check=False)

    plain = run()
    assert plain.returncode == 1
    assert len(plain.stderr.splitlines()) == 1
    assert "bug" in plain.stderr and "TypeError" in plain.stderr and "--debug" in plain.stderr
    assert "Traceback" in run("--debug").stderr


def test_an_error_of_ours_is_one_sentence_and_debug_shows_where() -> None:
    assert "Traceback" not in tonspur("sync", "@x", "--dry-run").stderr
    assert "Traceback" in tonspur("--debug", "sync", "@x", "--dry-run").stderr
    assert "Traceback" in tonspur("sync", "@x", "--dry-run", TONSPUR_DEBUG="1").stderr


def test_it_tells_its_version() -> None:
    assert tonspur("--version").stdout.strip() == version("tonspur")


def test_help_groups_the_commands_and_shows_examples() -> None:
    told = tonspur("--help").stdout
    assert all(name in told for name in ("Transcribe", "Read and look after", "Run", "doctor"))
    assert "tonspur retry --cause" in tonspur("retry", "--help").stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("tonspur file --preset s", {"stabil", "schnell"}),
        ("tonspur sync @x --shorts with", {"with", "without"}),
        ("tonspur do", {"doctor"}),
    ],
)
def test_a_shell_completes_commands_and_words(words: str, expected: set[str]) -> None:
    code = "import sys; sys.argv[0] = 'tonspur'; import tonspur; tonspur.main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "_TONSPUR_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert set(done.stdout.split()) == expected, done.stderr


def test_adopt_shows_first_and_prints_lines(talk: Path, tmp_path: Path) -> None:
    talk.with_suffix(".txt").write_text("[00:00 - 00:03]  The library opens.", encoding="utf-8")
    shown = tonspur("adopt", str(tmp_path), "--json")
    assert [row["status"] for row in lines(shown)] == ["planned"]
    assert "--yes" in shown.stderr
    done = tonspur("adopt", str(tmp_path), "--yes", "--json")
    assert [row["status"] for row in lines(done)] == ["done"]
    nowhere = tonspur("adopt", str(tmp_path / "nowhere"))
    assert nowhere.returncode == 1
    assert len(nowhere.stderr.splitlines()) == 1
