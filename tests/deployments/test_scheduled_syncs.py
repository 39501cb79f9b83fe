"""Two channels on the same minute, and a manual sync beside a scheduled one."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from engine.library.shelf import Library
from engine.odin.client import OdinClient
from engine.settings import Settings
from engine.steps.status import statuses
from sandbox.life import Sandbox
from sandbox.spec import SandboxChannel, SandboxSpec, SandboxVideo
from tests.deployments.running_up import ROOT, running_up

pytestmark = pytest.mark.e2e

EVERY_MINUTE = """
channels:
  - {channel: "@first", cron: "* * * * *"}
  - {channel: "@second", cron: "* * * * *", timezone: Europe/Berlin}
"""
LONG_S = 7.0


def channel(name: str) -> SandboxChannel:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    videos = tuple(
        SandboxVideo(
            id=f"{name[:5]}-{number:05}",
            title=f"{name} {number}",
            published=start + timedelta(days=number),
            talk="tea",
        )
        for number in range(2)
    )
    return SandboxChannel(id=f"UC{name:x<22}", handle=f"@{name}", title=name.title(), videos=videos)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    spec = SandboxSpec(channels=(channel("first"), channel("second")))
    with Sandbox(tmp_path / "sandbox", spec=spec) as running:
        yield running


@pytest.fixture
def settings(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Settings]:
    """`tonspur up` with two channels by the clock; a sync takes seconds."""
    plan = tmp_path / "channels.yaml"
    plan.write_text(EVERY_MINUTE, encoding="utf-8")
    sandbox.fault(route="/youtube/v3/channels", delay_s=LONG_S, times=None)
    sandbox.fault(route="/feeds/*", delay_s=LONG_S, times=None)
    own = {"WHISPER_MODEL": "base", "CHANNELS_FILE": str(plan)}
    with running_up(sandbox.environment() | own, tmp_path, monkeypatch) as known:
        yield known


def syncs() -> list[Any]:
    """Every run of channel-sync that began, whoever asked for it."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        FlowFilter,
        FlowFilterName,
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType

    begun = FlowRunFilterStateType(not_any_=[StateType.SCHEDULED])
    with get_client(sync_client=True) as client:
        return client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=["channel-sync"])),
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=begun)),
        )


def until(condition: Any, deadline_s: float = 150) -> None:
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_all_run_and_no_channel_is_synced_twice_at_once(
    settings: Settings, sandbox: Sandbox, tmp_path: Path
) -> None:
    from prefect.deployments import run_deployment

    from tasks.queue import wait_for

    def running(handle: str) -> bool:
        mine = [run for run in syncs() if run.parameters["channel"] == handle]
        return any(run.state.is_running() for run in mine)

    until(lambda: running("@first") and running("@second"))
    manual = run_deployment(
        "channel-sync/channel-sync",
        parameters={"channel": "@first", "wait": True},
        timeout=0,
        as_subflow=False,
    )
    [ended] = wait_for([manual.id], deadline_s=150).values()
    assert ended.happy, ended
    until(lambda: len([run for run in syncs() if run.auto_scheduled]) >= 4)

    (tmp_path / "channels.yaml").write_text("channels: []", encoding="utf-8")
    subprocess.run([sys.executable, "-m", "deployments"], check=True, cwd=ROOT)
    until(lambda: all(run.state.is_final() for run in syncs()))
    runs = syncs()
    assert {run.state.type.value for run in runs} <= {"COMPLETED", "CANCELLED"}
    together = Counter(run.expected_start_time for run in runs if run.auto_scheduled)
    assert max(together.values()) == 2, "both channels on the same minute"

    worked = [run for run in runs if run.state.is_completed() and run.state.name != "Skipped"]
    for handle in ("@first", "@second"):
        mine = [run for run in worked if run.parameters["channel"] == handle]
        assert mine
        scheduled = [run for run in mine if run.auto_scheduled]
        for one, other in combinations(scheduled, 2):
            first, second = sorted((one, other), key=lambda run: run.start_time)
            assert first.end_time <= second.start_time, "limit 1 of its deployment"

    library = Library(settings)
    until(lambda: {v.state for v in statuses(library)} == {"done"}, 120)
    entries = list(library.entries())
    assert {library.read(entry).attempts for entry in entries} == {1}
    assert len(entries) == 4
    with OdinClient(settings) as client:
        documents = Counter(document.video_id for document in client.documents(recursive=True))
    assert documents == Counter(entry.video_id for entry in entries)
