"""Taking over: media copied, steps recorded as done, so that no run fetches or hears it again."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.adoption.plan import ADOPTED, Planned, plan
from engine.audio.probing import probe
from engine.errors import TonspurError
from engine.library import atomic
from engine.library.local import file_id
from engine.library.shelf import LOCAL_FOLDER, Entry, Library, written_at
from engine.settings import Settings
from engine.steps import marks
from engine.steps.recording import recorded, versions
from engine.steps.write import write
from engine.transcript import Transcript, ordered
from engine.video import Video

UNKNOWN = "unknown"
"""Model and preset of an old transcript: nothing tells them."""


class AdoptRow(BaseModel):
    """What became or would become of one recording."""

    model_config = ConfigDict(frozen=True)

    path: Path
    video_id: str | None = None
    status: Literal["planned", "done", "skipped", "failed"]
    reason: str | None = None
    bytes: int = Field(default=0, exclude=True)
    """Size of the media that were or would be copied."""


def adopt(folder: Path, settings: Settings, *, yes: bool) -> Iterator[AdoptRow]:
    """Take over what a folder of the predecessor's holds, or with `yes` false tell what would be.

    The folder is not changed. What cannot be taken is a row, and the rest goes on; a second time,
    or after an interruption, only what is missing is done.

    Raises:
        BadAddress: there is no such folder.
        DiskFull, NoPermission: nothing more can be written.
    """
    library = Library(settings)
    for planned in plan(folder, library):
        yield _row(planned, library, settings, yes=yes)


def _row(planned: Planned, library: Library, settings: Settings, *, yes: bool) -> AdoptRow:
    path, video_id = planned.group.path, planned.video_id
    if planned.failed:
        return AdoptRow(path=path, video_id=video_id, status="failed", reason=planned.failed)
    if planned.skipped:
        return AdoptRow(path=path, video_id=video_id, status="skipped", reason=planned.skipped)
    size, said = planned.bytes, _said(planned)
    if not yes:
        return AdoptRow(path=path, video_id=video_id, status="planned", reason=said, bytes=size)
    try:
        with library.way(str(video_id)):
            _take(planned, library, settings)
    except TonspurError as error:
        if error.stops_batch:
            raise
        return AdoptRow(path=path, video_id=video_id, status="failed", reason=str(error))
    except OSError as error:
        said = f"{error.strerror or error}: {error.filename or path}"
        return AdoptRow(path=path, video_id=video_id, status="failed", reason=said)
    return AdoptRow(path=path, video_id=video_id, status="done", reason=said, bytes=size)


def _said(planned: Planned) -> str:
    """What there is of it, in words."""
    text = planned.text
    count = len(text.drafts) if text else 0
    parts = [
        f"media ({', '.join(file.suffix[1:] for file in planned.group.media)})"
        if planned.group.media
        else "no media",
        f"{count} segments" if text and text.timed else "text without times" if text else "no text",
    ]
    if planned.who and planned.who.video is None:
        parts.append("as a local recording")
    if planned.who and planned.who.remark:
        parts.append(planned.who.remark)
    return ", ".join(parts)


def _take(planned: Planned, library: Library, settings: Settings) -> None:
    entry = _placed(planned, library)
    length_s = _media(planned, library, entry)
    if planned.text is None:
        return
    sidecar = library.read(entry)
    mark = marks.of_transcript(sidecar, settings)
    with recorded(library, entry, "transcript", mark, versions()) as details:
        length_s = max(length_s, planned.text.length_s)
        made = Transcript(
            language=None,
            duration_s=round(length_s, 3),
            model=UNKNOWN,
            preset=UNKNOWN,
            segments=ordered(planned.text.drafts, length_s),
        )
        atomic.write_text(entry.transcript, made.model_dump_json(indent=1) + "\n")
        details |= {
            "cause": ADOPTED,
            "model": UNKNOWN,
            "preset": UNKNOWN,
            "duration_s": made.duration_s,
            "engine_s": 0.0,
        }
    if "audio" not in library.read(entry).steps:
        library.record(entry, "audio", written_at("skipped", cause=ADOPTED))
    write(library, entry)
    if not library.read(entry).attempts:
        library.ended(entry.video_id, entry.folder)


def _placed(planned: Planned, library: Library) -> Entry:
    """Its place; what the library knows of a video already is better than what the old one says."""
    known = library.find(str(planned.video_id))
    if known is None:
        known = library.place(_video(planned), _local_folder(planned, library))
    if "metadata" not in library.read(known).steps:
        mark = marks.of_metadata(known.video_id)
        status: Literal["done", "skipped"] = "done" if _is_of_youtube(planned) else "skipped"
        library.record(known, "metadata", written_at(status, fingerprint=mark, cause=ADOPTED))
    return known


def _is_of_youtube(planned: Planned) -> bool:
    return planned.who is not None and planned.who.video is not None


def _local_folder(planned: Planned, library: Library) -> Path | None:
    return None if _is_of_youtube(planned) else library.root / LOCAL_FOLDER


def _video(planned: Planned) -> Video:
    who = planned.who
    if who is None:
        raise ValueError("planned without an identity")
    if who.video:
        return who.video
    return Video(video_id=str(planned.video_id), published_at=who.published_at, title=who.title)


def _media(planned: Planned, library: Library, entry: Entry) -> float:
    """Copy the media and record them as fetched; their length in seconds, 0 without any."""
    before = library.read(entry).steps.get("download")
    if not planned.group.media:
        if before is None:
            note = written_at("skipped", cause=f"{ADOPTED} without media")
            library.record(entry, "download", note)
        return 0.0
    copies = [_copied(file, entry) for file in planned.group.media]
    first, length_s = copies[0], probe(copies[0]).duration_s or 0.0
    if before is not None and before.status == "done":
        return length_s
    details = {
        "sha256": file_id(first)[1],
        "media": first.name if _is_of_youtube(planned) else str(first),
        "bytes": first.stat().st_size,
        "duration_s": round(length_s, 2),
    }
    if _is_of_youtube(planned):
        mark = marks.of_download(entry.video_id)
        record = written_at("done", fingerprint=mark, cause=ADOPTED, **details)
    else:
        record = written_at("skipped", cause="local file", **details)
    library.record(entry, "download", record)
    return length_s


def _copied(file: Path, entry: Entry) -> Path:
    """The file under its new name; whole or not at all, and with its own times."""
    target = entry.file(file.suffix.lower())
    if target.exists() and target.stat().st_size == file.stat().st_size:
        return target
    if target.exists():
        raise FileExistsError(17, "another file has its place", str(target))
    with atomic.replacing(target, file.suffix.lower()) as temporary:
        shutil.copy2(file, temporary)
    return target
