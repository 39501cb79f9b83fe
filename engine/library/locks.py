"""Locks between processes of this machine; the operating system frees them when a holder dies."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from engine.errors import Busy


@contextmanager
def held(folder: Path, kind: str, name: str, timeout_s: float = 60) -> Iterator[None]:
    """Hold the lock `kind` of `name`; waits for it at most `timeout_s`.

    Raises:
        Busy: another process held it all the time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # hashed: ids that differ in letter case only would share a file on Windows
    file = folder / f"{kind}-{hashlib.sha256(name.encode()).hexdigest()[:24]}.lock"
    lock = FileLock(file)
    try:
        lock.acquire(timeout=timeout_s)
    except Timeout:
        raise Busy(f"Another run is working on {name}; try again when it has ended.") from None
    try:
        yield
    finally:
        lock.release()
