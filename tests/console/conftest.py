"""The console in a real Chromium, on stand-ins for YouTube and ODIN AI."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.demo_channel import DEMO_CHANNEL
from sandbox.life import Sandbox
from sandbox.spec import SandboxSpec

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    videos = tuple(DEMO_CHANNEL.all_videos()[:3])
    channel = DEMO_CHANNEL.model_copy(update={"videos": videos, "playlists": ()})
    with Sandbox(
        tmp_path_factory.mktemp("stand-ins"), spec=SandboxSpec(channels=(channel,))
    ) as running:
        yield running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Library and state of the console."""
    return tmp_path_factory.mktemp("console")


@pytest.fixture(scope="module")
def console(sandbox: Sandbox, home: Path) -> Iterator[str]:
    """The address of `tonspur console`, which ends within ten seconds and leaves nothing."""
    surroundings = {
        **os.environ,
        **sandbox.environment(),
        "LIBRARY_DIR": str(home / "library"),
        "STATE_DIR": str(home / "state"),
        "WHISPER_MODEL": "base",
        "HF_HUB_OFFLINE": "1",
        "ENGINE_PORT": "0",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    log = home / "console.log"
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tonspur", "console", "--port", "0", "--no-browser"],
            env=surroundings,
            cwd=home,
            stdout=out,
            stderr=out,
        )
        try:
            yield _address(process, log)
        finally:
            begun = time.monotonic()
            process.terminate()
            process.wait(30)
            took_s = time.monotonic() - begun
    print(log.read_text(encoding="utf-8"))
    assert took_s < 10
    assert not list((home / "state" / "run").glob("*.json")), "its server and worker ended too"


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 60
    while "Console: " not in (said := log.read_text(encoding="utf-8")):
        assert process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.2)
    return said.split("Console: ", 1)[1].split()[0]
