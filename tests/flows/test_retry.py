"""Failed videos, tried again by command, by the clock, and from the dashboard."""

from collections.abc import Callable
from uuid import UUID

import pytest

from deployments.station import Station
from engine.library.shelf import Library
from engine.settings import Settings
from sandbox.life import Sandbox
from sandbox.spec import SandboxVideo
from tests.flows.test_channel_sync import lines, tonspur

pytestmark = pytest.mark.e2e


def run_of(video_id: str) -> tuple[UUID, str | None, int]:
    from tasks import again

    known = again.known()
    run = known.over[video_id]
    return run.id, run.state_name, run.run_count


def test_a_failed_upload_is_tried_again_by_the_same_run_and_its_first_steps_are_not(
    station: Station,
    sandbox: Sandbox,
    new_video: Callable[[], SandboxVideo],
    library: Library,
    settings: Settings,
) -> None:
    from prefect.client.orchestration import get_client

    from flows.endings import Cause
    from flows.retry_failed import retry_failed
    from tasks.queue import wait_for

    video = new_video()
    sandbox.fault(route="/v3/project/knowledge/add/file", status=422, times=None)
    failed = tonspur("video", video.id, "--json", "--metadata", "category=lecture")
    assert failed.returncode == 1
    run_id, name, count = run_of(video.id)
    assert (name, count) == ("Permanent: refused document", 1)
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(run_id)
        assert run.name.endswith(video.title)
        assert {"optimiert", "base"} < set(run.tags)

    *_, last = lines(tonspur("status", "--json"))
    assert last["summary"]["failed"] >= 1
    shown = tonspur("status").stdout
    assert "failed" in shown

    nothing = tonspur("retry", "--json")
    assert (nothing.returncode, nothing.stdout) == (0, ""), "a permanent failure waits for people"
    still = tonspur("retry", video.id, "--json")
    assert still.returncode == 1
    assert run_of(video.id)[::2] == (run_id, 2)

    sandbox.drop_faults()
    before = sandbox.counts().media_bytes
    # the station of these tests serves no clock: the flow is called as its run would call it
    ended = retry_failed(causes=[Cause["RefusedDocument"]], return_state=True)
    assert "1 of 1" in (ended.message or "")
    with Station(settings) as there:  # as a command does: who has died meanwhile is started again
        wait_for([run_id], look=lambda runs: there.check(), deadline_s=240)
    entry = library.find(video.id)
    assert entry is not None
    assert library.read(entry).steps["upload"].status == "done"
    assert sandbox.counts().media_bytes == before
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(run_id)
        assert run.state is not None
        assert (run.state.is_completed(), run.run_count) == (True, 3)
