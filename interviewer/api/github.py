"""GitHub sign-in for browsers: the redirect to GitHub and the callback.

These are HTTP endpoints rather than page events because both set cookies.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Cookie, Query
from fastapi.responses import RedirectResponse, Response

from interviewer.accounts.github_signin import ATTEMPT_COOKIE, ATTEMPT_LIFETIME, CALLBACK, LOST, NOT_CONFIGURED, Attempt
from interviewer.accounts.redirects import HOME, login_page
from interviewer.api import errors
from interviewer.api.access import Client, Services, SessionSecret, UserAgent, sign_in_first
from interviewer.api.openapi import Responses, refused
from interviewer.api.session import flash, signed_in_response
from interviewer.errors import AppError, IdentityRefused, Unauthorized

router = APIRouter(tags=["auth"])
_REDIRECT: Responses = {
    303: {
        "description": "Redirect to GitHub, with a cookie that ties the callback to this browser.",
        "headers": {
            "Location": {
                "required": True,
                "schema": {"type": "string", "examples": ["https://github.com/login/oauth/authorize?state=b2Zy8nqH"]},
            },
            "Set-Cookie": {"schema": {"type": "string"}},
        },
    }
}


@router.get(
    "/api/auth/github/start",
    operation_id="startGitHubLogin",
    status_code=303,
    response_class=RedirectResponse,
    responses=_REDIRECT | refused({503: NOT_CONFIGURED}),
)
async def start(
    services: Services,
    next: Annotated[str, Query(description="The page of this site to return to.")] = HOME,
    connect: Annotated[bool, Query(description="Connect GitHub to the account that the browser is signed in to.")] = False,
    secret: SessionSecret = "",
) -> Response:
    """Redirect to GitHub to sign in. With `connect`, GitHub is connected to the account that the browser is signed in to."""
    try:
        with sign_in_first("/account"):
            link_to = (await services.sessions.authenticate(secret)).user_id if connect else 0
            address, attempt = await services.github.begin(next, link_to)
    except AppError as error:
        return errors.response_for(error)
    response = RedirectResponse(address, status_code=303, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        ATTEMPT_COOKIE,
        attempt,
        max_age=int(ATTEMPT_LIFETIME.total_seconds()),
        path=f"/{CALLBACK}",
        httponly=True,
        samesite="lax",
        secure=services.settings.production,
    )
    return response


@router.get(f"/{CALLBACK}", include_in_schema=False)
async def callback(
    services: Services,
    client: Client,
    code: str = "",
    state: str = "",
    error: str = "",
    attempt_cookie: Annotated[str, Cookie(alias=ATTEMPT_COOKIE)] = "",
    secret: SessionSecret = "",
    user_agent: UserAgent = "",
) -> Response:
    """Handle GitHub's redirect: sign in or connect GitHub, then redirect to the requested page.

    On failure, redirects to a page that shows the error.
    """
    page = "/login"
    try:
        attempt = await services.github.attempt(attempt_cookie)
        page = "/account" if attempt.link_to else login_page(attempt.next)
        response = await _finish(services, attempt, client, code, state, error, secret, user_agent)
    except AppError as failure:
        if type(failure) is Unauthorized:  # the session has ended, so /account would only redirect to the login page
            page = login_page("/account")
        response = flash(services, page, error=failure.user_message)
    response.delete_cookie(ATTEMPT_COOKIE, path=f"/{CALLBACK}")
    # The URL contains a used authorization code, so keep the response out of caches.
    response.headers["Cache-Control"] = "no-store"
    return response


async def _finish(
    services: Services, attempt: Attempt, client: str, code: str, state: str, error: str, secret: str, user_agent: str
) -> RedirectResponse:
    github = services.github
    identity = await github.identify(attempt, state, code, error, client)
    if not attempt.link_to:
        return await signed_in_response(services, await github.sign_in(identity), attempt.next, user_agent, replaced=secret)
    person = await services.sessions.authenticate(secret)
    if person.user_id != attempt.link_to:
        raise IdentityRefused(LOST)
    await github.connect(person.user_id, identity, secret)
    return RedirectResponse("/account", status_code=303)
