"""GitHub OAuth client: the authorization code flow with PKCE, then requests for the user's identity."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Annotated
from urllib.parse import urlencode

import httpx2
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from interviewer.accounts.oauth import Identity
from interviewer.errors import IdentityRefused, IdentityUnavailable

BASE_URL = "https://github.com"
API_URL = "https://api.github.com"
SECONDS = 10.0
# Maximum size of a response in bytes. Normal responses are several hundred times smaller.
MAX_ANSWER = 1_000_000
MAX_ID = 2**63 - 1
SCOPE = "read:user user:email"
USER_AGENT = "interviewer"  # GitHub rejects requests without one

EXPIRED = "This GitHub sign-in has expired or was already used. Please sign in with GitHub again."
UNVERIFIED = "Your primary email address on GitHub isn't verified. Verify it on GitHub, or sign up here with your email address."
MISCONFIGURED = "GitHub sign-in isn't working right now. The problem is on our end. Please sign in with your email address."
NO_ADDRESS = (
    "We can't read your email address from GitHub right now. The problem is on our end. Please sign in with your email address."
)
BUSY = (
    "GitHub isn't accepting more requests from us right now. Please try again in a few minutes, "
    "or sign in with your email address."
)

logger = logging.getLogger(__name__)

Text = Annotated[str, Field(min_length=1)]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, str_strip_whitespace=True, hide_input_in_errors=True)


class _Grant(_Answer):
    """GitHub's response to an authorization code. GitHub reports errors with status 200, so either field may be set."""

    error: str | None = None
    # Allow only header-safe characters, because the HTTP client logs the value of an invalid header.
    access_token: str | None = Field(None, pattern="^[!-~]+$")


class _User(_Answer):
    id: int = Field(gt=0, le=MAX_ID)
    login: Text
    name: str | None = None


@dataclass(frozen=True, slots=True)
class _Request:
    """A kind of request to GitHub.

    If GitHub refuses the request, the user sees the error `refused`, and the hint `check` is logged for the operator.
    """

    method: str
    path: str
    refused: str
    check: str


_TOKEN = _Request("POST", "/login/oauth/access_token", MISCONFIGURED, "check GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET")
_USER = _Request("GET", "/user", MISCONFIGURED, "check that GITHUB_API_URL is the API of GITHUB_BASE_URL")
# GitHub returns 30 addresses per page by default, and the primary one may be on a later page.
_EMAILS = _Request(
    "GET",
    "/user/emails?per_page=100",
    NO_ADDRESS,
    "the sign-in needs the scope user:email; a GitHub App needs the account permission to read e-mail addresses",
)


class _Email(_Answer):
    email: Text
    primary: bool
    verified: bool


_ADDRESSES = TypeAdapter(list[_Email])


class GitHub:
    """OAuth client for GitHub. Requests are not retried, because an authorization code works only once."""

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        base_url: str = BASE_URL,
        api_url: str = API_URL,
        timeout: float = SECONDS,
    ) -> None:
        """`base_url` is the root of the URLs of the consent page and the token endpoint, and `api_url` that of the REST API.

        `timeout` is the maximum duration of `identify`, in seconds.
        """
        self._client_id = client_id
        self._client_secret = client_secret
        self._base_url = base_url.rstrip("/")
        self._api_url = api_url.rstrip("/")
        self._timeout = timeout
        self._client = httpx2.AsyncClient(
            headers={"User-Agent": USER_AGENT},
            # One client serves all users, so cookies from one user's sign-in must not be sent with another's.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            timeout=None,  # `identify` has one timeout for all three requests
        )

    def authorize_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        """Return the URL of GitHub's consent page."""
        query = {
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": SCOPE,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._base_url}/login/oauth/authorize?{urlencode(query)}"

    async def identify(self, code: str, *, verifier: str | None, redirect_uri: str | None) -> Identity:
        """Exchange an authorization code for the user's identity, with their primary email address.

        Raises IdentityRefused if the code or verifier is invalid, or the primary address is not verified. Raises
        IdentityUnavailable if GitHub cannot be reached, times out, rate limits us, sends an unexpected response, or rejects our
        configuration.
        """
        with _translate_errors():
            async with asyncio.timeout(self._timeout):
                token = await self._token(code, verifier, redirect_uri)
                user = _User.model_validate_json(await self._get(_USER, token))
                emails = _ADDRESSES.validate_json(await self._get(_EMAILS, token))
        for entry in emails:
            if entry.primary and entry.verified:
                return Identity(user.id, user.name or user.login, entry.email)
        raise IdentityRefused(UNVERIFIED)

    async def close(self) -> None:
        """Close the connections to GitHub."""
        await self._client.aclose()

    async def _token(self, code: str, verifier: str | None, redirect_uri: str | None) -> str:
        """Exchange the authorization code for an access token.

        Raises IdentityRefused if the code or verifier is invalid or GitHub reports an unverified email address. Raises
        IdentityUnavailable if GitHub returns any other error or no token.
        """
        # The code and the verifier come from the client, and an unpaired surrogate in them could not be encoded.
        if not (code.isascii() and (verifier or "").isascii()):
            raise IdentityRefused(EXPIRED)
        form = {"client_id": self._client_id, "client_secret": self._client_secret, "code": code}
        if redirect_uri is not None:
            form["redirect_uri"] = redirect_uri
        if verifier is not None:
            form["code_verifier"] = verifier
        grant = _Grant.model_validate_json(await self._answer(_TOKEN, self._base_url, {"Accept": "application/json"}, form))
        if grant.error is not None:
            raise _error_for_code(grant.error)
        if grant.access_token is None:
            logger.warning("GitHub returned neither a token nor an error for a code")
            raise IdentityUnavailable
        return grant.access_token

    async def _get(self, request: _Request, token: str) -> bytes:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        return await self._answer(request, self._api_url, headers)

    async def _answer(
        self, request: _Request, server: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> bytes:
        """Send a request and return the body of the response, which must have status 200.

        Raises IdentityUnavailable for any other status, or if the body is longer than MAX_ANSWER bytes. URLs must not contain
        secrets, because the HTTP client logs every URL.
        """
        async with self._client.stream(request.method, server + request.path, headers=headers, data=form) as response:
            if response.status_code != httpx2.codes.OK:
                raise _refusal(request, response)
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > MAX_ANSWER:
                    logger.warning("GitHub's response to %s is too long", response.request.url.path)
                    raise IdentityUnavailable
        return bytes(body)


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Convert errors from the HTTP client, the timeout, and response validation to IdentityUnavailable, and log them.

    Uses `from None` because their messages can quote tokens and URLs, which must not be logged.
    """
    try:
        yield
    except TimeoutError:
        logger.warning("GitHub did not respond in time")
        raise IdentityUnavailable from None
    except ValidationError as error:
        logger.warning("GitHub's response could not be read: %s", error.title)
        raise IdentityUnavailable from None
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        logger.warning("GitHub could not be reached: %s", type(error).__name__)
        raise IdentityUnavailable from None


def _refusal(request: _Request, response: httpx2.Response) -> IdentityUnavailable:
    """Log a response with a status other than 200, and return the error to raise for it."""
    path, status = response.request.url.path, response.status_code
    if status == httpx2.codes.TOO_MANY_REQUESTS or (status == httpx2.codes.FORBIDDEN and _limited(response.headers)):
        logger.warning("GitHub rate-limits our requests: %s returned status %d", path, status)
        return IdentityUnavailable(BUSY)
    if response.is_client_error:
        logger.warning("GitHub refused %s with status %d: %s", path, status, request.check)
        return IdentityUnavailable(request.refused)
    logger.warning("GitHub responded to %s with status %d", path, status)
    return IdentityUnavailable()


def _limited(headers: httpx2.Headers) -> bool:
    """Return whether a 403 response means that we are rate limited. GitHub uses both 403 and 429 for that."""
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"


def _error_for_code(error: str) -> IdentityRefused | IdentityUnavailable:
    """Return our error for GitHub's `error` code. The code is untrusted input, so it is sanitized before it is logged."""
    if error == "bad_verification_code":  # not logged: this happens when users go back or wait too long
        return IdentityRefused(EXPIRED)
    if error == "unverified_user_email":
        return IdentityRefused(UNVERIFIED)
    logger.warning("GitHub refused a sign-in: %s", re.sub(r"\W", "", error)[:40])
    return IdentityUnavailable(MISCONFIGURED)
