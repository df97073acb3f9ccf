"""Who calls: the person behind an access token, and the address a request comes from."""

from __future__ import annotations

from typing import Annotated

from fastapi import Cookie, Depends, Header, Request

from interviewer import wiring
from interviewer.errors import Unauthorized
from interviewer.services.sessions import COOKIE, SignedIn


def bearer(authorization: Annotated[str, Header()] = "") -> str:
    """Return the token of an `Authorization: Bearer` header; raises Unauthorized without one."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized
    return token.strip()


async def person(token: Annotated[str, Depends(bearer)]) -> SignedIn:
    """Return who holds the access token; raises Unauthorized."""
    return await wiring.services().tokens.authenticate(token)


def client(request: Request) -> str:
    """Return the address of whoever asks; the server has put a trusted proxy's word in already."""
    return request.client.host if request.client else ""


Bearer = Annotated[str, Depends(bearer)]
Person = Annotated[SignedIn, Depends(person)]
Client = Annotated[str, Depends(client)]
SessionSecret = Annotated[str, Cookie(alias=COOKIE)]
UserAgent = Annotated[str, Header(alias="user-agent")]
