"""The database behind PgBouncer with its default settings, which requires code that does not depend on session state."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import make_url, text

from interviewer.core import database, database_address, readiness
from interviewer.core.database import Database
from interviewer.core.logs import LogThrottle
from interviewer.core.migrations import migrate
from interviewer.core.notify import arrive
from interviewer.core.readiness import Readiness
from interviewer.errors import StartupError, Unavailable
from interviewer.operator import health_checks
from interviewer.operator.health_checks import Health
from tests.support import pgbouncer
from tests.support.pgbouncer import PgBouncer


@pytest.fixture(scope="module")
def transactions(server_url: str) -> Iterator[PgBouncer]:
    """PgBouncer in transaction mode. Prepared statements are disabled in versions that support them."""
    untracked = {"max_prepared_statements": 0} if pgbouncer.version() >= pgbouncer.TRACKING else {}
    with pgbouncer.running(server_url, pool_mode="transaction", **untracked) as pooler:
        yield pooler


@pytest.fixture(scope="module")
def sessions(server_url: str) -> Iterator[PgBouncer]:
    """PgBouncer in session mode, the default."""
    with pgbouncer.running(server_url) as pooler:
        yield pooler


@pytest.fixture(params=["transactions", "sessions"])
def pooled_url(request: pytest.FixtureRequest, database_url: str) -> str:
    pooler: PgBouncer = request.getfixturevalue(request.param)
    return pooler.url(make_url(database_url).database)


def test_missing_pgbouncer_is_one_sentence_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *given, **named: None)
    with pytest.raises(RuntimeError, match="apt-get install pgbouncer"), pgbouncer.running("postgresql://u@h/x"):
        pass


async def test_statements_work_across_pooled_connections(pooled_url: str) -> None:
    database = Database(pooled_url, pool_size=8)

    async def ask(number: int) -> int:
        async with database.transaction() as session:
            return int((await session.execute(text("SELECT :number + 1"), {"number": number})).scalar_one())

    assert await asyncio.gather(*(ask(number) for number in range(200))) == list(range(1, 201))
    await database.close()


def test_migrations_run_through_pooler(transactions: PgBouncer, make_database: Callable[[str], str]) -> None:
    name = make_url(make_database("pooled_migrations")).database
    migrate(transactions.url(name))
    migrate(transactions.url(name), "base")
    migrate(transactions.url(name, pgbouncer="true", connection_limit="1"))


def test_options_in_address_are_explained(sessions: PgBouncer, database_url: str) -> None:
    with pytest.raises(StartupError) as caught:
        migrate(sessions.url(make_url(database_url).database, options="-csearch_path=own"))
    assert "unsupported startup parameter" in str(caught.value)
    assert database_address.NO_OPTIONS in str(caught.value)
    assert sessions.password not in str(caught.value)


@pytest.mark.parametrize(("mode", "heard"), [("sessions", True), ("transactions", False)])
async def test_missing_notifications_are_detected(
    request: pytest.FixtureRequest, database_url: str, mode: str, heard: bool
) -> None:
    pooler: PgBouncer = request.getfixturevalue(mode)
    database = Database(pooler.url(make_url(database_url).database))
    assert await arrive(database) is heard
    found = await health_checks.of_notifications(database)
    assert [check.health for check in found] == ([] if heard else [Health.WARNING])
    await database.close()


async def test_notifications_arrive_on_direct_connection(database: Database) -> None:
    assert await arrive(database)


# -- session state ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["America/St_Johns", "Asia/Kolkata", "UTC"])
async def test_timestamps_are_utc_in_any_session_time_zone(database: Database, zone: str) -> None:
    async with database.transaction() as session:
        await session.execute(text(f"SET LOCAL TimeZone = '{zone}'"))
        row = await session.execute(text("SELECT '2026-11-29 23:30:00.25+00'::timestamptz, now(), NULL::timestamptz"))
        fixed, now, nothing = row.one()
    assert fixed.isoformat() == "2026-11-29T23:30:00.250000+00:00"
    assert now.utcoffset() == timedelta(0)
    assert nothing is None


@pytest.mark.parametrize("kind", ["transaction", "autocommit"])
async def test_slow_statement_is_canceled(
    database: Database, pooled_url: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_address, "STATEMENT_WAIT", 0.5)
    slow = Database(pooled_url, pool_size=1)
    began = time.monotonic()
    with pytest.raises(Unavailable):
        async with getattr(slow, kind)() as session:
            await session.execute(text("SELECT pg_sleep(60)"))
    assert time.monotonic() - began < 10
    await slow.ping()
    async with database.autocommit() as session:
        running = await session.execute(
            text("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'")
        )
        assert running.scalar_one() == 0
    await slow.close()


async def test_refused_connection_is_logged_with_server_message(
    sessions: PgBouncer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_throttle", LogThrottle(60))
    wrong = make_url(sessions.url("x")).set(password="not-the-password").render_as_string(hide_password=False)
    refused = Database(wrong)
    with caplog.at_level(logging.WARNING, "interviewer"), pytest.raises(Unavailable):
        await refused.ping()
    assert "password authentication failed" in caplog.text
    assert "not-the-password" not in caplog.text
    await refused.close()


# -- the pool --------------------------------------------------------------------------------------------------------


async def _together(database: Database, count: int) -> None:
    async def hold() -> None:
        async with database.autocommit() as session:
            await session.execute(text("SELECT pg_sleep(0.2)"))

    await asyncio.gather(*(hold() for _ in range(count)))


async def _open(database: Database) -> int:
    pool = database.engine.pool
    return int(pool.checkedin())  # type: ignore[attr-defined]  # QueuePool's


async def test_pool_shrinks_to_need_of_last_minute(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Database(database_url, pool_size=6)
    await _together(pool, 6)
    await pool.shrink()
    assert await _open(pool) == 6, "a minute has not passed"
    monkeypatch.setattr(database, "IDLE", 0.0)
    await pool.shrink()
    assert await _open(pool) == 6, "the last minute needed them"
    await pool.ping()
    await pool.shrink()
    assert await _open(pool) == 0
    await _together(pool, 6)
    await pool.ping()
    await pool.shrink()
    assert await _open(pool) == 6
    await pool.close()


async def test_pool_in_use_does_not_shrink(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "IDLE", 0.0)
    pool = Database(database_url, pool_size=3)
    await _together(pool, 3)
    await pool.shrink()
    async with pool.autocommit() as session:
        await session.execute(text("SELECT 1"))
        await pool.shrink()
        assert pool.in_use() == 1
    assert await _open(pool) == 3
    await pool.close()


@pytest.mark.parametrize("size", [1, 3], ids=["full pool", "no more connections"])
async def test_readiness_needs_no_connection_while_queries_succeed(
    server_url: str, database_url: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "FRESH", 0.0)
    monkeypatch.setattr(readiness, "PATIENCE", 0.5)
    with pgbouncer.running(server_url, max_client_conn=1) as pooler:
        crowded = Database(pooler.url(make_url(database_url).database), pool_size=size)
        ready = Readiness(crowded, None)
        async with crowded.autocommit() as session:
            await session.execute(text("SELECT 1"))
            assert await ready.check() == readiness.READY
            monkeypatch.setattr(database, "PROOF", 0.0)
            with pytest.raises(Unavailable):
                await ready.check()
        assert await ready.check() == readiness.READY, "the connection is free again"
        await crowded.close()
