"""Accounts with credits and browser sessions, inserted directly into the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, create_engine, text

from interviewer.accounts.browser_sessions import hashed, new_secret
from interviewer.core.columns import utcnow
from interviewer.core.database import driver_url

_USER = """
INSERT INTO users (email, username, individual_credits, created_at, updated_at)
VALUES (:email, :name, :credits, now(), now()) RETURNING id
"""
_LEDGER = """
INSERT INTO credit_transactions (user_id, type, amount, reason, source, business_key, created_at)
VALUES (:id, 'individual', :credits, 'load', 'test', :key, now())
"""
_SESSION = """
INSERT INTO sessions (user_id, token_hash, user_agent, created_at, last_seen_at, expires_at)
VALUES (:id, :hash, 'load', now(), now(), :expires)
"""


@dataclass(frozen=True)
class Account:
    """A signed-in user. `cookie` is the secret of the session."""

    id: int
    email: str
    cookie: str
    credits: int


@contextmanager
def connected(database_url: str) -> Iterator[Connection]:
    """Open a connection with a transaction that commits at the end of the block."""
    engine = create_engine(driver_url(database_url))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def make_accounts(database_url: str, count: int, credits: int, prefix: str = "person") -> list[Account]:
    """Create `count` accounts with `credits` each, and sign them in, in a migrated database."""
    made = []
    with connected(database_url) as connection:
        for number in range(count):
            secret, email = new_secret(), f"{prefix}{number}@example.com"
            given = {"email": email, "name": f"{prefix.title()} {number}", "credits": credits}
            id = connection.execute(text(_USER), given).scalar_one()
            connection.execute(text(_LEDGER), {"id": id, "credits": credits, "key": f"load:{id}"})
            session = {"id": id, "hash": hashed(secret), "expires": utcnow() + timedelta(days=1)}
            connection.execute(text(_SESSION), session)
            made.append(Account(id, email, secret, credits))
    return made
