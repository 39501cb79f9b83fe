"""`python -m deployments.prefect_server`: `prefect`, whose server does not wait for itself.

What SQLite refuses leaves a cursor open until Python frees it. The thread of the event loop does so
and waits there for the cursor's connection; where that waits for a lock, and the lock's holder for
the event loop, the server stands still for the 60 s of Prefect's patience, time and again (seen
with Prefect 3.8.8, SQLAlchemy 2.0.58, aiosqlite 0.22.1, CPython 3.11.7).
"""

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event


class _Cursor(sqlite3.Cursor):
    """Closes itself when it fails, in the thread that may wait for its connection."""

    def execute(self, *arguments: Any) -> "_Cursor":
        return self._closed_if_failing(super().execute, *arguments)

    def executemany(self, *arguments: Any) -> "_Cursor":
        return self._closed_if_failing(super().executemany, *arguments)

    def _closed_if_failing(self, run: Callable[..., "_Cursor"], *arguments: Any) -> "_Cursor":
        try:
            return run(*arguments)
        except sqlite3.Error:
            self.close()
            raise


class _Connection(sqlite3.Connection):
    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)


def close_what_fails() -> None:
    """From now on a cursor that fails is closed, on every SQLite connection of SQLAlchemy."""
    event.listen(Engine, "do_connect", _connect)


def _connect(dialect: Any, _record: object, _given: object, named: dict[str, Any]) -> None:
    if dialect.name == "sqlite":
        named["factory"] = _Connection


if __name__ == "__main__":
    from prefect.cli import app

    close_what_fails()
    app()
