"""Where every video stands: what became of it, why, and when it is tried again."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from engine import errors
from engine.errors import Deferred, Permanent, Temporary, TonspurError
from engine.library.shelf import FAILED_FOLDER, Entry, Library
from engine.library.sidecar import STEPS, Sidecar, StepName, StepRecord

State = Literal["done", "waiting", "deferred", "failed"]
Sort = Literal["permanent", "temporary", "deferred"]


class VideoStatus(BaseModel):
    """One video or local recording; times in UTC, null for what is not there.

    `step` is the one that failed or waits, `cause` the leaf of the error tree, `sort` its base.
    `tries` counts the runs that met this failure one after the other.
    """

    model_config = ConfigDict(frozen=True)

    video_id: str
    title: str | None
    channel: str | None
    state: State
    step: StepName | None = None
    cause: str | None = None
    sort: Sort | None = None
    reason: str | None = None
    at: datetime | None = None
    tries: int = 0
    next_try: datetime | None = None
    transcript: Path | None = None
    media: Path | None = None
    """The recording, for local ones."""


def statuses(library: Library, folder: Path | None = None) -> Iterator[VideoStatus]:
    """Every video of the library, or of one channel's folder; then those that have no place."""
    for entry in library.entries_of(folder) if folder else library.entries():
        sidecar = Sidecar.read(entry.sidecar)
        if sidecar is not None and sidecar.steps:
            yield status_of(entry, sidecar)
    if folder is None:
        for file in sorted((library.root / FAILED_FOLDER).glob("*.json")):
            if found := _without_a_place(file):
                yield found


def status_of(entry: Entry, sidecar: Sidecar) -> VideoStatus:
    """Where one video stands."""
    video, download = sidecar.video, sidecar.steps.get("download")
    base: dict[str, Any] = {
        "video_id": entry.video_id,
        "title": video.title,
        "channel": video.channel_title,
        "transcript": entry.text if "write" in sidecar.steps and entry.text.is_file() else None,
        "media": download.detail("media") if download and video.address is None else None,
    }
    for step in STEPS:
        record = sidecar.steps.get(step)
        if record and record.status in ("failed", "deferred"):
            first = record.detail("first_try")
            tries = max(1, sidecar.attempts - first) if isinstance(first, int) else 1
            return VideoStatus(**base, **_trouble(step, record, tries))
    last = sidecar.steps.get("write")
    if last is None:
        return VideoStatus(**base, state="waiting")
    return VideoStatus(**base, state="done", at=last.at)


def leaf(cause: str | None) -> type[TonspurError]:
    """The error that a cause names; what no leaf is called after is a bug, and may pass."""
    found = getattr(errors, cause or "", None)
    return found if isinstance(found, type) and issubclass(found, TonspurError) else Temporary


def _trouble(step: StepName, record: StepRecord, tries: int) -> dict[str, Any]:
    error = leaf(record.cause)
    return {
        "state": "deferred" if record.status == "deferred" else "failed",
        "step": step,
        "cause": record.cause,
        "sort": _sort(error),
        "reason": record.error,
        "at": record.at,
        "tries": tries,
        "next_try": _next_try(error, record, tries),
    }


def _next_try(error: type[TonspurError], record: StepRecord, tries: int) -> datetime | None:
    if record.status == "deferred":
        return record.not_before
    if issubclass(error, Deferred):  # the one that met a bot wall: the breaker holds the others
        return record.at + timedelta(hours=Temporary.later_h[0])
    if tries > len(error.later_h):
        return None
    return record.at + timedelta(hours=error.later_h[tries - 1])


def _sort(error: type[TonspurError]) -> Sort:
    if issubclass(error, Permanent):
        return "permanent"
    return "deferred" if issubclass(error, Deferred) else "temporary"


def _without_a_place(file: Path) -> VideoStatus | None:
    """A video whose title nobody knows; None for what is no such file."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        record = StepRecord.model_validate(raw["steps"]["metadata"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None
    trouble = _trouble("metadata", record, max(1, int(raw.get("attempts") or 1)))
    return VideoStatus(video_id=file.stem, title=None, channel=None, **trouble)
