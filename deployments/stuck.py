"""Whether the database of our Prefect server is held by a transaction that never ends."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

LONGEST_S = 90.0
"""No honest transaction of the server takes so long."""
_LOOK_SECONDS = 5.0


class LockedDatabase:
    """Tries now and then whether somebody could write.

    A server that holds its own write lock answers and reads, but nothing goes on; only a new one
    helps. `prefect_server` mends the cause that was found (3.8.8); this is for one that was not.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._clock = clock
        self._looked_at = self._free_at = clock()

    def is_stuck(self) -> bool:
        """Whether nobody could write for a minute and a half, whenever it was tried."""
        now = self._clock()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            if not self._file.is_file() or self._is_free():
                self._free_at = now
        return now - self._free_at > LONGEST_S

    def forget(self) -> None:
        """The server begins anew."""
        self._looked_at = self._free_at = self._clock()

    def _is_free(self) -> bool:
        try:
            with closing(sqlite3.connect(self._file, timeout=0.1, isolation_level=None)) as store:
                store.execute("BEGIN IMMEDIATE")
                store.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return False
        return True
