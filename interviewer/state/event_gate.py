"""Validate every websocket message of a page before Reflex reads it, and pass on only what `bounds.py` declares.

Messages are rebuilt from the validated parts. A message that no page would send closes the websocket. An event that is
undeclared, too large, or out of bounds is dropped, and too many dropped events close the websocket. Client input is never logged.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections import Counter
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interviewer.core import metrics
from interviewer.core.logs import LogThrottle
from interviewer.state.bounds import BOOT, EVENTS, Bounds, TooLong
from interviewer.state.notices import SHORTEN, NoticeState

logger = logging.getLogger(__name__)

PATH = "/_event"
# Maximum length of a message in characters. The longest text that a service accepts is shorter, even with every character
# escaped.
MAX_MESSAGE = 400_000
# Maximum lengths of a URL's path, path with query, and query parameters in an event, and the maximum number of parameters.
MAX_PATH_LENGTH, MAX_URL_LENGTH, MAX_QUERY_LENGTH, MAX_QUERY_PARAMS = 1_000, 4_000, 4_000, 30
# Maximum length of the query string in characters, and of the headers in bytes, of a websocket request.
MAX_QUERY_STRING_LENGTH, MAX_HEADER_BYTES = 500, 16_384
# Maximum numbers of refused events, and of connections to the namespace, on one websocket. One more closes it.
MAX_REFUSED, MAX_CONNECTS = 20, 5
# Maximum number of script errors that one websocket may report, and maximum length of each part of a report in characters. Reflex
# itself limits the number only per process.
MAX_REPORTS, MAX_REPORT_LENGTH = 5, 300
# Seconds between log lines for the same reason.
QUIET = 60.0
# RFC 6455: "Policy violation".
VIOLATION = 1008
TOO_LONG = f"That's too long to send. {SHORTEN}"

_TOKEN = re.compile("[A-Za-z0-9-]{1,64}")
_CONNECT, _LEAVE, _EVENT = f"40{PATH},", f"41{PATH},", f"42{PATH},"
_PONG, _CLOSE = "3", "1"


class Reason(StrEnum):
    """Why a message was refused, as used in logs and metrics."""

    REQUEST = "request"
    MALFORMED = "malformed"
    UNKNOWN = "unknown event"
    ARGUMENTS = "arguments"
    LENGTH = "length"
    NUMBER = "number"
    # Used by `backlog.py`: too many unfinished events, and events of a page that has disconnected.
    WAITING = "waiting"
    GONE = "gone"


class Violation(Exception):
    """A message that no page would send. It closes the websocket."""


class Refusal(Exception):
    """An event that must be dropped, and the reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class EventGate:
    """ASGI middleware that applies the declared bounds to every message on a page's websocket."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._throttle = LogThrottle(QUIET)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Validate a page's websocket request and every message on it. Other requests pass through unchanged."""
        if scope["type"] != "websocket" or not scope["path"].startswith(PATH):
            await self._app(scope, receive, send)
            return
        if not _is_page_request(scope):
            self._note(Reason.REQUEST)
            await receive()
            await send({"type": "websocket.close", "code": VIOLATION, "reason": "not a valid page request"})
            return
        reader, refused, over = Reader(), 0, False

        async def checked() -> Message:
            nonlocal refused, over
            while True:
                message = await receive()
                if message["type"] != "websocket.receive":
                    return message
                try:
                    return {"type": "websocket.receive", "text": reader.read(message.get("text"))}
                except Refusal as refusal:
                    refused += 1
                    self._note(refusal.reason)
                    if refusal.reason is Reason.LENGTH:
                        await sent({"type": "websocket.send", "text": _notice(TOO_LONG)})
                    over = refused > MAX_REFUSED
                except Violation:
                    self._note(Reason.MALFORMED)
                    over = True
                if over:
                    await send({"type": "websocket.close", "code": VIOLATION, "reason": "not a valid page message"})
                    return {"type": "websocket.disconnect", "code": VIOLATION}

        async def sent(message: Message) -> None:
            if not over:
                await send(message)

        await self._app(scope, checked, sent)

    def _note(self, reason: Reason) -> None:
        metrics.EVENTS_REFUSED.labels(reason.value).inc()
        if self._throttle.lets(reason.value):
            logger.warning("refusing websocket messages (%s); logged at most once every %.0f s", reason.value, QUIET)


class Reader:
    """Validates the messages of one websocket, in order."""

    def __init__(self) -> None:
        self._connects = 0
        self._connected = False
        self._times: Counter[str] = Counter()

    def read(self, text: object) -> str:
        """Return the message to pass on.

        Raises Refusal if the event must be dropped, and Violation if the websocket must be closed.
        """
        if not isinstance(text, str):
            raise Violation
        if len(text) > MAX_MESSAGE:
            raise Refusal(Reason.LENGTH)
        if text.startswith(_EVENT):
            return _EVENT + _written(self._event_payload(_parsed(text[len(_EVENT) :])))
        if text.startswith(_CONNECT):
            self._connects += 1
            if self._connected or self._connects > MAX_CONNECTS:
                raise Violation
            self._connected = True
            given = text[len(_CONNECT) :]
            return _CONNECT + _written(self._connect_payload(_parsed(given))) if given else text
        if text == _LEAVE:
            self._connected = False
        elif text not in {_PONG, _CLOSE}:
            raise Violation
        return text

    def _connect_payload(self, given: object) -> dict[str, Any]:
        """Return the validated payload of a connect message: the client's build, and the first event if it is valid.

        Raises Violation if the payload is not an object.
        """
        if not isinstance(given, dict):
            raise Violation
        valid: dict[str, Any] = {}
        schema, event = given.get("state_schema"), given.get("event")
        if isinstance(schema, str) and len(schema) <= MAX_REPORT_LENGTH:
            valid["state_schema"] = schema
        # A page of another build connects without its event, so that Reflex can report the mismatch.
        with contextlib.suppress(Refusal):
            valid["event"] = self._event(event, {BOOT: EVENTS[BOOT]})
        return valid

    def _event_payload(self, given: object) -> list[Any]:
        """Return the content of a message to pass on: a validated event, a shortened script error report, or a ping.

        Raises Refusal if an event or report must be dropped, and Violation if the content is none of the three.
        """
        match given:
            case ["event", dict() as event]:
                return ["event", self._event(event, EVENTS)]
            case ["client_error", dict() as report]:
                self._once_more("client_error", MAX_REPORTS)
                parts = ("error_type", "message", "substate")
                return ["client_error", {name: str(report[name])[:MAX_REPORT_LENGTH] for name in parts if name in report}]
            case ["ping"]:
                return ["ping"]
        raise Violation

    def _event(self, event: object, known: Any) -> dict[str, Any]:
        if not isinstance(event, dict):
            raise Refusal(Reason.UNKNOWN)
        name = event.get("name")
        bounds: Bounds | None = known.get(name) if isinstance(name, str) else None
        if bounds is None:
            raise Refusal(Reason.UNKNOWN)
        try:
            payload = bounds.validate(event.get("payload"))
        except TooLong as error:
            raise Refusal(Reason.LENGTH) from error
        except ValueError as error:
            raise Refusal(Reason.ARGUMENTS) from error
        if bounds.times is not None:
            self._once_more(str(name), bounds.times)
        return {"name": name, "payload": payload, "router_data": _address(event.get("router_data"))}

    def _once_more(self, name: str, most: int) -> None:
        self._times[name] += 1
        if self._times[name] > most:
            raise Refusal(Reason.NUMBER)


def _is_page_request(scope: Scope) -> bool:
    """Return whether a websocket request is within the size limits and has exactly one well-formed page token."""
    query = scope.get("query_string", b"").decode("latin-1")
    if len(query) > MAX_QUERY_STRING_LENGTH or sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
        return False
    tokens = parse_qs(query, keep_blank_values=True).get("token", [])
    return len(tokens) == 1 and _TOKEN.fullmatch(tokens[0]) is not None


def _address(given: object) -> dict[str, Any]:
    """Return the validated parts of the page's URL in an event, truncated to their limits. A malformed path becomes "/"."""
    if not isinstance(given, dict):
        return {}
    valid: dict[str, Any] = {}
    for name, max_length in (("pathname", MAX_PATH_LENGTH), ("asPath", MAX_URL_LENGTH)):
        if isinstance(value := given.get(name), str):
            valid[name] = value[:max_length]
    if "asPath" in valid and not _is_path(valid["asPath"]):
        valid["asPath"] = "/"
    if isinstance(query := given.get("query"), dict):
        valid["query"] = _query(query)
    return valid


def _is_path(text: str) -> bool:
    """Return whether the text is a path on this site, with or without a query. Reflex fails on other text."""
    try:
        text.encode()
        parts = urlsplit(text)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc


def _query(given: dict[str, Any]) -> dict[str, str]:
    """Return the first query parameters: at most MAX_QUERY_PARAMS of them, with at most MAX_QUERY_LENGTH characters in total.

    Stops before the first value that is not a string.
    """
    valid, left = {}, MAX_QUERY_LENGTH
    for name, value in list(given.items())[:MAX_QUERY_PARAMS]:
        left -= len(name) + len(str(value))
        if not isinstance(value, str) or left < 0:
            break
        valid[name] = value
    return valid


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Violation from error


def _written(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _notice(text: str) -> str:
    """Return the websocket message that shows `text` as a notice on the page."""
    return _EVENT + _written(["event", {"delta": NoticeState.saying(text)}])
