"""Measures whether response times reveal who has an account, by alternating the same request for known and unknown emails."""

from __future__ import annotations

import asyncio
import math
import statistics
import time
from pathlib import Path

import httpx2
from sqlalchemy import create_engine, text

from interviewer.accounts.signup import hash_password
from interviewer.core.database import driver_url
from tests.support.newcomers import PASSWORD
from tests.support.site import Site

TRIES = 50
KNOWN = "known@example.com"


def enumeration(folder: Path, database_url: str) -> None:
    """Print how long sign-in, sign-up, and password reset take over HTTP for known and unknown email addresses.

    The site is started as in production.
    """
    site = Site(folder, database_url).start()
    _insert_user(database_url)
    print(f"\nKnown and unknown addresses, {TRIES} attempts each (ms)")
    with httpx2.Client(base_url=f"{site.url}/api/auth", timeout=30) as client:
        for path, body in (
            ("login", {"password": "not the password"}),
            ("request-verification", {"username": "Ada", "password": PASSWORD}),
            ("request-reset", {}),
        ):
            _compare(client, path, body)
    site.stop()


def _insert_user(database_url: str) -> None:
    engine = create_engine(driver_url(database_url))
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO users (email, username, password_hash, created_at, updated_at) "
                "VALUES (:email, 'Known', :hash, now(), now())"
            ),
            {"email": KNOWN, "hash": asyncio.run(hash_password(PASSWORD))},
        )
    engine.dispose()


def _compare(client: httpx2.Client, path: str, body: dict[str, str]) -> None:
    known: list[float] = []
    unknown: list[float] = []
    for number in range(TRIES):
        for email, times in ((KNOWN, known), (f"unknown{number}@example.com", unknown)):
            began = time.perf_counter()
            client.post(path, json={"email": email, **body})
            times.append((time.perf_counter() - began) * 1000)
            time.sleep(0.02)  # so that background work after a response does not disturb the next request
    means = [statistics.mean(times) for times in (known, unknown)]
    noise = math.sqrt(sum(statistics.variance(times) / TRIES for times in (known, unknown)))
    difference = means[0] - means[1]
    print(
        f"  {path:<22} known {means[0]:7.2f}  unknown {means[1]:7.2f}  difference {difference:+6.2f}, "
        f"{abs(difference) / noise:.1f} standard errors (within noise: under 3)"
    )
