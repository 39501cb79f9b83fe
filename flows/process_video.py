"""One YouTube video, from its address to an indexed document."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from engine.errors import Deferred, TonspurError
from engine.library.shelf import Entry
from engine.odin.credentials import require_credentials
from engine.odin.signature import Signature
from engine.settings import MediaFormat, PresetName
from engine.steps.upload import skip
from engine.whisper.client import Engine
from engine.youtube import addresses
from flows.endings import ending
from tasks import queue
from tasks import video as steps
from tasks.job import Job
from tasks.showing import introduce, show_transcript


@flow(name="process-video", flow_run_name="{video}")
def process_video(
    video: str,
    preset: PresetName | None = None,
    model: str | None = None,
    language: str | None = None,
    media: MediaFormat | None = None,
    upload: bool = True,
    metadata: Signature | None = None,
    project: str | None = None,
) -> State[Any]:
    """Transcribe one YouTube video and bring it into the knowledge base.

    Args:
        video: Address or 11-character id of the video.
        preset: How much is transcribed at a time; the machine's setting if empty.
        model: Whisper model, such as large-v3 or turbo; the machine's setting if empty.
        language: Language code, or auto; the machine's setting if empty.
        media: What is kept of the video: best sound, mp3 or mp4; the machine's setting if empty.
        upload: Bring the transcript into the knowledge base.
        metadata: What the document says of who is behind it; the machine's settings if empty.
        project: ODIN project; the machine's setting if empty.
    """
    job = Job(preset, model, language, media, metadata, project)
    try:
        video_id = addresses.video_id(video)
        if upload:
            require_credentials(job.settings())
        with job.library().way(video_id):
            entry = the_run(video_id, job, upload)
    except TonspurError as error:
        return ending(error)
    return Completed(message=str(entry.text))


def the_run(video_id: str, job: Job, upload: bool) -> Entry:
    """One attempt at the way; a deferred video gets a run of its own for later."""
    library = job.library()
    try:
        entry = the_way(video_id, job, upload)
    except TonspurError as error:
        library.ended(video_id)
        if isinstance(error, Deferred):
            queue.queue_video(video_id, job, upload=upload, not_before=error.not_before)
        raise
    library.ended(video_id)
    return entry


def the_way(video_id: str, job: Job, upload: bool) -> Entry:
    """The six steps; each looks first whether it is done."""
    entry = steps.metadata(video_id, job)
    introduce(entry, job.library().read(entry), job.settings())
    steps.download(entry, job)
    with Engine(job.settings(), steps.say) as engine:
        steps.audio(entry, job, engine)
        steps.transcript(entry, job, engine)
    steps.write(entry, job)
    if upload:
        steps.upload(entry, job)
    else:
        skip(job.library(), entry, "not asked for")
    show_transcript(entry, job.library().read(entry))
    return entry
