"""Browser sign-in with sliding sessions. The cookie holds a random secret, and the database stores only its hash."""

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

# A session expires after this long without use.
SESSION_LIFETIME = timedelta(days=30)
# Extending a session costs a statement, so it happens at most this often.
SLIDE_EVERY = timedelta(hours=1)
COOKIE = "interviewer_session"
# This cookie carries a form's result across the redirect that follows, and expires after this many seconds.
FLASH_COOKIE = "interviewer_flash"
FLASH_SECONDS = 20


@dataclass(frozen=True, slots=True)
class AuthenticatedUser:
    """The authenticated user of a request."""

    user_id: int
    username: str
    email: str


@dataclass(frozen=True, slots=True)
class Device:
    """A live session of a browser or, if `program`, of an API client. `current` marks the session that makes the request."""

    id: int
    user_agent: str
    program: bool
    since: datetime
    last_seen: datetime
    current: bool


def new_secret() -> str:
    """Return a random 256-bit secret as URL-safe text."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """Return the SHA-256 hash of a random secret in hex. No salt or slow hash is needed, because the secret cannot be guessed."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def cookie_value(cookies: str, name: str) -> str:
    """Return a cookie's raw value from a `Cookie` header, or an empty string if it is missing.

    If the name repeats, the last value wins.
    """
    pairs = (part.strip().partition("=") for part in cookies.split(";"))
    return {key: value for key, _, value in pairs}.get(name, "")


async def lock_authenticated_user(session: AsyncSession, user: User) -> None:
    """Lock the row of a user who has just authenticated.

    Raises Unauthorized if the account has been deleted or the password has changed since the user authenticated.
    """
    now = await users.locked_user(session, user.id)
    if now is None or now.password_hash != user.password_hash:
        raise Unauthorized("Authentication failed.")


class Sessions:
    """Opens and authenticates browser sessions. Lists and ends sessions of browsers and API clients."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, user: User, user_agent: str = "") -> str:
        """Open a session for an already authenticated user, and return the secret for its cookie.

        Raises Unauthorized if the account has been deleted or the password has changed since the user authenticated.
        """
        secret = new_secret()
        async with self._database.transaction() as session:
            await lock_authenticated_user(session, user)
            session.add(
                Session(
                    user_id=user.id,
                    token_hash=hashed(secret),
                    user_agent=user_agent[:300],
                    expires_at=utcnow() + SESSION_LIFETIME,
                )
            )
        return secret

    async def authenticate(self, secret: str, *, slide: bool = False) -> AuthenticatedUser:
        """Return the user whose live session has this secret. Raises Unauthorized if there is none.

        If `slide`, also extends the session, at most once per SLIDE_EVERY.
        """
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
        return AuthenticatedUser(user.id, user.username, user.email)

    async def devices(self, user_id: int, secret: str) -> tuple[Device, ...]:
        """Return the user's live sessions, most recently used first. `secret` is the secret of the current session."""
        async with self._database.transaction() as session:
            stored = await queries.sessions_of(session, user_id, utcnow())
        here = hashed(secret)
        return tuple(
            Device(one.id, one.user_agent, one.token_hash is None, one.created_at, one.last_seen_at, one.token_hash == here)
            for one in stored
        )

    async def end(self, user_id: int, session_id: int) -> None:
        """End one of this user's sessions. Does nothing if the session does not exist or belongs to another user."""
        async with self._database.transaction() as session:
            await queries.end_one_session(session, user_id, session_id)

    async def end_all(self, user_id: int) -> None:
        """End every session of this user, including those of API clients."""
        async with self._database.transaction() as session:
            await queries.end_sessions(session, user_id)

    async def close(self, secret: str) -> None:
        """End the session with this secret. Does nothing if there is no such session."""
        async with self._database.transaction() as session:
            await queries.end_session(session, hashed(secret))

    async def forget_expired(self) -> None:
        """Delete expired sessions, refresh tokens, and mailed links, including the sign-up data stored with the links."""
        async with self._database.transaction() as session:
            await queries.forget_expired(session, utcnow())
