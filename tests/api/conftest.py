"""An HTTP client for the API, in the test's own event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cache

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from interviewer import api
from interviewer.api.middleware import OriginGuard
from interviewer.core.users import User
from interviewer.wiring import Services
from tests.conftest import NewUser

SITE = "http://localhost:3999"


async def _page(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("a page")


@cache
def _app() -> ASGIApp:
    """Return the application. It is the same for all tests, because it takes its services from `wiring` with each request."""
    routes = api.build([SITE])
    routes.mount("", Starlette(routes=[Route("/{page:path}", _page, methods=["GET"])]))
    return OriginGuard(routes, [SITE])


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the API as `app.py` mounts it, with a stub for the pages. Exceptions become responses, as on a real server."""
    transport = httpx2.ASGITransport(app=_app(), raise_app_exceptions=False, client=("203.0.113.7", 4711))
    async with httpx2.AsyncClient(transport=transport, base_url=SITE) as client:
        yield client


@pytest.fixture
async def user(new_user: NewUser) -> User:
    return await new_user(3)


@pytest.fixture
async def program(client: httpx2.AsyncClient, services: Services, user: User) -> httpx2.AsyncClient:
    """The client, with an access token."""
    client.headers["Authorization"] = f"Bearer {(await services.tokens.issue(user, 'test', renewable=False)).access}"
    return client
