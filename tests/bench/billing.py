"""Billing under load: thousands of random histories that must agree, and a minute of deliveries during running interviews.

Run it alone with `python -m tests.bench.billing [histories] [deliveries per second] [seconds]`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx2
from sqlalchemy import create_engine, make_url, select, text
from sqlmodel import col

from interviewer.accounts.api_tokens import Tokens
from interviewer.core.database import Database, driver_url
from interviewer.core.embedded_postgres.server import EmbeddedPostgres
from interviewer.core.migrations import migrate
from interviewer.core.rate_limits import Guard
from interviewer.core.users import User
from interviewer.tables import metadata
from tests.support.billing import INDIVIDUAL, PREMIUM, PRO, SECRET, STORE
from tests.support.billing_chaos import SPACE, check
from tests.support.lemon_history import BEGINNINGS, COMMANDS, CustomerHistory, customer_history
from tests.support.lemon_store import Delivery
from tests.support.site import Site

HISTORIES, BATCH = 2_000, 50
RATE, SECONDS, INTERVIEWS = 50, 60, 20
GOAL = 100  # ms, for 95 of 100 deliveries
# Seconds after which Lemon Squeezy retries a webhook that did not get a 200.
TRY_AGAIN = (5, 25, 125)
# Minimum and maximum seconds that a candidate takes between two answers.
THINKING = (15.0, 30.0)
JWT_SECRET = "0d3b1c7e5a9f4682b7e1d0c9a8f36524-bench"
ANSWER = "First I would measure where the time goes, because a guess is usually wrong, and then change one thing."
PATH = "/api/webhooks/billing"


def billing(folder: Path, database_url: str) -> None:
    """Run both benchmarks with their default sizes. Additional databases are created on the same server."""
    histories(database_url, HISTORIES)
    load(folder, _database(database_url, "billing_load"), RATE, SECONDS)


# -- histories -------------------------------------------------------------------------------------------------------


def histories(database_url: str, count: int) -> None:
    """Deliver each of `count` random histories once cleanly and once chaotically, and print the totals.

    Raises AssertionError if the resulting credits of a history differ.
    """
    workers = os.cpu_count() or 1
    urls = [_database(database_url, f"histories_{number}") for number in range(workers)]
    for url in urls:
        migrate(url)
    began, seen = time.perf_counter(), Counter[str]()
    with ProcessPoolExecutor(workers) as pool:
        for found in pool.map(_histories, urls, [range(number, count, workers) for number in range(workers)]):
            seen += found
    spent = time.perf_counter() - began
    print(f"\nHistories delivered in any order, repeatedly, with crashes and starts in between ({workers} processes)")
    print(
        f"  {seen['histories']:,} histories, all agree; {seen['received']:,} deliveries in chaos, {seen['crashes']:,} crashes, "
        f"{seen['starts']:,} starts that kept their credit; {spent:.0f} s"
    )


def _histories(database_url: str, seeds: range) -> Counter[str]:
    """Check the histories with these seeds. Runs in a worker process."""
    logging.disable(logging.CRITICAL)
    with asyncio.Runner() as runner:
        return runner.run(_checked(database_url, seeds))


async def _checked(database_url: str, seeds: range) -> Counter[str]:
    database, seen = Database(database_url, pool_size=3), Counter[str]()
    tables = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
    for number, seed in enumerate(seeds):
        if number % BATCH == 0:  # start each batch with empty tables
            async with database.transaction() as session:
                await session.execute(text(f"TRUNCATE {tables} CASCADE"))
        chance = random.Random(seed)
        commands = [chance.choice(BEGINNINGS), *chance.choices(COMMANDS, k=chance.randint(0, 12))]
        _, chaos = await check(database, commands, seed)
        seen.update(histories=1, received=chaos.received, crashes=chaos.crashes, starts=chaos.taken.total())
    await database.close()
    return seen


# -- deliveries during interviews ------------------------------------------------------------------------------------


@dataclass
class DeliveryResults:
    """Response times in ms since each delivery was due, statuses of the first attempts, and the number of retries."""

    times: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    again: int = 0


def load(folder: Path, database_url: str, rate: int, seconds: int) -> None:
    """Deliver webhooks at a fixed rate, regardless of the responses, to a site on which interviews run. Print the results."""
    variants = {"INDIVIDUAL": INDIVIDUAL, "PRO": PRO, "PREMIUM": PREMIUM}
    site = Site(
        folder,
        database_url,
        JWT_SECRET=JWT_SECRET,
        LEMON_STORE_ID=STORE,
        LEMON_WEBHOOK_SECRET=SECRET,
        **{f"LEMON_VARIANT_ID_{name}": id for name, id in variants.items()},
    ).start()
    try:
        asyncio.run(_load(site, database_url, rate, seconds))
    finally:
        site.stop()


async def _load(site: Site, database_url: str, rate: int, seconds: int) -> None:
    database = Database(database_url)
    customers = _customers(rate * seconds)
    async with database.transaction() as session:
        session.add_all(User(email=one.email, username="Customer") for one in customers)
    people = await _people(database, site)
    turns: list[float] = []
    interviews = [asyncio.create_task(_interviewed(client, number, turns)) for number, client in enumerate(people)]
    await asyncio.sleep(THINKING[1])  # until all are at their first question
    turns.clear()
    deliveries, results = _merged(customers), DeliveryResults()
    began = time.perf_counter()
    async with httpx2.AsyncClient(base_url=site.url, timeout=30, limits=httpx2.Limits(max_connections=200)) as sender:
        await _send(sender, deliveries, rate, results)
    spent = time.perf_counter() - began
    broken = [str(task.exception()) for task in interviews if task.done()]
    for task in interviews:
        task.cancel()
    await asyncio.gather(*interviews, return_exceptions=True)
    for client in people:
        await client.aclose()
    lost = await _differing(database, customers)
    await database.close()
    print(f"\n{len(deliveries):,} deliveries of {len(customers)} customers, {rate} per second, during {INTERVIEWS} interviews")
    print(f"  took {spent:.1f} s; first responses {dict(results.statuses)}; sent again {results.again}")
    print(f"  customers whose credits differ from a plain count: {lost} (must be 0)")
    print(f"  deliveries: {_spread(results.times)} (goal: p95 under {GOAL})")
    print(f"  turns of the interviews meanwhile: {_spread(turns)}; interrupted: {broken or 'none'}")


def _customers(least: int) -> list[CustomerHistory]:
    """Return customers that have at least `least` deliveries in total."""
    customers: list[CustomerHistory] = []
    while sum(len(one.deliveries) for one in customers) < least:
        number = len(customers) + 1
        chance = random.Random(number)
        commands = [chance.choice(BEGINNINGS), *chance.choices(COMMANDS, k=chance.randint(2, 8))]
        customers.append(customer_history(f"customer{number}@example.com", commands, number, number * SPACE))
    return customers


def _merged(customers: list[CustomerHistory]) -> list[Delivery]:
    """Return the deliveries of all customers, randomly interleaved. The deliveries of each customer stay in order."""
    chance = random.Random(len(customers))
    turns = [index for index, one in enumerate(customers) for _ in one.deliveries]
    chance.shuffle(turns)
    left = [iter(one.deliveries) for one in customers]
    return [next(left[index]) for index in turns]


async def _send(sender: httpx2.AsyncClient, deliveries: list[Delivery], rate: int, results: DeliveryResults) -> None:
    """Send each delivery when it is due, without waiting for earlier ones. Returns once each has succeeded or been given up."""
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, delivery in enumerate(deliveries):
            due = began + number / rate
            await asyncio.sleep(max(0, due - time.perf_counter()))
            group.create_task(_deliver(sender, delivery, due, results))


async def _deliver(sender: httpx2.AsyncClient, delivery: Delivery, due: float, results: DeliveryResults) -> None:
    status = await _post(sender, delivery)
    results.times.append((time.perf_counter() - due) * 1000)
    results.statuses[status] += 1
    for seconds in TRY_AGAIN:
        if status == "200":
            return
        await asyncio.sleep(seconds)
        results.again += 1
        status = await _post(sender, delivery)


async def _post(sender: httpx2.AsyncClient, delivery: Delivery) -> str:
    try:
        return str((await sender.post(PATH, content=delivery.body, headers=delivery.headers(SECRET))).status_code)
    except httpx2.HTTPError as error:
        return type(error).__name__


async def _people(database: Database, site: Site) -> list[httpx2.AsyncClient]:
    """Return authenticated HTTP clients for users with enough credits."""
    tokens = Tokens(database, Guard(None), JWT_SECRET, timedelta(hours=1))
    clients = []
    # The server closes a connection after 5 s without a request; clients must not send on it at that very moment.
    limits = httpx2.Limits(keepalive_expiry=1)
    for number in range(INTERVIEWS):
        async with database.transaction() as session:
            user = User(email=f"person{number}@example.com", username=f"Person {number}", individual_credits=100)
            session.add(user)
        access = (await tokens.issue(user, "bench", renewable=False)).access
        headers = {"Authorization": f"Bearer {access}"}
        clients.append(httpx2.AsyncClient(base_url=site.url, timeout=30, headers=headers, limits=limits))
    return clients


async def _interviewed(client: httpx2.AsyncClient, number: int, turns: list[float]) -> None:
    """Answer one question after another, in one interview after another, until cancelled."""
    chance = random.Random(number)
    while True:
        started = await client.post("/api/interviews", json={})
        started.raise_for_status()
        for turn in range(12):
            await asyncio.sleep(chance.uniform(*THINKING))
            path = f"/api/conversations/{'append' if turn else 'create'}/{started.json()['interview_id']}"
            began = time.perf_counter()
            (await client.post(path, json={"message": f"{ANSWER} ({turn})"})).raise_for_status()
            turns.append((time.perf_counter() - began) * 1000)


async def _differing(database: Database, customers: list[CustomerHistory]) -> int:
    """Return the number of customers whose credits minus debt differ from the expected ones."""
    expected = {one.email: (one.individual, one.subscription) for one in customers}
    async with database.transaction() as session:
        users = (await session.execute(select(User).where(col(User.email).startswith("customer")))).scalars()
        found = {
            one.email: (one.individual_credits - one.individual_debt, one.subscription_credits - one.subscription_debt)
            for one in users
        }
    return sum(found.get(email) != credits for email, credits in expected.items())


def _spread(times: list[float]) -> str:
    """Return the percentiles and maximum of times in milliseconds as text, or "none" for fewer than two."""
    if len(times) < 2:
        return "none"
    points = statistics.quantiles(times, n=100)
    return f"p50 {points[49]:.1f}  p95 {points[94]:.1f}  p99 {points[98]:.1f}  max {max(times):.1f} ms (n={len(times):,})"


def _database(url: str, name: str) -> str:
    """Create an empty database on the same server as `url` and return its URL."""
    engine = create_engine(driver_url(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def main() -> None:
    """Run the benchmarks with the sizes from the command line. A size of 0 skips that benchmark."""
    logging.disable(logging.INFO)
    numbers = [int(word) for word in sys.argv[1:]]
    count, rate, seconds = (*numbers, *(HISTORIES, RATE, SECONDS)[len(numbers) :])
    with tempfile.TemporaryDirectory(prefix="interviewer-bench-") as name, suppress(KeyboardInterrupt):
        folder = Path(name)
        server = EmbeddedPostgres(folder / "database")
        url = server.start()
        try:
            if count:
                histories(url, count)
            if seconds:
                load(folder, _database(url, "load"), rate, seconds)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
