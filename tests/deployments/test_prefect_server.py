"""What SQLite refuses never makes Prefect's server wait for itself."""

import asyncio
import gc
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
