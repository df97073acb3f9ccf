"""Generate the documentation page that lists everything clients can call, with its limits: `python -m tests.support.bounds`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from interviewer import api
from interviewer.api import websockets
from interviewer.api.access import person, refresh_token
from interviewer.api.errors import MAX_BODY, MAX_WEBHOOK
from interviewer.cli import app as commands
from interviewer.cli import bounded_http, bounded_websockets
from interviewer.cli.running import MAX_MESSAGE
from interviewer.core.rate_limits import LIMITS, Action
from interviewer.interviews import resume_files, resume_reader
from interviewer.interviews.resume_files import MAX_FILE
from interviewer.settings import ROOT
from interviewer.state import backlog, event_gate, retention
from interviewer.state.bounds import EVENTS

PAGE = "docs/bounds.md"
# The rate limit that the service behind a route checks. Routes not listed only read, so the connection limit is enough for them.
_LIMITED = {
    "/session/login": Action.SIGN_IN,
    "/session/verify": Action.USE_LINK,
    "/session/report/{name}": Action.EXPORT,
    "/session/resume": Action.UPLOAD,
    "/api/auth/check-email": Action.CHECK_EMAIL,
    "/api/auth/request-verification": Action.SIGN_UP,
    "/api/users": Action.USE_LINK,
    "/api/auth/login": Action.SIGN_IN,
    "/api/auth/github": Action.GITHUB,
    "/github/callback": Action.GITHUB,
    "/api/auth/token": Action.REFRESH,
    "/api/auth/request-reset": Action.RESET,
    "/api/auth/reset-password": Action.USE_LINK,
    "/api/interviews": Action.START,
    "/api/conversations/create/{interview_id}": Action.ANSWER,
    "/api/conversations/append/{interview_id}": Action.ANSWER,
    "/api/jd": Action.JOB,
    "/api/payment/checkout": Action.CHECKOUT,
    "/api/payment/cancel": Action.PAYMENT,
    "/api/payment/resume": Action.PAYMENT,
    "/api/payment/change-plan": Action.PAYMENT,
}
_OF_A_SESSION = (
    "/session/export",
    "/session/report",
    "/session/resume",
    "/session/logout",
    "/api/interviews/{interview_id}/report",
)

_OPENING = f"""# What can be called from outside, and its limits

Generated from the code by `.venv/bin/python -m tests.support.bounds`; a test fails when it is out of date.

- **Connections.** A request's headers may take {bounded_http.HEADERS_WITHIN:.0f} seconds and {bounded_http.MAX_HEADERS:,}
  bytes, its body {bounded_http.BODY_WITHIN:.0f} seconds. Chunk sizes and trailers together may take
  {bounded_http.MAX_HEADERS:,} bytes; trailers are dropped. If a response is sent before the body has arrived, the rest of
  the body gets {bounded_http.REST_WITHIN:.0f} seconds and {bounded_http.MAX_REST // 1024**2} MB. At most
  {bounded_http.PIPELINED} requests wait on one connection for earlier responses, and nothing is read meanwhile. A client (an
  IPv4 address or an IPv6 /64) may have {bounded_http.AT_ONCE:,} HTTP connections, {bounded_http.ARRIVING} of them with an
  incomplete request. Behind `TRUSTED_PROXIES`, the proxy limits them instead.
- **Websockets.** A client may have {websockets.AT_ONCE} open, open {websockets.OPENED:,} a minute, and send
  {websockets.CLIENT_MESSAGES:,} messages ({websockets.CLIENT_CHARACTERS:,} characters) in {websockets.WITHIN:.0f} seconds;
  one websocket may send {websockets.MESSAGES} ({websockets.CHARACTERS:,}). A message may have {event_gate.MAX_MESSAGE:,}
  characters and {MAX_MESSAGE:,} bytes, and take {bounded_websockets.MESSAGE_WITHIN:.0f} seconds to arrive. For frames,
  including pings and pongs, and for bytes, the limits are twice as high: {bounded_websockets.FRAMES:,} frames and
  {bounded_websockets.BYTES:,} bytes on one websocket, {bounded_websockets.CLIENT_FRAMES:,} and
  {bounded_websockets.CLIENT_BYTES:,} for a client. Nothing is read from a client that does not read, and messages are not
  compressed. A websocket is closed after {event_gate.MAX_REFUSED} refused events.
- **Events.** A page may have {backlog.MAX_PER_PAGE} unfinished events, a session {backlog.MAX_PER_SESSION}, and a client
  {backlog.MAX_PER_CLIENT:,} (a quarter more for the events that fill a page). Further ones are refused, and the page says so.
  Events still waiting {backlog.GONE:.0f} seconds after their page closed are dropped.
- **Retention.** A page's state is dropped {retention.ANONYMOUS:.0f} seconds after its websocket closed if no user was signed
  in, otherwise after {retention.SIGNED_IN / 60:.0f} minutes. A process keeps at most {retention.MOST:,} of them; a store
  shared by replicas keeps them for {retention.SHARED / 60:.0f} minutes. The privacy page says what is stored.
- **Log.** For a request: method, route template, status, milliseconds. For an event: its handler's name. For a refusal: the
  reason, once a minute. Any other text is cut after a few hundred characters.
- **Rate limits** count by client, by account, and by both together; a 429 says when to try again. `RATE_LIMITS=off` turns off
  everything except limits on sizes, on times, and on what one connection may send.
"""


def page() -> str:
    """Return the whole page as Markdown."""
    return "\n".join([_OPENING, *_events(), "", *_routes(), "", *_commands(), ""])


def _events() -> Iterator[str]:
    yield "## Events of pages\n"
    yield "No other method of a state can be called.\n"
    yield "| Event | Who | Arguments | Limit |\n|---|---|---|---|"
    for name, bounds in sorted(EVENTS.items(), key=lambda one: _event_name(one[0])):
        arguments = ", ".join(f"`{argument}`: {bound}" for argument, bound in bounds.arguments.items()) or "none"
        limit = _limit(bounds.limit) or (f"{bounds.times} per websocket" if bounds.times else "websocket messages")
        yield f"| `{_event_name(name)}` | {bounds.who} | {arguments} | {limit} |"


def _event_name(name: str) -> str:
    state, _, handler = name.rpartition(".")
    return f"{state.rpartition('____')[2]}.{handler}"


def _routes() -> Iterator[str]:
    yield "## Routes\n"
    yield f"A body may have up to {MAX_BODY // 1024} KB, the webhook's up to {MAX_WEBHOOK // 1024} KB, and a résumé file up to"
    memory, processor = resume_reader.MAX_MEMORY // 1024**2, resume_reader.MAX_CPU_SECONDS
    yield f"{MAX_FILE // 1024**2} MB. A résumé file is read in its own process, which has {memory} MB of memory and {processor}"
    yield f"seconds of CPU time, and is killed after {resume_files.SECONDS:.0f} seconds. One file per user is read at a time.\n"
    yield "| Route | Who | Limit |\n|---|---|---|"
    for route in sorted(routes(), key=lambda one: (one.path, sorted(one.methods or ()))):
        methods = ", ".join(sorted(route.methods or ()))
        yield f"| {methods} `{route.path}` | {_who(route)} | {_limit_of(route) or 'connections'} |"


def routes() -> list[APIRoute]:
    """Return the routes of the HTTP API, without the trailing-slash duplicates."""

    def within(found: list[BaseRoute]) -> Iterator[APIRoute]:
        for route in found:
            if isinstance(route, APIRoute):
                yield route
            else:
                included = getattr(route, "original_router", None)
                yield from within(list(included.routes if included else []))

    found = list(within(list(api.build().routes)))
    paths = {route.path for route in found}
    # A path with a trailing slash behaves like the same path without it.
    return [route for route in found if not route.path.endswith("/") or route.path.rstrip("/") not in paths]


def _who(route: APIRoute) -> str:
    calls = {dependency.call for dependency in route.dependant.dependencies}
    if person in calls:
        return "holder of an access token, for their own data"
    if refresh_token in calls:
        return "holder of a refresh token"
    if route.path.startswith("/api/webhooks/"):
        return "the payment service, by its signature"
    if route.path == "/metrics":
        return "holder of `METRICS_TOKEN` in production"
    return "signed in, for their own data" if route.path.startswith(_OF_A_SESSION) else "anyone"


def _limit_of(route: APIRoute) -> str:
    """Return a route's rate limit, or "" if it has none. API routes without POST have none, even if their path is listed."""
    return _limit(_LIMITED.get(route.path)) if "POST" in (route.methods or ()) or "api" not in route.path else ""


def _limit(action: Action | None) -> str:
    if action is None:
        return ""
    limits = LIMITS[action]
    parts = ((limits.client, "per client"), (limits.account, "per account"), (limits.both, "per client and account"))
    return f"{action.value}: " + ", ".join(f"{limit} {whose}" for limit, whose in parts if limit)


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    yield "Only an operator can run them: anyone who can read the settings. They cannot be reached over the network.\n"
    yield "| Command | Arguments |\n|---|---|"
    for name, command in command_list(typer.main.get_command(commands), "interviewer"):
        given = ", ".join(f"`{parameter.opts[-1]}`" for parameter in command.params if parameter.name != "help") or "none"
        yield f"| `{name}` | {given} |"


def command_list(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield every leaf command with its full name."""
    if not hasattr(command, "list_commands"):
        yield name, command
        return
    for part in sorted(command.list_commands(None)):
        yield from command_list(command.get_command(None, part), f"{name} {part}")


if __name__ == "__main__":
    (ROOT / PAGE).write_text(page(), encoding="utf-8")
