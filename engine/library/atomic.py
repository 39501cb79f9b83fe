"""Files that are either whole or not there."""

import base64
import errno
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import DiskFull
from engine.library import names

TEMPORARY_PREFIX = ".~"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_WINDOWS_TRIES = 20


@contextmanager
def replacing(target: Path, suffix: str = "") -> Iterator[Path]:
    """A short temporary name in the target's folder that takes the target's place at the end.

    Nothing is left behind when the block fails.

    Raises:
        DiskFull: no space is left.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    rest = _letters(secrets.token_bytes(2), 3)
    temporary = target.with_name(f"{_marked(_owner(target))}{rest}{suffix}")
    try:
        yield temporary
        _replace(temporary, target)
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(f"No space left for {target.parent}: free some and retry.") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def sweep(folder: Path, video_id: str) -> None:
    """Remove what a killed process left half-written of a video; nobody else may be writing it."""
    for left in folder.glob(f"{_marked(video_id)}???"):
        left.unlink(missing_ok=True)


def is_older(path: Path, before: float) -> bool:
    """Whether it was last written before that time (s since 1970); False for what has just gone."""
    try:
        return path.stat().st_mtime < before
    except FileNotFoundError:
        return False


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 with Unix line ends; after a crash the old or the new file is there, whole."""
    with replacing(target) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def _owner(target: Path) -> str:
    """The video whose file it is; empty for other files."""
    stem = target.name.removesuffix(target.suffix)
    return names.id_of(stem) or names.id_of(Path(stem).stem) or ""


def _marked(video_id: str) -> str:
    digest = hashlib.sha256(f"temporary {video_id}".encode()).digest()
    return f"{TEMPORARY_PREFIX}{_letters(digest, 5)}"


def _letters(content: bytes, count: int) -> str:
    # base32 in one case: NTFS folds case
    return base64.b32encode(content).decode("ascii").lower()[:count]


def _replace(source: Path, target: Path) -> None:
    for _ in range(_WINDOWS_TRIES):
        try:
            source.replace(target)
        except PermissionError:
            if os.name != "nt":
                raise
            time.sleep(0.05)  # windows only: a virus scanner or reader holds the target
        else:
            return
    source.replace(target)  # windows only
