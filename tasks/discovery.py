"""Finding what is new on a channel as tasks; what they do stands in engine/youtube."""

from collections.abc import Sequence
from datetime import UTC, datetime

from prefect import task

from engine.library.shelf import Entry
from engine.steps import metadata as metadata_step
from engine.steps import remembrance
from engine.steps.channels import home
from engine.steps.discovery import Found, find_videos
from engine.youtube.selection import Selection
from engine.youtube.verdicts import Planned
from tasks.job import Job
from tasks.retries import STEP


@task(name="discover", task_run_name="discover {channel}", **STEP)
def discover(channel: str, selection: Selection, job: Job, cap: int | None = None) -> Found:
    """Plan every video that the selection holds; spends quota."""
    return find_videos(channel, selection, job.library(), job.settings(), cap)


@task(name="keep-metadata", **STEP)
def keep_metadata(wave: Sequence[Planned], job: Job) -> list[Entry]:
    """Write a sidecar for every video of a wave, so that its run needs no call of its own."""
    videos = [item.video for item in wave]
    return metadata_step.keep_all(job.library(), videos, job.settings(), datetime.now(UTC))


@task(name="remember", **STEP)
def remember(found: Found, rest: Sequence[Planned], job: Job) -> None:
    """Write down the channel, and what of it was left out; `rest` waits for the next sync."""
    folder = home(job.library(), found.channel, found.address)
    now = datetime.now(UTC)
    remembrance.keep(folder, found.selection, found.left_out, rest, job.settings(), now)
