"""Which files of this machine are which documents; a memory that may be lost without harm.

The listing of ODIN AI is the truth; a receipt only remembers the key.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.odin.selection import place_of
from engine.settings import Settings

_TABLE = """
CREATE TABLE IF NOT EXISTS receipts (
    path_hash TEXT NOT NULL, place TEXT NOT NULL, sha256 TEXT NOT NULL,
    document_key TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (path_hash, place)
)
"""


@dataclass(frozen=True)
class Receipt:
    """One delivered file: hash of its content, its document, and when (UTC)."""

    sha256: str
    document_key: str
    at: datetime


class Receipts:
    """The receipts of one knowledge base (base URL and project), in SQLite."""

    def __init__(self, settings: Settings) -> None:
        self._file = settings.state_dir / "uploads.sqlite3"
        self._place = f"{settings.odin_base_url.rstrip('/')} {settings.odin_project_id}"

    def of(self, path: Path) -> Receipt | None:
        """The receipt of a file; None where there is none, or the store cannot be read."""
        with suppress(sqlite3.Error, ValueError), self._open() as store:
            row = store.execute(
                "SELECT sha256, document_key, at FROM receipts WHERE path_hash = ? AND place = ?",
                (path_hash(path), self._place),
            ).fetchone()
            if row:
                return Receipt(row[0], row[1], datetime.fromisoformat(row[2]))
        return None

    def keep(self, path: Path, sha256: str, document_key: str) -> None:
        """Remembers a delivery; a damaged store is begun anew, a full disk is let be."""
        row = (path_hash(path), self._place, sha256, document_key, datetime.now(UTC).isoformat())
        try:
            self._write(row)
        except sqlite3.OperationalError:
            return  # locked or full: the listing knows what we now forget
        except sqlite3.DatabaseError:
            with suppress(OSError, sqlite3.Error):
                self._file.unlink(missing_ok=True)
                self._write(row)

    def _write(self, row: tuple[str, str, str, str, str]) -> None:
        with self._open() as store, store:
            store.execute("INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, ?)", row)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._file, timeout=10)) as store:
            store.execute(_TABLE)
            yield store


def path_hash(path: Path) -> str:
    """A file's place on this machine as a hash: the same for every way to write the path."""
    return hashlib.sha256(place_of(path).encode("utf-8", errors="surrogatepass")).hexdigest()
