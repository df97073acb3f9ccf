"""A fake GitHub over real HTTP: the OAuth flow and the two API calls of a sign-in, with faults on request."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.serving import served

AUTHORIZE = "/login/oauth/authorize"
TOKEN = "/login/oauth/access_token"
USER = "/user"
EMAILS = "/user/emails"

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><main><h1>{title}</h1>{body}</main></body></html>"""


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the fake GitHub. `emails` has the format of GitHub's API."""

    id: int
    login: str
    name: str | None
    emails: list[dict[str, Any]]


def ada() -> Person:
    """Return a user whose verified primary email address is not the first in the list."""
    other = {"email": "ada@old.example.com", "primary": False, "verified": True, "visibility": None}
    primary = {"email": "ada@reader.example.com", "primary": True, "verified": True, "visibility": "private"}
    return Person(1815, "ada-l", "Ada Lovelace", [other, primary])


@dataclass(frozen=True, slots=True)
class Received:
    """A request as received. `form` has the fields of a POST."""

    path: str
    headers: dict[str, str]
    query: dict[str, str]
    form: dict[str, str]


@dataclass(frozen=True, slots=True)
class Code:
    """The user, redirect URI and PKCE challenge that a code was issued for. None means that the code is not bound to one."""

    person: Person
    redirect_uri: str | None
    challenge: str | None


@dataclass
class Behavior:
    """The configuration of the server and a record of what it has done.

    A fault is an HTTP status such as "500", a GitHub error such as "error:redirect_uri_mismatch", any JSON such as
    'json:{"id":true}', or one of: "html", "list", "empty", "null", "nothing", "huge" (not GitHub's format), "limited" (rate
    limit), "redirect", "hang" and "cut".
    """

    person: Person = field(default_factory=ada)  # the user signed in at GitHub
    client_id: str = "Iv1.interviewer"
    client_secret: str = "github-confidential-secret"
    auto: bool = False  # consents without asking, as GitHub does after an earlier consent
    faults: dict[str, str] = field(default_factory=dict)  # by path
    requests: list[Received] = field(default_factory=list)
    codes: dict[str, Code] = field(default_factory=dict)  # the unused ones
    tokens: dict[str, Person] = field(default_factory=dict)
    issued: int = 0

    def issue_code(self, person: Person | None = None, redirect_uri: str | None = None, challenge: str | None = None) -> str:
        """Issue a code as if `person` had consented. The default is the user signed in at GitHub."""
        self.issued += 1
        code = f"confidential-code-{self.issued}"
        self.codes[code] = Code(person or self.person, redirect_uri, challenge)
        return code


def build(behavior: Behavior) -> Starlette:
    """Return the server as an ASGI app."""

    def route(path: str, method: str, endpoint: Callable[[Behavior, Received], Response]) -> Route:
        async def answer(request: Request) -> Response:
            form = {name: str(value) for name, value in (await request.form()).items()}
            received = Received(path, dict(request.headers), dict(request.query_params), form)
            behavior.requests.append(received)
            fault, good = behavior.faults.get(path), endpoint(behavior, received)
            return await _faulty(fault, request, received, good) if fault else good

        return Route(path, answer, methods=[method])

    routes = [route(AUTHORIZE, "GET", _authorize), route(TOKEN, "POST", _access_token)]
    return Starlette(routes=[*routes, route(USER, "GET", _api), route(EMAILS, "GET", _api)])


def _page(title: str, body: str, status: int = 200) -> Response:
    return HTMLResponse(PAGE.format(title=escape(title), body=body), status_code=status)


def _authorize(behavior: Behavior, received: Received) -> Response:
    query = received.query
    if query.get("client_id") != behavior.client_id or not (redirect_uri := query.get("redirect_uri")):
        return _page("Page not found", "<p>This is not the web page you are looking for.</p>", 404)
    if (challenge := query.get("code_challenge")) and query.get("code_challenge_method") != "S256":
        return _page("Bad request", "<p>The code challenge method must be S256.</p>", 400)
    consent = query.get("consent", "yes" if behavior.auto else "")
    if consent == "yes":
        return _back(redirect_uri, query, code=behavior.issue_code(None, redirect_uri, challenge))
    if consent == "no":
        return _back(redirect_uri, query, error="access_denied", error_description="The user has denied your application access.")
    links = [
        f'<p><a href="{escape("?" + urlencode({**query, "consent": answer}))}">{label}</a></p>'
        for answer, label in (("yes", "Authorize"), ("no", "Cancel"))
    ]
    return _page("Authorize Interviewer", f"<p>Signed in as {escape(behavior.person.login)}.</p>" + "".join(links))


def _back(redirect_uri: str, query: dict[str, str], **params: str) -> Response:
    params |= {"state": query["state"]} if "state" in query else {}
    return RedirectResponse(f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(params)}", status_code=302)


def _access_token(behavior: Behavior, received: Received) -> Response:
    form = received.form
    if (form.get("client_id"), form.get("client_secret")) != (behavior.client_id, behavior.client_secret):
        return _error("incorrect_client_credentials", received)
    code = behavior.codes.pop(form.get("code", ""), None)  # a code can be used once, even if the exchange fails
    if code is None or (code.challenge and _challenge(form.get("code_verifier", "")) != code.challenge):
        return _error("bad_verification_code", received)
    if code.redirect_uri and form.get("redirect_uri") != code.redirect_uri:
        return _error("redirect_uri_mismatch", received)
    behavior.tokens[token := f"gho_confidential{len(behavior.tokens) + 1}"] = code.person
    granted = {"access_token": token, "token_type": "bearer", "scope": "read:user,user:email"}
    return JSONResponse(granted, headers={"Set-Cookie": "_gh_sess=of-one-person; Path=/"})


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _error(error: str, received: Received) -> Response:
    # Worse than GitHub: the error repeats all secrets, so that tests notice if they leak any further.
    return JSONResponse({"error": error, "error_description": f"{received.form}", "error_uri": "https://docs.example.com"})


def _api(behavior: Behavior, received: Received) -> Response:
    if not (person := behavior.tokens.get(received.headers.get("authorization", "").removeprefix("Bearer "))):
        return JSONResponse({"message": "Bad credentials", "status": "401"}, status_code=401)
    if received.path == EMAILS:
        return JSONResponse(person.emails)
    return JSONResponse({"id": person.id, "login": person.login, "name": person.name, "email": None, "type": "User"})


async def _faulty(fault: str, request: Request, received: Received, good: Response) -> Response:
    kind, _, value = fault.partition(":")
    match kind:
        case "error":
            return _error(value, received)
        case "redirect":  # its body has the complete good response
            return Response(good.body, 307, {"Location": f"{received.path}?again"}, "application/json")
        case "limited":
            return JSONResponse({"message": "API rate limit exceeded"}, 403, {"x-ratelimit-remaining": "0"})
        case "huge":
            return Response(b" " * 2_000_000 + bytes(good.body), media_type="application/json")
        case "hang":
            while (await request.receive())["type"] != "http.disconnect":
                pass
            return good  # the client has disconnected
        case "cut":
            return StreamingResponse(_cut(), media_type="application/json", headers={"Content-Length": "100"})
    odd = {"list": '["odd"]', "empty": "{}", "null": "null", "nothing": "", "html": "<h1>Unicorn!</h1>", "json": value}
    if kind in odd:
        return Response(odd[kind], media_type="text/html" if kind == "html" else "application/json")
    return JSONResponse({"message": f"{received.headers} {received.form}"}, status_code=int(kind))


async def _cut() -> AsyncIterator[str]:
    yield '{"id": '
    raise ConnectionResetError("cut off on purpose")


@contextmanager
def running(behavior: Behavior) -> Iterator[str]:
    """Serve on a free loopback port from a thread. Yields the base URL, which is also that of the API."""
    with served(build(behavior)) as url:
        yield url
