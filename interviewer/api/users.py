"""Accounts, for API clients."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from interviewer.accounts.browser_sessions import SignedIn
from interviewer.accounts.signup import LINK_DEAD
from interviewer.api.access import Client, Person, Services, UserAgent
from interviewer.api.openapi import answered, refused
from interviewer.api.schemas import Body, Done, PathId, Secret, described
from interviewer.core.ids import id_of
from interviewer.errors import BadRequest, SubscriptionNotCancelled, Unauthorized

router = APIRouter(prefix="/api/users", tags=["users"])
_REFUSED = {400: "UserID required", 401: "Invalid ID"}
_ADA = {"user_id": 3, "username": "Ada", "email": "ada@example.com"}


class MailedToken(Body):
    """The token of a mailed link."""

    model_config = described("token", example={"token": "b2Zy8nqH0mB3cV5xT7kL1w"})
    token: Secret = ""


class UserBody(BaseModel):
    """An account."""

    model_config = described(example=_ADA)
    user_id: int
    username: str
    email: str


class CreatedBody(UserBody):
    """A new account, signed in."""

    model_config = described(example={**_ADA, "jwtoken": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIzIn0.c2lnbmF0dXJl"})
    jwtoken: str


@router.post(
    "",
    status_code=201,
    operation_id="createUser",
    responses=refused({400: "Token required", 401: LINK_DEAD, 409: "Email already exists"}),
)
async def create(body: MailedToken, services: Services, client: Client, user_agent: UserAgent = "") -> CreatedBody:
    """Create the account of a mailed link, with its free credit.

    It gets no password while another sign-up of the address is pending with a different one; a mail then has a link to choose it.
    """
    if not body.token:
        raise BadRequest("Token required")
    user = await services.accounts.verify(body.token, client)
    issued = await services.tokens.issue(user, user_agent, renewable=False)
    return CreatedBody(user_id=user.id, username=user.username, email=user.email, jwtoken=issued.access)


@router.get("", include_in_schema=False)
@router.delete("/delete", include_in_schema=False)
async def nobody(_person: Person) -> None:
    """Report that the id is missing."""
    raise BadRequest("UserID required")


@router.get("/{user_id}", operation_id="getUser", responses=refused(_REFUSED))
async def show(user_id: PathId, person: Person) -> UserBody:
    """Return your account."""
    _own(user_id, person)
    return UserBody(user_id=person.user_id, username=person.username, email=person.email)


@router.delete(
    "/delete/{user_id}",
    operation_id="deleteUser",
    responses=answered(200, "The account is gone", {"message": "User deleted successfully"})
    | refused({**_REFUSED, 502: SubscriptionNotCancelled.user_message}),
)
async def delete(user_id: PathId, person: Person, services: Services) -> Done:
    """Delete your account; the access token is the only confirmation."""
    _own(user_id, person)
    await services.personal.erase(person.user_id, person.email)
    return Done(message="User deleted successfully")


def _own(user_id: str, person: SignedIn) -> None:
    """Raise Unauthorized unless the id is the caller's own, and BadRequest if it is not a number."""
    if (id := id_of(user_id)) is None:
        raise BadRequest("UserID required")
    if id != person.user_id:
        raise Unauthorized("Invalid ID")
