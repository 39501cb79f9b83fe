"""`tonspur up` as an operator uses it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from deployments import server
from deployments.bootstrap import planned_deployments
from engine.running import RunningCard, is_alive
from engine.settings import Settings

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One channel by the clock, once a year."""
    file = tmp_path / "channels.yaml"
    entry = '{channel: "@yearly", cron: "0 0 1 1 *", timezone: Europe/Berlin}'
    file.write_text(f"channels:\n  - {entry}\n", encoding="utf-8")
    monkeypatch.setenv("CHANNELS_FILE", str(file))


@pytest.fixture
def up(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tonspur", "up"],
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    yield process
    if process.poll() is None:
        process.terminate()
        process.wait(25)


def card(settings: Settings, name: str, other_than: int = 0, deadline_s: float = 120) -> int:
    deadline = time.monotonic() + deadline_s
    while True:
        found = RunningCard.read(settings.state_dir / "run" / f"{name}.json")
        if found and found.pid != other_than:
            return found.pid
        assert time.monotonic() < deadline, f"no {name}"
        time.sleep(0.2)


def test_what_dies_is_started_again_and_nothing_is_left_at_the_end(
    up: subprocess.Popen[str], settings: Settings
) -> None:
    first = {name: card(settings, name) for name in ("prefect-server", "engine", "worker")}
    url = server.find(settings)
    assert up.stderr is not None
    while "Tonspur is up" not in up.stderr.readline():
        assert up.poll() is None

    second = subprocess.run(
        [sys.executable, "-m", "tonspur", "up"], capture_output=True, encoding="utf-8", check=True
    )
    assert "up already" in second.stderr

    for name, pid in first.items():
        psutil.Process(pid).kill()
        card(settings, name, other_than=pid)
    deadline = time.monotonic() + 60
    while server.find(settings) != url:
        assert time.monotonic() < deadline
        time.sleep(0.5)

    family = psutil.Process(up.pid).children(recursive=True)
    up.send_signal(signal.SIGINT)
    assert up.wait(20) == 1
    assert not [process for process in family if is_alive(process)]


def test_prefects_own_command_registers_the_deployments(
    up: subprocess.Popen[str], settings: Settings
) -> None:
    card(settings, "worker")
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=Path(__file__).parents[2],
        env={
            **os.environ,
            **server.environment(settings),
            "PREFECT_API_URL": str(server.find(settings)),
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for entry in planned_deployments():
        assert f"{entry['name']}/{entry['name']}" in done.stdout
    told = httpx.get(
        f"{server.find(settings)}/deployments/name/channel-sync/yearly", trust_env=False
    ).json()
    [schedule] = told["schedules"]
    assert (schedule["active"], schedule["schedule"]["timezone"]) == (True, "Europe/Berlin")
