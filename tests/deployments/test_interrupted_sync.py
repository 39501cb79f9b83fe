"""A sync that is interrupted leaves no process, and the same command goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from engine.library.shelf import Library
from engine.odin.client import OdinClient
from engine.running import is_alive
from engine.settings import load
from sandbox.demo_channel import DEMO_CHANNEL
from sandbox.life import Sandbox
from sandbox.spec import SandboxSpec

pytestmark = pytest.mark.e2e

COMMAND = [sys.executable, "-m", "tonspur", "sync", "--json"]


def test_an_interrupted_sync_goes_on_where_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = tuple(DEMO_CHANNEL.all_videos()[:3])
    channel = DEMO_CHANNEL.model_copy(update={"videos": newest, "playlists": ()})
    with Sandbox(tmp_path / "sandbox", spec=SandboxSpec(channels=(channel,))) as sandbox:
        for name, value in (sandbox.environment() | {"WHISPER_MODEL": "base"}).items():
            monkeypatch.setenv(name, value)
        library = Library(load())
        first = subprocess.Popen(
            [*COMMAND, sandbox.handle], stderr=subprocess.DEVNULL, env=dict(os.environ)
        )
        deadline = time.monotonic() + 180
        while not any("download" in library.read(entry).steps for entry in library.entries()):
            assert time.monotonic() < deadline
            assert first.poll() is None
            time.sleep(0.1)
        family = psutil.Process(first.pid).children(recursive=True)
        for _ in range(2):  # people press it again
            first.send_signal(signal.SIGINT)
            time.sleep(0.3)
        assert first.wait(10) == 1
        assert not [process for process in family if is_alive(process)]

        again = subprocess.run(
            [*COMMAND, sandbox.handle], capture_output=True, encoding="utf-8", timeout=400
        )
        assert again.returncode == 0, again.stdout + again.stderr
        *items, _ = [json.loads(line) for line in again.stdout.splitlines()]
        assert {item["status"] for item in items} <= {"done", "skipped"}
        with OdinClient(load()) as client:
            documents = [document.status for document in client.documents()]
    assert documents == ["synced"] * len(newest)
