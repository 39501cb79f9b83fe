"""A machine that is busy to the brim is slow, not dead: no healthy run is called Crashed.

TONSPUR_FULL_CPU=3600 keeps every core busy for an hour while a long sync runs.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil
import pytest

from engine.settings import Settings
from sandbox.life import Sandbox
from sandbox.spec import SandboxChannel, SandboxSpec, SandboxVideo
from tests.deployments.running_up import running_up

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif("TONSPUR_FULL_CPU" not in os.environ, reason="TONSPUR_FULL_CPU is not set"),
]

LASTS_S = float(os.environ.get("TONSPUR_FULL_CPU", "60"))
TALKS = ("harbor", "bread")
TIMES = (1, 6, 16)
SPIN = "while True: pass"


def long_channel() -> SandboxSpec:
    """More than an hour of work, from Shorts to videos of several minutes."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    videos = tuple(
        SandboxVideo(
            id=f"busy----{number:03}",
            title=f"Talk {number}",
            published=start + timedelta(days=number),
            talk=TALKS[number % len(TALKS)],
            times=TIMES[number % len(TIMES)],
        )
        for number in range(600)
    )
    made = SandboxChannel(id=f"UC{'b' * 22}", handle="@busy", title="Busy", videos=videos)
    return SandboxSpec(channels=(made,))


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Settings]:
    with Sandbox(tmp_path / "sandbox", spec=long_channel()) as sandbox:
        environment = sandbox.environment() | {"WHISPER_MODEL": "base"}
        with running_up(environment, tmp_path, monkeypatch) as known:
            yield known


@pytest.fixture
def burning(settings: Settings) -> Iterator[None]:
    """Twice as many busy processes as there are cores, beside Tonspur's own."""
    cores = os.cpu_count() or 1
    fires = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(2 * cores)]
    yield
    for fire in fires:
        fire.kill()
        fire.wait()


def states() -> tuple[Counter[str], dict[str, str]]:
    """How many runs are in each state, and why those crashed that ever did, by their names."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        now: Counter[str] = Counter()
        crashed = {}
        offset = 0
        while runs := client.read_flow_runs(limit=200, offset=offset):
            offset += len(runs)
            for run in runs:
                now[run.state.name if run.state else "none"] += 1
                if run.run_count > 1 or not (run.state and run.state.is_completed()):
                    for state in client.read_flow_run_states(run.id):
                        if state.is_crashed():
                            crashed[run.name] = f"{state.timestamp:%H:%M:%S} {state.message}"
        return now, crashed


@pytest.mark.usefixtures("settings", "burning")
def test_no_healthy_run_crashes_while_every_core_is_busy() -> None:
    from prefect.deployments import run_deployment

    parameters = {"channel": "@busy", "wait": True, "everything": True}
    run_deployment("channel-sync/channel-sync", parameters=parameters, timeout=0, as_subflow=False)
    begun, load, unanswered = time.monotonic(), [], 0
    while time.monotonic() - begun < LASTS_S:
        load.append(psutil.cpu_percent(interval=30))
        try:
            now, crashed = states()
        except httpx.HTTPError:
            unanswered += 1
            continue
        assert not crashed
    print(f"{time.monotonic() - begun:.0f} s at {sum(load) / len(load):.0f} % CPU: {dict(now)}")
    print(f"{unanswered} of {len(load)} looks without an answer")
    assert sum(load) / len(load) > 95
    assert now["Completed"] >= LASTS_S / 60, "somebody worked"
    assert now["Running"], "the sync has not come to its end"
