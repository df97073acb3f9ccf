"""Forms that open and close a browser session, and the data export.

The browser posts the forms itself, because only an HTTP response can set an HttpOnly cookie. `OriginGuard` rejects posts from
other sites' pages.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from interviewer.accounts.browser_sessions import COOKIE, FLASH_COOKIE, FLASH_SECONDS, SESSION_LIFETIME
from interviewer.accounts.redirects import HOME, local_path, login_page
from interviewer.api.access import Client, Services, SessionSecret, UserAgent, sign_in_first
from interviewer.api.errors import retry_after
from interviewer.core.users import User
from interviewer.errors import AppError, Conflict, Unauthorized

router = APIRouter(prefix="/session", include_in_schema=False)

Field = Annotated[str, Form(max_length=2000)]


@router.post("/login")
async def login(
    services: Services,
    client: Client,
    email: Field = "",
    password: Field = "",
    next: Field = HOME,
    secret: SessionSecret = "",
    user_agent: UserAgent = "",
) -> RedirectResponse:
    """Sign in and redirect to `next`. On failure, redirect back to the form with the error and the email address."""
    try:
        user = await services.accounts.sign_in(email, password, client)
        return await signed_in_response(services, user, local_path(next), user_agent, replaced=secret)
    except AppError as error:
        message = "The email address or password is wrong." if error.status == 401 else error.user_message
        return flash(services, login_page(local_path(next)), error=message, email=email)


@router.post("/verify")
async def verify(
    services: Services,
    client: Client,
    token: Field = "",
    password: Field = "",
    new_password: Field = "",
    secret: SessionSecret = "",
    user_agent: UserAgent = "",
) -> RedirectResponse:
    """Confirm a sign-up: create the account and sign in.

    The user types the password chosen at sign-up, or chooses a new one. If the password is not accepted, the browser returns to
    the form, and the link stays valid.
    """
    try:
        if new_password:
            user = await services.accounts.confirm_with_new_password(token, new_password, client)
        else:
            user = await services.accounts.confirm(token, password, client)
        return await signed_in_response(services, user, HOME, user_agent, replaced=secret)
    except Unauthorized as error:
        return flash(services, "/verify-email", error=error.user_message)
    except Conflict:
        return flash(services, "/verify-email", error="This email address already has an account. Please sign in.")
    except AppError as error:
        field = "new_password" if new_password else "password"
        return flash(services, f"/verify-email?token={quote(token[:200], safe='')}", error=error.user_message, field=field)


@router.post("/logout")
async def logout(services: Services, secret: SessionSecret = "") -> Response:
    """End the session in the database and clear the browser's cookie and storage."""
    try:
        if secret:
            await services.sessions.close(secret)
    except AppError as error:
        # Keep the cookie: the session is still open in the database, so the browser must not look signed out.
        return PlainTextResponse(f"You're still signed in. {error.user_message}", status_code=error.status)
    return _signed_out("/")


@router.post("/logout-everywhere")
async def logout_everywhere(services: Services, secret: SessionSecret = "") -> Response:
    """End all of the user's sessions, which signs out open tabs at once. Clear the browser's cookie and storage."""
    try:
        # Without a session there is nothing to end, but the browser's data is cleared all the same.
        with contextlib.suppress(Unauthorized):
            person = await services.sessions.authenticate(secret)
            await services.sessions.end_all(person.user_id)
    except AppError as error:
        return PlainTextResponse(f"You're still signed in. {error.user_message}", status_code=error.status)
    return _signed_out("/login")


@router.get("/export")
async def export(services: Services, client: Client, secret: SessionSecret = "") -> Response:
    """Return all stored data about the user as a JSON file. Without a session, the browser is redirected to the sign-in page."""
    try:
        with sign_in_first("/account"):
            person = await services.sessions.authenticate(secret)
            document = await services.personal.export(person.user_id, client)
            # Years of interviews are megabytes of JSON, so they are serialized in a thread, after waiting in a queue that is fair
            # between users.
            async with services.processor.slot(person.user_id):
                content = await asyncio.to_thread(json.dumps, document, ensure_ascii=False)
    except AppError as error:
        return PlainTextResponse(error.user_message, status_code=error.status, headers=retry_after(error))
    headers = {"Content-Disposition": 'attachment; filename="interviewer.json"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/json", headers=headers)


def _signed_out(path: str) -> RedirectResponse:
    response = RedirectResponse(path, status_code=303, headers={"Clear-Site-Data": '"storage"'})
    response.delete_cookie(COOKIE)
    return response


async def signed_in_response(
    services: Services, user: User, path: str, user_agent: str, *, replaced: str = ""
) -> RedirectResponse:
    """Open a session for an authenticated user, and redirect to `path`.

    `replaced` is the secret of the browser's previous session. That session ends, so that other tabs of the browser don't
    continue as a different user.
    """
    secret = await services.sessions.open(user, user_agent)
    if replaced:
        await services.sessions.close(replaced)
    response = RedirectResponse(path, status_code=303)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(SESSION_LIFETIME.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=services.settings.production,
    )
    response.delete_cookie(FLASH_COOKIE)
    return response


def flash(services: Services, path: str, **fields: str) -> RedirectResponse:
    """Redirect to a page that shows `fields` once. A short-lived cookie carries them, each value cut to 320 characters."""
    response = RedirectResponse(path, status_code=303)
    page = path.lstrip("/").partition("?")[0]
    value = quote(json.dumps({"page": page, **{key: text[:320] for key, text in fields.items()}}))
    response.set_cookie(
        FLASH_COOKIE, value, max_age=FLASH_SECONDS, httponly=True, samesite="lax", secure=services.settings.production
    )
    return response
