"""Runs that crashed begin again by themselves, up to a limit."""

from datetime import UTC, datetime, timedelta

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import AwaitingRetry

from deployments.worker import WORK_POOL
from tasks.queue import STARTS

_SETTLED = timedelta(seconds=6)
"""A worker reports a crash twice, and the second report overwrote a retry (seen with 3.8.8)."""
_FORGOTTEN = timedelta(days=2)


def revive(now: datetime | None = None) -> list[str]:
    """Let every run of the work pool that crashed a moment ago begin again; their names.

    Runs that were started ten times, or crashed days ago, are left to people.
    """
    at = now or datetime.now(UTC)
    crashed = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.CRASHED]))
    ours = WorkPoolFilter(name=WorkPoolFilterName(any_=[WORK_POOL]))
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=crashed),
            work_pool_filter=ours,
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        )
        due = [run for run in runs if is_due(run, at)]
        for run in due:
            client.set_flow_run_state(run.id, AwaitingRetry(), force=False)
    return [run.name for run in due]


def is_due(run: FlowRun, now: datetime) -> bool:
    """Whether a crashed run is to begin again now."""
    if run.state is None or run.run_count >= STARTS:
        return False
    age = now - run.state.timestamp
    return _SETTLED <= age < _FORGOTTEN
