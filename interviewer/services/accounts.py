"""Accounts: signing up with a verified address, signing in."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import timedelta

from email_validator import EmailNotValidError, validate_email
from passlib.context import CryptContext

from interviewer.db import accounts as queries
from interviewer.db.engine import Database
from interviewer.db.models import OneTimeToken, User, utcnow
from interviewer.errors import AppError, BadRequest, Conflict, Unauthorized
from interviewer.ports import Mailer
from interviewer.services import billing, mails
from interviewer.services.sessions import hashed, new_secret

logger = logging.getLogger(__name__)

VERIFICATION_LIFETIME = timedelta(hours=24)
MIN_PASSWORD, MAX_PASSWORD = 8, 256
MAX_USERNAME = 50
# Argon2id with the parameters that OWASP's password storage cheat sheet recommends (19 MiB, 2 passes, 1 lane).
_passwords = CryptContext(
    schemes=["argon2"], argon2__type="ID", argon2__memory_cost=19456, argon2__time_cost=2, argon2__parallelism=1
)
_UNUSABLE_NAME = re.compile("[\x00-\x1f\x7f<>\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")

LINK_DEAD = "This link has been used already or has expired. Sign up again to get a new one."


def normalised_email(raw: str) -> str:
    """Return the address in the form it is stored in; raises BadRequest when it cannot be one."""
    try:
        return validate_email(raw.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise BadRequest("This is not a valid e-mail address.") from error


def checked_username(raw: str) -> str:
    """Return the name to show; raises BadRequest when it is empty, too long or has control characters or angle brackets."""
    name = " ".join(raw.split()) if "\x00" not in raw else raw
    if not 1 <= len(name) <= MAX_USERNAME or _UNUSABLE_NAME.search(name):
        raise BadRequest(f"Choose a name of 1 to {MAX_USERNAME} characters, without < and >.")
    return name


def checked_password(raw: str) -> str:
    """Return the password if it may be used; raises BadRequest."""
    if not MIN_PASSWORD <= len(raw) <= MAX_PASSWORD:
        raise BadRequest(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
    if _SURROGATE.search(raw):
        raise BadRequest("This password has a character that cannot be typed again. Choose another.")
    return raw


async def hash_password(password: str) -> str:
    """Hash a password, in a thread: it takes about a tenth of a second by design."""
    return str(await asyncio.to_thread(_passwords.hash, password))


async def password_matches(password: str, password_hash: str | None) -> bool:
    """Check a password; with no hash it does the same work and answers False."""
    if len(password) > MAX_PASSWORD or _SURROGATE.search(password):
        return False
    if password_hash is None:
        await asyncio.to_thread(_passwords.hash, password)
        return False
    return bool(await asyncio.to_thread(_passwords.verify, password, password_hash))


class Accounts:
    """The use cases of accounts."""

    def __init__(self, database: Database, mailer: Mailer, site_url: str) -> None:
        self._database = database
        self._mailer = mailer
        self._site_url = site_url

    async def request_verification(self, email: str, username: str, password: str) -> None:
        """Mail a link that creates the account; a known address gets a mail that says so, and nobody else learns of it.

        Raises BadRequest for an address, name or password that cannot be used.
        """
        email, username, password = normalised_email(email), checked_username(username), checked_password(password)
        password_hash = await hash_password(password)
        secret = new_secret()
        async with self._database.transaction() as session:
            known = await queries.user_by_email(session, email)
            if known is None:
                session.add(
                    OneTimeToken(
                        purpose="verification",
                        token_hash=hashed(secret),
                        email=email,
                        username=username,
                        password_hash=password_hash,
                        expires_at=utcnow() + VERIFICATION_LIFETIME,
                    )
                )
        mail = (
            mails.verification(email, username, self._site_url, secret)
            if known is None
            else mails.already_known(email, self._site_url)
        )
        await self._mailer.send(mail)

    async def pending_name(self, secret: str) -> str:
        """Return the name that a mailed link will create an account for, using nothing; raises Unauthorized for a dead link."""
        async with self._database.transaction() as session:
            token = await queries.token_by_hash(session, hashed(secret), "verification")
        return _live(token).username

    async def verify(self, secret: str) -> User:
        """Create the account that a mailed link stands for, with its free credit.

        Raises Unauthorized for a dead link, Conflict when the address has an account by now.
        """
        now = utcnow()
        async with self._database.transaction() as session:
            found = _live(await queries.token_by_hash(session, hashed(secret), "verification"))
            # Two links of one address used at once take turns; each would use up the other.
            await queries.lock_address(session, found.email)
            token = _live(await queries.token_by_hash(session, hashed(secret), "verification", lock=True))
            if await queries.user_by_email(session, token.email) is not None:
                raise Conflict("Email already exists")
            user = User(email=token.email, username=token.username, password_hash=token.password_hash)
            session.add(user)
            await session.flush()
            await billing.grant_free_credit(session, user)
            await queries.use_up_tokens(session, token.email, "verification", now)
        await self._send_quietly(user)
        return user

    async def sign_in(self, email: str, password: str) -> User:
        """Return the user with this address and password; raises Unauthorized, the same for either being wrong."""
        try:
            address = normalised_email(email)
        except BadRequest:
            address = ""
        async with self._database.transaction() as session:
            user = await queries.user_by_email(session, address) if address else None
        if not await password_matches(password, user.password_hash if user else None) or user is None:
            raise Unauthorized("Authentication failed.")
        return user

    async def _send_quietly(self, user: User) -> None:
        """Welcome a new user; the account stands whether or not the mail can be sent."""
        try:
            await self._mailer.send(mails.welcome(user.email, user.username, self._site_url))
        except AppError:
            logger.warning("a welcome mail could not be sent")


def _live(token: OneTimeToken | None) -> OneTimeToken:
    if token is None or token.used_at is not None or token.expires_at < utcnow():
        raise Unauthorized(LINK_DEAD)
    return token
