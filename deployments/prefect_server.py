"""`python -m deployments.prefect_server`: `prefect`, whose server bears what SQLite refuses.

SQLite refuses at once what would write after it has read, when another wrote in between. The server
answers 503 then: its clients wait two seconds and more, and its dashboard says no more than "Oops".
So such a request is handled once more, and waits for its turn to write before it reads.

What SQLite refuses also leaves a cursor open until Python frees it. The thread of the event loop
does so and waits there for the cursor's connection; where that waits for a lock, and the lock's
holder for the event loop, the server stands still for the 60 s of Prefect's patience, time and
again. So a cursor that fails is closed.

Both were seen with Prefect 3.8.8, SQLAlchemy 2.0.58, aiosqlite 0.22.1, CPython 3.11.7.
"""

import sqlite3
import time
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

Handler = Callable[[Any], Coroutine[Any, Any, Any]]

_AT_ONCE_S = 5.0
"""Who was refused later than this has waited for the lock already, as long as Prefect lets him."""
_NESTED = "/task_runs/"
"""Their states are set in a transaction inside of another: it would wait for the outer one."""
_turn_first: ContextVar[bool] = ContextVar("_turn_first", default=False)


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


def answer_twice() -> None:
    """Routes that Prefect makes from now on handle once more what SQLite refused at once."""
    from prefect.server.utilities.server import PrefectAPIRoute

    event.listen(Engine, "before_cursor_execute", _begin, retval=True)
    handler_of = PrefectAPIRoute.get_route_handler

    def handler(route: PrefectAPIRoute) -> Handler:
        once = handler_of(route)
        return once if _NESTED in route.path else _twice(once)

    PrefectAPIRoute.get_route_handler = handler  # type: ignore[method-assign]


def _twice(handle: Handler) -> Handler:
    async def answer(request: Any) -> Any:
        begun = time.monotonic()
        try:
            return await handle(request)
        except OperationalError as error:
            waited = time.monotonic() - begun > _AT_ONCE_S
            if waited or "database is locked" not in str(error.orig):
                raise
        _turn_first.set(True)
        return await handle(request)

    return answer


def _begin(_connection: object, _cursor: object, statement: str, given: Any, *_: object) -> Any:
    if statement == "BEGIN DEFERRED" and _turn_first.get():
        _turn_first.set(False)  # what it begins inside of this one must not wait for it
        return "BEGIN IMMEDIATE", given
    return statement, given


if __name__ == "__main__":
    close_what_fails()
    answer_twice()  # before Prefect makes its routes

    from prefect.cli import app

    app()
