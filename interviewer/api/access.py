"""Dependencies that identify the caller: the authenticated user, the tokens and cookies, and the client's IP address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Cookie, Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from interviewer import wiring
from interviewer.accounts.browser_sessions import COOKIE, AuthenticatedUser
from interviewer.errors import Unauthorized

# auto_error is off so that a missing header raises our own error.
_ACCESS = HTTPBearer(
    scheme_name="accessToken",
    bearerFormat="JWT",
    description="The access token returned by `login`, `renewTokens`, `createUser` or `loginWithGitHub`.",
    auto_error=False,
)
_REFRESH = HTTPBearer(
    scheme_name="refreshToken", description="The refresh token that came with the access token. It works once.", auto_error=False
)
_Credentials = HTTPAuthorizationCredentials | None


async def current_services() -> wiring.Services:
    """Return the services of this process. Async because FastAPI would run a sync dependency in a thread."""
    return wiring.services()


Services = Annotated[wiring.Services, Depends(current_services)]


async def person(services: Services, credentials: Annotated[_Credentials, Depends(_ACCESS)]) -> AuthenticatedUser:
    """Return the user of the access token. Raises Unauthorized if the token is missing or invalid."""
    if credentials is None:
        raise Unauthorized
    return await services.tokens.authenticate(credentials.credentials)


class SignInFirst(Exception):
    """The browser is not signed in. It is redirected to the sign-in page, and to `next` once the user has signed in."""

    def __init__(self, next: str) -> None:
        super().__init__(next)
        self.next = next


@contextmanager
def sign_in_first(next: str) -> Iterator[None]:
    """Raise SignInFirst if the block raises Unauthorized."""
    try:
        yield
    except Unauthorized:
        raise SignInFirst(next) from None


def refresh_token(credentials: Annotated[_Credentials, Depends(_REFRESH)]) -> str:
    """Return the refresh token from the `Authorization: Bearer` header, without verifying it.

    Raises Unauthorized if the header is missing.
    """
    if credentials is None:
        raise Unauthorized
    return credentials.credentials


def client(request: Request) -> str:
    """Return the client's IP address, or "" if it is unknown.

    Behind a trusted proxy, the server has already replaced the proxy's address with the forwarded address.
    """
    return request.client.host if request.client else ""


RefreshSecret = Annotated[str, Depends(refresh_token)]
Person = Annotated[AuthenticatedUser, Depends(person)]
Client = Annotated[str, Depends(client)]
SessionSecret = Annotated[str, Cookie(alias=COOKIE, include_in_schema=False)]
UserAgent = Annotated[str, Header(alias="user-agent", include_in_schema=False)]
