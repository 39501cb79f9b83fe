"""Media that Tonspur downloaded: where they are, and their end when they are not to be kept."""

import logging
from pathlib import Path
from typing import get_args

from engine.library.shelf import Entry, Library
from engine.library.sidecar import Sidecar, StepRecord, now
from engine.settings import MediaFormat, Settings
from engine.steps import marks

_log = logging.getLogger(__name__)


def fetched_media(entry: Entry, sidecar: Sidecar) -> Path | None:
    """The file that step 2 downloaded, whole, in whatever form; None where there is none.

    Media of local recordings are never it, nor is a file that changed since, nor one elsewhere.
    """
    record = sidecar.steps.get("download")
    forms: tuple[MediaFormat, ...] = get_args(MediaFormat)
    ours = {marks.of_download(entry.video_id, form) for form in forms}
    if record is None or record.status != "done" or record.fingerprint not in ours:
        return None
    name = str(record.detail("media"))
    file = entry.folder / name
    if Path(name).name != name or not file.is_file():
        return None
    return file if file.stat().st_size == record.detail("bytes") else None


def discard(library: Library, entry: Entry, settings: Settings) -> None:
    """Remove the downloaded media when `KEEP_MEDIA` says so and the transcript is written.

    Those in a form that was asked for stay: they were fetched to be kept. May run again after any
    kind of end: the file goes first, then the sidecar tells so.
    """
    sidecar = library.read(entry)
    record = sidecar.steps.get("download")
    if settings.keep_media or record is None:
        return
    written = entry.text.is_file() and marks.transcript_is_done(entry, sidecar, settings)
    if not written or not sidecar.is_done("download", marks.of_download(entry.video_id)):
        return
    file = fetched_media(entry, sidecar)
    if file is not None and not dropped(file):
        return
    if not marks.media(entry, sidecar).exists() and not record.detail("media_removed"):
        library.change(entry, without_media)


def dropped(file: Path) -> bool:
    """Remove a file; False where another program holds it: a later run finds it again."""
    try:
        file.unlink(missing_ok=True)
    except PermissionError:  # windows only: a player holds it
        _log.warning("%s is in use and stays", file)
        return False
    return True


def without_media(sidecar: Sidecar) -> Sidecar:
    """The sidecar of a video whose media were removed."""
    values = sidecar.steps["download"].model_dump() | {"media_removed": now().isoformat()}
    return sidecar.with_step("download", StepRecord.model_validate(values))
