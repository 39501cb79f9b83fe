"""Runs whose processes are gone: nobody else would ever say that they ended."""

from datetime import UTC, datetime, timedelta

import psutil
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Crashed

from deployments.worker import WORK_POOL
from engine.running import is_alive

_BEGUN = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
_GRACE = timedelta(seconds=15)
"""A worker reports the death of a process by itself, if it lives."""
_STARTING = timedelta(seconds=60)
"""From the claim of a run to its process, at the busiest."""
_NAMELESS = timedelta(seconds=90)
"""The same for a run that does not say yet which worker claimed it: it may be another machine's."""
_WORKER_LABEL = "prefect.worker.name"
_RUN_VARIABLE = "PREFECT__FLOW_RUN_ID"


def mark_lost(worker: str, *, at_once: bool = False) -> list[str]:
    """Mark the begun runs of a worker of this machine whose processes are gone.

    A worker that died reports nothing, and its successor does not know what it had claimed.
    `at_once` is for a worker that has just been stopped: it starts nothing any more.

    Returns:
        Their names.
    """
    now = datetime.now(UTC)
    with get_client(sync_client=True) as client:
        later = now + (_NAMELESS if at_once else timedelta(0))
        lost = [run for run in _begun(client) if _is_lost(run, worker, later)]
        # What its process said last may have come between: a dead one says nothing more.
        still = [run for run in lost if client.read_flow_run(run.id).state_id == run.state_id]
        for run in still:
            gone = Crashed(message="Its process and its worker ended without a word; retry it.")
            client.set_flow_run_state(run.id, gone, force=True)
    return [run.name for run in still]


def _begun(client: SyncPrefectClient) -> list[FlowRun]:
    begun = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_BEGUN)))
    ours = WorkPoolFilter(name=WorkPoolFilterName(any_=[WORK_POOL]))
    return client.read_flow_runs(flow_run_filter=begun, work_pool_filter=ours)


def _is_lost(run: FlowRun, worker: str, now: datetime) -> bool:
    if run.state is None:
        return False
    age, pending = now - run.state.timestamp, run.state.type == StateType.PENDING
    claimed_by = run.labels.get(_WORKER_LABEL)
    if claimed_by is None:
        return pending and age > _NAMELESS
    if claimed_by != worker or _has_process(run):
        return False
    return age > (_STARTING if pending else _GRACE)


def _has_process(run: FlowRun) -> bool:
    if not run.infrastructure_pid:
        return False
    try:
        process = psutil.Process(int(run.infrastructure_pid))
        # process ids are given out again
        return is_alive(process) and process.environ().get(_RUN_VARIABLE) == str(run.id)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True  # somebody's; the heartbeat tells whether it is this run
