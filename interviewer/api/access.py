"""Identify the caller: the user of an access token, and the client's network address."""

from __future__ import annotations

from typing import Annotated

from fastapi import Cookie, Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from interviewer import wiring
from interviewer.accounts.browser_sessions import COOKIE, SignedIn
from interviewer.errors import Unauthorized

# auto_error is off so that a missing header gets our own error.
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


async def person(credentials: Annotated[_Credentials, Depends(_ACCESS)]) -> SignedIn:
    """Return the user of the access token; raises Unauthorized."""
    if credentials is None:
        raise Unauthorized
    return await wiring.services().tokens.authenticate(credentials.credentials)


def refresh_token(credentials: Annotated[_Credentials, Depends(_REFRESH)]) -> str:
    """Return the token of an `Authorization: Bearer` header; raises Unauthorized without one."""
    if credentials is None:
        raise Unauthorized
    return credentials.credentials


def client(request: Request) -> str:
    """Return the client's network address; the server has already applied a trusted proxy's forwarded address."""
    return request.client.host if request.client else ""


RefreshSecret = Annotated[str, Depends(refresh_token)]
Person = Annotated[SignedIn, Depends(person)]
Client = Annotated[str, Depends(client)]
SessionSecret = Annotated[str, Cookie(alias=COOKIE, include_in_schema=False)]
UserAgent = Annotated[str, Header(alias="user-agent", include_in_schema=False)]
