"""Runs at work, as Prefect tells of them; needs Prefect, so import it inside a `Station`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    ArtifactFilterType,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import ArtifactSort, FlowRunSort

_AT_WORK = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING, StateType.SCHEDULED]
_UNHAPPY = {StateType.FAILED, StateType.CRASHED, StateType.CANCELLED}
_SOON = timedelta(minutes=5)
_SHOWN = 30


@dataclass(frozen=True)
class Work:
    """One run: `share` (0 to 1) and `heard` tell how far its transcription is, where that runs."""

    run_id: UUID
    name: str
    state: str
    message: str | None
    at_work: bool
    happy: bool
    started: datetime | None
    share: float | None = None
    heard: str | None = None


def at_work(flows: Iterable[str], asked: Iterable[UUID] = ()) -> list[Work]:
    """Runs of these flows that are begun or about to begin, and those that were asked for here."""
    soon = datetime.now(UTC) + _SOON
    of_flows = FlowFilter(name=FlowFilterName(any_=list(flows)))
    begun = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_AT_WORK)))
    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(
            flow_filter=of_flows,
            flow_run_filter=begun,
            sort=FlowRunSort.EXPECTED_START_TIME_ASC,
            limit=_SHOWN,
        )
        runs = {run.id: run for run in found if _is_near(run, soon)}
        if missing := [run_id for run_id in asked if run_id not in runs]:
            mine = FlowRunFilter(id=FlowRunFilterId(any_=missing[-_SHOWN:]))
            runs |= {run.id: run for run in client.read_flow_runs(flow_run_filter=mine)}
        progress = _progress(client, [run.id for run in runs.values() if run.state])
    return [_work(run, progress.get(run.id)) for run in runs.values() if run.state]


def _is_near(run: FlowRun, soon: datetime) -> bool:
    at = run.expected_start_time
    return at is None or at < soon


def _progress(client: SyncPrefectClient, runs: list[UUID]) -> dict[UUID, Any]:
    if not runs:
        return {}
    found = client.read_artifacts(
        artifact_filter=ArtifactFilter(
            flow_run_id=ArtifactFilterFlowRunId(any_=runs),
            type=ArtifactFilterType(any_=["progress"]),
        ),
        sort=ArtifactSort.UPDATED_DESC,
    )
    latest: dict[UUID, Any] = {}
    for one in found:
        if one.flow_run_id:
            latest.setdefault(one.flow_run_id, one)
    return latest


def _work(run: FlowRun, progress: Any | None) -> Work:
    state = run.state
    assert state is not None  # noqa: S101 - looked at before
    at_work = state.type in _AT_WORK
    bar = progress if at_work else None
    return Work(
        run_id=run.id,
        name=run.name,
        state=state.name or state.type.value,
        message=state.message,
        at_work=at_work,
        happy=state.type not in _UNHAPPY,
        started=run.start_time,
        share=float(bar.data) / 100 if bar else None,
        heard=bar.description if bar else None,
    )
