"""A database that nobody can write is noticed, and only that."""

import sqlite3
from contextlib import closing
from pathlib import Path

from deployments.stuck import LONGEST_S, LockedDatabase


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def looked(database: LockedDatabase, clock: Clock, seconds: float) -> bool:
    """Looks every five seconds for so long."""
    stuck = False
    until = clock.now + seconds
    while clock.now < until:
        clock.now += 5
        stuck = database.is_stuck()
    return stuck


def test_a_transaction_that_never_ends_is_noticed_and_a_new_server_is_given_time(
    tmp_path: Path,
) -> None:
    file, clock = tmp_path / "prefect.db", Clock()
    database = LockedDatabase(file, clock)
    assert not looked(database, clock, 300), "there is none yet"
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("PRAGMA journal_mode = WAL")
        holder.execute("CREATE TABLE run (id)")
        assert not looked(database, clock, 300)
        holder.execute("BEGIN IMMEDIATE")
        assert not looked(database, clock, LONGEST_S - 10)
        assert looked(database, clock, 20)
        database.forget()
        assert not database.is_stuck()
        holder.execute("ROLLBACK")
    assert not looked(database, clock, 300)


def test_transactions_that_end_are_none(tmp_path: Path) -> None:
    file, clock = tmp_path / "prefect.db", Clock()
    database = LockedDatabase(file, clock)
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("CREATE TABLE run (id)")
        for _ in range(2):
            holder.execute("BEGIN IMMEDIATE")
            assert not looked(database, clock, LONGEST_S - 15)
            holder.execute("ROLLBACK")
            assert not looked(database, clock, 5)
