"""Runs whose processes are gone: nobody else would ever say that they ended."""

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import StateType
from prefect.states import Crashed

from deployments.worker import WORK_POOL

_BEGUN = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]


def mark_crashed(message: str) -> int:
    """Mark every begun run of the work pool as crashed; call it when no worker of it is left.

    Returns:
        How many there were.
    """
    begun = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_BEGUN)))
    ours = WorkPoolFilter(name=WorkPoolFilterName(any_=[WORK_POOL]))
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(flow_run_filter=begun, work_pool_filter=ours)
        for run in runs:
            client.set_flow_run_state(run.id, Crashed(message=message), force=True)
    return len(runs)
