"""The forms that open and close a browser session. They are posted by the browser itself, because only the answer to
a request can set an HttpOnly cookie; `OriginGuard` keeps other sites' pages from posting them."""

from __future__ import annotations

import json
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from interviewer import wiring
from interviewer.api.access import Client, SessionSecret, UserAgent
from interviewer.db.models import User
from interviewer.domain.navigation import HOME, local_path
from interviewer.errors import AppError, Unauthorized
from interviewer.services.sessions import COOKIE, FLASH_COOKIE, FLASH_SECONDS, SESSION_LIFETIME

router = APIRouter(prefix="/session", include_in_schema=False)

Field = Annotated[str, Form(max_length=2000)]


@router.post("/login")
async def login(
    client: Client, email: Field = "", password: Field = "", next: Field = HOME, user_agent: UserAgent = ""
) -> RedirectResponse:
    """Sign in and go on to where the user was heading; a wrong password leads back to the form, with the address kept."""
    services = wiring.services()
    try:
        user = await services.accounts.sign_in(email, password, client)
        return await signed_in_response(user, local_path(next), user_agent)
    except AppError as error:
        words = "The e-mail address or the password is wrong." if error.status == 401 else error.user_message
        return flash(login_page(local_path(next)), error=words, email=email)


@router.post("/verify")
async def verify(client: Client, token: Field = "", user_agent: UserAgent = "") -> RedirectResponse:
    """Use a mailed link: create the account and sign in."""
    try:
        user = await wiring.services().accounts.verify(token, client)
        return await signed_in_response(user, HOME, user_agent)
    except AppError as error:
        return flash("/verify-email", error=error.user_message)


@router.post("/logout")
async def logout(secret: SessionSecret = "") -> Response:
    """End the session in the database and in the browser, with what the browser kept of it."""
    try:
        if secret:
            await wiring.services().sessions.close(secret)
    except AppError as error:
        # The cookie stays: without the database the session would live on unseen.
        return PlainTextResponse(f"You are still signed in. {error.user_message}", status_code=error.status)
    return _signed_out("/")


@router.post("/logout-everywhere")
async def logout_everywhere(secret: SessionSecret = "") -> Response:
    """End every session of whoever asks; open tabs find out at their next action."""
    services = wiring.services()
    try:
        person = await services.sessions.authenticate(secret)
        await services.sessions.end_all(person.user_id)
    except Unauthorized:
        return _signed_out("/login")
    except AppError as error:
        return PlainTextResponse(f"You are still signed in. {error.user_message}", status_code=error.status)
    return _signed_out("/login")


@router.get("/export")
async def export(secret: SessionSecret = "") -> Response:
    """Return all that is stored about whoever asks, as a file."""
    services = wiring.services()
    try:
        person = await services.sessions.authenticate(secret)
        document = await services.personal.export(person.user_id)
    except Unauthorized:
        return RedirectResponse(login_page("/account"), status_code=303)
    except AppError as error:
        return PlainTextResponse(error.user_message, status_code=error.status)
    headers = {"Content-Disposition": 'attachment; filename="interviewer.json"', "Cache-Control": "no-store"}
    return JSONResponse(document, headers=headers)


def _signed_out(path: str) -> RedirectResponse:
    response = RedirectResponse(path, status_code=303, headers={"Clear-Site-Data": '"storage"'})
    response.delete_cookie(COOKIE)
    return response


async def signed_in_response(user: User, path: str, user_agent: str) -> RedirectResponse:
    """Open a session for somebody whose identity has been proven, and go on to `path`."""
    services = wiring.services()
    secret = await services.sessions.open(user, user_agent)
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


def login_page(next: str) -> str:
    """Return the sign-in page that leads on to `next`."""
    return f"/login?next={quote(next, safe='/')}"


def flash(path: str, **words: str) -> RedirectResponse:
    """Go to a page that shows `words` once."""
    response = RedirectResponse(path, status_code=303)
    page = path.lstrip("/").partition("?")[0]
    value = quote(json.dumps({"page": page, **{key: text[:320] for key, text in words.items()}}))
    secure = wiring.services().settings.production
    response.set_cookie(FLASH_COOKIE, value, max_age=FLASH_SECONDS, httponly=True, samesite="lax", secure=secure)
    return response
