"""Finding what is new on a channel as tasks; what they do stands in engine/youtube."""

from prefect import task

from engine.library.shelf import Entry
from engine.steps import metadata as metadata_step
from engine.steps.discovery import Found, find_videos
from engine.youtube.selection import Selection
from tasks.job import Job
from tasks.retries import STEP


@task(name="discover", task_run_name="discover {channel}", **STEP)
def discover(channel: str, selection: Selection, job: Job) -> Found:
    """Plan every video that the selection holds; spends quota."""
    return find_videos(channel, selection, job.library(), job.settings())


@task(name="keep-metadata", **STEP)
def keep_metadata(found: Found, job: Job) -> list[Entry]:
    """Write a sidecar for every planned video, so that its run needs no call of its own."""
    library, settings = job.library(), job.settings()
    return [metadata_step.keep(library, item.video, settings) for item in found.planned]
