"""Housekeeping at a real server."""

from datetime import UTC, datetime, timedelta

import pytest

from deployments.station import Station
from engine.settings import Settings

pytestmark = pytest.mark.e2e


def test_old_runs_go_a_leaked_slot_is_freed_and_the_day_is_told(
    station: Station, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    from flows.housekeeping import housekeeping
    from tasks import pruning

    @flow
    def nothing() -> None:
        """Is over at once."""

    state = nothing(return_state=True)
    run_id = state.state_details.flow_run_id
    assert run_id is not None
    this = FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))
    with get_client(sync_client=True) as client:
        assert pruning.old_runs(datetime.now(UTC), 1) == 0
        assert len(client.read_flow_runs(flow_run_filter=this)) == 1
        assert pruning.old_runs(datetime.now(UTC) + timedelta(days=2), 1) >= 1
        assert client.read_flow_runs(flow_run_filter=this) == []

        taken = GlobalConcurrencyLimitUpdate(active_slots=1)
        client.update_global_concurrency_limit("tag:gpu", taken)
        waited: list[float] = []
        assert pruning.leaked_slot("gpu", waited.append)
        assert client.read_global_concurrency_limit_by_name("tag:gpu").active_slots == 0
        assert waited == [65.0]
        assert not pruning.leaked_slot("gpu", waited.append)

    ended = housekeeping(return_state=True)
    assert ended.is_completed(), ended
    assert "GB are free" in (ended.message or "")
    monkeypatch.setenv("DISK_LEAST_GB", "1000000000")
    full = housekeeping(return_state=True)
    assert (full.is_failed(), full.name) == (True, "Little disk space")
