"""Finding what is new on a channel as tasks; what they do stands in engine/youtube."""

from collections.abc import Sequence
from datetime import UTC, datetime

from prefect import task

from engine.library.shelf import Entry
from engine.steps import metadata as metadata_step
from engine.steps.discovery import Found, find_videos
from engine.youtube.selection import Selection
from engine.youtube.verdicts import Planned
from tasks.job import Job
from tasks.retries import STEP


@task(name="discover", task_run_name="discover {channel}", **STEP)
def discover(channel: str, selection: Selection, job: Job) -> Found:
    """Plan every video that the selection holds; spends quota."""
    return find_videos(channel, selection, job.library(), job.settings())


@task(name="keep-metadata", **STEP)
def keep_metadata(wave: Sequence[Planned], job: Job) -> list[Entry]:
    """Write a sidecar for every video of a wave, so that its run needs no call of its own."""
    library, settings, now = job.library(), job.settings(), datetime.now(UTC)
    return [metadata_step.keep(library, item.video, settings, now) for item in wave]
