"""One deployment run per video: created once, waited for, looked up."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.deployments import run_deployment
from prefect.runtime import deployment, flow_run

from engine.errors import ServiceTrouble
from engine.library.outcome import Outcome
from engine.library.shelf import Library
from engine.steps.recording import fingerprint
from tasks.job import Job

VIDEO_DEPLOYMENT_NAME = "process-video"
VIDEO_DEPLOYMENT = f"{VIDEO_DEPLOYMENT_NAME}/{VIDEO_DEPLOYMENT_NAME}"
STARTS = 10
"""So often a run that crashes is begun; then it is left to people."""
_REVIVED_WITHIN = timedelta(seconds=20)
_UNHAPPY = {StateType.FAILED, StateType.CRASHED, StateType.CANCELLED}
_LOOK_SECONDS = 1.0
_IDS_AT_ONCE = 100


@dataclass(frozen=True)
class Queued:
    """A run that was asked for; `ended` when Prefect knew it already and it came to nothing."""

    video_id: str
    run_id: UUID
    ended: "Ended | None" = None


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    run_id: UUID
    state: str
    happy: bool
    message: str | None


def queue_video(
    video_id: str,
    job: Job,
    *,
    upload: bool = True,
    name: str | None = None,
    not_before: datetime | None = None,
    again: bool = False,
) -> Queued:
    """Ask for a run of one video, once per attempt.

    Prefect answers a known key with the old run, whatever became of it. With `again` an old run
    that failed, crashed or was cancelled is followed by a new one.
    """
    number = attempts(video_id, job.library())
    while True:
        wishes = fingerprint(job.parameters(), upload)
        before = time.time()
        run = cast(
            FlowRun,
            run_deployment(
                VIDEO_DEPLOYMENT,
                parameters={"video": video_id, "upload": upload, **job.parameters()},
                scheduled_time=not_before,
                flow_run_name=name or video_id,
                timeout=0,
                as_subflow=False,
                idempotency_key=f"{video_id}:{wishes}:{number}",
            ),
        )
        earlier = run.created is not None and run.created.timestamp() < before - 1
        if not (earlier and run.state is not None and run.state.type in _UNHAPPY):
            return Queued(video_id, run.id)
        if not again:
            return Queued(video_id, run.id, _ended(run))
        number += 1


def queue_this_again(not_before: datetime) -> None:
    """A run of its own for later, of the same deployment with the same parameters, once."""
    parameters = flow_run.parameters
    deployment_id = deployment.id
    if not deployment_id:
        return  # called as a function: nobody but the caller could start it again
    run_deployment(
        UUID(deployment_id),
        parameters=parameters,
        scheduled_time=not_before,
        flow_run_name=flow_run.name,
        timeout=0,
        as_subflow=False,
        idempotency_key=f"{deployment_id}:{fingerprint(parameters)}:{not_before.isoformat()}",
    )


def with_its_end(said: Outcome, end: Ended | None) -> Outcome:
    """What the sidecar says; the end of the run where that was bad and the sidecar cannot know."""
    if end is None or end.happy or said.status == "failed":
        return said
    reason = f"{end.state}: {end.message or 'the run did not end by itself'}"
    return said.model_copy(update={"status": "failed", "reason": reason})


def attempts(video_id: str, library: Library) -> int:
    """How many runs of the video came to an end."""
    entry = library.find(video_id)
    return library.read(entry).attempts if entry else 0


def wait_for(
    runs: Iterable[UUID],
    *,
    sleep: Callable[[float], None] = time.sleep,
    look: Callable[[dict[UUID, FlowRun]], None] = lambda runs: None,
    deadline_s: float | None = None,
) -> dict[UUID, Ended]:
    """Wait until every run has ended; `look` sees all of them at each poll.

    Raises:
        ServiceTrouble: they did not end before the deadline.
    """
    wanted = list(dict.fromkeys(runs))
    started = time.monotonic()
    with get_client(sync_client=True) as client:
        while True:
            found = _read(client, wanted)
            look(found)
            ended = {run_id: _ended(run) for run_id, run in found.items() if _is_over(run)}
            if len(ended) == len(wanted):
                return ended
            if deadline_s is not None and time.monotonic() - started > deadline_s:
                late = [run for run_id, run in found.items() if run_id not in ended]
                raise ServiceTrouble(f"Runs did not end in time: {_named(late)}.")
            sleep(_LOOK_SECONDS)


def _read(client: SyncPrefectClient, wanted: list[UUID]) -> dict[UUID, FlowRun]:
    found: dict[UUID, FlowRun] = {}
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        ids = wanted[start : start + _IDS_AT_ONCE]
        chosen = FlowRunFilter(id=FlowRunFilterId(any_=ids))
        runs = client.read_flow_runs(flow_run_filter=chosen, limit=_IDS_AT_ONCE)
        found |= {run.id: run for run in runs}
    return found


def _is_over(run: FlowRun) -> bool:
    """Whether it has ended for good; one that crashed a moment ago may begin again."""
    if run.state is None or not run.state.is_final():
        return False
    if not run.state.is_crashed() or run.run_count >= STARTS:
        return True
    return datetime.now(UTC) - run.state.timestamp > _REVIVED_WITHIN


def _named(runs: Iterable[FlowRun]) -> str:
    return ", ".join(f"{run.name} ({run.state_name})" for run in runs) or "Prefect knows none"


def _ended(run: FlowRun) -> Ended:
    state = run.state
    if state is None:
        raise ServiceTrouble(f"Prefect knows no state of run {run.id}.")
    return Ended(run.id, state.name or state.type.value, state.type not in _UNHAPPY, state.message)
