"""Sign-in with GitHub: the redirect to GitHub and back, and the account that an identity belongs to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.accounts import mail_templates, queries, session_queries
from interviewer.accounts.browser_sessions import hashed, new_secret
from interviewer.accounts.oauth import Identity, OAuth
from interviewer.accounts.redirects import local_path
from interviewer.accounts.user_names import cleaned_username
from interviewer.core import users
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.mail_outbox import MailSender, enqueue
from interviewer.core.rate_limits import Action, Guard
from interviewer.core.users import User, normalized_email
from interviewer.credits import free_credit
from interviewer.errors import BadRequest, Conflict, IdentityRefused, Unauthorized, Unavailable

# How long a user may take on GitHub's pages. This is also the lifetime of the attempt's cookie.
ATTEMPT_LIFETIME = timedelta(minutes=10)
ATTEMPT_COOKIE = "interviewer_github"
CALLBACK = "github/callback"
# Maximum length of the path to return to, in characters, because the cookie contains it.
MAX_NEXT = 1000
NOT_CONFIGURED = "GitHub sign-in isn't set up on this site."
LOST = "We couldn't match this GitHub sign-in to one that you started here. Please start again from this page."
_DENIALS = {
    "access_denied": "You canceled the GitHub sign-in. Nothing has changed.",
    "application_suspended": "GitHub has suspended sign-in for this site. Please sign in with your email address.",
    "redirect_uri_mismatch": (
        "GitHub sign-in isn't working right now. The problem is on our end. Please sign in with your email address."
    ),
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in attempt, kept in a browser cookie while the user is at GitHub. The cookie proves that the same browser returns.

    `next` is the path to redirect to afterward. `link_to` is the ID of the signed-in user who wants to connect GitHub, or 0 for a
    sign-in.
    """

    state: str
    verifier: str
    next: str
    link_to: int = 0

    def sealed(self, key: bytes) -> str:
        """Return the attempt as signed text for a cookie. Another site on our domain can set cookies, but cannot sign them."""
        payload = base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()
        return f"{payload}.{_signature(payload, key)}"

    @classmethod
    def opened(cls, raw: str, key: bytes) -> Attempt:
        """Return the attempt in a cookie. Raises IdentityRefused unless `sealed` signed the cookie with this key."""
        payload, _, signature = raw.partition(".")
        if not hmac.compare_digest(_signature(payload, key).encode(), signature.encode(errors="replace")):
            raise IdentityRefused(LOST)
        return cls(**json.loads(base64.urlsafe_b64decode(payload)))


def _signature(payload: str, key: bytes) -> str:
    return hmac.new(key, payload.encode(errors="replace"), hashlib.sha256).hexdigest()


class GitHubSignIn:
    """Signs users in with GitHub, and connects accounts to GitHub.

    Connected accounts are found by GitHub's numeric ID, because user names and email addresses can change there.
    """

    def __init__(self, database: Database, mail_sender: MailSender, guard: Guard, oauth: OAuth | None, site_url: str) -> None:
        """Without `oauth`, GitHub is not configured, and methods that need it raise Unavailable."""
        self._database = database
        self._mail_sender = mail_sender
        self._guard = guard
        self._oauth = oauth
        self._site_url = site_url

    @property
    def configured(self) -> bool:
        """Whether GitHub sign-in is configured on this site."""
        return self._oauth is not None

    async def begin(self, next_path: str, link_to: int = 0) -> tuple[str, str]:
        """Begin a sign-in. If `link_to` is a user ID, GitHub will be connected to that user's account instead.

        Returns the URL of GitHub's consent page, and the value of a cookie that the browser keeps until GitHub redirects back to
        us. After the sign-in, the user is redirected to `next_path`, or to the dashboard if `next_path` is not a path on this
        site. Raises Unavailable if GitHub sign-in is not configured.
        """
        oauth = self._required()
        attempt = Attempt(new_secret(), new_secret(), local_path(next_path[:MAX_NEXT]), link_to)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        address = oauth.authorize_url(state=attempt.state, challenge=challenge, redirect_uri=self._redirect_uri)
        return address, attempt.sealed(await self._key())

    async def attempt(self, cookie: str) -> Attempt:
        """Return the attempt in the browser's cookie. Raises IdentityRefused unless `begin` made the cookie."""
        return Attempt.opened(cookie, await self._key())

    async def _key(self) -> bytes:
        async with self._database.transaction() as session:
            return await users.secret(session, "github-attempts")

    async def identify(self, attempt: Attempt, state: str, code: str, error: str, client: str = "") -> Identity:
        """Return the identity of the user who returns from GitHub.

        Raises IdentityRefused if `state` does not match the attempt, if GitHub reports an `error` such as a cancellation, or if
        the code is missing or invalid. Raises IdentityUnavailable if GitHub cannot be reached, fails, or rejects our
        configuration. Raises TooManyRequests if the IP address `client` exceeds the rate limit, and Unavailable if GitHub sign-in
        is not configured.
        """
        oauth = self._required()
        await self._guard.check(Action.GITHUB, client)
        if not hmac.compare_digest(attempt.state.encode(), state.encode(errors="replace")):
            raise IdentityRefused(LOST)
        if error:
            raise IdentityRefused(_DENIALS.get(error))
        if not code:
            raise IdentityRefused(LOST)
        return await oauth.identify(code, verifier=attempt.verifier, redirect_uri=self._redirect_uri)

    async def sign_in_with_code(self, code: str, verifier: str | None, client: str = "") -> User:
        """Return the account of a user whose API client ran GitHub's authorization flow itself and obtained `code`.

        The account is connected or created if necessary. Raises BadRequest if the code is empty. Otherwise, raises the errors of
        `identify` and `sign_in`.
        """
        oauth = self._required()
        if not code:
            raise BadRequest("Code required")
        await self._guard.check(Action.GITHUB, client)
        return await self.sign_in(await oauth.identify(code, verifier=verifier or None, redirect_uri=None))

    async def sign_in(self, identity: Identity) -> User:
        """Return the account of this identity, connecting or creating it if necessary.

        An existing account with the same email address is connected, because every account's address has been verified by a
        mailed link or by GitHub. But its password may have been chosen by someone else who signed up with this address. A
        password that was never used to sign in is therefore removed, and all sessions are ended. Raises Conflict if the account
        with this email address is connected to another GitHub account, and IdentityRefused if the email address cannot be used
        here.
        """
        address = _address(identity)
        async with self._database.transaction() as session:
            await queries.lock_address(session, f"github:{identity.id}")
            known = await queries.user_by_github_id(session, identity.id)
            user = await users.locked_user(session, known.id) if known else None
            if user is None:
                await queries.lock_address(session, address)
                user = await self._connect_or_create(session, identity, address)
            elif _unproven(user):
                await self._drop_password(session, user)
        self._mail_sender.wake()
        return user

    async def _connect_or_create(self, session: AsyncSession, identity: Identity, address: str) -> User:
        known = await queries.user_by_email(session, address)
        user = await users.locked_user(session, known.id) if known else None
        if user is not None:
            await self._connect(session, user, identity)
            return user
        user = User(email=address, username=cleaned_username(identity.name, "GitHub user"), github_id=identity.id)
        session.add(user)
        await session.flush()
        free = await free_credit.grant_free_credit(session, user)
        await queries.mark_tokens_used(session, address, "verification", utcnow())
        enqueue(session, mail_templates.welcome(user.email, user.username, self._site_url, free=free))
        return user

    async def _connect(self, session: AsyncSession, user: User, identity: Identity, keep: str = "") -> None:
        """Connect an account to GitHub, remove its password if it was never used to sign in, and notify the owner by email.

        If the password is removed, all sessions are ended except the one with the secret `keep`. Raises Conflict if the account
        is connected to another GitHub account.
        """
        if user.github_id is not None and user.github_id != identity.id:
            raise Conflict(
                "Your account is connected to another GitHub account. Sign in with that one, or with your email address."
            )
        user.github_id, user.updated_at = identity.id, utcnow()
        if _unproven(user):
            await self._drop_password(session, user, keep)
        else:
            enqueue(session, mail_templates.github_connected(user.email, user.username, self._site_url))

    async def _drop_password(self, session: AsyncSession, user: User, keep: str = "") -> None:
        """Remove a password that someone else may have chosen, end the account's sessions, and notify the owner by email.

        The session with the secret `keep`, if given, is not ended.
        """
        user.password_hash, user.updated_at = None, utcnow()
        await session_queries.end_sessions(session, user.id, keep=hashed(keep) if keep else None)
        enqueue(session, mail_templates.password_removed(user.email, user.username, self._site_url))

    async def connect(self, user_id: int, identity: Identity, secret: str = "") -> None:
        """Connect GitHub to the account of a signed-in user. `secret` is the secret of the user's current session.

        If the account's password was never used to sign in, it is removed, and all other sessions are ended. No-op if the
        identity is already connected to the account. Raises Conflict if the identity is connected to another account, or the
        account to another identity. Raises Unauthorized if the account no longer exists.
        """
        async with self._database.transaction() as session:
            await queries.lock_address(session, f"github:{identity.id}")
            owner = await queries.user_by_github_id(session, identity.id)
            if owner is not None and owner.id != user_id:
                raise Conflict("This GitHub account is already connected to another Interviewer account.")
            user = await users.locked_user(session, user_id)
            if user is None:
                raise Unauthorized
            if owner is None:
                await self._connect(session, user, identity, secret)
        self._mail_sender.wake()

    async def disconnect(self, user_id: int) -> None:
        """Disconnect GitHub from an account, and record that this GitHub ID has had its free credit.

        Does nothing if GitHub is not connected. Raises Conflict if the account has no password to sign in with, and Unauthorized
        if the account no longer exists.
        """
        async with self._database.transaction() as session:
            user = await users.locked_user(session, user_id)
            if user is None:
                raise Unauthorized
            if user.password_hash is None:
                raise Conflict(
                    'Choose a password first: use the "get a link by email" link above. Otherwise, you\'d have no way to sign in.'
                )
            if user.github_id is not None:
                await free_credit.remember_disconnected_github_id(session, user.github_id)
            user.github_id, user.updated_at = None, utcnow()

    async def connected(self, user_id: int) -> bool:
        """Return whether the account exists and is connected to GitHub."""
        async with self._database.transaction() as session:
            user = await session.get(User, user_id)
        return user is not None and user.github_id is not None

    @property
    def _redirect_uri(self) -> str:
        return self._site_url + CALLBACK

    def _required(self) -> OAuth:
        if self._oauth is None:
            raise Unavailable(NOT_CONFIGURED)
        return self._oauth


def _address(identity: Identity) -> str:
    try:
        return normalized_email(identity.email)
    except BadRequest:
        raise IdentityRefused(
            "We can't use the email address that GitHub gave us. Please sign up with a different one."
        ) from None


def _unproven(user: User) -> bool:
    return user.password_hash is not None and user.password_proven_at is None
