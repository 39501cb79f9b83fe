"""What SQLite refuses harms neither Prefect's server nor who asked it."""

import asyncio
import gc
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from deployments.prefect_server import close_what_fails


async def refused(connection: AsyncConnection, other: AsyncConnection) -> OperationalError:
    """What a transaction gets that has read before another one wrote."""
    await connection.exec_driver_sql("BEGIN")
    await connection.exec_driver_sql("SELECT * FROM run")
    await other.exec_driver_sql("INSERT INTO run VALUES (1)")
    with pytest.raises(OperationalError, match="locked") as refusal:
        await connection.exec_driver_sql("INSERT INTO run VALUES (2)")
    await connection.exec_driver_sql("ROLLBACK")
    return refusal.value


async def free_while_its_connection_waits(file: Path, statement: str) -> None:
    """What was refused is freed while its connection waits for a lock that is given back here."""
    from prefect.server.database.configurations import AioSqliteConfiguration

    engine = await AioSqliteConfiguration(f"sqlite+aiosqlite:///{file}").engine()
    async with engine.connect() as waiting, engine.connect() as holder:
        await holder.exec_driver_sql("CREATE TABLE run (id)")
        refusal = await refused(waiting, holder)
        await holder.exec_driver_sql("BEGIN IMMEDIATE")
        written = asyncio.create_task(waiting.exec_driver_sql(statement))
        await asyncio.sleep(0.5)
        assert not written.done()
        del refusal
        gc.collect()
        await holder.exec_driver_sql("COMMIT")
        await written
    await engine.dispose()


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "INSERT INTO run VALUES (3)"])
def test_a_refused_statement_is_freed_while_its_connection_waits(
    tmp_path: Path, statement: str
) -> None:
    close_what_fails()
    asyncio.run(free_while_its_connection_waits(tmp_path / "prefect.db", statement))


ROUTES = """
import asyncio
import sqlite3
import sys
from contextlib import suppress

from deployments.prefect_server import answer_twice

answer_twice()

import httpx
import sqlalchemy as sa
from fastapi import FastAPI
from prefect.server.database.configurations import AioSqliteConfiguration
from prefect.server.utilities.server import PrefectRouter

config = AioSqliteConfiguration(f"sqlite+aiosqlite:///{sys.argv[1]}")
other = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
flow_runs, task_runs = PrefectRouter(prefix="/flow_runs"), PrefectRouter(prefix="/task_runs")


@flow_runs.post("/", status_code=201)
@task_runs.post("/", status_code=201)
async def create(body: dict[str, str]) -> str:
    session = await config.session(await config.engine())
    async with session, config.begin_transaction(session):
        await session.execute(sa.text("SELECT * FROM run"))
        with suppress(sqlite3.OperationalError):
            other.execute("INSERT INTO run VALUES (2)")
        await session.execute(sa.text("INSERT INTO run VALUES (1)"))
    return body["name"]


async def ask():
    engine = await config.engine()
    async with engine.connect():
        other.execute("CREATE TABLE run (id)")
    app = FastAPI()
    app.include_router(flow_runs)
    app.include_router(task_runs)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        for path in ("/flow_runs/", "/task_runs/"):
            answer = await client.post(path, json={"name": "first"})
            print(answer.status_code, answer.text)
    await engine.dispose()


asyncio.run(ask())
"""


def test_who_was_refused_gets_the_answer_of_a_second_try(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ROUTES, str(tmp_path / "prefect.db")],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert ran.stdout.splitlines() == ['201 "first"', "500 Internal Server Error"], ran.stderr
