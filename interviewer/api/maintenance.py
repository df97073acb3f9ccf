"""Maintenance mode: a 503 page for browsers and a JSON error for API clients."""

from __future__ import annotations

from functools import cache

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from interviewer.settings import ROOT

WORDS = "Interviewer is down for maintenance and will be back in a few minutes."
# Seconds after which API clients may retry. The maintenance page reloads after the same time.
RETRY = 60
_AVAILABLE_PATHS = ("/live", "/metrics", "/fonts/", "/favicon")


@cache
def _page() -> str:
    return (ROOT / "assets" / "maintenance.html").read_text(encoding="utf-8")


class Maintenance:
    """Returns 503 for everything except /live, /metrics, fonts, and icons.

    Nothing is lost: drafts are in the browser, and submitted answers are in the database.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reject the request in the format that the client expects: a page, JSON, or a close frame.

        Lifespan events and the paths that stay available pass through.
        """
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"].startswith(_AVAILABLE_PATHS)):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1013, "reason": WORDS})
            return
        await _refusal(scope["path"])(scope, receive, send)


def _refusal(path: str) -> Response:
    headers = {"Retry-After": str(RETRY), "Cache-Control": "no-store"}
    if path.startswith("/api/") or path in {"/health", "/ready"}:
        return JSONResponse({"error": WORDS}, status_code=503, headers=headers)
    return HTMLResponse(_page(), status_code=503, headers=headers)
