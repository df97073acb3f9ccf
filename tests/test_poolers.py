"""Complete interviews and webhooks on sites started as in production, with different poolers in front of PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import make_url, text

from interviewer.accounts.api_tokens import Tokens as Issuer
from interviewer.client import AsyncClient, Tokens
from interviewer.core.database import Database
from interviewer.core.database_address import NO_OPTIONS
from interviewer.core.rate_limits import Guard
from interviewer.core.users import User
from interviewer.credits import ledger
from interviewer.credits.rules import CreditType
from tests.support import openai_server, pgbouncer
from tests.support.billing import INDIVIDUAL, PREMIUM, PRO, SECRET, STORE, shop, signature
from tests.support.lemon_store import Delivery
from tests.support.pgbouncer import PgBouncer
from tests.support.site import Site

pytestmark = pytest.mark.slow

PEOPLE, ANSWERS, WEBHOOKS, SENDERS = 8, 12, 64, 8
ANSWER = "First I measure, because guesses mislead; the trade-off is the time that it takes."
JWT_SECRET = "5b1d94be02f58a63c17de4902b6f8ad3pool"
# The limit of a small Supabase project is 15 clients. PgBouncer would let more wait, so this configuration refuses them instead.
FIFTEEN = {"pool_mode": "session", "default_pool_size": 15, "max_client_conn": 15}
# Since version 1.21, PgBouncer tracks the prepared statements of clients.
UNTRACKED = {"max_prepared_statements": 0} if pgbouncer.version() >= pgbouncer.TRACKING else {}


@dataclass(frozen=True)
class Setup:
    """The PgBouncer settings, or None for no pooler, and the number of replicas."""

    pooler: dict[str, object] | None
    copies: int = 1


SETUPS = {
    "direct": Setup(None),
    "session": Setup({"pool_mode": "session"}),
    "transaction": Setup({"pool_mode": "transaction", **UNTRACKED}),
    "fifteen connections, two replicas": Setup(FIFTEEN, copies=2),
}
if UNTRACKED:
    SETUPS["transaction, prepared statements"] = Setup({"pool_mode": "transaction", "max_prepared_statements": 200})


@contextmanager
def pooled(server_url: str, setup: Setup, database_url: str) -> Iterator[tuple[str, PgBouncer | None]]:
    """Yield the database URL for the site, and the pooler in front of the database, or None if there is none."""
    if setup.pooler is None:
        yield database_url, None
        return
    with pgbouncer.running(server_url, **setup.pooler) as pooler:
        yield pooler.url(make_url(database_url).database, pgbouncer="true"), pooler


async def person(database: Database, email: str, credits: int) -> User:
    async with database.transaction() as session:
        user = User(email=email, username="Ada")
        session.add(user)
        await session.flush()
        for number in range(credits):
            key = f"test:{user.id}:{number}"
            await ledger.change(session, user, CreditType.INDIVIDUAL, 1, reason="test", source="test", business_key=key)
    return user


async def interview(client: AsyncClient) -> None:
    """Complete an interview without retries."""
    async with client:
        started = await client.start()
        for number in range(ANSWERS):
            await client.answer(started.interview_id, f"{ANSWER} ({number})")


async def deliver(http: httpx2.AsyncClient, site: Site, delivery: Delivery, turns: asyncio.Semaphore) -> None:
    headers = {"X-Event-Name": delivery.event, "X-Signature": signature(delivery.body)}
    async with turns:
        answer = await http.post(f"{site.url}/api/webhooks/billing", content=delivery.body, headers=headers)
    assert answer.status_code == 200, answer.text


async def busy(sites: list[Site], database: Database, http: httpx2.AsyncClient) -> None:
    """Run eight interviews while 64 purchases are delivered, eight at a time. Raises AssertionError if any of them failed."""
    issuer = Issuer(database, Guard(None), JWT_SECRET, timedelta(hours=1))
    work = []
    for number in range(PEOPLE):
        user = await person(database, f"person{number}@example.com", 1)
        given = await issuer.issue(user, "test", renewable=False)
        tokens = Tokens(user_id=user.id, access=given.access, refresh="")
        work.append(interview(AsyncClient(sites[number % len(sites)].url, tokens=tokens, tries=1)))
    store, turns = shop(), asyncio.Semaphore(SENDERS)
    for number in range(WEBHOOKS):
        buyer = await person(database, f"buyer{number}@example.com", 0)
        [delivery] = store.buy(buyer.email, custom=None)[1]
        work.append(deliver(http, sites[number % len(sites)], delivery, turns))
    failures = [found for found in await asyncio.gather(*work, return_exceptions=True) if found is not None]
    assert not failures, f"{len(failures)} of {len(work)} failed: {failures[0]!r}"


async def stored(database: Database) -> tuple[int, int]:
    """Return the number of finished interviews and the number of purchased credits."""
    async with database.autocommit() as session:
        finished = await session.execute(
            text("SELECT count(*) FROM interviews WHERE status = 'finished' AND answers_judged = 12")
        )
        bought = await session.execute(text("SELECT sum(individual_credits) FROM users WHERE email LIKE 'buyer%'"))
        return int(finished.scalar_one()), int(bought.scalar_one())


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)
async def test_interviews_and_webhooks_work_through_any_pooler(
    setup: Setup, make_site: Callable[..., Site], make_database: Callable[[str], str], server_url: str
) -> None:
    direct = make_database(f"pooler{list(SETUPS.values()).index(setup)}")
    with openai_server.running(openai_server.Behavior()) as model, pooled(server_url, setup, direct) as (url, _):
        given = {
            "DATABASE_URL": url,
            "OPENAI_BASE_URL": model,
            "OPENAI_MODEL": "test",
            "JWT_SECRET": JWT_SECRET,
            "LEMON_STORE_ID": STORE,
            "LEMON_WEBHOOK_SECRET": SECRET,
            **{
                f"LEMON_VARIANT_ID_{name}": id
                for name, id in zip(("INDIVIDUAL", "PRO", "PREMIUM"), (INDIVIDUAL, PRO, PREMIUM), strict=True)
            },
        }
        sites = [make_site(**given) for _ in range(setup.copies)]
        database = Database(direct)
        try:
            async with httpx2.AsyncClient(timeout=60) as http:
                await busy(sites, database, http)
                assert await stored(database) == (PEOPLE, WEBHOOKS)
                ready = [await http.get(f"{site.url}/ready") for site in sites]
            assert [(answer.status_code, answer.text) for answer in ready] == [(200, "ready")] * len(sites)
            for site in sites:
                assert "the database is not responding" not in site.log.read_text()
        finally:
            await database.close()
            for site in sites:
                site.stop()


def doctor(url: str) -> tuple[int, str]:
    """Run `interviewer doctor` on a database and return its exit status and output."""
    command = [str(Path(sys.executable).with_name("interviewer")), "doctor"]
    done = subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_doctor_reports_effects_of_transaction_pooler(database_url: str, server_url: str) -> None:
    name = make_url(database_url).database
    with pgbouncer.running(server_url, pool_mode="transaction") as pooler:
        status, said = doctor(pooler.url(name, pgbouncer="true", connection_limit="1"))
    assert status == 0, said
    assert "warning  notifications: none arrive, which is normal behind a pooler in transaction mode" in said
    assert "warning  address: DATABASE_URL sets another driver's pool size (connection_limit)" in said
    assert "ok       database" in said


def test_doctor_quotes_the_server_error(database_url: str, server_url: str) -> None:
    name = make_url(database_url).database
    with pgbouncer.running(server_url) as pooler:
        refused = doctor(pooler.url(name, options="-csearch_path=own"))
        wrong = make_url(pooler.url(name)).set(password="not-the-password")
        status, said = doctor(wrong.render_as_string(hide_password=False))
    assert refused[0] == 1
    assert "unsupported startup parameter" in refused[1]
    assert NO_OPTIONS in refused[1]
    assert status == 1
    assert "password authentication failed" in said
    assert "not-the-password" not in said
