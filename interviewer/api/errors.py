"""The API's error responses: `{"error": "<a sentence>"}` with the error's status, and more fields for some errors."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interviewer.accounts.redirects import login_page
from interviewer.api.access import SignInFirst
from interviewer.core.logs import Failures
from interviewer.errors import AppError, TooManyRequests, Unavailable
from interviewer.interviews.resume_files import FILE_TOO_LARGE

logger = logging.getLogger(__name__)

INVALID_BODY, NO_SUCH_METHOD = "Invalid request body", "Method not allowed"
# Maximum size of a request body in bytes, in general and for webhooks. Both are far above any form and any allowed text. For
# résumé files, see MAX_FILE.
MAX_BODY, MAX_WEBHOOK = 256 * 1024, 1024 * 1024
WEBHOOKS, RESUME = "/api/webhooks/", "/session/resume"
# Seconds until a retry makes sense while a service we depend on is unavailable.
RETRY_AFTER = 5
# Seconds between log lines about the same failure.
QUIET = 60.0

_failures = Failures(logger, "a request failed", QUIET)


def install(api: FastAPI) -> None:
    """Install handlers that turn every error in the API's routes into one of our error responses or a redirect to sign-in."""
    api.add_exception_handler(AppError, _ours)
    api.add_exception_handler(SignInFirst, _to_login)
    api.add_exception_handler(RequestValidationError, _malformed)
    api.add_exception_handler(HTTPException, _framework_error)
    api.add_exception_handler(Exception, _bug)
    api.add_middleware(TooLarge)


def body_too_large(path: str) -> str:
    """Return the error message for a request body that exceeds the path's limit."""
    if path == RESUME:
        return FILE_TOO_LARGE
    most = MAX_WEBHOOK if path.startswith(WEBHOOKS) else MAX_BODY
    return f"The request body is too large; at most {most // 1024} KB are allowed."


class TooLarge:
    """Turns the framework's plain-text 413 into JSON, like every other error.

    A 413 from our own code is already JSON and passes unchanged.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, and replace a 413 response that is not JSON."""
        replaced = False

        async def ours(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 413 and not _is_json(message):
                replaced = True
                await error_response(413, body_too_large(scope["path"]))(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, ours)


def _is_json(message: Message) -> bool:
    return Headers(raw=message["headers"]).get("content-type", "").startswith("application/json")


def error_response(
    status: int, message: str, headers: dict[str, str] | None = None, details: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return an error response. `details` are additional fields of its body."""
    return JSONResponse({"error": message, **(details or {})}, status_code=status, headers=headers)


def response_for(error: AppError) -> JSONResponse:
    """Return the response for one of our errors, with Retry-After if a retry can help."""
    return error_response(error.status, error.user_message, retry_after(error), error.details)


def retry_after(error: AppError) -> dict[str, str]:
    """Return the Retry-After header if a retry can fix the error; otherwise, return no headers."""
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.retry_after)}
    return {"Retry-After": str(RETRY_AFTER)} if isinstance(error, Unavailable) else {}


async def _ours(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)
    return response_for(error)


async def _to_login(_request: Request, error: Exception) -> RedirectResponse:
    assert isinstance(error, SignInFirst)
    return RedirectResponse(login_page(error.next), status_code=303)


async def _malformed(_request: Request, _error: Exception) -> JSONResponse:
    """Return 400 without repeating the input, which may contain a password."""
    return error_response(400, INVALID_BODY)


async def _framework_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    ours = {400: INVALID_BODY, 404: "Not found", 405: NO_SUCH_METHOD, 413: body_too_large(request.url.path)}
    message = ours.get(error.status_code, str(error.detail))
    return error_response(error.status_code, message, dict(error.headers or {}))


async def _bug(request: Request, error: Exception) -> JSONResponse:
    _failures.log(error, f"{request.method} {request.url.path} failed")
    return response_for(AppError())
