"""Readiness of a replica, its behavior with an exhausted connection pool, and the pool's metrics."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
from sqlalchemy import text

from interviewer import wiring
from interviewer.core import database
from interviewer.core.database import Database
from interviewer.core.mail import Mail
from interviewer.core.mail_outbox import enqueue
from interviewer.core.rate_limit_store import LimitsLimiter
from interviewer.core.readiness import OLD_SCHEMA, Readiness
from interviewer.wiring import Services
from tests.support.pressure import refused, until, value

# -- the pool --------------------------------------------------------------------------------------------------------


async def test_waiting_for_a_connection_is_counted_and_times_out(
    services: Services, database_url: str, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "POOL_WAIT", 0.3)
    small = Database(database_url, pool_size=1)
    wiring.use(wiring.build(services.settings, database=small))
    async with small.autocommit() as session:
        await session.execute(text("SELECT 1"))
        asking = asyncio.create_task(client.get("/health"))
        await until(lambda: value("database_connections_waiting") == 1)
        assert value("database_connections_in_use") == 1
        ready = await client.get("/ready")
        assert (ready.status_code, ready.text) == (200, "ready"), "a busy replica is not a broken one"
        assert refused(await asking)[0] == 503
        assert value("database_connections_waiting") == 0
    wiring.use(services)
    await small.close()


async def test_sweep_gets_a_connection_during_a_rush(database_url: str) -> None:
    small = Database(database_url, pool_size=2)

    async def one() -> None:
        for _ in range(15):
            await small.ping()

    rush = [asyncio.create_task(one()) for _ in range(100)]
    await asyncio.sleep(0.05)
    pings = 0
    while not all(task.done() for task in rush):
        await small.ping()  # raises Unavailable after POOL_WAIT
        pings += 1
    await asyncio.gather(*rush)
    await small.close()
    assert pings > 5


async def test_mail_backlog_is_measured(services: Services) -> None:
    await services.mail_sender.note_backlog()
    assert (value("mails_waiting"), value("mails_oldest_seconds")) == (0, 0)
    async with services.database.transaction() as session:
        enqueue(session, Mail("a@example.com", "s", "t", "h"))
        enqueue(session, Mail("b@example.com", "s", "t", "h"))
    async with services.database.transaction() as session:
        await session.execute(text("UPDATE mail_outbox SET created_at = now() - interval '10 minutes' WHERE recipient LIKE 'a%'"))
    await services.mail_sender.note_backlog()
    assert value("mails_waiting") == 2
    assert 599 < value("mails_oldest_seconds") < 660
    await services.mail_sender.deliver_due()
    await services.mail_sender.note_backlog()
    assert (value("mails_waiting"), value("mails_oldest_seconds")) == (0, 0)


# -- /ready ----------------------------------------------------------------------------------------------------------


async def _ready(client: httpx2.AsyncClient, services: Services) -> httpx2.Response:
    services.readiness._known = None
    return await client.get("/ready")


async def test_ready_requires_a_current_or_newer_schema(client: httpx2.AsyncClient, services: Services) -> None:
    assert (await _ready(client, services)).text == "ready"
    async with services.database.transaction() as session:
        head = (await session.execute(text("SELECT version_num FROM alembic_version"))).scalar()
    try:
        for stored, status in (("0003", 503), ("9999", 200), (None, 503)):
            async with services.database.transaction() as session:
                await session.execute(text("DELETE FROM alembic_version"))
                if stored:
                    await session.execute(text("INSERT INTO alembic_version VALUES (:stored)"), {"stored": stored})
            answer = await _ready(client, services)
            assert answer.status_code == status, stored
            assert answer.text == "ready" or refused(answer) == (503, OLD_SCHEMA, "5")
    finally:
        async with services.database.transaction() as session:
            await session.execute(text("DELETE FROM alembic_version"))
            await session.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})


async def test_unavailable_redis_means_degraded_but_ready(client: httpx2.AsyncClient, services: Services) -> None:
    limiter = LimitsLimiter("redis://127.0.0.1:9/0")
    object.__setattr__(services, "readiness", Readiness(services.database, limiter))
    answer = await client.get("/ready")
    assert answer.status_code == 200
    assert answer.text.startswith("degraded: ")
    await limiter.close()


async def test_unavailable_database_is_checked_once_per_second(
    client: httpx2.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Database("postgresql://nobody@127.0.0.1:9/nothing")
    object.__setattr__(services, "readiness", Readiness(away, None))
    asked, revision = [], away.revision

    async def noted() -> str:
        asked.append(1)
        return await revision()

    monkeypatch.setattr(away, "revision", noted)
    answers = await asyncio.gather(*(client.get("/ready") for _ in range(20)))
    assert {refused(answer)[0] for answer in answers} == {503}
    assert len(asked) == 1
    await away.close()
