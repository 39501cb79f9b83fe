"""What was dragged into the page becomes a file of the library, whole or not at all."""

import shutil
from pathlib import Path
from typing import BinaryIO

from engine.library import atomic, names
from engine.library.shelf import LOCAL_FOLDER, Library

_NAME_BYTES = 120
_MOST_COPIES = 1000


def keep(name: str, content: BinaryIO, library: Library) -> Path:
    """Put a recording beside the library's other local files, under a name that is free.

    The name comes from a browser: only its last part counts, cleaned as titles are. The same
    content under the same name is the same file.

    Raises:
        DiskFull: no space is left.
    """
    folder = library.root / LOCAL_FOLDER
    stem, ending = _parts(name)
    for number in range(1, _MOST_COPIES):
        target = folder / f"{stem}{f' ({number})' if number > 1 else ''}{ending}"
        if not target.exists():
            return _written(target, content)
        if _same(target, content):
            return target
    raise FileExistsError(f"{_MOST_COPIES} files are called {stem}{ending}.")


def keep_for_upload(name: str, content: BinaryIO, folder: Path) -> Path:
    """Put a document where it is uploaded from; one of the same name takes its place."""
    stem, ending = _parts(name)
    return _written(folder / f"{stem}{ending}", content)


def _written(target: Path, content: BinaryIO) -> Path:
    content.seek(0)
    with atomic.replacing(target) as temporary, temporary.open("wb") as out:
        shutil.copyfileobj(content, out)
    return target


def _same(file: Path, content: BinaryIO) -> bool:
    content.seek(0, 2)
    if file.stat().st_size != content.tell():
        return False
    content.seek(0)
    with file.open("rb") as other:
        while chunk := other.read(1 << 20):
            if chunk != content.read(len(chunk)):
                return False
    return True


def _parts(name: str) -> tuple[str, str]:
    """Stem and extension that every system takes, from the last part of what a browser told."""
    given = Path(Path(name.replace("\\", "/")).name)
    stem = names.cut_bytes(names.clean_title(given.stem), _NAME_BYTES)
    ending = names.clean_title(given.suffix.lower()).strip()
    if not stem.strip("._ "):
        return "Recording", ending
    return names.channel_folder(stem), ending
