"""Accounts, for programs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from interviewer import wiring
from interviewer.api.access import Client, Person, UserAgent
from interviewer.errors import BadRequest, Unauthorized
from interviewer.services.sessions import SignedIn

router = APIRouter(prefix="/api/users", tags=["users"])


class MailedToken(BaseModel):
    """The token of a mailed link."""

    token: str = ""


@router.post("", status_code=201)
async def create(body: MailedToken, client: Client, user_agent: UserAgent = "") -> dict[str, Any]:
    """Create the account that a mailed link stands for, with its free credit."""
    if not body.token:
        raise BadRequest("Token required")
    services = wiring.services()
    user = await services.accounts.verify(body.token, client)
    issued = await services.tokens.issue(user, user_agent, renewable=False)
    return {"user_id": user.id, "username": user.username, "email": user.email, "jwtoken": issued.access}


@router.get("")
@router.get("/")
@router.delete("/delete")
@router.delete("/delete/")
async def nobody(_person: Person) -> None:
    """Say that an id is missing."""
    raise BadRequest("UserID required")


@router.get("/{user_id}")
async def show(user_id: str, person: Person) -> dict[str, Any]:
    """Return one's own account."""
    _own(user_id, person)
    return {"user_id": person.user_id, "username": person.username, "email": person.email}


@router.delete("/delete/{user_id}")
async def delete(user_id: str, person: Person) -> dict[str, str]:
    """Delete one's own account; holding its token is the confirmation."""
    _own(user_id, person)
    await wiring.services().personal.erase(person.user_id, person.email)
    return {"message": "User deleted successfully"}


def _own(user_id: str, person: SignedIn) -> None:
    """Let people at their own account only: raises Unauthorized for another id, BadRequest for what is none."""
    if not (user_id.isascii() and user_id.isdecimal()):
        raise BadRequest("UserID required")
    if int(user_id[:20]) != person.user_id:
        raise Unauthorized("Invalid ID")
