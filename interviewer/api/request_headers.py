"""Reduce request headers to what this site reads, before anything parses them.

Python before 3.11.10 and 3.12.6 parses a quoted cookie in time quadratic in its length. The Content-Type parser takes quadratic
time in every version. Both parsers run on the event loop for every request.
"""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from interviewer.accounts.browser_sessions import COOKIE, FLASH_COOKIE
from interviewer.accounts.github_signin import ATTEMPT_COOKIE

OWN_COOKIES = frozenset(name.encode() for name in (COOKIE, FLASH_COOKIE, ATTEMPT_COOKIE))
# Maximum length of a cookie value in bytes. Our values are percent-encoded or random, and the longest one contains a form's
# message. RFC 6265 asks browsers to support at least 4,096 bytes per cookie.
MAX_COOKIE_LENGTH = 4_096
# Maximum length in bytes of the Content-Type, and of every other header except cookies. A multipart boundary has at most 70
# characters (RFC 2046). The second limit leaves room for tokens and URLs.
MAX_CONTENT_TYPE_LENGTH, MAX_HEADER_LENGTH = 200, 8_192
# A cookie value of the characters that RFC 6265 allows. Backslashes, commas, and spaces are not among them, so nothing needs
# decoding. Optional quotes are dropped.
_VALUE = re.compile(rb'("?)([!#-+\--:<-\[\]-~]*)\1')

Headers = list[tuple[bytes, bytes]]


class BoundedHeaders:
    """ASGI middleware that drops other sites' cookies and overlong headers from requests and websockets."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request or websocket with only the headers that `sane` returns."""
        if scope["type"] in {"http", "websocket"}:
            scope = {**scope, "headers": sane(scope["headers"])}
        await self._app(scope, receive, send)


def sane(headers: Headers) -> Headers:
    """Return the headers without other sites' cookies, and without headers longer than any client of this site sends."""
    kept = [(name, value) for name, value in headers if name != b"cookie" and len(value) <= _longest(name)]
    cookies = own_cookies(b";".join(value for name, value in headers if name == b"cookie"))
    return [*kept, (b"cookie", cookies)] if cookies else kept


def _longest(name: bytes) -> int:
    return MAX_CONTENT_TYPE_LENGTH if name == b"content-type" else MAX_HEADER_LENGTH


def own_cookies(header: bytes) -> bytes:
    """Return only this site's cookies from a `Cookie` header. If a name repeats, the last valid cookie wins.

    Cookies that are too long or contain invalid characters are dropped.
    """
    found: dict[bytes, bytes] = {}
    for part in header.split(b";"):
        name, _, value = part.strip(b" \t").partition(b"=")
        if name in OWN_COOKIES and len(value) <= MAX_COOKIE_LENGTH and (match := _VALUE.fullmatch(value)):
            found[name] = match[2]
    return b"; ".join(name + b"=" + value for name, value in found.items())
