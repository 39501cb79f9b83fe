"""The index in SQLite: kept fresh by what the library's files look like, rebuilt when damaged."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Busy, DiskFull, NoPermission
from engine.search.passages import lines_of, passages
from engine.search.query import Query, words
from engine.settings import Settings

_VERSION = 1  # raised when the tables or the way of splitting change: older ones are rebuilt
_SUFFIX = ".transcript.json"
_FILES_AT_ONCE = 500
_PATIENCE_S = 120.0
_RANKED = 2_000
"""Passages that are ranked; a word that is in more of them is answered with the newest."""
_TABLES = """
CREATE TABLE files (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, mtime INTEGER NOT NULL
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, file INTEGER NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL,
    words TEXT NOT NULL
);
CREATE INDEX passages_of_file ON passages (file);
CREATE TABLE library (root TEXT NOT NULL);
CREATE VIRTUAL TABLE said USING fts5 (
    words, content='passages', content_rowid='id', tokenize="unicode61 remove_diacritics 2"
);
"""
_INTO_INDEX = "INSERT INTO said (rowid, words) VALUES (?, ?)"
_OUT_OF_INDEX = "INSERT INTO said (said, rowid, words) VALUES ('delete', ?, ?)"
_FIND = """
SELECT files.path, passages.start_s, passages.end_s, found.score
FROM (
    SELECT rowid, {score} AS score FROM said WHERE said MATCH ? {order} LIMIT {limit}
) AS found
JOIN passages ON passages.id = found.rowid JOIN files ON files.id = passages.file
ORDER BY found.score, files.path DESC, passages.start_s
"""


@dataclass(frozen=True)
class Found:
    """A passage that fits: the transcript's file, seconds, and bm25, the smaller the better."""

    file: Path
    start_s: float
    end_s: float
    score: float


@dataclass(frozen=True)
class _Seen:
    size: int
    mtime: int


class Index:
    """The index of one library; safe to use from many processes at once."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.library_dir
        self._file = settings.state_dir / "search.sqlite3"

    def find(self, query: Query, *, fresh: bool = True) -> list[Found]:
        """Passages that fit, the best first; the files are looked at before, if `fresh`.

        Raises:
            NoPermission, DiskFull: the index cannot be written.
            Busy: another process has been building it for two minutes.
        """
        try:
            return self._find(query, fresh)
        except sqlite3.DatabaseError as error:
            self._raise_if_the_machine_is_to_blame(error)
            self.forget()
            return self._find(query, fresh)

    def refresh(self) -> int:
        """Take in what is new, changed or gone; how many files that were."""
        with self._open() as store:
            return self._refreshed(store)

    def forget(self) -> None:
        """Delete the index; the next search builds it anew."""
        for ending in ("", "-wal", "-shm", "-journal"):
            with suppress(FileNotFoundError):
                self._file.with_name(self._file.name + ending).unlink()

    def _raise_if_the_machine_is_to_blame(self, error: sqlite3.DatabaseError) -> None:
        if not isinstance(error, sqlite3.OperationalError):
            return  # damaged, or no database at all
        said = str(error)
        if "locked" in said:
            raise Busy("Another search builds the index; try again in a minute.") from None
        if "full" in said:
            raise DiskFull(f"No space left for {self._file}.") from None
        if "readonly" in said or "unable to open" in said:
            raise NoPermission(f"{self._file} cannot be written.") from None

    def _find(self, query: Query, fresh: bool) -> list[Found]:
        with self._open() as store:
            if fresh:
                self._refreshed(store)
            many = "SELECT count(*) FROM (SELECT 1 FROM said WHERE said MATCH ? LIMIT ?)"
            (count,) = store.execute(many, (query.match, _RANKED + 1)).fetchone()
            ranked = count <= _RANKED
            statement = _FIND.format(
                score="bm25(said)" if ranked else "0.0",
                order="" if ranked else "ORDER BY rowid DESC",
                limit=_RANKED,
            )
            rows = store.execute(statement, (query.match,)).fetchall()
        return [Found(self._root / path, start, end, score) for path, start, end, score in rows]

    def _refreshed(self, store: sqlite3.Connection) -> int:
        if not self._changes(store, self._seen()):
            return 0
        store.execute("BEGIN IMMEDIATE")  # another process may have done it while we waited
        seen = self._seen()
        changes = sorted(self._changes(store, seen))
        store.commit()
        for start in range(0, len(changes), _FILES_AT_ONCE):
            with store:
                store.execute("BEGIN IMMEDIATE")
                for path in changes[start : start + _FILES_AT_ONCE]:
                    self._taken_out(store, path)
                    if path in seen:
                        self._taken_in(store, path, seen[path])
        return len(changes)

    def _changes(self, store: sqlite3.Connection, seen: dict[str, _Seen]) -> set[str]:
        rows = store.execute("SELECT path, size, mtime FROM files")
        known = {path: _Seen(size, mtime) for path, size, mtime in rows}
        return {path for path in known.keys() | seen.keys() if known.get(path) != seen.get(path)}

    def _seen(self) -> dict[str, _Seen]:
        """Every transcript of the library by its path inside."""
        top = _entries(self._root)
        found = dict(_transcripts(top, ""))
        for folder in top:
            if not folder.name.startswith(".") and folder.is_dir():
                found |= dict(_transcripts(_entries(Path(folder.path)), f"{folder.name}/"))
        return found

    def _taken_out(self, store: sqlite3.Connection, path: str) -> None:
        row = store.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
        if row is None:
            return
        old = store.execute("SELECT id, words FROM passages WHERE file = ?", row).fetchall()
        store.executemany(_OUT_OF_INDEX, old)
        store.execute("DELETE FROM passages WHERE file = ?", row)
        store.execute("DELETE FROM files WHERE id = ?", row)

    def _taken_in(self, store: sqlite3.Connection, path: str, seen: _Seen) -> None:
        into = "INSERT INTO files (path, size, mtime) VALUES (?, ?, ?)"
        number = store.execute(into, (path, seen.size, seen.mtime)).lastrowid
        for one in passages(lines_of(self._root / path)):
            said = " ".join(words(one.text))
            row = store.execute(
                "INSERT INTO passages (file, start_s, end_s, words) VALUES (?, ?, ?, ?)",
                (number, one.start_s, one.end_s, said),
            )
            store.execute(_INTO_INDEX, (row.lastrowid, said))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with closing(
            sqlite3.connect(self._file, timeout=_PATIENCE_S, isolation_level=None)
        ) as store:
            _readers_beside_a_writer(store)
            store.execute("PRAGMA synchronous = OFF")  # what a power cut damages is built again
            self._ready(store)
            yield store

    def _ready(self, store: sqlite3.Connection) -> None:
        """Have the tables of this version, for this library."""
        root = os.path.normcase(self._root)
        if _is_for(store, root):
            return
        store.execute("BEGIN IMMEDIATE")
        if not _is_for(store, root):
            for name in ("said", "passages", "files", "library"):
                store.execute(f"DROP TABLE IF EXISTS {name}")
            for statement in _TABLES.split(";"):
                store.execute(statement)
            store.execute("INSERT INTO library VALUES (?)", (root,))
            store.execute(f"PRAGMA user_version = {_VERSION}")
        store.commit()


def _readers_beside_a_writer(store: sqlite3.Connection) -> None:
    """WAL. Where several switch a new file to it at once, SQLite refuses without any waiting."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            store.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _is_for(store: sqlite3.Connection, root: str) -> bool:
    (version,) = store.execute("PRAGMA user_version").fetchone()
    if version != _VERSION:
        return False
    return bool(store.execute("SELECT root FROM library").fetchone() == (root,))


def _transcripts(items: list[os.DirEntry[str]], place: str) -> Iterator[tuple[str, _Seen]]:
    for item in items:
        if item.name.endswith(_SUFFIX) and not item.name.startswith("."):
            with suppress(FileNotFoundError):
                state = item.stat()
                yield f"{place}{item.name}", _Seen(state.st_size, state.st_mtime_ns)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []
