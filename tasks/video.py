"""The six steps of a video as tasks; what they do stands in engine/steps."""

import time
from collections.abc import Callable

from prefect import task
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.logging import get_run_logger

from engine.errors import ServiceTrouble
from engine.library.shelf import Entry
from engine.steps import audio as audio_step
from engine.steps import download as download_step
from engine.steps import media as media_step
from engine.steps import metadata as metadata_step
from engine.steps import transcript as transcript_step
from engine.steps import upload as upload_step
from engine.steps import write as write_step
from engine.whisper.client import Engine
from tasks.job import Job
from tasks.progress import MEDIA, ProgressBar
from tasks.retries import STEP
from tasks.slot import shown_as_waiting

_SLOT_PAUSES = (2, 5, 10, 20, 30)
"""Seconds between two questions for the GPU slot, where the server has died meanwhile."""


@task(name="metadata", task_run_name="metadata {video_id}", **STEP)
def metadata(video_id: str, job: Job) -> Entry:
    """Step 1: what is known about the video."""
    entry = metadata_step.metadata(job.library(), video_id, job.settings())
    get_run_logger().info("%s is %s", video_id, entry.stem)
    return entry


@task(name="download", task_run_name="download {entry.video_id}", **STEP)
def download(entry: Entry, job: Job) -> None:
    """Step 2: the media."""
    with ProgressBar(f"Download of {entry.video_id}", unit=MEDIA) as bar:
        download_step.download(job.library(), entry, job.settings(), progress=bar.show)


@task(name="audio", task_run_name="audio {entry.video_id}", **STEP)
def audio(entry: Entry, job: Job, engine: Engine) -> None:
    """Step 3: level audio and its windows."""
    audio_step.audio(job.library(), entry, job.settings(), engine)


def transcript(entry: Entry, job: Job, engine: Engine) -> None:
    """Step 4: what is said."""
    slot = job.settings().gpu_slot
    for pause in _SLOT_PAUSES:
        try:
            with shown_as_waiting("transcript", f"transcript {entry.video_id}", slot) as begin:
                transcript_in_slot.with_options(tags=[slot])(entry, job, engine, begin)
            return
        except ConcurrencySlotAcquisitionError:
            # the server was started again while it was asked (seen with 3.8.8)
            get_run_logger().warning("No slot from the Prefect server; asked again in %d s.", pause)
            time.sleep(pause)
    raise ServiceTrouble("The Prefect server does not hand out the GPU slot.")


@task(name="transcript", task_run_name="transcript {entry.video_id}", **STEP)
def transcript_in_slot(entry: Entry, job: Job, engine: Engine, begin: Callable[[], None]) -> None:
    """Step 4; the tag that it is called with makes it wait for the GPU slot."""
    begin()
    with ProgressBar(f"Transcription of {entry.video_id}") as bar:
        transcript_step.transcript(job.library(), entry, job.settings(), engine, progress=bar.show)


@task(name="write", task_run_name="write {entry.video_id}", **STEP)
def write(entry: Entry, job: Job) -> None:
    """Step 5: transcripts in all formats; what they were made of is not needed any more."""
    library, settings = job.library(), job.settings()
    write_step.write(library, entry)
    audio_step.discard(library.read(entry), settings)
    media_step.discard(library, entry, settings)


@task(name="upload", task_run_name="upload {entry.video_id}", **STEP)
def upload(entry: Entry, job: Job) -> None:
    """Step 6: one indexed document in the knowledge base."""
    upload_step.upload(job.library(), entry, job.settings())


def say(text: str) -> None:
    """Tell the operator, in the log of the run."""
    get_run_logger().info(text)
