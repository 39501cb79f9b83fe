"""Which files a list of paths means: folders are walked, what is no document is left out."""

import json
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.odin.documents import DOCUMENT_TYPES
from engine.video import Video

_LONGEST_SIDECAR = 8 * 1024 * 1024
_MEDIA = frozenset({".mp3", ".mp4"})


@dataclass(frozen=True)
class Chosen:
    """One file; `refused` says why a path that was named outright is none."""

    path: Path
    refused: str = ""


def chosen_files(
    paths: Sequence[Path], include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Iterator[Chosen]:
    """Each file once, in the order of the paths, inside a folder by name.

    `include` and `exclude` are patterns such as `*.pdf` or `drafts/*`, for the name or the path
    inside the folder, in any letter case; without an `include` everything is in.

    A folder gives the ten types only, without hidden files and folders, Tonspur's temporary names,
    and what Tonspur keeps beside a transcript (sidecar, segments, media). A file that is named
    outright is always given, whatever it is; links to folders are not followed.
    """
    seen: set[str] = set()
    for path in paths:
        for chosen in _meant(path.expanduser(), include, exclude):
            identity = place_of(chosen.path)
            if identity not in seen:
                seen.add(identity)
                yield chosen


def place_of(path: Path) -> str:
    """The one way to write a file's path, links followed, letter case folded where it is."""
    return os.path.normcase(os.path.realpath(path))


def sidecar_of(transcript: Path) -> Video | None:
    """The video of a transcript that Tonspur or its predecessor wrote; None for any other file."""
    if transcript.suffix.lower() != ".txt":
        return None
    fields = json_object(transcript.with_suffix(".json"))
    if not {"videoId", "publishedAt", "title"} <= fields.keys():
        return None
    try:
        return Video.model_validate(fields)
    except ValidationError:
        return None


def json_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where there is no such file, or something else in it."""
    try:
        if path.stat().st_size > _LONGEST_SIDECAR:
            return {}
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _meant(path: Path, include: Sequence[str], exclude: Sequence[str]) -> Iterator[Chosen]:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        yield Chosen(path, refused=f"{path} does not exist.")
    except OSError as error:
        yield Chosen(path, refused=f"{path} cannot be read: {error.strerror}.")
    else:
        if stat.S_ISDIR(mode):
            for chosen in _walked(path):
                inside = chosen.path.relative_to(path).as_posix()
                wanted = not include or _matches(inside, include)
                if chosen.refused or (wanted and not _matches(inside, exclude)):
                    yield chosen
        else:
            yield Chosen(path)


def _matches(inside: str, patterns: Sequence[str]) -> bool:
    shown = inside.casefold()
    name = shown.rpartition("/")[2]
    folded = [pattern.casefold() for pattern in patterns]
    return any(fnmatchcase(shown, one) or fnmatchcase(name, one) for one in folded)


def _walked(folder: Path) -> Iterator[Chosen]:
    refused: list[Chosen] = []

    def unreadable(error: OSError) -> None:
        refused.append(Chosen(Path(error.filename), refused=f"cannot be read: {error.strerror}."))

    for place, folders, names in os.walk(folder, onerror=unreadable):
        here = Path(place)
        folders[:] = sorted(name for name in folders if not _is_hidden(here / name))
        for name in sorted(names):
            path = here / name
            if _is_document(path) and not _belongs_to_a_transcript(path):
                yield Chosen(path)
    yield from refused


def _is_document(path: Path) -> bool:
    return path.suffix.lower() in DOCUMENT_TYPES and not _is_hidden(path) and path.is_file()


def _is_hidden(path: Path) -> bool:
    if path.name.startswith((".", "~$")):  # ~$: the lock file that Word puts beside a document
        return True
    try:
        attributes = getattr(path.lstat(), "st_file_attributes", 0)
    except OSError:
        return False
    return bool(attributes & stat.FILE_ATTRIBUTE_HIDDEN)


def _belongs_to_a_transcript(path: Path) -> bool:
    """Sidecar, segments, media of a video, or the folder's `channel.json`."""
    suffix = path.suffix.lower()
    if path.name == "channel.json":
        return {"handle", "title"} <= json_object(path).keys()
    if path.name.endswith(".transcript.json"):
        stem = path.name.removesuffix(".transcript.json")
        return path.with_name(f"{stem}.txt").exists() or path.with_name(f"{stem}.json").exists()
    if suffix == ".json" or suffix in _MEDIA:
        return sidecar_of(path.with_suffix(".txt")) is not None
    return False
