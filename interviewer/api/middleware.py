"""ASGI middleware in front of every route.

Request IDs and request logs, the origin check for websockets and forms, cache headers, redirects, and security headers.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Collection
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, bound_contextvars, unbind_contextvars

from interviewer.api.errors import response_for
from interviewer.api.streaming import error_event
from interviewer.core import metrics
from interviewer.core.capacity import CLOSED_MESSAGE
from interviewer.errors import Unavailable

logger = logging.getLogger(__name__)

EVENT_PATH = "/_event"
FORM_PATH = "/session/"
# Responses under these paths contain personal data, or errors about personal data.
PERSONAL_PATHS = ("/api/", FORM_PATH, "/github/")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SHARED_PATH = "/shared"
YEAR = 31_536_000
# Maximum length of a path in characters. Real paths have fewer than a hundred.
MAX_PATH_LENGTH = 2_000
REQUEST_ID = "X-Request-ID"
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_BREAK = re.compile(r"[\r\n]")
# The Host header that routes see, and the scope key that holds the original one.
_ANY_HOST, _ASKED = "host.invalid", "interviewer.host"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# The status logged for a request whose client disconnected before the response. It is never sent.
GONE = 499


class Paths:
    """Makes sure that every request reaches a route or the 404 handler.

    Route patterns need a leading slash and don't match line breaks. A path that they cannot match would be handled by the
    outermost router, whose responses have neither request IDs nor security headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add a missing leading slash, and replace line breaks with a character that none of our paths contains.

        A path that is too long is replaced with a short unknown path, because the lookup of its file takes time quadratic in the
        length of the path.
        """
        if scope["type"] == "http" and len(scope["path"]) > MAX_PATH_LENGTH:
            prefix = next((prefix for prefix in PERSONAL_PATHS if scope["path"].startswith(prefix)), "/")
            scope = {**scope, "path": f"{prefix}too-long", "raw_path": f"{prefix}too-long".encode()}
        if scope["type"] == "http" and (not scope["path"].startswith("/") or _BREAK.search(scope["path"])):
            scope = {**scope, "path": "/" + _BREAK.sub("\ufffd", scope["path"]).removeprefix("/")}
        await self._app(scope, receive, send)


class Requests:
    """Gives each request an ID, which appears in its log lines and in a response header.

    HTTP requests are also counted, timed, and logged. A websocket is one request for as long as it is open; `EventIds`
    distinguishes the events on it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request with its ID bound to the log context."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        id = given if _SANE_ID.fullmatch(given) else new_id()
        # The ID is unbound at the end, because the server may handle the next request in the same task.
        with bound_contextvars(request_id=id):
            try:
                if scope["type"] == "http":
                    await self._answer(id, scope, receive, send)
                else:
                    await self._app(scope, receive, send)
            finally:
                unbind_contextvars("interview_id")

    async def _answer(self, id: str, scope: Scope, receive: Receive, send: Send) -> None:
        began, status, streaming = perf_counter(), GONE, False

        async def with_id(message: Message) -> None:
            nonlocal status, streaming
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = id
                streaming = Headers(raw=message["headers"]).get("content-type", "").startswith("text/event-stream")
            await send(message)

        try:
            await self._app(scope, receive, with_id)
        except asyncio.CancelledError:
            # The server cancels unfinished requests at shutdown. Their clients still get a proper error.
            if status == GONE:
                await response_for(Unavailable(CLOSED_MESSAGE))(scope, receive, with_id)
            elif streaming:
                await send({"type": "http.response.body", "body": error_event(Unavailable(CLOSED_MESSAGE)).encode()})
            else:
                raise
        except Exception:
            status = 500 if status == GONE else status
            raise
        finally:
            _note(scope, status, perf_counter() - began)


def new_id() -> str:
    """Return a new request ID."""
    return uuid4().hex


def _note(scope: Scope, status: int, seconds: float) -> None:
    """Record a finished request in the metrics and the log by its route, because paths and query strings contain IDs."""
    method, route = scope["method"] if scope["method"] in _METHODS else "other", route_of(scope)
    metrics.REQUESTS.labels(method, route, str(status)).inc()
    metrics.REQUEST_SECONDS.labels(method, route).observe(seconds)
    fields = {"method": method, "route": route, "status": status, "milliseconds": round(seconds * 1000, 1)}
    logger.info("request", extra=fields)


def route_of(scope: Scope) -> str:
    """Return the template of the request's route. Requests that match no route share a few names."""
    path = scope["path"]
    template = getattr(scope.get("route"), "path", "").rstrip("/")
    if template:
        return str(template)
    for prefix, name in (("/api/", "/api/{path:path}"), ("/assets/", "/assets/{file}"), (EVENT_PATH, EVENT_PATH)):
        if path.startswith(prefix):
            return name
    return "page"


class EventIds:
    """Reflex middleware that gives each page event its own ID."""

    def preprocess(self, app: Any, state: Any, event: Any) -> None:  # noqa: ARG002 - Reflex passes them as keyword arguments
        """Bind a new request ID and the event's name to the log context of the task that runs the handler."""
        bind_contextvars(request_id=new_id(), page_event=event.name.rpartition(".")[2])

    def postprocess(self, app: Any, state: Any, event: Any, update: Any) -> Any:  # noqa: ARG002
        """Return the update unchanged."""
        return update


class OriginGuard:
    """Rejects websockets and form posts from other sites' pages.

    A browser sends the user's cookies with both, no matter which site's page makes the request. So the Origin header must name
    the request's own host or be in `allowed`. Clients that send no Origin are not browsers and have no user's cookies.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str], *, https_only: bool = False) -> None:
        """`https_only` says that the site is served over HTTPS.

        A page loaded over HTTP is then rejected, because it may be forged.
        """
        self._app = app
        self._allowed = frozenset(allowed)
        self._https_only = https_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, or reject a websocket or form post from another origin."""
        if scope["type"] not in {"http", "websocket"} or not scope["path"].startswith((EVENT_PATH, FORM_PATH)):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self.allows(headers.get("origin"), headers.get("host", ""), scope.get("scheme", "http")):
            await _refuse(scope, receive, send)
            return
        # Drop the Origin header: the websocket server would compare it with a list fixed at startup.
        without = [(name, value) for name, value in scope["headers"] if name != b"origin"]
        await self._app({**scope, "headers": without} if scope["path"].startswith(EVENT_PATH) else scope, receive, send)

    def allows(self, origin: str | None, host: str, scheme: str = "http") -> bool:
        """Return whether a page of `origin` may send requests to `host`.

        A missing origin is allowed. Behind a proxy, `scheme` may be http even though the page was loaded over https. With
        `https_only` or a secure `scheme`, an http page of the site itself is allowed only on a loopback host.
        """
        if origin is None or origin in self._allowed:
            return True
        try:
            page = urlsplit(origin)
            name = page.hostname
        except ValueError:
            return False
        if page.netloc.casefold() != host.casefold() or not host:
            return False
        secure = self._https_only or scheme in {"https", "wss"}
        return page.scheme == "https" or (page.scheme == "http" and (not secure or name in _LOOPBACK))


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "origin not allowed"})
        return
    await PlainTextResponse("This request comes from another site.", status_code=403)(scope, receive, send)


class ResponseHeaders:
    """Base class of middleware that adds response headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def add(self, headers: MutableHeaders, scope: Scope, status: int) -> None:
        """Add headers to a response, given its request's scope and its status."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward an HTTP request, and add the headers to its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.add(MutableHeaders(scope=message), scope, message["status"])
            await send(message)

        await self._app(scope, receive, with_headers)


class CacheHeaders(ResponseHeaders):
    """Sets Cache-Control. Built assets have a content hash in their names and are cached for a year. Pages are revalidated."""

    def add(self, headers: MutableHeaders, scope: Scope, status: int) -> None:
        """Set Cache-Control unless the route has set it. Personal responses and errors must not be stored."""
        path = scope["path"]
        if "Cache-Control" in headers:
            return
        if path.startswith(PERSONAL_PATHS) or status >= 400:
            headers["Cache-Control"] = "no-store"
        elif path.startswith(("/assets/", "/fonts/")) and status == 200:
            headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
        elif path.endswith((".js", ".png", ".svg", ".ico", ".webmanifest")):
            # These files have no hash in their names, so they are cached for only an hour.
            headers["Cache-Control"] = "public, max-age=3600"
        elif headers.get("content-type", "").startswith("text/html"):
            headers["Cache-Control"] = "no-cache"


def requested_host(scope: Scope) -> str:
    """Return the Host header that the client sent, or "" if there was none.

    This also works after `LocalRedirects` has replaced the header.
    """
    asked: str = scope[_ASKED] if _ASKED in scope else Headers(scope=scope).get("host", "")
    return asked


class LocalRedirects(ResponseHeaders):
    """Turns redirects to the site's own origin into relative ones.

    Frameworks build the origin from the Host header, which a client can forge. If the header is missing, they use the server's
    address.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request with a constant Host header. `requested_host` returns the original one."""
        if scope["type"] == "http":
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            asked = Headers(scope=scope).get("host", "")
            # Modify the scope in place: the router stores the matched route in it, for the log and the metrics.
            scope["headers"], scope[_ASKED] = [*others, (b"host", _ANY_HOST.encode())], asked
        await super().__call__(scope, receive, send)

    def add(self, headers: MutableHeaders, scope: Scope, status: int) -> None:
        """Replace the Location of a redirect with its path if it points to our own host."""
        location = headers.get("location", "")
        for host in filter(None, (_ANY_HOST, scope[_ASKED])):
            for scheme in ("http", "https"):
                if 300 <= status < 400 and location.startswith(own := f"{scheme}://{host}"):
                    # A path that starts with two slashes would be another site's URL.
                    headers["location"] = "/" + location.removeprefix(own).lstrip("/\\")


# React's prerendered pages have inline scripts, so inline scripts are allowed. All other scripts come from this site, and none
# may evaluate strings as code: 'unsafe-eval' is missing on purpose, and 'wasm-unsafe-eval' allows only WebAssembly.
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
    # Our URLs may contain tokens, so requests to other sites have no Referer. Requests to this site still have one.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), payment=(), microphone=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
}

# Workers that run a candidate's code, by the start of their script's path, with the folder of the files that they may load.
_WORKERS = {"/assets/python-worker-": "/assets/pyodide/", "/assets/sql-worker-": "/assets/pglite/"}
_BINARY = ".data"  # PGlite's files, a type that the static files don't know
# The page that JavaScript answers run in. Its origin is opaque, and only it may evaluate strings as code. It can load nothing,
# and neither can the workers that it starts from text, because they inherit this policy.
SCRIPT_PAGE = "/run-script.html"
SCRIPT_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-scripts"
)
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class SecurityHeaders(ResponseHeaders):
    """Limits what this site's pages may do in browsers, and requires HTTPS in production."""

    def __init__(self, app: ASGIApp, *, https_only: bool) -> None:
        super().__init__(app)
        self._headers = _HEADERS | ({"Strict-Transport-Security": f"max-age={YEAR}"} if https_only else {})

    def add(self, headers: MutableHeaders, scope: Scope, status: int) -> None:  # noqa: ARG002 - the same for every status
        """Set the security headers. Shared reports are kept out of search engines. What runs code gets its own policy."""
        path = scope["path"]
        headers.update(self._headers)
        if path.startswith(SHARED_PATH):
            headers["X-Robots-Tag"] = "noindex, nofollow"
        if path == SCRIPT_PAGE:
            headers.update({"Content-Security-Policy": SCRIPT_POLICY, "X-Frame-Options": "SAMEORIGIN", "X-Robots-Tag": "noindex"})
        for script, folder in _WORKERS.items():
            if path.startswith(script):
                headers["Content-Security-Policy"] = worker_policy(requested_host(scope), folder)
            if path.startswith(folder) and path.endswith(_BINARY):
                headers["Content-Type"] = "application/octet-stream"


def worker_policy(host: str, files: str) -> str:
    """Return the Content-Security-Policy of a worker that runs a candidate's code.

    The worker can load only its runtime's files, which are in the folder `files`, so the candidate's code cannot call the API
    with the user's cookies. `host` is the request's Host header. If it is missing or malformed, the worker can load nothing.
    """
    folder = f"{host}{files}" if _HOST.fullmatch(host) else "'none'"
    wasm = " 'wasm-unsafe-eval'" if folder != "'none'" else ""
    return f"default-src 'none'; script-src {folder}{wasm}; connect-src {folder}"
