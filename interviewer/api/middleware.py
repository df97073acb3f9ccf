"""What stands between the network and every route: who may open the websocket and post forms, and how long files keep."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EVENT_PATH = "/_event"
FORM_PATH = "/session/"
YEAR = 31_536_000


class OriginGuard:
    """Refuses the websocket and the forms to pages of other sites.

    A browser sends the user's cookies with both whichever page asks, so the page's Origin must be the request's own host
    or one of `allowed`. Programs that send no Origin have no cookies of a user to misuse.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self._app = app
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in {"http", "websocket"} or not scope["path"].startswith((EVENT_PATH, FORM_PATH)):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self.allows(headers.get("origin"), headers.get("host", "")):
            await _refuse(scope, receive, send)
            return
        # Decided here, once: the websocket server behind would compare with a list fixed when it was built.
        without = [(name, value) for name, value in scope["headers"] if name != b"origin"]
        await self._app({**scope, "headers": without} if scope["path"].startswith(EVENT_PATH) else scope, receive, send)

    def allows(self, origin: str | None, host: str) -> bool:
        """Tell whether a page of `origin` may talk to `host`."""
        if origin is None or origin in self._allowed:
            return True
        try:
            return urlsplit(origin).netloc.casefold() == host.casefold() != ""
        except ValueError:
            return False


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "origin not allowed"})
        return
    await PlainTextResponse("This request comes from another site.", status_code=403)(scope, receive, send)


class AnswerHeaders:
    """Adds headers to every answer; what they are is the subclass's matter."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def add(self, headers: MutableHeaders, path: str, status: int) -> None:
        """Add to the headers of an answer with this status to a request for this path."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and add the headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.add(MutableHeaders(scope=message), scope["path"], message["status"])
            await send(message)

        await self._app(scope, receive, with_headers)


class CacheHeaders(AnswerHeaders):
    """Built assets carry a hash of their content in their name and keep for a year; pages are asked for anew each time."""

    def add(self, headers: MutableHeaders, path: str, status: int) -> None:
        """Say how long the answer keeps."""
        if path.startswith("/assets/") and status == 200:
            headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
        elif headers.get("content-type", "").startswith("text/html"):
            headers["Cache-Control"] = "no-cache"


# Pages are prerendered with inline scripts of React's, so inline scripts are allowed; what runs is all from here, and nothing may
# build code from text ('unsafe-eval' is missing on purpose; WebAssembly is no such text).
_POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'wasm-unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
_HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Other sites learn nothing of our addresses, some of which hold a token; our own forms still say where they come from.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), payment=(), microphone=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SecurityHeaders(AnswerHeaders):
    """Tells browsers what pages of this site may do; in production also to come back by HTTPS only."""

    def __init__(self, app: ASGIApp, *, https_only: bool) -> None:
        super().__init__(app)
        self._headers = _HEADERS | ({"Strict-Transport-Security": f"max-age={YEAR}"} if https_only else {})

    def add(self, headers: MutableHeaders, path: str, status: int) -> None:  # noqa: ARG002 - the same for every answer
        """Say what the answer's page may do."""
        headers.update(self._headers)
