"""A fake of Resend's /emails and /domains over real HTTP, which records requests, with faults on request."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.serving import served

MAX_KEY = 256
NAMES = {
    400: "validation_error",
    401: "missing_api_key",
    403: "invalid_api_key",
    404: "not_found",
    409: "invalid_idempotent_request",
    422: "validation_error",
    429: "rate_limit_exceeded",
    500: "application_error",
}


@dataclass(frozen=True, slots=True)
class Received:
    """A request as received."""

    body: dict[str, Any]
    key: str | None
    authorization: str
    at: float = field(default_factory=time.monotonic)


@dataclass
class Behavior:
    """The configuration of the server and a record of what it has done.

    A fault is an HTTP status such as "422", a status with another error name such as "409:concurrent_idempotent_requests", or
    one of: "html", "redirect", "empty", "list", "null" (not Resend's format), and "hang" and "cut", which accept the mail
    without confirming it.
    """

    faults: list[str] = field(default_factory=list)  # each request uses up one; "" falls back to a good response
    fault: str = ""  # applies to every request once `faults` is used up
    requests: list[Received] = field(default_factory=list)
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)  # the mails that were actually sent, by ID
    ids: dict[str, str] = field(default_factory=dict)  # mail ID by idempotency key
    a_second: int = 0  # requests accepted per second; 0 for no limit
    refused: int = 0  # number of requests refused by that limit
    taken: list[float] = field(default_factory=list)  # times when requests were accepted
    domains: list[dict[str, str]] = field(default_factory=list)  # the ID, name, and status of each
    key: str = ""  # the only valid API key; "" accepts any
    retry_after: str = ""  # the Retry-After header of a 429 fault
    sends_only: bool = False  # whether the API key is restricted to sending
    peers: set[tuple[str, int]] = field(default_factory=set)  # addresses of the connections that requests came from


def build(behavior: Behavior) -> Starlette:
    """Return the server as an ASGI app."""

    async def emails(request: Request) -> Response:
        received = Received(
            await request.json(), request.headers.get("Idempotency-Key"), request.headers.get("Authorization", "")
        )
        behavior.requests.append(received)
        if request.client:
            behavior.peers.add((request.client.host, request.client.port))
        if wait := _too_many(behavior, received.at):
            return wait
        fault = behavior.faults.pop(0) if behavior.faults else behavior.fault
        if fault and fault not in {"hang", "cut"}:
            response = _faulty(fault, received)
            if behavior.retry_after and response.status_code == 429:
                response.headers["Retry-After"] = behavior.retry_after
            return response
        if refusal := _refusal(behavior, received):
            return refusal
        id = _accepted(behavior, received)
        if fault == "hang":
            await _hang(request)
        if fault == "cut":
            return StreamingResponse(_cut(), media_type="application/json", headers={"Content-Length": "100"})
        return JSONResponse({"id": id})

    async def domains(request: Request) -> Response:
        if behavior.faults:
            return _faulty(behavior.faults.pop(0), Received({}, None, request.headers.get("Authorization", "")))
        if wait := _too_many(behavior, time.monotonic()):
            return wait
        if behavior.key and request.headers.get("Authorization") != f"Bearer {behavior.key}":
            return _error(400, "validation_error", "API key is invalid")
        if behavior.sends_only:
            return _error(401, "restricted_api_key", "This API key is restricted to only send emails")
        size, after = int(request.query_params.get("limit", 20)), request.query_params.get("after")
        begin = next((n + 1 for n, one in enumerate(behavior.domains) if one["id"] == after), 0)
        page = behavior.domains[begin : begin + size]
        return JSONResponse({"object": "list", "has_more": begin + size < len(behavior.domains), "data": page})

    return Starlette(routes=[Route("/emails", emails, methods=["POST"]), Route("/domains", domains)])


def _too_many(behavior: Behavior, now: float) -> JSONResponse | None:
    """Return a 429 for a request beyond the limit. Otherwise record the request as accepted and return None."""
    within = [at for at in behavior.taken if now - at < 1]
    if behavior.a_second and len(within) >= behavior.a_second:
        behavior.refused += 1
        response = _error(429, "rate_limit_exceeded", "Too many requests. You can only make 2 requests per second.")
        response.headers["Retry-After"] = str(math.ceil(1 - (now - within[0])))
        return response
    behavior.taken.append(now)
    return None


def _error(status: int, name: str, message: str) -> JSONResponse:
    return JSONResponse({"statusCode": status, "name": name, "message": message}, status_code=status)


def _faulty(fault: str, received: Received) -> Response:
    match fault:
        case "html":
            return HTMLResponse("<h1>Bad gateway</h1>", status_code=502)
        case "redirect":
            response = RedirectResponse("/elsewhere", status_code=307)
            response.headers["Content-Type"] = "application/json"
            return response
        case "empty":
            return JSONResponse({})
        case "list":
            return JSONResponse([])
        case "null":
            return JSONResponse(None)
    status, _, name = fault.partition(":")
    # Worse than Resend: the error repeats all secrets, so that tests notice if they leak any further.
    message = f"Refused: {received.authorization} {received.body}"
    return _error(int(status), name or NAMES.get(int(status), "application_error"), message)


def _refusal(behavior: Behavior, received: Received) -> Response | None:
    """Return Resend's error response to an invalid request, or None if the request is valid."""
    if not received.authorization.removeprefix("Bearer ").strip():
        return _error(401, "missing_api_key", "Missing API key in the authorization header.")
    if missing := [name for name in ("from", "to", "subject") if not received.body.get(name)]:
        return _error(422, "missing_required_field", f"Missing `{missing[0]}` field.")
    if received.key is not None and not 1 <= len(received.key) <= MAX_KEY:
        return _error(400, "invalid_idempotency_key", "The key must be between 1 and 256 characters.")
    if (id := behavior.ids.get(received.key or "")) and behavior.sent[id] != received.body:
        return _error(409, "invalid_idempotent_request", "Same idempotency key used with a different request payload.")
    return None


def _accepted(behavior: Behavior, received: Received) -> str:
    """Send the mail and return its ID. If the idempotency key was used before, send nothing and return the earlier ID."""
    if received.key and received.key in behavior.ids:
        return behavior.ids[received.key]
    id = f"mail-{len(behavior.sent) + 1}"
    behavior.sent[id] = received.body
    if received.key:
        behavior.ids[received.key] = id
    return id


async def _hang(request: Request) -> None:
    """Send nothing until the client disconnects."""
    await request.receive()  # the body has been read already, so this waits for the disconnect


async def _cut() -> AsyncIterator[str]:
    yield '{"id": '
    raise ConnectionResetError("cut off on purpose")


@contextmanager
def running(behavior: Behavior) -> Iterator[str]:
    """Serve on a free loopback port from a thread. Yields the base URL for the client."""
    with served(build(behavior)) as url:
        yield url
