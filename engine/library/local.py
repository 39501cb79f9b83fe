"""Places of local recordings: transcripts stand beside the media, named like those of videos."""

import base64
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import EmptyFile, NotMedia
from engine.library.shelf import LOCAL_FOLDER, MEDIA_EXTENSIONS, Entry, Library, written_at
from engine.video import Video

_ID_LETTERS = 11
MEDIA = frozenset({*MEDIA_EXTENSIONS, ".aiff", ".m4b", ".mpg", ".mpeg", ".wma", ".wmv"})


def place_file(library: Library, media: Path) -> Entry:
    """The place of a local recording; the same content in the same folder keeps its place.

    Raises:
        NotMedia: there is no such file.
        EmptyFile: it holds no byte.
    """
    media = media.absolute()
    if not media.is_file():
        raise NotMedia(f"There is no file {media}.")
    if not media.stat().st_size:
        raise EmptyFile(f"{media.name} is empty.")
    video_id, sha256 = file_id(media)
    modified = datetime.fromtimestamp(media.stat().st_mtime, UTC).replace(microsecond=0)
    folder = media.parent if writable(media.parent) else library.root / LOCAL_FOLDER
    entry = library.find(video_id, folder)
    if entry is None:
        video = Video(video_id=video_id, published_at=modified, title=media.stem)
        entry = library.place(video, folder)
    if library.read(entry).steps.get("download") is None:
        note = {"cause": "local file", "sha256": sha256, "media": str(media)}
        library.record(entry, "metadata", written_at("skipped", cause="local file"))
        library.record(entry, "download", written_at("skipped", **note))
    return entry


def media_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files that were named, and the media in folders that were named, each once.

    In a folder only known media extensions count; hidden files and folders are left alone. A path
    that does not exist is passed on, so that it is reported like any other bad file.
    """
    seen: set[Path] = set()
    for path in paths:
        found = _inside(path) if path.is_dir() else [path]
        for file in found:
            if (whole := file.absolute()) not in seen:
                seen.add(whole)
                yield whole


def _inside(folder: Path) -> list[Path]:
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.suffix.lower() in MEDIA
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]


def file_id(path: Path) -> tuple[str, str]:
    """The id of a local recording, and the SHA-256 of its content that the id begins."""
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256")
    return base64.b32encode(digest.digest()).decode("ascii")[:_ID_LETTERS], digest.hexdigest()


def writable(folder: Path) -> bool:
    """Whether transcripts may be put there; what nobody may write is left alone by root too."""
    nobody = not folder.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    return not nobody and os.access(folder, os.W_OK)
