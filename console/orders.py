"""Runs that are asked for here: through Prefect, as its own page would.

Needs a server: `behind.station().ready()` before an order.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment

from deployments.runs import SYNC_DEPLOYMENT
from engine.library.shelf import Library
from engine.steps.later import Again, chosen
from engine.youtube.selection import Selection
from tasks import again, queue
from tasks.job import Job


def sync(channel: str, selection: Selection, job: Job, *, upload: bool, cap: int | None) -> UUID:
    """Ask for a sync that works through its selection."""
    wishes = job.parameters() | {"upload": upload, "backlog_cap": cap, "wait": True}
    parameters = {"channel": channel, **selection.model_dump(mode="json"), **wishes}
    run = run_deployment(SYNC_DEPLOYMENT, parameters=parameters, timeout=0, as_subflow=False)
    return cast(FlowRun, run).id


def video(video_id: str, job: Job, *, upload: bool) -> UUID:
    """Ask for a run of one video; one that failed before gets another."""
    return queue.queue_video(video_id, job, upload=upload, again=True).run_id


def retry(videos: Sequence[str], job: Job) -> int:
    """Try these again, permanent failures too; how many have a run now that had none."""
    wanted = Again([], permanent=True, due=False, videos=list(videos))
    known = again.known()
    failed = chosen(Library(job.settings()), wanted, datetime.now(UTC), known.unexplained)
    return len(again.again(failed, known, job))
