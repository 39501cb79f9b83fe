"""The ledger: what each API key has spent on each Pacific day, shared by all processes."""

import hashlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from filelock import FileLock
from pydantic import SecretStr

from engine.errors import BadSettings, DiskFull, ServiceTrouble

Bucket = Literal["units", "searches"]
PACIFIC = ZoneInfo("America/Los_Angeles")
"""Google starts a new quota day at midnight there, summer time included."""

_BUSY_S = 30.0
_TABLE = """
CREATE TABLE IF NOT EXISTS spending (
    key TEXT NOT NULL,
    day TEXT NOT NULL,
    bucket TEXT NOT NULL,
    spent INTEGER NOT NULL DEFAULT 0,
    exhausted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (key, day, bucket)
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class Spent:
    """What one key has spent today, and whether Google said that its pot is empty."""

    units: int = 0
    searches: int = 0
    units_exhausted: bool = False
    searches_exhausted: bool = False

    def exhausted(self, bucket: Bucket) -> bool:
        """Whether Google said that this bucket is empty."""
        return self.units_exhausted if bucket == "units" else self.searches_exhausted


def now_utc() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def key_name(key: SecretStr) -> str:
    """How a key is called in the ledger and in messages: 12 hex digits of its SHA-256."""
    return hashlib.sha256(key.get_secret_value().encode()).hexdigest()[:12]


def pacific_day(now: datetime) -> str:
    """The quota day of `now`, as YYYY-MM-DD."""
    return now.astimezone(PACIFIC).date().isoformat()


def next_reset(now: datetime) -> datetime:
    """The next Pacific midnight after `now`, in UTC."""
    tomorrow = now.astimezone(PACIFIC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, PACIFIC).astimezone(UTC)


class Ledger:
    """Spending per key and Pacific day in one SQLite file; safe across threads and processes.

    Every method raises BadSettings when the file is no ledger, DiskFull, or ServiceTrouble when
    another process holds it for more than 30 seconds.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime] = now_utc) -> None:
        self._path = path
        self._clock = clock
        self._own = threading.local()

    def close(self) -> None:
        """Lets go of the file in this thread; the next call opens it again."""
        base: sqlite3.Connection | None = getattr(self._own, "base", None)
        if base is not None:
            base.close()
            self._own.base = None

    def charge(self, key: str, budget: int, bucket: Bucket = "units", cost: int = 1) -> str | None:
        """Writes down `cost` before a request is sent.

        Returns the Pacific day that was charged; None, and nothing is charged, when the bucket is
        exhausted or would pass `budget`.
        """
        day = pacific_day(self._clock())
        with self._transaction() as base:
            row = base.execute(
                "SELECT spent, exhausted FROM spending WHERE key = ? AND day = ? AND bucket = ?",
                (key, day, bucket),
            ).fetchone()
            spent, exhausted = row or (0, 0)
            if exhausted or spent + cost > budget:
                return None
            base.execute(
                "INSERT INTO spending (key, day, bucket, spent) VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET spent = spent + excluded.spent",
                (key, day, bucket, cost),
            )
        return day

    def exhaust(self, key: str, day: str, bucket: Bucket = "units") -> None:
        """Marks the bucket as empty for that Pacific day: Google's word counts more than ours."""
        with self._transaction() as base:
            base.execute(
                "INSERT INTO spending (key, day, bucket, exhausted) VALUES (?, ?, ?, 1) "
                "ON CONFLICT DO UPDATE SET exhausted = 1",
                (key, day, bucket),
            )

    def spent(self, key: str) -> Spent:
        """What the key has spent on the present Pacific day."""
        with self._transaction() as base:
            rows = base.execute(
                "SELECT bucket, spent, exhausted FROM spending WHERE key = ? AND day = ?",
                (key, pacific_day(self._clock())),
            ).fetchall()
        found = {bucket: (spent, bool(exhausted)) for bucket, spent, exhausted in rows}
        units, no_units = found.get("units", (0, False))
        searches, no_searches = found.get("searches", (0, False))
        return Spent(units, searches, no_units, no_searches)

    def reset_at(self) -> datetime:
        """When the next quota day starts, in UTC."""
        return next_reset(self._clock())

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            base = self._connection()
            base.execute("BEGIN IMMEDIATE")
            with base:
                yield base
        except sqlite3.DatabaseError as error:
            self.close()
            trouble = _trouble(error, self._path)
        else:
            return
        raise trouble

    def _connection(self) -> sqlite3.Connection:
        """One per thread, kept open: opening and closing takes longer than a charge."""
        base: sqlite3.Connection | None = getattr(self._own, "base", None)
        if base is None:
            base = self._own.base = self._opened()
        return base

    def _opened(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Two processes that switch a new file to WAL at once get "locked" without any waiting.
        with FileLock(f"{self._path}.lock"):
            base = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
            try:
                base.execute("PRAGMA journal_mode = WAL")
                # Not even a killed process loses a charge; a power cut may, and Google counts too.
                base.execute("PRAGMA synchronous = NORMAL")
                base.execute(_TABLE)
            except sqlite3.DatabaseError:
                base.close()
                raise
        return base


def _trouble(error: sqlite3.DatabaseError, path: Path) -> BadSettings | DiskFull | ServiceTrouble:
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if primary in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return DiskFull(f"The quota ledger {path} cannot be written: {error}.")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return ServiceTrouble(f"The quota ledger {path} is held by another process.")
    return BadSettings(f"{path} cannot be used as quota ledger ({error}); move it away.")
