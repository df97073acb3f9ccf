"""Browser sign-in: opaque sliding sessions. The cookie holds a secret, the database its hash."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.accounts import session_queries as queries
from interviewer.accounts.tables import Session
from interviewer.core import users
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.errors import Unauthorized

# A session ends after this long without use.
SESSION_LIFETIME = timedelta(days=30)
# Sliding costs a statement, so it happens at most this often.
SLIDE_EVERY = timedelta(hours=1)
COOKIE = "interviewer_session"
# The result of a form is passed in a cookie that lives this many seconds, long enough for the redirect that follows.
FLASH_COOKIE = "interviewer_flash"
FLASH_SECONDS = 20


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The user behind a request."""

    user_id: int
    username: str
    email: str


@dataclass(frozen=True, slots=True)
class Device:
    """A signed-in browser or program; `current` marks the one making the request."""

    id: int
    user_agent: str
    program: bool
    since: datetime
    last_seen: datetime
    current: bool


def new_secret() -> str:
    """Return 256 random bits as URL-safe text."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """Return the SHA-256 of a random secret, as hex. No salt or slow hash is needed: the secret cannot be guessed."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def cookie_value(cookies: str, name: str) -> str:
    """Return a cookie's raw value from a `Cookie` header, or an empty string; the last one wins if the name repeats."""
    pairs = (part.strip().partition("=") for part in cookies.split(";"))
    return {key: value for key, _, value in pairs}.get(name, "")


async def still_proven(session: AsyncSession, user: User) -> None:
    """Lock a user who has just proven their identity; raises Unauthorized if the account or password has changed since."""
    now = await users.locked_user(session, user.id)
    if now is None or now.password_hash != user.password_hash:
        raise Unauthorized("Authentication failed.")


class Sessions:
    """Opens, checks and ends browser sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, user: User, user_agent: str = "") -> str:
        """Open a session for a user who has just proven their identity, and return the cookie's secret."""
        secret = new_secret()
        async with self._database.transaction() as session:
            await still_proven(session, user)
            session.add(
                Session(
                    user_id=user.id,
                    token_hash=hashed(secret),
                    user_agent=user_agent[:300],
                    expires_at=utcnow() + SESSION_LIFETIME,
                )
            )
        return secret

    async def authenticate(self, secret: str, *, slide: bool = False) -> SignedIn:
        """Return the user of this secret; raises Unauthorized. `slide` extends the session, at most once per `SLIDE_EVERY`."""
        if not secret:
            raise Unauthorized
        now = utcnow()
        async with self._database.transaction() as session:
            found = await queries.signed_in(session, hashed(secret), now)
            if found is None:
                raise Unauthorized
            stored, user = found
            if slide and now - stored.last_seen_at > SLIDE_EVERY:
                await queries.slide_session(session, stored.id, now, now + SESSION_LIFETIME)
        return SignedIn(user.id, user.username, user.email)

    async def devices(self, user_id: int, secret: str) -> tuple[Device, ...]:
        """Return where this user is signed in, most recently used first; `secret` identifies the current session."""
        async with self._database.transaction() as session:
            stored = await queries.sessions_of(session, user_id, utcnow())
        here = hashed(secret)
        return tuple(
            Device(one.id, one.user_agent, one.token_hash is None, one.created_at, one.last_seen_at, one.token_hash == here)
            for one in stored
        )

    async def end(self, user_id: int, session_id: int) -> None:
        """End one of this user's sessions; another user's id changes nothing."""
        async with self._database.transaction() as session:
            await queries.end_one_session(session, user_id, session_id)

    async def end_all(self, user_id: int) -> None:
        """End every session of this user."""
        async with self._database.transaction() as session:
            await queries.end_sessions(session, user_id)

    async def close(self, secret: str) -> None:
        """End the session; does nothing if it does not exist."""
        async with self._database.transaction() as session:
            await queries.end_session(session, hashed(secret))

    async def forget_expired(self) -> None:
        """Delete expired sessions, refresh tokens and mailed links, with the data stored in them."""
        async with self._database.transaction() as session:
            await queries.forget_expired(session, utcnow())
