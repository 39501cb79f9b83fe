"""The way of a local recording without Prefect: steps 3 to 6, one after the other."""

from collections.abc import Callable
from pathlib import Path

from engine.audio.probing import probe
from engine.errors import MissingCredentials, TonspurError
from engine.library.local import place_file
from engine.library.outcome import Outcome, outcome
from engine.library.shelf import Entry, Library
from engine.odin.credentials import require_credentials
from engine.settings import Settings
from engine.steps import marks
from engine.steps.audio import audio, discard
from engine.steps.transcript import transcript
from engine.steps.upload import skip, upload
from engine.steps.write import write
from engine.transcript import Segment
from engine.whisper.client import Engine


def walk(
    file: Path,
    settings: Settings,
    engine: Engine,
    *,
    uploading: bool,
    progress: Callable[[float, float], None] = lambda done, total: None,
    segment: Callable[[Segment], None] = lambda segment: None,
) -> Outcome:
    """Transcribe one local recording and say what became of it; its failure is an outcome.

    Raises:
        TonspurError: a failure that the next file would meet as well.
    """
    library = Library(settings)
    try:
        entry = placed(library, file)
    except TonspurError as error:
        return Outcome(title=file.stem, status="failed", reason=str(error))
    with library.way(entry.video_id, entry.folder):
        known = marks.transcript_is_done(entry, library.read(entry), settings)
        try:
            audio(library, entry, settings, engine)
            transcript(library, entry, settings, engine, progress, segment)
            write(library, entry)
            discard(library.read(entry), settings)
            _upload(library, entry, settings, uploading)
        except TonspurError as error:
            if error.stops_batch:
                raise
        library.ended(entry.video_id, entry.folder)
        return outcome(entry, library.read(entry), fresh=not known)


def placed(library: Library, file: Path) -> Entry:
    """The place of a local recording; what is no media gets none, so nothing is left beside it.

    Raises:
        BadMedia: there is no sound to transcribe.
    """
    probe(file)
    return place_file(library, file)


def _upload(library: Library, entry: Entry, settings: Settings, uploading: bool) -> None:
    if not uploading:
        skip(library, entry, "not asked for")
        return
    try:
        require_credentials(settings)
    except MissingCredentials as error:
        skip(library, entry, str(error))  # the transcripts are worth having all the same
        return
    upload(library, entry, settings)
