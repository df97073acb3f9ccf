"""Errors as the API tells them: always `{"error": "<a sentence>"}` with the status that the error carries."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interviewer.errors import AppError, TooManyRequests, Unavailable

logger = logging.getLogger(__name__)

INVALID_BODY, TOO_LARGE, NO_SUCH_METHOD = "Invalid request body", "That is too large.", "Method not allowed"
# Seconds after which it makes sense to come back when something we depend on does not answer.
RETRY_AFTER = 5


def install(api: FastAPI) -> None:
    """Make every error of the API's routes one of ours."""
    api.add_exception_handler(AppError, _ours)
    api.add_exception_handler(RequestValidationError, _malformed)
    api.add_exception_handler(HTTPException, _of_the_framework)
    api.add_exception_handler(Exception, _bug)
    api.add_middleware(TooLarge)


class TooLarge:
    """Tells of too large a body as of every other error; the framework that measures it answers in plain text of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and put our words in place of the framework's."""
        replaced = False

        async def ours(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                replaced = True
                await answer(413, TOO_LARGE)(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, ours)


def answer(status: int, words: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return an error as the API tells it."""
    return JSONResponse({"error": words}, status_code=status, headers=headers)


def refusal(error: AppError) -> JSONResponse:
    """Return one of our errors as the API tells it, with when to come back where that is known."""
    return answer(error.status, error.user_message, retry_after(error))


def retry_after(error: AppError) -> dict[str, str]:
    """Return the header that says after how many seconds it makes sense to come back, if it does."""
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.retry_after)}
    return {"Retry-After": str(RETRY_AFTER)} if isinstance(error, Unavailable) else {}


async def _ours(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)
    return refusal(error)


async def _malformed(_request: Request, _error: Exception) -> JSONResponse:
    """What was sent is not repeated: it may be a password."""
    return answer(400, INVALID_BODY)


async def _of_the_framework(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    words = {400: INVALID_BODY, 404: "Not found", 405: NO_SUCH_METHOD}.get(error.status_code, str(error.detail))
    return answer(error.status_code, words, dict(error.headers or {}))


async def _bug(request: Request, error: Exception) -> JSONResponse:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return refusal(AppError())
