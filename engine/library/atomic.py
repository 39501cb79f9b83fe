"""Files that are either whole or not there."""

import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import DiskFull

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
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}{suffix}")
    try:
        yield temporary
        _replace(temporary, target)
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(f"No space left for {target.parent}: free some and retry.") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 with Unix line ends; after a crash the old or the new file is there, whole."""
    with replacing(target) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


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
