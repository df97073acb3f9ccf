"""A client of the HTTP interface, in the test's own event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from interviewer import api
from interviewer.api.middleware import OriginGuard
from interviewer.wiring import Services

SITE = "http://localhost:3999"


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    """The routes as `app.py` mounts them, without the pages; errors come as answers, as from a server."""
    app = OriginGuard(api.build([SITE]), [SITE])
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False, client=("203.0.113.7", 4711))
    async with httpx2.AsyncClient(transport=transport, base_url=SITE) as client:
        yield client
