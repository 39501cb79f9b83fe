"""What tutorial and guides tell a newcomer to type is typed, in their order, on stand-ins."""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from sandbox.life import Sandbox
from sandbox.spec import SandboxChannel, SandboxSpec, SandboxVideo
from sandbox.voice import speak
from tests.engine.adoption.test_adopt import old_library
from tests.json_lines import checked

pytestmark = pytest.mark.e2e
DOCS = Path(__file__).parents[2] / "docs"
TEXT = "The harbour was quiet that morning. Nobody expected a storm before the end of the week."


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """YouTube with the video and the channel of the documentation."""
    ids = ("jNQXAC9IVRw", "aaaaaaaaaa1", "aaaaaaaaaa2", "aaaaaaaaaa3")
    videos = tuple(
        SandboxVideo(
            id=own, title=f"Talk {own}", published=datetime(2025, 1, day, tzinfo=UTC), talk="tea"
        )
        for day, own in enumerate(ids, start=1)
    )
    channel = SandboxChannel(id=f"UC{'d' * 22}", handle="@channel", title="Channel", videos=videos)
    folder = tmp_path_factory.mktemp("stand-ins")
    with Sandbox(folder, spec=SandboxSpec(channels=(channel,))) as running:
        yield running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the newcomer works: a recording, and an old library."""
    folder = tmp_path_factory.mktemp("newcomer")
    recording = folder / "library" / "interview.mp3"
    speak(TEXT, "en", recording)
    old_library(folder / "old-library", recording, files=12)
    return folder


def shell_lines(page: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def environment(sandbox: Sandbox, home: Path) -> dict[str, str]:
    return {
        **os.environ,
        **sandbox.environment(),
        "LIBRARY_DIR": str(home / "library"),
        "STATE_DIR": str(home / "state"),
        "WHISPER_MODEL": "base",
        "HF_HUB_OFFLINE": "1",
        "ENGINE_PORT": "0",
        "PYTHONPATH": str(DOCS.parent),
    }


def typed(line: str, sandbox: Sandbox, home: Path) -> subprocess.CompletedProcess[str]:
    program, *arguments = shlex.split(line)
    assert program == "tonspur"
    return subprocess.run(
        [sys.executable, "-P", "-m", "tonspur", *arguments],
        env=environment(sandbox, home),
        cwd=home,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )


def opened(sandbox: Sandbox, home: Path) -> None:
    """`tonspur console` answers, and ends when it is told to."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "tonspur", "console", "--port", "0", "--no-browser"],
        env=environment(sandbox, home),
        cwd=home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as running:
        assert running.stderr is not None
        url = running.stderr.readline().split("Console: ")[1].split()[0]
        deadline = time.monotonic() + 60
        while True:
            try:
                assert httpx.get(url, trust_env=False).status_code == 200
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.3)
        running.terminate()
        assert running.wait(10) == 0


def test_the_tutorial_can_be_followed_line_by_line(sandbox: Sandbox, home: Path) -> None:
    lines = shell_lines("tutorial.md")
    assert [line.split()[1] for line in lines] == [
        "install", "demo", "doctor", "file", "search", "console", "video",
    ]  # fmt: skip
    for line in lines:
        if line.startswith("pip "):
            continue
        if line == "tonspur console":
            opened(sandbox, home)
            continue
        done = typed(line, sandbox, home)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        if line.startswith("tonspur file"):
            assert list(home.glob("library/*_interview_*.txt")), "the transcript stands beside it"
            again = typed(f"{line} --no-upload", sandbox, home)
            assert "already done" in again.stdout
        if line.startswith("tonspur search"):
            assert "interview" in done.stdout
    demo = typed("tonspur demo --json", sandbox, home)
    *items, last = checked("demo", demo.stdout)
    assert demo.returncode == 0
    assert {item["status"] for item in items} <= {"done", "skipped"}
    assert "summary" in last


@pytest.mark.parametrize("page", ["guides/first-channel.md", "guides/moving-over.md"])
def test_a_guide_can_be_followed_line_by_line(page: str, sandbox: Sandbox, home: Path) -> None:
    lines = shell_lines(page)
    assert len(lines) >= 2
    for line in lines:
        done = typed(line, sandbox, home)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
