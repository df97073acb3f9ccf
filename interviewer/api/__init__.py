"""The HTTP interface beside the pages."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from starlette.routing import Match

from interviewer.api import auth, errors, github, health, session, users
from interviewer.errors import AppError, NotFound

# Bytes; nothing that anybody writes to us by hand is as long.
MAX_BODY = 256 * 1024
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def build(origins: Collection[str] = ()) -> FastAPI:
    """Return the routes that are mounted into the application; pages of `origins` may read their answers."""
    api = FastAPI(title="Interviewer", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    errors.install(api)
    api.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_credentials=True,
        allow_methods=METHODS,
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"],
        expose_headers=["Retry-After"],
    )
    for resource in (health, session, auth, github, users):
        api.include_router(resource.router, max_body_size=MAX_BODY)
    api.add_api_route("/api/{path:path}", _nowhere, methods=METHODS, include_in_schema=False)
    return api


async def _nowhere(request: Request) -> None:
    """Tell a wrong method from a wrong path; without this route both would end at a page."""
    for route in request.app.routes:
        if getattr(route, "endpoint", None) is not _nowhere and route.matches(request.scope)[0] is not Match.NONE:
            raise _MethodNotAllowed
    raise NotFound


class _MethodNotAllowed(AppError):
    status = 405
    user_message = "Method not allowed"
