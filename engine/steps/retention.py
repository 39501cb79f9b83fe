"""What is removed in time: media whose transcripts are written, and what the dead left behind."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from engine.errors import Busy
from engine.library.atomic import TEMPORARY_PREFIX, is_older
from engine.library.shelf import Library
from engine.library.sidecar import Sidecar
from engine.settings import Settings
from engine.steps.media import dropped, fetched_media, without_media

_ABANDONED = timedelta(days=7)
"""A part of a download goes on after hours and days of retries; nobody comes back after a week."""
_UNUSED_LOCK = timedelta(days=30)


@dataclass(frozen=True)
class Space:
    """A place and its free space in bytes; `is_little` by the settings."""

    place: Path
    free_bytes: int
    is_little: bool


def expire_media(library: Library, settings: Settings, now: datetime) -> list[Path]:
    """Remove downloaded media whose transcript was written `MEDIA_KEPT_DAYS` ago or longer.

    Without the setting nothing goes; media of local recordings never do.

    Returns:
        The files that are gone.
    """
    if settings.media_kept_days is None:
        return []
    until = now - timedelta(days=settings.media_kept_days)
    gone = []
    for entry in library.entries():
        sidecar = Sidecar.read(entry.sidecar)
        written = sidecar.steps.get("write") if sidecar else None
        if sidecar is None or written is None or written.status != "done" or written.at > until:
            continue
        file = fetched_media(entry, sidecar)
        if file is None or not entry.text.is_file():
            continue
        try:
            with library.way(entry.video_id, entry.folder, timeout_s=0):
                if dropped(file):
                    library.change(entry, without_media)
                    gone.append(file)
        except Busy:
            continue  # a run works on it: the next day will do
    return gone


def sweep(settings: Settings, now: datetime) -> list[Path]:
    """Remove what was half-written or prepared a week ago and never came to its end.

    Returns:
        The files and folders that are gone.
    """
    before = (now - _ABANDONED).timestamp()
    gone = [path for path in _leftovers(settings) if is_older(path, before)]
    for path in gone:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    _sweep_locks(settings, (now - _UNUSED_LOCK).timestamp())
    return gone


def spaces(settings: Settings) -> list[Space]:
    """The free space where the library and the state live."""
    least = settings.disk_least_gb * 1e9
    found = []
    for place in (settings.library_dir, settings.state_dir):
        there = next(path for path in (place, *place.parents) if path.exists())
        free = shutil.disk_usage(there).free
        found.append(Space(place, free, free < least))
    return found


def _leftovers(settings: Settings) -> Iterator[Path]:
    for folder in (settings.library_dir, *_inside(settings.library_dir)):
        if folder.is_dir():
            yield from folder.glob(f"{TEMPORARY_PREFIX}*")
    for folder in (settings.prepared_dir, settings.outbox_dir):
        yield from _inside(folder)


def _inside(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _sweep_locks(settings: Settings, before: float) -> None:
    """Lock files are empty and free themselves; only their number is worth a look."""
    for file in _inside(settings.locks_dir):
        if file.suffix == ".lock" and is_older(file, before):
            lock = FileLock(file)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            lock.release()
            file.unlink(missing_ok=True)
