"""What happened, counted on disk: requests, quota units, bytes, faults that wait."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from sandbox.faults import Fault

Bucket = Literal["units", "searches"]

_PACIFIC = ZoneInfo("America/Los_Angeles")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS tally (kind TEXT, name TEXT, amount INTEGER, PRIMARY KEY (kind, name));
CREATE TABLE IF NOT EXISTS spent (
  bucket TEXT, key TEXT, day TEXT, amount INTEGER, PRIMARY KEY (bucket, key, day));
CREATE TABLE IF NOT EXISTS faults (id INTEGER PRIMARY KEY, rule TEXT, skip INTEGER, left INTEGER);
"""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Tally:
    """Counts that outlive the process; safe to use from many threads."""

    def __init__(self, file: Path, now: Callable[[], datetime] = _utc_now) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=OFF")  # survives kill -9; a power cut need not
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._database.close()

    def add(self, kind: str, name: str, amount: int = 1) -> None:
        """Counts `amount` more of `name`."""
        with self._lock:
            self._database.execute(
                "INSERT INTO tally VALUES (?, ?, ?) ON CONFLICT (kind, name)"
                " DO UPDATE SET amount = amount + excluded.amount",
                (kind, name, amount),
            )

    def all_of(self, kind: str) -> dict[str, int]:
        """Every count of a kind by name."""
        with self._lock:
            rows = self._database.execute(
                "SELECT name, amount FROM tally WHERE kind = ? ORDER BY name", (kind,)
            )
            return dict(rows.fetchall())

    def spend(self, bucket: Bucket, key: str, cost: int, budget: int) -> bool:
        """Charges a key; False, and no charge, when its Pacific day has no more to give."""
        day = self._now().astimezone(_PACIFIC).date().isoformat()
        with self._lock:
            rows = self._database.execute(
                "INSERT INTO spent SELECT :bucket, :key, :day, :cost WHERE :cost <= :budget"
                " ON CONFLICT (bucket, key, day) DO UPDATE SET amount = amount + excluded.amount"
                " WHERE amount + excluded.amount <= :budget RETURNING amount",
                {"bucket": bucket, "key": key, "day": day, "cost": cost, "budget": budget},
            ).fetchall()
        return bool(rows)

    def spent(self, bucket: Bucket) -> dict[str, int]:
        """What each key was charged, all days together."""
        with self._lock:
            rows = self._database.execute(
                "SELECT key, SUM(amount) FROM spent WHERE bucket = ? GROUP BY key", (bucket,)
            )
            return dict(rows.fetchall())

    def plan_fault(self, fault: Fault) -> int:
        """Keeps a fault until it has happened often enough; returns its number."""
        with self._lock:
            added = self._database.execute(
                "INSERT INTO faults (rule, skip, left) VALUES (?, ?, ?)",
                (fault.model_dump_json(), fault.skip, fault.times),
            )
        return int(added.lastrowid or 0)

    def drop_faults(self) -> None:
        """Forgets every planned fault."""
        with self._lock:
            self._database.execute("DELETE FROM faults")

    def faults(self) -> list[dict[str, object]]:
        """Planned faults: id, rule, how often they still happen (None: always)."""
        with self._lock:
            rows = self._database.execute("SELECT id, rule, skip, left FROM faults ORDER BY id")
            return [
                {**Fault.model_validate_json(rule).model_dump(), "id": id_, "skip": skip, "left": n}
                for id_, rule, skip, n in rows.fetchall()
            ]

    def due_fault(self, method: str, path: str, *, says: bool = False) -> Fault | None:
        """The first planned fault that strikes this request; it counts as having happened.

        Those with `says` are for who asks for them, the others for all other requests.
        """
        with self._lock:
            rows = self._database.execute(
                "SELECT id, rule, skip, left FROM faults WHERE left IS NULL OR left > 0 ORDER BY id"
            )
            for id_, rule, skip, _ in rows.fetchall():
                fault = Fault.model_validate_json(rule)
                if (fault.says is not None) != says or not fault.concerns(method, path):
                    continue
                column = "skip" if skip else "left"
                self._database.execute(
                    f"UPDATE faults SET {column} = {column} - 1 WHERE id = ?",  # noqa: S608
                    (id_,),
                )
                if not skip:
                    return fault
        return None

    def requests(self) -> dict[str, int]:
        """Requests by route."""
        return self.all_of("requests")

    def answers(self) -> dict[str, dict[str, int]]:
        """Answers by route and status."""
        found: dict[str, Counter[str]] = {}
        for name, amount in self.all_of("answers").items():
            route, _, status = name.rpartition(" ")
            found.setdefault(route, Counter())[status] = amount
        return {route: dict(statuses) for route, statuses in found.items()}
