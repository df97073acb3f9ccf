"""A site with a user who has past interviews, and ways to end the user's sessions or share their reports."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from interviewer.accounts.browser_sessions import COOKIE, hashed
from tests.support.people import Veteran, seed
from tests.support.raw_page import raw_page
from tests.support.site import Site

ADA, GRACE = "ada@example.com", "grace@example.com"
# Content of Ada's pages that no other client may receive.
PRIVATE = (ADA, "Ada Lovelace", "In my last project I measured this first")


def private(said: str) -> list[str]:
    """Return the pieces of Ada's private content that a response contains."""
    return [text for text in PRIVATE if text in said]


@dataclass(frozen=True)
class Home:
    """A running site, its database, and Ada."""

    site: Site
    engine: Engine
    person: Veteran

    def session(self, email: str = ADA) -> str:
        """Create a session for a user and return its secret."""
        secret = secrets.token_urlsafe(32)
        self.run(
            "INSERT INTO sessions (user_id, token_hash, created_at, last_seen_at, expires_at)"
            " SELECT id, :hash, now(), now(), now() + interval '1 day' FROM users WHERE email = :email",
            hash=hashed(secret),
            email=email,
        )
        return secret

    def share(self) -> str:
        """Share Ada's finished interview and return the secret of the link. A previous link stops working."""
        secret = secrets.token_urlsafe(32)
        self.run(
            "INSERT INTO report_shares (interview_id, token_hash, created_at) VALUES (:id, :hash, now())"
            " ON CONFLICT (interview_id) DO UPDATE SET token_hash = excluded.token_hash",
            id=self.person.finished,
            hash=hashed(secret),
        )
        return secret

    def end(self, secret: str) -> None:
        """Delete a session directly in the database, so that no process is notified."""
        self.run("DELETE FROM sessions WHERE token_hash = :hash", hash=hashed(secret))

    def run(self, statement: str, **values: object) -> None:
        """Run a statement in the site's database."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def post(self, path: str, secret: str, **form: str) -> None:
        """Post a form with a session cookie. Fails unless the response is a redirect (303)."""
        reply = httpx2.post(f"{self.site.url}{path}", headers={"Cookie": f"{COOKIE}={secret}"}, data=form)
        assert reply.status_code == 303, reply.text

    def fill(self, path: str, token: str, secret: str) -> None:
        """Open a page until it shows Ada's content, then close it. The server keeps the state of the page."""
        assert self.seen(path, token, secret), "the page was not filled"

    def seen(self, path: str, token: str, secret: str = "") -> list[str]:
        """Return the pieces of Ada's private content that a client with this token and session cookie receives."""
        with raw_page(self.site.port, path, token, secret) as page:
            return private("".join(page.heard))

    @contextmanager
    def database_unavailable(self) -> Iterator[None]:
        """Refuse connections to the site's database, and close the open ones, while the block runs."""
        url = make_url(self.site.database_url)
        admin = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with admin.connect() as connection:
            connection.execute(text(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS false'))
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :n"), {"n": url.database}
            )
            try:
                yield
            finally:
                connection.execute(text(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS true'))


@contextmanager
def site_with_users(site: Site) -> Iterator[Home]:
    """Create Ada and Grace in the site's database."""
    engine = create_engine(site.database_url, poolclass=NullPool)
    yield Home(site, engine, seed(site.database_url, history=1)[0])
    engine.dispose()
