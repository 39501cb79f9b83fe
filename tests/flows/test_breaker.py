"""A rate limit in the middle of a sync: one video fails, the queued ones wait for their time."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deployments.station import Station
from engine.settings import Settings
from engine.youtube import pause
from sandbox.life import Sandbox
from sandbox.spec import SandboxChannel, SandboxVideo
from tests.json_lines import lines

pytestmark = pytest.mark.e2e

IDS = ("limited0001", "limited0002", "limited0003")
CHANNEL = SandboxChannel(
    id="UC" + "L" * 22,
    handle="@limited",
    title="Limited",
    videos=tuple(
        SandboxVideo(
            id=video_id, title=video_id, published=datetime(2026, 1, day, tzinfo=UTC), talk="tea"
        )
        for day, video_id in enumerate(IDS, start=1)
    ),
)


@pytest.fixture
def limited(sandbox: Sandbox, settings: Settings) -> Iterator[None]:
    """Another channel, and a YouTube that asks the first visitor for a pause."""
    before = sandbox.spec
    sandbox.change(before.model_copy(update={"channels": (*before.channels, CHANNEL)}))
    sandbox.fault(route="/watch/*", status=429, times=1)
    yield
    sandbox.drop_faults()
    sandbox.change(before)
    pause.lift(settings)


def sync(*extra: str) -> tuple[int, dict[str, dict[str, Any]], dict[str, int]]:
    done = subprocess.run(
        [sys.executable, "-m", "tonspur", "sync", "@limited", "--no-upload", "--json", *extra],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    *items, closing = lines(done)
    return done.returncode, {item["video_id"]: item for item in items}, closing["summary"]


def test_a_rate_limit_fails_one_video_and_queued_ones_wait(
    station: Station, sandbox: Sandbox, settings: Settings, limited: None
) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState
    from prefect.client.schemas.filters import FlowRunFilterStateType as Type
    from prefect.client.schemas.objects import StateType

    media_before = sandbox.counts().media_bytes
    status, items, summary = sync()
    assert status == 1
    assert sorted(item["status"] for item in items.values()) == ["deferred", "deferred", "failed"]
    assert (summary["failed"], summary["deferred"]) == (1, 2)
    assert sandbox.counts().media_bytes == media_before
    now = datetime.now(UTC)
    until = pause.until(settings, now)
    assert until is not None
    assert until > now + timedelta(minutes=50)

    later = FlowRunFilter(state=FlowRunFilterState(type=Type(any_=[StateType.SCHEDULED])))
    with get_client(sync_client=True) as client:
        waiting = client.read_flow_runs(flow_run_filter=later)
    mine = [run for run in waiting if run.parameters.get("video") in IDS]
    assert sorted(run.parameters["video"] for run in mine) == sorted(IDS)
    assert all(run.expected_start_time == until for run in mine)
