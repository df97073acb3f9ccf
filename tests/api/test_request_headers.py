"""Bounded request headers: which ones reach the site, and that none takes more than linear time."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from interviewer.accounts.browser_sessions import cookie_value
from interviewer.api.middleware import MAX_PATH_LENGTH, Paths
from interviewer.api.request_headers import (
    MAX_CONTENT_TYPE_LENGTH,
    MAX_COOKIE_LENGTH,
    MAX_HEADER_LENGTH,
    BoundedHeaders,
    Headers,
    own_cookies,
    sane,
)
from tests.support.site import Site

OURS = b"interviewer_session=s3cret"
HOSTILE = 60_000


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        (OURS, OURS),
        (b"theme=dark; " + OURS + b";other=1", OURS),
        (OURS + b"; interviewer_flash=%7B%22page%22%7D", OURS + b"; interviewer_flash=%7B%22page%22%7D"),
        (b"interviewer_session=old; " + OURS, OURS),
        (b'interviewer_session="' + b"\\" * HOSTILE + b'"', b""),
        (b'any="' + b"\\" * HOSTILE + b'"; ' + OURS, OURS),
        (b"interviewer_session=" + b"a" * (MAX_COOKIE_LENGTH + 1), b""),
        (b"interviewer_session=a\\b", b""),
        (b"interviewer_session", b"interviewer_session="),
        (b'interviewer_github="eyJhIjogMX0==.0f"', b"interviewer_github=eyJhIjogMX0==.0f"),
        (b'interviewer_github="a', b""),
        (b"=x; ;;; interviewer_sessions=1", b""),
        (b";" * HOSTILE, b""),
    ],
)
def test_only_own_cookies_are_kept(header: bytes, kept: bytes) -> None:
    assert own_cookies(header) == kept


def test_several_cookie_headers_are_merged() -> None:
    headers: Headers = [(b"cookie", b"a=1"), (b"accept", b"*/*"), (b"cookie", OURS)]
    assert sane(headers) == [(b"accept", b"*/*"), (b"cookie", OURS)]


@pytest.mark.parametrize(
    ("name", "most"),
    [(b"content-type", MAX_CONTENT_TYPE_LENGTH), (b"authorization", MAX_HEADER_LENGTH), (b"x-any", MAX_HEADER_LENGTH)],
)
def test_too_long_headers_are_dropped(name: bytes, most: int) -> None:
    assert sane([(name, b"a" * most)]) == [(name, b"a" * most)]
    assert sane([(name, b"a" * (most + 1))]) == []


@pytest.mark.parametrize(
    ("cookies", "value"), [("a=1; n=x=y ; n=z", "z"), ("n=%22", "%22"), ("", ""), ("m=1", ""), ("n", ""), ('n="q"', '"q"')]
)
def test_cookie_value_is_not_decoded(cookies: str, value: str) -> None:
    assert cookie_value(cookies, "n") == value


@pytest.mark.parametrize("path", ["/api/" + "a/" * HOSTILE, "/session/" + "a/" * HOSTILE, "/" + "a/" * HOSTILE])
async def test_too_long_paths_are_replaced(path: str) -> None:
    seen: list[Any] = []

    async def site(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["path"])

    for given in (path, path[:MAX_PATH_LENGTH]):
        await Paths(BoundedHeaders(site))({"type": "http", "path": given, "headers": []}, None, None)  # type: ignore[arg-type]
    prefix = "/" if path.startswith("/a/") else path[: path.index("/", 1) + 1]
    assert seen == [f"{prefix}too-long", path[:MAX_PATH_LENGTH]]


def test_hostile_headers_and_paths_are_answered(site: Site) -> None:
    hostile: list[tuple[str, dict[str, str]]] = [
        ("/live", {"cookie": 'x="' + "\\" * 50_000 + '"'}),
        ("/api/users/1", {"cookie": 'interviewer_session="' + "\\" * 50_000 + '"'}),
        ("/session/login", {"content-type": "multipart/form-data" + ";" * 50_000}),
        ("/session/login", {"content-type": "application/x-www-form-urlencoded" + ";" * 50_000}),
        ("/" + "a/" * 25_000, {}),
    ]
    # Without the limits, one of these blocked the whole site for 18 seconds.
    with httpx2.Client(base_url=site.url, timeout=10) as client:
        for path, headers in hostile:
            method = "POST" if path.startswith("/session") else "GET"
            assert client.request(method, path, headers=headers, content=b"a=1").status_code < 500
