"""Accept trailing slashes in the API's paths, and JSON bodies without a Content-Type."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

PREFIX = "/api/"
ALONE = frozenset({"/health/", "/live/", "/ready/"})
JSON, PLAIN = b"application/json", "text/plain"


class Lenient:
    """ASGI middleware that normalizes requests to the API and the health checks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Remove a trailing slash from the path, and replace a missing or plain-text Content-Type with JSON."""
        if scope["type"] == "http" and (scope["path"].startswith(PREFIX) or scope["path"] in ALONE):
            # Modify the scope in place: the outer middleware reads the matched route from it.
            scope["path"], scope["headers"] = _path(scope["path"]), _headers(scope)
        await self._app(scope, receive, send)


def _path(path: str) -> str:
    return path[:-1] if path.endswith("/") and path != PREFIX else path


def _headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    given: list[tuple[bytes, bytes]] = list(scope["headers"])
    kind = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("", PLAIN):
        return given
    # Browsers send plain-text requests without a CORS preflight. Another site's page gains nothing by that, because the API
    # ignores cookies.
    return [*((name, value) for name, value in given if name != b"content-type"), (b"content-type", JSON)]
