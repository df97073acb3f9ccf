"""The HTTP API."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from interviewer.api import (
    auth,
    conversations,
    dashboard,
    docs,
    errors,
    github,
    health,
    interviews,
    metrics,
    payment,
    reports,
    resumes,
    session,
    site,
    users,
    webhooks,
)
from interviewer.api.errors import MAX_BODY, MAX_WEBHOOK
from interviewer.api.lenience import Lenient
from interviewer.api.middleware import REQUEST_ID
from interviewer.api.openapi import DESCRIPTION, TAGS, Described
from interviewer.errors import NotFound
from interviewer.interviews.resume_files import MAX_FILE

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def build(origins: Collection[str] = ()) -> FastAPI:
    """Return the API as an application to mount into the site. Pages of `origins` may read its responses (CORS)."""
    api = Described(
        title=docs.TITLE,
        version=version("interviewer"),
        description=DESCRIPTION,
        openapi_tags=TAGS,
        openapi_url=docs.DOCUMENT,
        docs_url=None,
        redoc_url=None,
    )
    errors.install(api)
    api.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_credentials=True,
        allow_methods=METHODS,
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Interview-Turns"],
        expose_headers=["Retry-After", REQUEST_ID],
    )
    api.add_middleware(Lenient)
    for resource in (
        health,
        session,
        reports,
        auth,
        github,
        users,
        payment,
        interviews,
        conversations,
        dashboard,
        docs,
        metrics,
        site,
    ):
        api.include_router(resource.router, max_body_size=MAX_BODY)
    api.include_router(webhooks.router, max_body_size=MAX_WEBHOOK)
    api.include_router(resumes.router, max_body_size=MAX_FILE)
    nowhere = _UnmatchedRoutes(tuple(api.routes))
    api.router.routes += [Route(path, nowhere) for path in ("/live", "/health", "/ready", "/api/{path:path}")]
    return api


class _UnmatchedRoutes:
    """Returns 404 for unknown paths, 405 for a wrong method, and the allowed methods for OPTIONS.

    Without it, the single-page app would respond to these requests with HTML.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request that no route has matched."""
        methods = [method for method in METHODS if self._takes({**scope, "method": method})]
        allow = {"Allow": ", ".join(methods)}
        response: Response = errors.response_for(NotFound())
        if methods and scope["method"] == "OPTIONS":
            response = Response(headers=allow)
        elif methods:
            response = errors.error_response(405, errors.NO_SUCH_METHOD, allow)
        await response(scope, receive, send)

    def _takes(self, scope: Scope) -> bool:
        return any(route.matches(scope)[0] is Match.FULL for route in self._routes)
