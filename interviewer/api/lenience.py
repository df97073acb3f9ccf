"""Accept a trailing slash on a path of the API, and a JSON body without its Content-Type."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

PREFIX = "/api/"
ALONE = frozenset({"/health/", "/live/", "/ready/"})
JSON, PLAIN = b"application/json", "text/plain"


class Lenient:
    """Normalizes requests of the API."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Remove a trailing slash from the path, and set the type of a body if it is missing or plain text."""
        if scope["type"] == "http" and (scope["path"].startswith(PREFIX) or scope["path"] in ALONE):
            # In place: the outer middleware reads the matched route from the same scope.
            scope["path"], scope["headers"] = _path(scope["path"]), _headers(scope)
        await self._app(scope, receive, send)


def _path(path: str) -> str:
    return path[:-1] if path.endswith("/") and path != PREFIX else path


def _headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    given: list[tuple[bytes, bytes]] = list(scope["headers"])
    kind = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("", PLAIN):
        return given
    # The API uses no cookies, so another site's page gains nothing from a request that needs no preflight.
    return [*((name, value) for name, value in given if name != b"content-type"), (b"content-type", JSON)]
