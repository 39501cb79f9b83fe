"""What Prefect keeps too long: runs of long ago, and a slot that nobody holds."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
    TaskRunFilterTags,
)
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound

from tasks.slot import limit_of

_OVER = [StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED]
_PAGE = 200
_MOST = 10_000
_LEASE_S = 65.0
"""A slot whose holder died comes back by itself after a minute."""


def old_runs(now: datetime, kept_days: int) -> int:
    """Delete the runs that ended longer ago than so many days; how many."""
    until = FlowRunFilterEndTime(before_=now - timedelta(days=kept_days))
    over = FlowRunFilterState(type=FlowRunFilterStateType(any_=_OVER))
    deleted = 0
    with get_client(sync_client=True) as client:
        while deleted < _MOST:
            page = client.read_flow_runs(
                flow_run_filter=FlowRunFilter(end_time=until, state=over), limit=_PAGE
            )
            for run in page:
                try:
                    client.delete_flow_run(run.id)
                except ObjectNotFound:
                    continue  # somebody else was quicker
            deleted += len(page)
            if len(page) < _PAGE:
                break
    return deleted


def leaked_slot(slot: str, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Free the GPU slot where it counts as taken and no task holds it; whether it did.

    A holder that died with the server once left it taken for good.
    """
    with get_client(sync_client=True) as client:
        if not _is_leaked(client, slot):
            return False
        sleep(_LEASE_S)
        if not _is_leaked(client, slot):
            return False
        nobody = GlobalConcurrencyLimitUpdate(active_slots=0)
        client.update_global_concurrency_limit(limit_of(slot), nobody)
    return True


def _is_leaked(client: SyncPrefectClient, slot: str) -> bool:
    try:
        taken = client.read_global_concurrency_limit_by_name(limit_of(slot)).active_slots
    except ObjectNotFound:
        return False
    running = TaskRunFilter(
        tags=TaskRunFilterTags(all_=[slot]),
        state=TaskRunFilterState(type=TaskRunFilterStateType(any_=[StateType.RUNNING])),
    )
    return bool(taken) and not client.read_task_runs(task_run_filter=running, limit=1)
