"""Sign-in for API clients: short-lived access tokens and single-use refresh tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import jwt
from jwt.types import Options
from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.accounts import session_queries as queries
from interviewer.accounts.browser_sessions import AuthenticatedUser, hashed, lock_authenticated_user, new_secret
from interviewer.accounts.tables import RefreshToken, Session
from interviewer.core import users
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.ids import MAX_ID
from interviewer.core.rate_limits import Action, Guard
from interviewer.core.users import User
from interviewer.errors import BadRequest, Unauthorized

ISSUER, AUDIENCE, PURPOSE, ALGORITHM = "interviewer", "interviewer-api", "access", "HS256"
CLAIMS = ["iss", "aud", "iat", "exp", "sub", "jti", "sid", "purpose"]
REFRESH_LIFETIME = timedelta(days=60)
# Two tabs or threads may send the same refresh token at the same moment. Reuse after this time counts as theft.
REUSE_GRACE = timedelta(seconds=10)
DEACTIVATED = "Account deactivated"


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """The API tokens issued to a user. `refresh` is empty if the session cannot be renewed."""

    user: User
    access: str
    refresh: str = ""


class Tokens:
    """Issues, authenticates, and refreshes API tokens."""

    def __init__(self, database: Database, guard: Guard, secret: str | None, lifetime: timedelta) -> None:
        """`secret` signs access tokens, which are valid for `lifetime`.

        Without a secret, access tokens are signed with a key that is generated once and stored in the database.
        """
        self._database = database
        self._guard = guard
        self._key = secret.encode() if secret else None
        self._lifetime = lifetime

    async def issue(self, user: User, user_agent: str = "", *, renewable: bool = True) -> IssuedTokens:
        """Open a session for an already authenticated user and issue its API tokens.

        Unless `renewable`, there is no refresh token, and the session ends when the access token expires. Raises Unauthorized if
        the account has been deleted or the password has changed since the user authenticated.
        """
        key, now = await self._signing_key(), utcnow()
        lifetime = REFRESH_LIFETIME if renewable else self._lifetime
        async with self._database.transaction() as session:
            await lock_authenticated_user(session, user)
            opened = Session(user_id=user.id, user_agent=user_agent[:300], expires_at=now + lifetime)
            session.add(opened)
            await session.flush()
            refresh = _add_refresh_token(session, opened) if renewable else ""
            access = self._access(key, user.id, opened.id)
        return IssuedTokens(user, access, refresh)

    async def authenticate(self, access: str) -> AuthenticatedUser:
        """Return the user that an access token belongs to.

        Raises Unauthorized if the token is invalid, its session has ended, or the account has been deleted.
        """
        user_id, session_id = self._claimed(access, await self._signing_key())
        async with self._database.autocommit() as session:
            user, live = await queries.user_and_session(session, user_id, session_id, utcnow())
        if user is None:
            raise Unauthorized(DEACTIVATED)
        if live is None:
            raise Unauthorized
        return AuthenticatedUser(user.id, user.username, user.email)

    async def refresh(self, secret: str, user_id: int | None, client: str = "") -> IssuedTokens:
        """Exchange a single-use refresh token for new tokens.

        Raises Unauthorized if the token is unknown, expired, or already used. If it was used more than REUSE_GRACE ago, it counts
        as stolen, and its session is ended. Raises BadRequest, without using up the token, if it does not belong to `user_id`.
        Raises TooManyRequests if the IP address `client` exceeds the rate limit.
        """
        await self._guard.check(Action.REFRESH, client)
        key, now = await self._signing_key(), utcnow()
        async with self._database.transaction() as session:
            found = await queries.locked_refresh_token(session, hashed(secret))
            if found is None:
                raise Unauthorized
            token, opened = found
            if token.rotated_at is None and min(token.expires_at, opened.expires_at) > now:
                return await self._rotate(session, token, opened, user_id, key)
            if token.rotated_at is not None and now - token.rotated_at > REUSE_GRACE:
                await session.delete(opened)
        raise Unauthorized

    async def _rotate(
        self, session: AsyncSession, token: RefreshToken, opened: Session, user_id: int | None, key: bytes
    ) -> IssuedTokens:
        if user_id != opened.user_id:
            raise BadRequest("UserID required" if user_id is None else "Invalid ID")
        user = await session.get_one(User, opened.user_id)
        now = utcnow()
        token.rotated_at, opened.last_seen_at, opened.expires_at = now, now, now + REFRESH_LIFETIME
        return IssuedTokens(user, self._access(key, user.id, opened.id), _add_refresh_token(session, opened))

    def _access(self, key: bytes, user_id: int, session_id: int) -> str:
        now = utcnow()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + self._lifetime,
            "sub": str(user_id),
            "jti": uuid4().hex,
            "sid": session_id,
            "purpose": PURPOSE,
        }
        return jwt.encode(claims, key, ALGORITHM)

    async def _signing_key(self) -> bytes:
        """Return the key that signs access tokens, generating and storing it if there is none.

        A generated key is cached only after the commit, because every process must use the same key.
        """
        if self._key is None:
            async with self._database.transaction() as session:
                key = await users.secret(session, "access-tokens")
            self._key = key
        return self._key

    def _claimed(self, access: str, key: bytes) -> tuple[int, int]:
        """Return the user ID and the session ID in an access token. Raises Unauthorized if the token is invalid."""
        try:
            # `iat` is not checked: the clocks of replicas differ and are sometimes set back.
            options: Options = {"require": CLAIMS, "verify_iat": False}
            claims = jwt.decode(access, key, algorithms=[ALGORITHM], issuer=ISSUER, audience=AUDIENCE, options=options)
            user_id, session_id = int(claims["sub"]), int(claims["sid"])
        except (jwt.InvalidTokenError, ValueError, TypeError):
            raise Unauthorized from None
        if claims["purpose"] != PURPOSE or not (0 < user_id < MAX_ID and 0 < session_id < MAX_ID):
            raise Unauthorized
        return user_id, session_id


def _add_refresh_token(session: AsyncSession, opened: Session) -> str:
    secret = new_secret()
    session.add(RefreshToken(session_id=opened.id, token_hash=hashed(secret), expires_at=utcnow() + REFRESH_LIFETIME))
    return secret
