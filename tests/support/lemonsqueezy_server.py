"""A server that speaks the part of Lemon Squeezy's API that is used here, over real HTTP, and misbehaves on request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.serving import served

MEDIA_TYPE = "application/vnd.api+json"


@dataclass
class Behaviour:
    """What the server knows and does; `faults` are statuses, one taken off for each request, 0 for an answer that never comes."""

    api_key: str = "lemon-confidential-key"
    subscriptions: dict[str, str] = field(default_factory=dict)  # status by id
    faults: list[int] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def build(behaviour: Behaviour) -> Starlette:
    """Return the server."""

    async def subscription(request: Request) -> Response:
        id = request.path_params["id"]
        behaviour.requests.append(f"{request.method} {id}")
        if behaviour.faults:
            if fault := behaviour.faults.pop(0):
                return _error(fault)
            await asyncio.sleep(5)
        if request.headers.get("Authorization") != f"Bearer {behaviour.api_key}":
            return _error(401)
        if request.headers.get("Accept") != MEDIA_TYPE or id not in behaviour.subscriptions:
            return _error(404)
        if request.method == "DELETE":
            if behaviour.subscriptions[id] == "expired":
                return _error(422)
            behaviour.subscriptions[id] = "cancelled"
        data = {"type": "subscriptions", "id": id, "attributes": {"status": behaviour.subscriptions[id]}}
        return JSONResponse({"data": data}, media_type=MEDIA_TYPE)

    async def me(request: Request) -> Response:
        known = request.headers.get("Authorization") == f"Bearer {behaviour.api_key}"
        return JSONResponse({"data": {"type": "users", "id": "1"}}, media_type=MEDIA_TYPE) if known else _error(401)

    return Starlette(routes=[Route("/v1/subscriptions/{id}", subscription, methods=["GET", "DELETE"]), Route("/v1/users/me", me)])


def _error(status: int) -> JSONResponse:
    return JSONResponse({"errors": [{"status": str(status), "title": "Error"}]}, status_code=status, media_type=MEDIA_TYPE)


@contextmanager
def running(behaviour: Behaviour) -> Iterator[str]:
    """Serve on a free port of loopback from a thread; yields the base URL for the client."""
    with served(build(behaviour)) as url:
        yield url
