"""Local media files and folders, from the sound to an indexed document."""

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from engine.errors import TonspurError
from engine.library.local import media_files
from engine.odin.credentials import require_credentials
from engine.odin.signature import Signature
from engine.settings import PresetName
from engine.steps.local_way import placed
from engine.steps.upload import skip
from engine.whisper.client import Engine
from flows.endings import ending
from tasks import video as steps
from tasks.job import Job
from tasks.showing import show_transcript


@flow(name="process-file")
def process_file(
    paths: list[str],
    preset: PresetName | None = None,
    model: str | None = None,
    language: str | None = None,
    upload: bool = True,
    metadata: Signature | None = None,
    project: str | None = None,
) -> State[Any]:
    """Transcribe local media and bring the transcripts into the knowledge base.

    Args:
        paths: Media files, or folders that hold them, on the machine of the worker.
        preset: How much is transcribed at a time; the machine's setting if empty.
        model: Whisper model; the machine's setting if empty.
        language: Language code, or auto; the machine's setting if empty.
        upload: Bring the transcripts into the knowledge base.
        metadata: What the documents say of who is behind them; the machine's settings if empty.
        project: ODIN project; the machine's setting if empty.
    """
    job = Job(preset, model, language, metadata=metadata, project=project)
    failed: list[str] = []
    try:
        if upload:
            require_credentials(job.settings())
        files = list(media_files(Path(path) for path in paths))
        with Engine(job.settings(), steps.say) as engine:
            for file in files:
                try:
                    the_way(file, job, engine, upload)
                except TonspurError as error:
                    if error.stops_batch:
                        raise
                    failed.append(str(error))
    except TonspurError as error:
        return ending(error)
    if failed:
        return Failed(name=f"{len(failed)} of {len(files)} failed", message=" ".join(failed))
    return Completed(message=f"{len(files)} files are transcribed.")


def the_way(file: Path, job: Job, engine: Engine, upload: bool) -> None:
    """Steps 3 to 6."""
    library = job.library()
    entry = placed(library, file)
    with library.way(entry.video_id, entry.folder):
        steps.audio(entry, job, engine)
        steps.transcript(entry, job, engine)
        steps.write(entry, job)
        if upload:
            steps.upload(entry, job)
        else:
            skip(library, entry, "not asked for")
        library.ended(entry.video_id, entry.folder)
        show_transcript(entry, library.read(entry))
