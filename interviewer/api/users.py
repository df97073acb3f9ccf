"""The API's endpoints for accounts."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from interviewer.accounts.browser_sessions import AuthenticatedUser
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
    """The token from a confirmation email."""

    model_config = described("token", example={"token": "b2Zy8nqH0mB3cV5xT7kL1w"})
    token: Secret = ""


class UserBody(BaseModel):
    """An account."""

    model_config = described(example=_ADA)
    user_id: int
    username: str
    email: str


class CreatedBody(UserBody):
    """A new account with an access token."""

    model_config = described(example={**_ADA, "jwtoken": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIzIn0.c2lnbmF0dXJl"})
    jwtoken: str


@router.post(
    "",
    status_code=201,
    operation_id="createUser",
    responses=refused({400: "Token required", 401: LINK_DEAD, 409: "Email already exists"}),
)
async def create(body: MailedToken, services: Services, client: Client, user_agent: UserAgent = "") -> CreatedBody:
    """Create an account from the link in a confirmation email.

    The account has one free credit, unless its email address has had one before. If another sign-up for the same email address is
    pending with a different password, the account is created without a password, and the user is sent a link to set one.
    """
    if not body.token:
        raise BadRequest("Token required")
    user = await services.accounts.verify(body.token, client)
    issued = await services.tokens.issue(user, user_agent, renewable=False)
    return CreatedBody(user_id=user.id, username=user.username, email=user.email, jwtoken=issued.access)


@router.get("", include_in_schema=False)
@router.delete("/delete", include_in_schema=False)
async def missing_id(_person: Person) -> None:
    """Raise BadRequest, because the path has no ID."""
    raise BadRequest("UserID required")


@router.get("/{user_id}", operation_id="getUser", responses=refused(_REFUSED))
async def show(user_id: PathId, person: Person) -> UserBody:
    """Return your account."""
    _own(user_id, person)
    return UserBody(user_id=person.user_id, username=person.username, email=person.email)


@router.delete(
    "/delete/{user_id}",
    operation_id="deleteUser",
    responses=answered(200, "The account was deleted", {"message": "User deleted successfully"})
    | refused({**_REFUSED, 502: SubscriptionNotCancelled.user_message}),
)
async def delete(user_id: PathId, person: Person, services: Services) -> Done:
    """Delete your account. No confirmation is required besides the access token."""
    _own(user_id, person)
    await services.personal.erase(person.user_id, person.email)
    return Done(message="User deleted successfully")


def _own(user_id: str, person: AuthenticatedUser) -> None:
    """Check that the ID is the caller's own. Raises Unauthorized if it is not, and BadRequest if it is not a valid ID."""
    if (id := id_of(user_id)) is None:
        raise BadRequest("UserID required")
    if id != person.user_id:
        raise Unauthorized("Invalid ID")
