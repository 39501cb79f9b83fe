"""Server, engine and worker as services run them: each a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from deployments.server import find
from engine.running import RunningCard, card_file, is_alive
from engine.settings import Settings, load
from sandbox.demo_channel import DEMO_CHANNEL
from sandbox.life import Sandbox
from sandbox.spec import SandboxSpec

pytestmark = pytest.mark.e2e

PASSWORD = "operator:a-secret-of-the-api"  # noqa: S105
Part = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    newest = tuple(DEMO_CHANNEL.all_videos()[:2])
    channel = DEMO_CHANNEL.model_copy(update={"videos": newest, "playlists": ()})
    with Sandbox(tmp_path / "sandbox", spec=SandboxSpec(channels=(channel,))) as running:
        yield running


@pytest.fixture
def settings(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Settings:
    known = sandbox.environment() | {"WHISPER_MODEL": "base"}
    for name, value in (known | {"PREFECT_SERVER_API_AUTH_STRING": PASSWORD}).items():
        monkeypatch.setenv(name, value)
    return load()


@pytest.fixture
def part(tmp_path: Path) -> Iterator[Part]:
    """Starts `tonspur NAME`; what it says goes into a file."""
    started: list[subprocess.Popen[str]] = []

    def start(name: str) -> subprocess.Popen[str]:
        with (tmp_path / f"{name}.log").open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tonspur", name],
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
    for log in tmp_path.glob("*.log"):
        print(log.name, log.read_text(encoding="utf-8"))


def told(tmp_path: Path, name: str, text: str, deadline_s: float = 90) -> None:
    deadline = time.monotonic() + deadline_s
    while text not in (tmp_path / f"{name}.log").read_text(encoding="utf-8"):
        assert time.monotonic() < deadline, f"{name} did not say {text}"
        time.sleep(0.2)


def pid_of(settings: Settings, name: str, other_than: int = 0) -> int:
    deadline = time.monotonic() + 90
    while True:
        card = RunningCard.read(card_file(settings, name))
        if card and card.pid != other_than:
            return card.pid
        assert time.monotonic() < deadline, f"no {name}"
        time.sleep(0.2)


def test_three_services_do_the_work_and_leave_nothing(
    part: Part, settings: Settings, sandbox: Sandbox, tmp_path: Path
) -> None:
    worker = part("worker")
    told(tmp_path, "worker", "Waiting for")
    server, engine = part("server"), part("engine")
    told(tmp_path, "server", "listens")
    told(tmp_path, "worker", "serves")
    told(tmp_path, "engine", "listens")
    second = subprocess.run(
        [sys.executable, "-m", "tonspur", "server"], capture_output=True, encoding="utf-8"
    )
    assert (second.returncode, "runs already" in second.stderr) == (0, True)

    card = RunningCard.read(card_file(settings, "prefect-server"))
    assert card is not None
    count = f"{card.url}/flow_runs/count"
    assert httpx.post(count, json={}).status_code == 401
    login = ("operator", PASSWORD.partition(":")[2])
    assert httpx.post(count, json={}, auth=login).status_code == 200

    for name in ("prefect-server", "worker"):
        before = pid_of(settings, name)
        psutil.Process(before).kill()
        pid_of(settings, name, other_than=before)
    told(tmp_path, "server", "The Prefect server has ended; it is started again")
    told(tmp_path, "worker", "The worker has ended; it is started again")
    answering = time.monotonic() + 60
    while find(settings) != card.url:
        assert time.monotonic() < answering
        time.sleep(0.2)

    done = subprocess.run(
        [sys.executable, "-m", "tonspur", "video", sandbox.videos[0].id, "--json"],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "done"

    family = [
        process
        for one in (worker, server, engine)
        for process in psutil.Process(one.pid).children(recursive=True)
    ]
    for one in (worker, engine, server):
        one.send_signal(signal.SIGTERM)
    for one in (worker, engine, server):
        assert one.wait(10) == 0, "told to end, it has done its work"
    assert not [process for process in family if is_alive(process)]

    written = [*settings.state_dir.rglob("*.log"), *(settings.state_dir / "run").glob("*")]
    for file in (*written, *(settings.state_dir / "prefect").rglob("*.db*")):
        assert PASSWORD.encode() not in file.read_bytes(), file
    for process in psutil.process_iter(["cmdline"]):
        assert PASSWORD not in " ".join(process.info["cmdline"] or [])
    for log in tmp_path.glob("*.log"):
        assert PASSWORD not in log.read_text(encoding="utf-8")


def test_they_are_stopped_by_a_command_whoever_started_them(
    part: Part, settings: Settings, tmp_path: Path
) -> None:
    server, worker, engine = part("server"), part("worker"), part("engine")
    for name, said in (("server", "listens"), ("worker", "serves"), ("engine", "listens")):
        told(tmp_path, name, said)
    engine.kill()  # what it looked after lives on without it
    engine.wait()
    orphan = psutil.Process(pid_of(settings, "engine"))
    family = [orphan, *psutil.Process(server.pid).children(recursive=True)]
    family += psutil.Process(worker.pid).children(recursive=True)

    command = [sys.executable, "-P", "-m", "tonspur", "stop"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    assert "tonspur worker, engine, tonspur server." in " ".join(done.stderr.split())
    assert (worker.wait(1), server.wait(1)) == (0, 0)
    assert not [process for process in family if is_alive(process)]
    again = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60)
    assert again.stderr.strip() == "Nothing runs."
