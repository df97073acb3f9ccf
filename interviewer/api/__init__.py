"""The HTTP interface beside the pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Match

from interviewer.api import auth, conversations, dashboard, errors, github, health, interviews, payment, session, users, webhooks
from interviewer.errors import AppError, NotFound

# Bytes; nothing that anybody writes to us by hand is as long.
MAX_BODY = 256 * 1024
MAX_WEBHOOK = 1024 * 1024
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
    for resource in (health, session, auth, github, users, payment, interviews, conversations, dashboard):
        api.include_router(resource.router, max_body_size=MAX_BODY)
    api.include_router(webhooks.router, max_body_size=MAX_WEBHOOK)
    api.add_api_route("/api/{path:path}", _nowhere(tuple(api.routes)), methods=METHODS, include_in_schema=False)
    return api


def _nowhere(routes: Sequence[BaseRoute]) -> Callable[[Request], Awaitable[None]]:
    """Return the route of paths that are none, or that one of `routes` has by another method; else both would end at a page."""

    async def nowhere(request: Request) -> None:
        if any(route.matches(request.scope)[0] is not Match.NONE for route in routes):
            raise _MethodNotAllowed
        raise NotFound

    return nowhere


class _MethodNotAllowed(AppError):
    status = 405
    user_message = "Method not allowed"
