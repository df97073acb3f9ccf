"""The API on a large database: response times of dashboards and turns, for one user and for many at the same time."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
from sqlalchemy import create_engine, text

from interviewer.accounts.api_tokens import Tokens
from interviewer.core.database import Database, driver_url
from interviewer.core.rate_limits import Guard
from interviewer.core.users import User
from tests.support.site import Site, free_port

USERS, INTERVIEWS_EACH = 1_000, 10
SECRET = "b1946ac92492d2347c6235b4d2611184-bench"
# Seconds that the model takes for each of the two replies of a turn, which it writes concurrently.
MODEL = 0.4
ANSWER = "First I would measure where the time goes, because a guess is usually wrong, and then change one thing."

SEED = """
INSERT INTO users (email, username, individual_credits, created_at, updated_at)
  SELECT 'user' || n || '@example.com', 'User ' || n, 50, now(), now() FROM generate_series(1, :users) n;
INSERT INTO interviews (user_id, status, interviewer, model, answers_judged, score_sum, created_at, updated_at, finished_at)
  SELECT u.id, 'finished', 'builtin', 'bank', 12, 84, now() - n * interval '1 day', now() - n * interval '1 day', now()
  FROM users u, generate_series(1, :each) n;
INSERT INTO conversations (interview_id, created_at) SELECT id, created_at FROM interviews;
INSERT INTO questions (conversation_id, position, topic_id, subtopic, level, kind, prompt, rubric, created_at)
  SELECT c.id, n, (n + 1) / 2, 'Judgement', 'mid-level', 'text', repeat('What would you do, and why? ', 8),
         '{"key_points": [{"point": "a", "weight": 1}, {"point": "b", "weight": 1}, {"point": "c", "weight": 1}],
           "model_answer": "It depends.", "follow_up": ""}', c.created_at
  FROM conversations c, generate_series(1, 12) n;
INSERT INTO messages (question_id, author, content, client_id, created_at)
  SELECT id, 'user', repeat('I would measure first. ', 20), gen_random_uuid(), created_at FROM questions;
INSERT INTO verdicts (message_id, score, nature, feedback, marks, interviewer, model, created_at)
  SELECT id, 7, 'answer', repeat('Good, but name the price. ', 10), '[]', 'builtin', 'bank', created_at FROM messages;
INSERT INTO credit_transactions (user_id, type, amount, reason, source, business_key, created_at)
  SELECT id, 'individual', 50, 'seed', 'seed', 'seed:' || id, now() FROM users;
"""


def api(folder: Path, database_url: str) -> None:
    """Print the response times of dashboards and turns.

    The site is started as in production, and the model server runs in a separate process.
    """
    with _model(0) as instant, _model(MODEL) as slow:
        site = Site(
            folder, database_url, OPENAI_BASE_URL=instant, OPENAI_MODEL="bench", JWT_SECRET=SECRET, RATE_LIMITS="off"
        ).start()
        _seed(database_url)
        print(f"\nThe API with {USERS * INTERVIEWS_EACH:,} finished interviews of {USERS:,} users")
        asyncio.run(_alone(site, database_url))
        site.stop()
        site = Site(
            folder, database_url, OPENAI_BASE_URL=slow, OPENAI_MODEL="bench", JWT_SECRET=SECRET, RATE_LIMITS="off"
        ).start()
        asyncio.run(_together(site, database_url))
        site.stop()


@contextmanager
def _model(first: float) -> Iterator[str]:
    """Run a model server that sends each reply all at once after `first` seconds. Yields its base URL."""
    port = free_port()
    command = [sys.executable, "-m", "tests.support.openai_server", "--port", str(port), "--first", str(first), "--rate", "0"]
    command.append("--at-once")
    process = subprocess.Popen(command)
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def _seed(database_url: str) -> None:
    engine = create_engine(driver_url(database_url))
    with engine.begin() as connection:
        for statement in filter(str.strip, SEED.split(";\n")):
            connection.execute(
                text(statement.replace('":', '"\\:')), {"users": USERS, "each": INTERVIEWS_EACH} if ":" in statement else {}
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()


async def _clients(site: Site, database_url: str, count: int) -> list[httpx2.AsyncClient]:
    """Return authenticated HTTP clients for the first `count` users."""
    database = Database(database_url)
    tokens = Tokens(database, Guard(None), SECRET, timedelta(hours=1))
    limits = httpx2.Limits(max_connections=1)
    clients = []
    for number in range(1, count + 1):
        async with database.transaction() as session:
            user = await session.get(User, number)
        assert user is not None
        access = (await tokens.issue(user, "bench", renewable=False)).access
        clients.append(
            httpx2.AsyncClient(base_url=site.url, timeout=60, limits=limits, headers={"Authorization": f"Bearer {access}"})
        )
    await database.close()
    return clients


async def _timed(call: Awaitable[httpx2.Response]) -> tuple[float, int]:
    """Send a request, and return the milliseconds until its response and the HTTP status."""
    began = time.perf_counter()
    answer = await call
    return (time.perf_counter() - began) * 1000, answer.status_code


async def _alone(site: Site, database_url: str) -> None:
    clients = await _clients(site, database_url, 200)
    dashboards = [await _timed(client.get("/api/user/dashboard")) for client in clients]
    figure("dashboard, one at a time", dashboards, "p95 under 25")
    turns: list[tuple[float, int]] = []
    for client in clients[:5]:
        id = (await client.post("/api/interviews", json={})).json()["interview_id"]
        for number in range(12):
            how = "create" if number == 0 else "append"
            body = {"message": f"{ANSWER} ({number})"}
            turns.append(await _timed(client.post(f"/api/conversations/{how}/{id}", json=body)))
    figure("turn of a whole interview, the model at zero delay", turns, "p50 under 20")
    await _close(clients)


async def _together(site: Site, database_url: str) -> None:
    warming = await _clients(site, database_url, 20)
    ids = [(await client.post("/api/interviews", json={})).json()["interview_id"] for client in warming]
    await asyncio.gather(*(_turn_after(client, id, 0) for client, id in zip(warming, ids, strict=True)))
    await _close(warming)
    for users, limit in ((50, 40), (200, 80)):
        clients = await _clients(site, database_url, users)
        ids = [(await client.post("/api/interviews", json={})).json()["interview_id"] for client in clients[:1]]
        ids += [
            answer.json()["interview_id"]
            for answer in await asyncio.gather(*(client.post("/api/interviews", json={}) for client in clients[1:]))
        ]
        turns = await asyncio.gather(
            *(_turn_after(client, id, 6 * number / users) for number, (client, id) in enumerate(zip(clients, ids, strict=True)))
        )
        over = [(spent - MODEL * 1000, status) for spent, status in turns]
        figure(f"turn over the model's {MODEL * 1000:.0f} ms, {users} users within 6 s", over, f"p95 under {limit}")
        await _close(clients)
    clients = await _clients(site, database_url, 100)
    rush = await asyncio.gather(*(_timed(clients[number % 100].get("/api/user/dashboard")) for number in range(800)))
    figure("800 dashboards at once, over 100 connections", rush, "200 or 503")
    await _close(clients)


async def _turn_after(client: httpx2.AsyncClient, id: int, seconds: float) -> tuple[float, int]:
    await asyncio.sleep(seconds)
    return await _timed(client.post(f"/api/conversations/create/{id}", json={"message": ANSWER}))


async def _close(clients: Iterable[httpx2.AsyncClient]) -> None:
    for client in clients:
        await client.aclose()


def figure(name: str, calls: Iterable[tuple[float, int]], goal: str) -> None:
    """Print the distribution of response times in milliseconds, and the count of each HTTP status."""
    times, statuses = zip(*calls, strict=True)
    spread = statistics.quantiles(times, n=100)
    print(
        f"  {name:<58} p50 {spread[49]:7.1f}  p95 {spread[94]:7.1f}  max {max(times):7.1f} ms  "
        f"{dict(Counter(statuses))} (goal: {goal})"
    )
