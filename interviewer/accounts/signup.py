"""Accounts: sign-up with a verified email address, sign-in, and password reset."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta

from passlib.context import CryptContext
from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.accounts import mail_templates, queries, session_queries
from interviewer.accounts.browser_sessions import hashed, new_secret
from interviewer.accounts.lifetimes import RESET_LIFETIME, VERIFICATION_LIFETIME
from interviewer.accounts.passwords import may_exist, refusal
from interviewer.accounts.tables import OneTimeToken
from interviewer.accounts.user_names import MAX_USERNAME, checked_username
from interviewer.core import users
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.mail_outbox import MailSender, enqueue
from interviewer.core.rate_limits import Action, Guard
from interviewer.core.users import MAX_EMAIL, User, normalized_email
from interviewer.credits import free_credit
from interviewer.errors import BadRequest, Conflict, InvalidFields, Unauthorized

SALT_BYTES = 16
# Argon2id with the parameters that OWASP's password storage cheat sheet recommends (19 MiB, 2 passes, 1 lane).
_passwords = CryptContext(
    schemes=["argon2"], argon2__type="ID", argon2__memory_cost=19456, argon2__time_cost=2, argon2__parallelism=1
)

RESET_DEAD = "Invalid or expired token"
LINK_DEAD = "This link has expired or was already used. Sign up again to get a new one."
NOT_CHOSEN = "That isn't the password you chose when you signed up. Try again, or choose a new one below."


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-up whose email address has not been confirmed yet."""

    username: str
    email: str


def _rate_limit_key(email: str) -> str:
    """Return the rate limit key for an email address: the normalized address or, if it is invalid, the raw text, shortened."""
    try:
        return normalized_email(email)
    except BadRequest:
        return email[:MAX_EMAIL]


async def checked_password(raw: str, *about: str) -> str:
    """Return the password if it is accepted. Raises InvalidFields with the reason if it is refused.

    `about` is the user's name and email address, which the password must not resemble. Takes up to 50 ms of CPU time, in a
    thread, so check the rate limit first.
    """
    if reason := await asyncio.to_thread(refusal, raw, about):
        raise InvalidFields({"password": reason})
    return raw


async def _checked_sign_up(email: str, username: str, password: str) -> tuple[str, str]:
    """Return the email address and name in their stored form.

    If the email address, the name, or the password is invalid, raises InvalidFields with all invalid fields.
    """
    refused = {}
    try:
        email = normalized_email(email)
    except BadRequest as error:
        refused["email"] = error.user_message
    try:
        username = checked_username(username)
    except BadRequest as error:
        refused["username"] = error.user_message
    try:
        await checked_password(password, email[:MAX_EMAIL], username[:MAX_USERNAME])
    except InvalidFields as error:
        refused |= error.fields
    if refused:
        raise InvalidFields(refused)
    return email, username


async def hash_password(password: str, salt: bytes | None = None) -> str:
    """Hash a password in a thread, because it takes about a tenth of a second by design. The default salt is random."""
    hasher = _passwords if salt is None else _passwords.handler("argon2").using(salt=salt)
    return str(await asyncio.to_thread(hasher.hash, password))


async def password_matches(password: str, password_hash: str | None) -> bool:
    """Return whether a password matches a hash.

    Returns False if `password_hash` is None, after doing the same work, so that the timing does not reveal whether there is a
    hash. For a password that no account can have, returns False at once.
    """
    if not may_exist(password):
        return False
    if password_hash is None:
        await asyncio.to_thread(_passwords.hash, password)
        return False
    return bool(await asyncio.to_thread(_passwords.verify, password, password_hash))


class Accounts:
    """Sign-up, sign-in, and password reset."""

    def __init__(self, database: Database, mail_sender: MailSender, guard: Guard, site_url: str) -> None:
        self._database = database
        self._guard = guard
        self._mail_sender = mail_sender
        self._site_url = site_url

    async def email_exists(self, email: str, client: str = "") -> bool:
        """Return whether an email address has an account. No other operation reveals whether an account exists.

        Raises BadRequest if the email address is invalid, and TooManyRequests if the IP address `client` exceeds the rate limit.
        """
        await self._guard.check(Action.CHECK_EMAIL, client)
        address = normalized_email(email)
        async with self._database.transaction() as session:
            return await queries.user_by_email(session, address) is not None

    async def request_verification(self, email: str, username: str, password: str, client: str = "") -> None:
        """Email a link that creates the account.

        If the email address already has an account, the email says so instead, and the caller sees no difference. Raises
        InvalidFields if the email address, the name, or the password is invalid; the call still counts toward the rate limits.
        Raises TooManyRequests if a rate limit is exceeded.
        """
        await self._guard.check(Action.SIGN_UP, client, _rate_limit_key(email))
        email, username = await _checked_sign_up(email, username, password)
        password_hash = await hash_password(password, await self._salt(email))
        secret = new_secret()
        async with self._database.transaction() as session:
            if await queries.user_by_email(session, email) is not None:
                enqueue(session, mail_templates.already_known(email, self._site_url))
            else:
                token = _token("verification", secret, email, VERIFICATION_LIFETIME)
                token.username, token.password_hash = username, password_hash
                session.add(token)
                enqueue(session, mail_templates.verification(email, username, self._site_url, secret))
        self._mail_sender.wake()

    async def _salt(self, email: str) -> bytes:
        """Return the salt for sign-ups with this email address.

        It is the same each time, so equal passwords have equal hashes, and `verify` can detect whether the passwords of pending
        sign-ups differ.
        """
        async with self._database.transaction() as session:
            key = await users.secret(session, "sign-up-salts")
        return hmac.new(key, email.encode(), hashlib.sha256).digest()[:SALT_BYTES]

    async def pending(self, secret: str) -> Pending:
        """Return the sign-up that a mailed link confirms, without using up the link.

        Raises Unauthorized if the link is unknown, used, or expired.
        """
        token = await self._pending(secret)
        return Pending(token.username, token.email)

    async def _pending(self, secret: str) -> OneTimeToken:
        async with self._database.transaction() as session:
            return _live(await queries.token_by_hash(session, hashed(secret), "verification"))

    async def confirm(self, secret: str, password: str, client: str = "") -> User:
        """Create the account of a mailed link if `password` is the one that was chosen at sign-up.

        Access to the mailbox does not prove that the user chose the password, because anyone can sign up with another person's
        address. Raises BadRequest if the password is wrong. Also raises the errors of `verify`.
        """
        await self._guard.check(Action.USE_LINK, client)
        token = await self._pending(secret)
        if not await password_matches(password, token.password_hash):
            raise BadRequest(NOT_CHOSEN)
        return await self._create(secret, proven_hash=token.password_hash)

    async def confirm_with_new_password(self, secret: str, password: str, client: str = "") -> User:
        """Create the account of a mailed link with a new password instead of the one chosen at sign-up.

        Raises InvalidFields if the new password cannot be used. Also raises the errors of `verify`.
        """
        await self._guard.check(Action.USE_LINK, client)
        token = await self._pending(secret)
        new_hash = await hash_password(await checked_password(password, token.email, token.username))
        return await self._create(secret, proven_hash=new_hash)

    async def verify(self, secret: str, client: str = "") -> User:
        """Create the account of a mailed link for an API client, which sends the link's secret but no password.

        The account gets the password chosen at sign-up, but `password_proven_at` stays empty. If another pending sign-up with the
        same email address has a different password, we cannot know which one is the owner's. In that case, the account gets no
        password, and we email a link for choosing one.

        Raises Unauthorized if the link is unknown, used, or expired. Raises Conflict if the email address has an account by now.
        Raises TooManyRequests if the IP address `client` exceeds the rate limit.
        """
        await self._guard.check(Action.USE_LINK, client)
        return await self._create(secret)

    async def _create(self, secret: str, *, proven_hash: str | None = None) -> User:
        """Create the account of a mailed link, with its free credit, and use up all sign-up links of the email address.

        `proven_hash` is the hash of a password that the user has just typed. It becomes the account's password, and
        `password_proven_at` is set. If `proven_hash` is None, the password is set as described in `verify`. Raises Unauthorized
        if the link is unknown, used, or expired, and Conflict if the email address has an account by now.
        """
        now = utcnow()
        async with self._database.transaction() as session:
            found = _live(await queries.token_by_hash(session, hashed(secret), "verification"))
            # Serialize the use of two links for the same email address, because using one of them uses up the other.
            await queries.lock_address(session, found.email)
            token = _live(await queries.token_by_hash(session, hashed(secret), "verification", lock=True))
            if await queries.user_by_email(session, token.email) is not None:
                raise Conflict("Email already exists")
            disputed = proven_hash is None and await queries.count_pending_passwords(session, token.email, now) > 1
            user = User(email=token.email, username=token.username, password_hash=proven_hash or token.password_hash)
            user.password_proven_at = now if proven_hash else None
            if disputed:
                user.password_hash = None
            session.add(user)
            await session.flush()
            free = await free_credit.grant_free_credit(session, user)
            await queries.mark_tokens_used(session, token.email, "verification", now)
            enqueue(session, mail_templates.welcome(user.email, user.username, self._site_url, free=free))
            if disputed:
                enqueue(
                    session,
                    mail_templates.password_to_choose(user.email, user.username, self._site_url, _add_reset(session, user)),
                )
        self._mail_sender.wake()
        return user

    async def sign_in(self, email: str, password: str, client: str = "") -> User:
        """Return the user with this email address and password, and record that the password has been used to sign in.

        A hash made with older parameters is upgraded. Raises Unauthorized if the email address or the password is wrong, and
        TooManyRequests if a rate limit is exceeded.
        """
        await self._guard.check(Action.SIGN_IN, client, _rate_limit_key(email))
        user = await self._user_with(email)
        if not await password_matches(password, user.password_hash if user else None) or user is None:
            raise Unauthorized("Authentication failed.")
        if user.password_hash and _passwords.needs_update(user.password_hash):
            new_hash = await hash_password(password)
            if await self._upgrade(user.id, user.password_hash, new_hash):
                user.password_hash = new_hash
        if user.password_hash and user.password_proven_at is None:
            async with self._database.transaction() as session:
                await queries.mark_password_proven(session, user.id, user.password_hash, utcnow())
        return user

    async def _user_with(self, email: str) -> User | None:
        try:
            address = normalized_email(email)
        except BadRequest:
            return None
        async with self._database.transaction() as session:
            return await queries.user_by_email(session, address)

    async def _upgrade(self, user_id: int, old_hash: str, new_hash: str) -> bool:
        """Replace a hash made with older parameters, unless the password has changed since. Returns whether it was replaced."""
        async with self._database.transaction() as session:
            return await queries.replace_hash(session, user_id, old_hash, new_hash)

    async def request_reset(self, email: str, client: str = "") -> None:
        """Email a link for choosing a new password, if the email address has an account.

        The lookup runs after the response, so neither the response nor its timing reveals whether the account exists. Raises
        BadRequest if the email address is invalid; the call still counts toward the rate limits. Raises TooManyRequests if a rate
        limit is exceeded.
        """
        await self._guard.check(Action.RESET, client, _rate_limit_key(email))
        address = normalized_email(email)
        self._mail_sender.spawn(self._mail_reset(address))

    async def _mail_reset(self, address: str) -> None:
        async with self._database.transaction() as session:
            user = await queries.user_by_email(session, address)
            if user is None:
                return
            enqueue(session, mail_templates.reset(address, user.username, self._site_url, _add_reset(session, user)))
        await self._mail_sender.deliver_due()

    async def reset_password(self, secret: str, password: str, client: str = "") -> None:
        """Set a new password using a mailed link, end every session of the account, and notify its owner by email.

        Raises Unauthorized if the link is unknown, used, or expired. Raises InvalidFields if the password cannot be used; the
        link then stays valid. Raises TooManyRequests if the IP address `client` exceeds the rate limit.
        """
        await self._guard.check(Action.USE_LINK, client)
        if not await self.reset_link_is_valid(secret):
            raise Unauthorized(RESET_DEAD)
        new_hash = await hash_password(await checked_password(password))
        async with self._database.transaction() as session:
            token = _live(await queries.token_by_hash(session, hashed(secret), "reset", lock=True), RESET_DEAD)
            user = await session.get(User, token.user_id, with_for_update=True)
            if user is None:
                raise Unauthorized(RESET_DEAD)
            user.password_hash, user.password_proven_at = new_hash, utcnow()
            await queries.mark_tokens_used(session, token.email, "reset", utcnow())
            await session_queries.end_sessions(session, user.id)
            github = user.github_id is not None
            enqueue(session, mail_templates.password_changed(user.email, user.username, self._site_url, github=github))
        self._mail_sender.wake()

    async def reset_link_is_valid(self, secret: str) -> bool:
        """Return whether a mailed reset link still works, without using it up."""
        async with self._database.transaction() as session:
            token = await queries.token_by_hash(session, hashed(secret), "reset")
        return token is not None and token.used_at is None and token.expires_at > utcnow()


def _token(purpose: str, secret: str, email: str, lifetime: timedelta) -> OneTimeToken:
    return OneTimeToken(purpose=purpose, token_hash=hashed(secret), email=email, expires_at=utcnow() + lifetime)


def _add_reset(session: AsyncSession, user: User) -> str:
    """Store a one-time token for resetting the user's password, and return its secret."""
    secret = new_secret()
    token = _token("reset", secret, user.email, RESET_LIFETIME)
    token.user_id = user.id
    session.add(token)
    return secret


def _live(token: OneTimeToken | None, dead: str = LINK_DEAD) -> OneTimeToken:
    if token is None or token.used_at is not None or token.expires_at < utcnow():
        raise Unauthorized(dead)
    return token
