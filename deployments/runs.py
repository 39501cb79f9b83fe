"""Runs that a command asks for and waits for; needs Prefect, so import it inside a `Station`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
)
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from pydantic import TypeAdapter

from engine.errors import SyncFailed
from engine.library.outcome import Outcome, outcome
from engine.library.shelf import Library
from engine.library.sidecar import StepName, StepRecord
from engine.steps.later import Again, chosen
from engine.steps.summary import Summary
from tasks import again, queue
from tasks.job import Job
from tasks.report import OUTCOMES_KEY, SUMMARY_KEY

SYNC_DEPLOYMENT = "channel-sync/channel-sync"
_EARLY_ENDS = {"Deferred", "Skipped"}
_OUTCOMES = TypeAdapter(list[Outcome])
_SUMMARIES = TypeAdapter(list[Summary])


@dataclass(frozen=True)
class SyncEnd:
    """What became of a sync's videos; `remark` says why it did less than it was asked for."""

    outcomes: list[Outcome]
    summary: Summary
    remark: str | None = None


def sync(
    channel: str,
    parameters: Mapping[str, Any],
    look: Callable[[dict[UUID, FlowRun]], None] = lambda runs: None,
) -> SyncEnd:
    """Run a sync to its end.

    Raises:
        SyncFailed: it ended before it could report, and says why.
    """
    wanted = {"channel": channel, "wait": True, **parameters}
    run = cast(
        FlowRun,
        run_deployment(SYNC_DEPLOYMENT, parameters=wanted, timeout=0, as_subflow=False),
    )
    ended = queue.wait_for([run.id], look=look)[run.id]
    remark = f"{ended.state}: {ended.message or 'the sync did not end by itself'}"
    outcomes = _artifact(run.id, OUTCOMES_KEY)
    counts = _artifact(run.id, SUMMARY_KEY)
    if outcomes is not None and counts is not None:
        summary = _SUMMARIES.validate_json(counts)[0]
        early = ended.state in _EARLY_ENDS
        return SyncEnd(_OUTCOMES.validate_json(outcomes), summary, remark if early else None)
    if ended.happy:
        return SyncEnd([], Summary(found=0, new=0), remark)
    raise SyncFailed(remark)


def videos(
    ids: list[str],
    job: Job,
    upload: bool,
    look: Callable[[dict[UUID, FlowRun]], None] = lambda runs: None,
) -> Iterator[Outcome]:
    """Run single videos to their end, and say what became of each."""
    library = job.library()
    before = {video_id: _steps(video_id, library) for video_id in ids}
    runs = [queue.queue_video(video_id, job, upload=upload, again=True) for video_id in ids]
    ended = queue.wait_for((run.run_id for run in runs), look=look)
    for run in runs:
        entry = library.find(run.video_id)
        end = ended[run.run_id]
        if entry is None:
            reason = end.message or end.state
            yield Outcome(video_id=run.video_id, status="failed", reason=reason)
            continue
        sidecar = library.read(entry)
        said = outcome(entry, sidecar, fresh=sidecar.steps != before[run.video_id])
        yield queue.with_its_end(said, end)


def retried(
    wanted: Again, look: Callable[[dict[UUID, FlowRun]], None] = lambda runs: None
) -> Iterator[Outcome]:
    """Try failed videos again and wait for the end of their runs."""
    job = Job()
    library = job.library()
    known = again.known()
    failed = chosen(library, wanted, datetime.now(UTC), known.unexplained)
    tried = again.again(failed, known, job)
    ended = queue.wait_for((one.run_id for one in tried), look=look)
    named = {video.video_id: video for video in failed}
    for one in tried:
        entry, end = library.find(one.video_id), ended[one.run_id]
        if entry is None:
            reason, title = end.message or end.state, named[one.video_id].title
            yield Outcome(video_id=one.video_id, title=title, status="failed", reason=reason)
            continue
        yield queue.with_its_end(outcome(entry, library.read(entry)), end)


def _steps(video_id: str, library: Library) -> dict[StepName, StepRecord]:
    entry = library.find(video_id)
    return library.read(entry).steps if entry else {}


def _artifact(run_id: UUID, key: str) -> str | None:
    with get_client(sync_client=True) as client:
        mine = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
        found = client.read_artifacts(artifact_filter=mine)
    return next((str(item.data) for item in found if item.key == key), None)
