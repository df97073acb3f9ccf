"""A database that becomes unavailable and recovers: reconnection, metrics, and log lines."""

from __future__ import annotations

import asyncio
import logging

import pytest
from sqlalchemy import text

from interviewer.core import database, metrics
from interviewer.core.database import Database
from interviewer.core.logs import LogThrottle
from interviewer.errors import Unavailable


async def _end_connections(database: Database, other: Database) -> None:
    async with database.transaction() as session:
        name = (await session.execute(text("SELECT current_database()"))).scalar_one()
    async with other.autocommit() as session:
        ended = text(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid()"
        )
        assert (await session.execute(ended, {"name": name})).scalars().all()


async def test_idle_pool_survives_server_restart_without_errors(database: Database, database_url: str) -> None:
    other = Database(database_url, pool_size=1)
    await asyncio.gather(*[database.ping() for _ in range(5)])
    counted = metrics.OUTAGES.labels("database")._value.get()
    await _end_connections(database, other)
    for _ in range(6):
        await database.ping()
    assert metrics.OUTAGES.labels("database")._value.get() == counted
    await other.close()


async def test_outage_is_counted_every_time_but_logged_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_throttle", LogThrottle(60))
    counted = metrics.OUTAGES.labels("database")._value.get()
    away = Database("postgresql://postgres:a-password@127.0.0.1:1/nothing", pool_size=1)
    with caplog.at_level(logging.WARNING, "interviewer"):
        for _ in range(3):
            with pytest.raises(Unavailable, match="Nothing was lost"):
                await away.ping()
    assert metrics.OUTAGES.labels("database")._value.get() == counted + 3
    assert caplog.text.count("the database is not responding") == 1
    assert "OperationalError" in caplog.text
    assert "a-password" not in caplog.text
    await away.close()
