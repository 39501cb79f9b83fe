"""A flow run killed in any of its steps, and retried as the dashboard does it."""

import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from deployments.station import Station
from engine.library.shelf import Library
from engine.library.sidecar import STEPS
from engine.odin.client import OdinClient
from engine.odin.documents import document_name
from engine.settings import Settings
from sandbox.demo_channel import DEMO_CHANNEL
from sandbox.spec import SandboxVideo

pytestmark = pytest.mark.e2e

# audit event, what its argument holds, seconds later
MOMENTS = {
    "metadata": ("os.rename", ".json", 0.0),
    "download": ("open", ".part", 0.0),
    "audio": ("socket.connect", ", ENGINE_PORT)", 0.1),
    "transcript": ("os.rename", ".transcript.json", 0.0),
    "write": ("os.rename", ".srt", 0.0),
    "upload": ("os.rename", ".vtt", 0.4),
}


def state_of(run_id: UUID, *wanted: str, deadline_s: float = 120) -> str:
    from prefect.client.orchestration import get_client

    deadline = time.monotonic() + deadline_s
    with get_client(sync_client=True) as client:
        while True:
            state = client.read_flow_run(run_id).state
            if state is not None and state.type.value in wanted:
                return str(state.type.value)
            assert time.monotonic() < deadline, f"{run_id} is {state} instead of {wanted}"
            time.sleep(0.5)


def press_retry(run_id: UUID) -> None:
    from prefect.client.orchestration import get_client
    from prefect.states import AwaitingRetry

    time.sleep(5)  # the worker reports a crash twice
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run_id, AwaitingRetry(), force=False)


@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_was_killed_goes_on_and_leaves_one_document(
    step: str,
    station: Station,
    new_video: Callable[..., SandboxVideo],
    settings: Settings,
    library: Library,
    kill_plan: Path,
) -> None:
    from tasks import queue
    from tasks.job import Job

    # moments are told by how long the work takes: each step has the talk that it was tried with
    video = new_video(DEMO_CHANNEL.all_videos()[STEPS.index(step)])
    port = station.engine.url.rsplit(":", 1)[1]
    plan = "\n".join(map(str, MOMENTS[step])).replace("ENGINE_PORT", port)
    kill_plan.write_text(plan, encoding="utf-8")
    run = queue.queue_video(video.id, Job(), again=True)
    state_of(run.run_id, "CRASHED")
    assert not kill_plan.exists()
    before = library.find(video.id)
    reached = library.read(before).steps if before else {}
    assert set(reached) <= set(STEPS[: STEPS.index(step) + 1])

    press_retry(run.run_id)
    state_of(run.run_id, "COMPLETED")
    entry = library.find(video.id)
    assert entry is not None
    sidecar = library.read(entry)
    assert {record.status for record in sidecar.steps.values()} == {"done"}
    assert set(sidecar.steps) == set(STEPS)
    with OdinClient(settings) as client:
        mine = [d for d in client.documents() if d.name == document_name(entry.stem)]
    assert [document.status for document in mine] == ["synced"]
    assert [*entry.folder.glob(".~*")] == []
    assert [*settings.prepared_dir.glob("*")] == []
