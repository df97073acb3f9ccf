"""Sign-up, sign-in, and token renewal for API clients, which use tokens. Nothing here reads or sets a cookie."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from interviewer.accounts.api_tokens import IssuedTokens
from interviewer.accounts.github_signin import NOT_CONFIGURED
from interviewer.accounts.signup import RESET_DEAD
from interviewer.api.access import Client, RefreshSecret, Services, UserAgent
from interviewer.api.openapi import answered, refused
from interviewer.api.schemas import Body, Done, Email, Id, NewPassword, Nothing, Password, Secret, Username, described
from interviewer.core.users import NO_EMAIL
from interviewer.errors import BadRequest, IdentityRefused, IdentityUnavailable, Unauthorized

router = APIRouter(prefix="/api/auth", tags=["auth"])
WEAK = "This password is easy to guess. Try three or four unrelated words."
_ADA = {"email": "ada@example.com", "username": "Ada", "password": "violet harbour lantern"}
_ACCESS, _REFRESH = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIzIn0.c2lnbmF0dXJl", "b2Zy8nqH0mB3cV5xT7kL1w"


class Address(Body):
    """An email address."""

    model_config = described("email", example={"email": _ADA["email"]})
    email: Email = ""


class SignUp(Address):
    """The email address, name, and password of a new account."""

    model_config = described("email", "username", "password", example=_ADA)
    username: Username = ""
    password: NewPassword = ""


class Credentials(Address):
    """An email address and a password to sign in with."""

    model_config = described("email", "password", example={"email": _ADA["email"], "password": _ADA["password"]})
    password: Password = ""


class Reset(Body):
    """The token from a password reset email, and the new password."""

    model_config = described("token", "new_password", example={"token": _REFRESH, "new_password": _ADA["password"]})
    token: Secret = ""
    new_password: NewPassword = ""


class Renewal(Body):
    """The user whose tokens are renewed."""

    model_config = described("user_id", example={"user_id": 3})
    user_id: Id = None


class Code(Body):
    """An authorization code from GitHub, and the PKCE verifier if one was used.

    For clients that run GitHub's sign-in flow themselves.
    """

    model_config = described("code", example={"code": "a1b2c3d4e5f6a7b8c9d0"})
    code: Secret = ""
    code_verifier: str | None = None


class Known(BaseModel):
    """Whether an account exists."""

    model_config = described(example={"exists": True})
    exists: bool


class SignedInBody(BaseModel):
    """An authenticated user with an access token and a refresh token."""

    model_config = described(example={"user_id": 3, "username": "Ada", "jwtoken": _ACCESS, "refresh_token": _REFRESH})
    user_id: int
    username: str
    jwtoken: str
    refresh_token: str


class RenewedBody(BaseModel):
    """A new access token and refresh token."""

    model_config = described(example={"id": 3, "jwtoken": _ACCESS, "refresh_token": _REFRESH})
    id: int
    jwtoken: str
    refresh_token: str


class GitHubBody(BaseModel):
    """A user authenticated through GitHub, with tokens. The field spellings are part of the API contract."""

    model_config = described(example={"userID": 3, "username": "Ada", "jwt": _ACCESS, "refreshToken": _REFRESH})
    userID: int  # noqa: N815
    username: str
    jwt: str
    refreshToken: str  # noqa: N815


@router.post("/check-email", operation_id="checkEmail", responses=refused({400: ["Email required", NO_EMAIL]}))
async def check_email(body: Address, services: Services, client: Client) -> Known:
    """Check whether an email address has an account."""
    if not body.email.strip():
        raise BadRequest("Email required")
    return Known(exists=await services.accounts.email_exists(body.email, client))


@router.post(
    "/request-verification",
    operation_id="requestVerification",
    responses=answered(200, "The email is on its way", {"message": "Verification email sent"})
    | refused({400: ["Username, Email, and Password required", NO_EMAIL, WEAK]}),
)
async def request_verification(body: SignUp, services: Services, client: Client) -> Done:
    """Send a sign-up email. The account is created when the link in the email is used.

    The response is the same if the email address already has an account.
    """
    if not (body.email.strip() and body.username.strip() and body.password):
        raise BadRequest("Username, Email, and Password required")
    await services.accounts.request_verification(body.email, body.username, body.password, client)
    return Done(message="Verification email sent")


@router.post("/login", operation_id="login", responses=refused({400: "Authentication failed.", 401: "Authentication failed."}))
async def login(body: Credentials, services: Services, client: Client, user_agent: UserAgent = "") -> SignedInBody:
    """Exchange an email address and a password for an access token and a refresh token."""
    if not (body.email.strip() and body.password):
        raise BadRequest("Authentication failed.")
    user = await services.accounts.sign_in(body.email, body.password, client)
    issued = await services.tokens.issue(user, user_agent)
    return SignedInBody(user_id=user.id, username=user.username, jwtoken=issued.access, refresh_token=issued.refresh)


@router.post(
    "/token",
    operation_id="renewTokens",
    responses=refused({400: ["UserID required", "Invalid ID"], 401: Unauthorized.user_message}),
)
async def renew(token: RefreshSecret, body: Renewal, services: Services, client: Client) -> RenewedBody:
    """Exchange a refresh token for a new access token and refresh token. The old refresh token stops working."""
    issued: IssuedTokens = await services.tokens.refresh(token, body.user_id, client)
    return RenewedBody(id=issued.user.id, jwtoken=issued.access, refresh_token=issued.refresh)


@router.post("/request-reset", operation_id="requestReset", responses=refused({400: ["Email required", NO_EMAIL]}))
async def request_reset(body: Address, services: Services, client: Client) -> Nothing:
    """Send a password reset email. The response is the same whether or not the account exists."""
    if not body.email.strip():
        raise BadRequest("Email required")
    await services.accounts.request_reset(body.email, client)
    return Nothing()


@router.post("/reset-password", operation_id="resetPassword", responses=refused({400: WEAK, 401: RESET_DEAD}))
async def reset_password(body: Reset, services: Services, client: Client) -> Nothing:
    """Set a new password with the token from a reset email. All of the account's sessions end, and its tokens are revoked."""
    if not body.token:
        raise Unauthorized(RESET_DEAD)
    await services.accounts.reset_password(body.token, body.new_password, client)
    return Nothing()


@router.post(
    "/github",
    operation_id="loginWithGitHub",
    responses=refused(
        {
            400: "Code required",
            401: IdentityRefused.user_message,
            409: "Your account is connected to another GitHub account. Sign in with that one, or with your email address.",
            502: IdentityUnavailable.user_message,
            503: NOT_CONFIGURED,
        }
    ),
)
async def github(body: Code, services: Services, client: Client, user_agent: UserAgent = "") -> GitHubBody:
    """Sign in with an authorization code from GitHub. For clients that run GitHub's sign-in flow themselves."""
    user = await services.github.sign_in_with_code(body.code, body.code_verifier, client)
    issued = await services.tokens.issue(user, user_agent)
    return GitHubBody(userID=user.id, username=user.username, jwt=issued.access, refreshToken=issued.refresh)
