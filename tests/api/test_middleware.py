"""ASGI middleware: origins, security and cache headers, redirects, and unusual paths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from interviewer.api.middleware import CacheHeaders, LocalRedirects, OriginGuard, Paths, Requests, SecurityHeaders, worker_policy


async def answered(app: ASGIApp, path: str, *, method: str = "GET", host: bytes | None = b"site.example") -> tuple[int, Any]:
    """Return the status and headers of the response to a raw request, which no HTTP client has normalized.

    `host` None sends no Host header.
    """
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        said.append(message)

    request = {"type": "http", "http_version": "1.0", "method": method, "scheme": "http", "path": path, "query_string": b"a=b"}
    headers = [] if host is None else [(b"host", host)]
    await app(request | {"headers": headers, "server": ("10.9.8.7", 3000), "client": ("10.0.0.1", 1)}, receive, send)
    return said[0]["status"], {name.decode(): value.decode() for name, value in said[0]["headers"]}


async def _form(request: Request) -> PlainTextResponse:
    return PlainTextResponse("done")


async def _socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(str("origin" in websocket.headers))
    await websocket.close()


@pytest.fixture
def client() -> TestClient:
    inner = Starlette(
        routes=[
            Route("/session/login", _form, methods=["POST"]),
            Route("/other", _form),
            WebSocketRoute("/_event", _socket),
            Route("/assets/a.js", _form),
        ]
    )
    return TestClient(CacheHeaders(OriginGuard(inner, ["https://allowed.example"])), base_url="http://site.example:3000")


FINE = ["http://site.example:3000", "https://site.example:3000", "https://allowed.example", None]
EVIL = [
    "http://evil.example",
    "https://site.example:3000.evil.example",
    "null",
    "http://site.example",
    "http://[broken",
    "https://allowed.example.evil.example",
]


@pytest.mark.parametrize("origin", FINE)
def test_own_and_listed_origins_and_programs_are_allowed(client: TestClient, origin: str | None) -> None:
    headers = {"origin": origin} if origin else {}
    assert client.post("/session/login", headers=headers).status_code == 200
    with client.websocket_connect("ws://site.example:3000/_event", headers=headers) as socket:
        assert socket.receive_text() == "False", "it is decided once"


@pytest.mark.parametrize("origin", EVIL)
def test_other_origins_are_rejected(client: TestClient, origin: str) -> None:
    assert client.post("/session/login", headers={"origin": origin}).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("ws://site.example:3000/_event", headers={"origin": origin}),
    ):
        pass


def test_other_paths_ignore_origins_and_assets_are_cached(client: TestClient) -> None:
    assert client.get("/other", headers={"origin": "http://evil.example"}).status_code == 200
    assert "immutable" in client.get("/assets/a.js").headers["cache-control"]


@pytest.mark.parametrize("production", [True, False])
def test_every_response_has_security_headers(production: bool) -> None:
    app = SecurityHeaders(Starlette(routes=[Route("/", _form)]), https_only=production)
    for path, status in (("/", 200), ("/missing", 404)):
        answer = TestClient(app).get(path)
        assert answer.status_code == status
        policy = answer.headers["content-security-policy"]
        assert "'unsafe-eval'" not in policy.replace("'wasm-unsafe-eval'", "")
        assert "frame-ancestors 'none'" in policy
        assert "http" not in policy, "no other host is named"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert ("strict-transport-security" in answer.headers) is production


@pytest.mark.parametrize("host", ["site.example", "localhost:3000", "10.0.0.1:80"])
@pytest.mark.parametrize("behind", [lambda app: app, LocalRedirects])
@pytest.mark.parametrize(("script", "folder"), [("python-worker-x1.js", "pyodide"), ("sql-worker-x1.js", "pglite")])
def test_workers_may_load_only_their_runtime(host: str, behind: Callable[[ASGIApp], ASGIApp], script: str, folder: str) -> None:
    site = Starlette(routes=[Route(f"/assets/{script}", _form)])
    app = SecurityHeaders(behind(site), https_only=False)
    policy = TestClient(app).get(f"/assets/{script}", headers={"host": host}).headers["content-security-policy"]
    files = f"{host}/assets/{folder}/"
    assert policy == f"default-src 'none'; script-src {files} 'wasm-unsafe-eval'; connect-src {files}"


@pytest.mark.parametrize(
    "host", ["", "evil.example; script-src *", "a b", "*", "*.example", "[::1]:3000", "https://evil.example"]
)
def test_invalid_host_allows_the_worker_nothing(host: str) -> None:
    assert worker_policy(host, "/assets/pyodide/") == "default-src 'none'; script-src 'none'; connect-src 'none'"


def test_only_the_script_page_may_evaluate_and_be_framed() -> None:
    routes = [Route(path, _form) for path in ("/run-script.html", "/other", "/assets/pglite/1/pglite.data", "/assets/x.data")]
    site = TestClient(SecurityHeaders(Starlette(routes=routes), https_only=True))
    page = site.get("/run-script.html").headers
    policy = dict(one.split(" ", 1) for one in page["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["sandbox"] == "allow-scripts"
    assert policy["frame-ancestors"] == "'self'"
    assert "connect-src" not in policy, "default-src applies"
    assert page["x-frame-options"] == "SAMEORIGIN"
    assert "'unsafe-eval'" not in site.get("/other").headers["content-security-policy"].replace("'wasm-unsafe-eval'", "")
    assert site.get("/other").headers["x-frame-options"] == "DENY"
    assert site.get("/assets/pglite/1/pglite.data").headers["content-type"] == "application/octet-stream"
    assert site.get("/assets/x.data").headers["content-type"] != "application/octet-stream"


@pytest.mark.parametrize("origin", ["http://site.example", "http://SITE.example", "ftp://site.example"])
def test_http_page_is_foreign_to_an_https_site(origin: str) -> None:
    guard = OriginGuard(Starlette(), [], https_only=True)
    assert not guard.allows(origin, "site.example")
    assert guard.allows("https://site.example", "site.example")
    assert guard.allows("http://localhost:3000", "localhost:3000"), "the operator's own machine"
    plain = OriginGuard(Starlette(), [])
    assert not plain.allows(origin, "site.example", "wss")
    assert plain.allows("http://site.example", "site.example", "ws")


@pytest.mark.parametrize(
    ("path", "status", "kept"),
    [
        ("/favicon.svg", 200, "public, max-age=3600"),
        ("/missing.js", 404, "no-store"),
        ("/assets/missing.js", 404, "no-store"),
        ("/api/interviews/1.js", 401, "no-store"),
        ("/api/user/dashboard", 200, "no-store"),
        ("/api/auth/login", 200, "no-store"),
        ("/session/login", 303, "no-store"),
        ("/github/callback", 303, "no-store"),
        ("/api/own", 200, "public, max-age=5"),
        ("/page", 200, "no-cache"),
    ],
)
def test_cache_control_follows_path_and_status(path: str, status: int, kept: str) -> None:
    async def answer(request: Request) -> PlainTextResponse:
        own = {"Cache-Control": "public, max-age=5"} if request.url.path == "/api/own" else {}
        return PlainTextResponse("x", status_code=status, headers=own, media_type="text/html")

    app = CacheHeaders(Starlette(routes=[Route("/{path:path}", answer)]))
    assert TestClient(app).get(path, follow_redirects=False).headers["cache-control"] == kept


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("http://evil.example/dashboard/", "/dashboard/"),
        ("https://evil.example/dashboard/?a=b", "/dashboard/?a=b"),
        ("http://evil.example//other.example/", "/other.example/"),
        ("http://evil.example", "/"),
        ("https://github.com/login", "https://github.com/login"),
        ("/login?next=/account", "/login?next=/account"),
    ],
)
def test_redirect_does_not_contain_the_requested_host(location: str, kept: str) -> None:
    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse("", status_code=307, headers={"location": location})

    client = TestClient(LocalRedirects(Starlette(routes=[Route("/dashboard", answer)])))
    answered = client.get("/dashboard", headers={"host": "evil.example"}, follow_redirects=False)
    assert answered.headers["location"] == kept


@pytest.mark.parametrize(
    "host", [None, b"", b"site.example", b"evil.com?", b"a b", b"a#b", b"u@evil.com", b"\xc3\xa4", b"[::1]:3000", b"EVIL.com:80"]
)
async def test_redirect_is_a_path_for_any_host(host: bytes | None, tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox" / "index.html").write_text("a page")
    app = LocalRedirects(Starlette(routes=[Route("/one/", _form), Mount("/", StaticFiles(directory=tmp_path, html=True))]))
    for path in ("/outbox", "//outbox"):
        status, headers = await answered(app, path, host=host)
        assert (status, headers["location"]) == (307, "/outbox/?a=b")
    slash = LocalRedirects(Starlette(routes=[Route("/one/", _form)]))
    assert (await answered(slash, "/one", host=host))[1]["location"] == "/one/?a=b"


@pytest.mark.parametrize("path", ["/api/x\ny", "/\r\nX:1", "/other\n", "*", "/a\n"])
async def test_path_that_matches_no_pattern_gets_all_headers(path: str) -> None:
    inner = Starlette(routes=[Route("/other", _form), Mount("/", StaticFiles(directory=Path(__file__).parent))])
    outer = Starlette(routes=[Mount("", Requests(SecurityHeaders(CacheHeaders(inner), https_only=False)))])
    status, headers = await answered(Paths(outer), path)
    assert status == 404
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-request-id"]
    assert (await answered(Paths(outer), "/other"))[0] == 200
