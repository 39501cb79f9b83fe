"""The one GPU slot, as the dashboard shows it."""

import time
from pathlib import Path

import pytest

from deployments.station import Station
from sandbox.voice import speak
from tasks.queue import wait_for
from tasks.slot import AWAITING

pytestmark = pytest.mark.e2e


def test_a_run_that_waits_for_the_slot_says_so_and_then_moves(
    station: Station, tmp_path: Path
) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        ArtifactFilter,
        ArtifactFilterFlowRunId,
        FlowRunFilter,
        FlowRunFilterId,
    )
    from prefect.concurrency.sync import concurrency
    from prefect.deployments import run_deployment

    speak("The bridge was closed for the whole winter.", "en", tmp_path / "bridge.wav")
    parameters = {"paths": [str(tmp_path)], "upload": False}
    with concurrency("tag:gpu", strict=True, lease_duration=60), get_client(sync_client=True) as it:
        run = run_deployment(
            "process-file/process-file", parameters=parameters, timeout=0, as_subflow=False
        )
        mine = FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))
        deadline = time.monotonic() + 60
        while True:
            tasks = {task.name: task.state_name for task in it.read_task_runs(flow_run_filter=mine)}
            if AWAITING in tasks.values():
                break
            assert time.monotonic() < deadline, tasks
            time.sleep(0.3)
        [waiting] = [name for name, state in tasks.items() if state == AWAITING]
        assert waiting.startswith("transcript ")

    [ended] = wait_for([run.id], deadline_s=90).values()
    assert ended.happy, ended
    with get_client(sync_client=True) as it:
        states = {task.name: task.state_name for task in it.read_task_runs(flow_run_filter=mine)}
        assert set(states.values()) == {"Completed"}
        of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
        deadline = time.monotonic() + 10
        while True:
            bars = [a for a in it.read_artifacts(artifact_filter=of_run) if a.type == "progress"]
            if bars and bars[0].data == 100.0:
                break
            assert time.monotonic() < deadline, bars
            time.sleep(0.2)
    assert "done in" in str(bars[0].description)
