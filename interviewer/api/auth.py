"""Signing up, in and anew, for programs. They hold tokens; nothing here reads or sets a cookie."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from interviewer import wiring
from interviewer.api.access import Bearer, Client, UserAgent
from interviewer.errors import BadRequest, Unauthorized
from interviewer.services.accounts import RESET_DEAD
from interviewer.services.tokens import Issued

router = APIRouter(prefix="/api/auth", tags=["auth"])


class Address(BaseModel):
    """An e-mail address."""

    email: str = ""


class SignUp(Address):
    """What an account is made of."""

    username: str = ""
    password: str = ""


class Credentials(Address):
    """What a person signs in with."""

    password: str = ""


class NewPassword(BaseModel):
    """A mailed token and the password to set by it."""

    token: str = ""
    new_password: str = ""


class Renewal(BaseModel):
    """Whose tokens to renew."""

    user_id: int | None = None


class Code(BaseModel):
    """What GitHub gave a program that ran its flow itself."""

    code: str = ""
    code_verifier: str | None = None


@router.post("/check-email")
async def check_email(body: Address, client: Client) -> dict[str, bool]:
    """Tell whether an address has an account."""
    if not body.email.strip():
        raise BadRequest("Email required")
    return {"exists": await wiring.services().accounts.email_exists(body.email, client)}


@router.post("/request-verification")
async def request_verification(body: SignUp, client: Client) -> dict[str, str]:
    """Mail the link that creates an account; the answer is the same for a known address."""
    if not (body.email.strip() and body.username.strip() and body.password):
        raise BadRequest("Username, Email, and Password required")
    await wiring.services().accounts.request_verification(body.email, body.username, body.password, client)
    return {"message": "Verification email sent"}


@router.post("/login")
async def login(body: Credentials, client: Client, user_agent: UserAgent = "") -> dict[str, Any]:
    """Exchange address and password for an access and a refresh token."""
    if not (body.email.strip() and body.password):
        raise BadRequest("Authentication failed.")
    services = wiring.services()
    user = await services.accounts.sign_in(body.email, body.password, client)
    issued = await services.tokens.issue(user, user_agent)
    return {"user_id": user.id, "username": user.username, "jwtoken": issued.access, "refresh_token": issued.refresh}


@router.post("/token")
async def renew(token: Bearer, body: Renewal, client: Client) -> dict[str, Any]:
    """Exchange a refresh token for a new pair; the old one is dead from then on."""
    issued: Issued = await wiring.services().tokens.refresh(token, body.user_id, client)
    return {"id": issued.user.id, "jwtoken": issued.access, "refresh_token": issued.refresh}


@router.post("/request-reset")
async def request_reset(body: Address, client: Client) -> dict[str, str]:
    """Mail a link to choose a new password; the answer is the same whether or not there is an account."""
    if not body.email.strip():
        raise BadRequest("Email required")
    await wiring.services().accounts.request_reset(body.email, client)
    return {}


@router.post("/reset-password")
async def reset_password(body: NewPassword, client: Client) -> dict[str, str]:
    """Set a new password by a mailed token; every session and token of the account ends."""
    if not body.token:
        raise Unauthorized(RESET_DEAD)
    await wiring.services().accounts.reset_password(body.token, body.new_password, client)
    return {}


@router.post("/github")
async def github(body: Code, client: Client, user_agent: UserAgent = "") -> dict[str, Any]:
    """Sign in by a code of GitHub's, for programs that ran its flow themselves. The spellings are the contract's."""
    services = wiring.services()
    user = await services.github.sign_in_by_code(body.code, body.code_verifier, client)
    issued = await services.tokens.issue(user, user_agent)
    return {"userID": user.id, "username": user.username, "jwt": issued.access, "refreshToken": issued.refresh}
