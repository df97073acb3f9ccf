"""What stands between the network and every route.

Which request a line of the log belongs to, who may open the websocket and post forms, and how long files keep.
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

from interviewer.api.errors import refusal
from interviewer.api.streaming import error_event
from interviewer.core import metrics
from interviewer.core.capacity import CLOSED_WORDS
from interviewer.errors import Unavailable

logger = logging.getLogger(__name__)

EVENT_PATH = "/_event"
FORM_PATH = "/session/"
# Answers under these are one person's own, or are errors about that.
PERSONAL_PATHS = ("/api/", FORM_PATH, "/github/")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SHARED_PATH = "/shared"
YEAR = 31_536_000
# Characters of a path. Those of files and reports have fewer than a hundred.
LONGEST_PATH = 2_000
REQUEST_ID = "X-Request-ID"
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_BREAK = re.compile(r"[\r\n]")
# The host that routes see, and where the one that was asked is kept meanwhile.
_ANY_HOST, _ASKED = "host.invalid", "interviewer.host"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# What is noted for a request that ends without an answer, because whoever asked has gone. No client ever sees it.
GONE = 499


class Paths:
    """Lets every request through to a route, or to the answer that there is none.

    A route's pattern fits no line break and needs a slash first. A path without would end at the outermost router, where
    no answer has an id, or headers that say what browsers may do with it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; its path has a slash first, and a character that no address of ours has for line breaks.

        A longer path than any of ours is cut to one that leads nowhere: looking for its file takes a time that grows with the
        square of its length.
        """
        if scope["type"] == "http" and len(scope["path"]) > LONGEST_PATH:
            prefix = next((prefix for prefix in PERSONAL_PATHS if scope["path"].startswith(prefix)), "/")
            scope = {**scope, "path": f"{prefix}too-long", "raw_path": f"{prefix}too-long".encode()}
        if scope["type"] == "http" and (not scope["path"].startswith("/") or _BREAK.search(scope["path"])):
            scope = {**scope, "path": "/" + _BREAK.sub("\ufffd", scope["path"]).removeprefix("/")}
        await self._app(scope, receive, send)


class Requests:
    """Gives each request an id, which is on every line logged for it and on its answer; counts, times and logs it at its end.

    A websocket is one request as long as it is open; what happens on it is told apart by `EventIds`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on under its id."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        id = given if _SANE_ID.fullmatch(given) else new_id()
        # Reset at the end: whoever calls may go on to the next request in the same task.
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
            # The server cuts off what is not answered yet when it has to stop; whoever waits is told so, as of any other error.
            if status == GONE:
                await refusal(Unavailable(CLOSED_WORDS))(scope, receive, with_id)
            elif streaming:
                await send({"type": "http.response.body", "body": error_event(Unavailable(CLOSED_WORDS)).encode()})
            else:
                raise
        except Exception:
            status = 500 if status == GONE else status
            raise
        finally:
            _note(scope, status, perf_counter() - began)


def new_id() -> str:
    """Return an id for a request that has none."""
    return uuid4().hex


def _note(scope: Scope, status: int, seconds: float) -> None:
    """Count, time and log a request by its route, so that neither ids nor what is in a query are kept."""
    method, route = scope["method"] if scope["method"] in _METHODS else "other", route_of(scope)
    metrics.REQUESTS.labels(method, route, str(status)).inc()
    metrics.REQUEST_SECONDS.labels(method, route).observe(seconds)
    told = {"method": method, "route": route, "status": status, "milliseconds": round(seconds * 1000, 1)}
    logger.info("request", extra=told)


def route_of(scope: Scope) -> str:
    """Return the template of the route that a request has taken; all that are not the API's are a few names in all."""
    path = scope["path"]
    template = getattr(scope.get("route"), "path", "").rstrip("/")
    if template:
        return str(template)
    for prefix, name in (("/api/", "/api/{path:path}"), ("/assets/", "/assets/{file}"), (EVENT_PATH, EVENT_PATH)):
        if path.startswith(prefix):
            return name
    return "page"


class EventIds:
    """Gives each event of a page an id of its own; to be added to the application as Reflex's middleware."""

    def preprocess(self, app: Any, state: Any, event: Any) -> None:  # noqa: ARG002 - Reflex passes them by name
        """Bind an id for the task that an event runs in, before its handler does."""
        bind_contextvars(request_id=new_id(), page_event=event.name.rpartition(".")[2])

    def postprocess(self, app: Any, state: Any, event: Any, update: Any) -> Any:  # noqa: ARG002
        """Leave what comes of the event as it is."""
        return update


class OriginGuard:
    """Refuses the websocket and the forms to pages of other sites.

    A browser sends the user's cookies with both whichever page asks, so the page's Origin must be the request's own host
    or one of `allowed`. Programs that send no Origin have no cookies of a user to misuse.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str], *, https_only: bool = False) -> None:
        """`https_only`: the site is served by HTTPS, so a page of its host that came by HTTP is anyone's on the way."""
        self._app = app
        self._allowed = frozenset(allowed)
        self._https_only = https_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in {"http", "websocket"} or not scope["path"].startswith((EVENT_PATH, FORM_PATH)):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self.allows(headers.get("origin"), headers.get("host", ""), scope.get("scheme", "http")):
            await _refuse(scope, receive, send)
            return
        # Decided here, once: the websocket server behind would compare with a list fixed when it was built.
        without = [(name, value) for name, value in scope["headers"] if name != b"origin"]
        await self._app({**scope, "headers": without} if scope["path"].startswith(EVENT_PATH) else scope, receive, send)

    def allows(self, origin: str | None, host: str, scheme: str = "http") -> bool:
        """Tell whether a page of `origin` may talk to `host` by `scheme`, which a proxy in front may have made http of https."""
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


class AnswerHeaders:
    """Adds headers to every answer; what they are is the subclass's matter."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def add(self, headers: MutableHeaders, scope: Scope, status: int) -> None:
        """Add to the headers of an answer with this status to this request."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and add the headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.add(MutableHeaders(scope=message), scope, message["status"])
            await send(message)

        await self._app(scope, receive, with_headers)


class CacheHeaders(AnswerHeaders):
    """Built assets carry a hash of their content in their name and keep for a year; pages are asked for again each time."""

    def add(self, headers: MutableHeaders, scope: Scope, status: int) -> None:
        """Say how long the answer keeps: what the route says, else nothing personal, nor any error, is stored anywhere."""
        path = scope["path"]
        if "Cache-Control" in headers:
            return
        if path.startswith(PERSONAL_PATHS) or status >= 400:
            headers["Cache-Control"] = "no-store"
        elif path.startswith(("/assets/", "/fonts/")) and status == 200:
            headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
        elif path.endswith((".js", ".png", ".svg", ".ico", ".webmanifest")):
            # Without a hash in their names: kept for an hour, then asked for again.
            headers["Cache-Control"] = "public, max-age=3600"
        elif headers.get("content-type", "").startswith("text/html"):
            headers["Cache-Control"] = "no-cache"


def asked_host(scope: Scope) -> str:
    """Return the Host header as the client sent it, also after `LocalRedirects` has put its own there; "" if there was none."""
    asked: str = scope[_ASKED] if _ASKED in scope else Headers(scope=scope).get("host", "")
    return asked


class LocalRedirects(AnswerHeaders):
    """Takes the site's own address out of redirects.

    It is made of the Host header, which anyone can write, or where that can't be read, of the server's own address.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a Host that is always the same; nothing behind needs to know the real one."""
        if scope["type"] == "http":
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            asked = Headers(scope=scope).get("host", "")
            # In place: the route that is found is noted in it, for the log and the figures.
            scope["headers"], scope[_ASKED] = [*others, (b"host", _ANY_HOST.encode())], asked
        await super().__call__(scope, receive, send)

    def add(self, headers: MutableHeaders, scope: Scope, status: int) -> None:
        """Leave the path of a redirect to the host that was asked."""
        location = headers.get("location", "")
        for host in filter(None, (_ANY_HOST, scope[_ASKED])):
            for scheme in ("http", "https"):
                if 300 <= status < 400 and location.startswith(own := f"{scheme}://{host}"):
                    # Two slashes would begin another site's address.
                    headers["location"] = "/" + location.removeprefix(own).lstrip("/\\")


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

_PYTHON_WORKER = "/assets/python-worker-"
_PYTHON_FILES = "/assets/pyodide/"
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class SecurityHeaders(AnswerHeaders):
    """Tells browsers what pages of this site may do; in production also to come back by HTTPS only."""

    def __init__(self, app: ASGIApp, *, https_only: bool) -> None:
        super().__init__(app)
        self._headers = _HEADERS | ({"Strict-Transport-Security": f"max-age={YEAR}"} if https_only else {})

    def add(self, headers: MutableHeaders, scope: Scope, status: int) -> None:  # noqa: ARG002 - the same for every status
        """Say what the answer's page, or worker, may do."""
        headers.update(self._headers)
        if scope["path"].startswith(SHARED_PATH):
            headers["X-Robots-Tag"] = "noindex, nofollow"
        if scope["path"].startswith(_PYTHON_WORKER):
            headers["Content-Security-Policy"] = python_policy(asked_host(scope))


def python_policy(host: str) -> str:
    """Return the policy of the worker in which a candidate's program runs: nothing can be loaded but Python's own files.

    So a program cannot use the API with the cookies of whoever runs it. A `host` that is none allows nothing at all.
    """
    folder = f"{host}{_PYTHON_FILES}" if _HOST.fullmatch(host) else "'none'"
    wasm = " 'wasm-unsafe-eval'" if folder != "'none'" else ""
    return f"default-src 'none'; script-src {folder}{wasm}; connect-src {folder}"
