"""A database that serves reads but accepts no writes: the process is not ready until writes succeed again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from interviewer.core import database_writes
from interviewer.core.database import Database
from interviewer.core.migrations import migrate
from interviewer.core.readiness import NO_WRITES, READY, Readiness
from interviewer.errors import Unavailable

WRITE = "CREATE TABLE written (at int)"


async def test_replica_is_not_ready_while_writes_are_refused(
    make_database: Callable[[str], str], server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only database simulates a full disk: both refuse writes and serve reads."""
    url = make_database("writes")
    migrate(url)
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    database = Database(url, pool_size=1)
    monkeypatch.setattr(database_writes, "TRY_EVERY", 0.0)

    async def state() -> str:
        return await Readiness(database, None).check()

    async def reconnect(read_only: bool) -> None:
        with admin.connect() as connection:
            name = make_url(url).database
            connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {read_only}'))
        await database.engine.dispose()

    assert await state() == READY
    await reconnect(read_only=True)
    assert await state() == READY, "no write was tried yet"
    with pytest.raises(Unavailable, match="Nothing was lost"):
        async with database.transaction() as session:
            await session.execute(text(WRITE))
    for _ in range(2):
        with pytest.raises(Unavailable, match=NO_WRITES):
            await state()
    await reconnect(read_only=False)
    assert await state() == READY, "it tried a write itself"
    async with database.transaction() as session:
        await session.execute(text(WRITE))
    await database.close()


class Refused(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__()
        self.sqlstate = sqlstate


@pytest.mark.parametrize(("sqlstate", "refused"), [("53100", True), ("25006", True), ("57P01", False), ("23505", False)])
def test_only_write_refusals_count(sqlstate: str, refused: bool) -> None:
    assert database_writes.refuses_writes(Refused(sqlstate)) is refused
    assert not database_writes.refuses_writes(None)
