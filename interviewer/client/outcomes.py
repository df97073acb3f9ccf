"""What came of sending a request, and whether to send it again. Nothing here touches the network or waits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import SystemRandom
from typing import Any, TypeVar

import httpx2

from .calls import Call
from .errors import ApiError, InvalidAnswer, Unreachable, error_for
from .models import Tokens

T = TypeVar("T")
# What is raised before a request can have reached the server.
NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
EXPIRED = "Unauthorized"
FIRST_PAUSE = 0.5
_random = SystemRandom()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered; `body` may hold tokens."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked for."""
        return 200 <= self.status < 300

    @property
    def message(self) -> str:
        """The server's words for an error."""
        found = parsed(self.body)
        words = found.get("error") if isinstance(found, dict) else None
        return words if isinstance(words, str) else f"The server answered {self.status} and gave no reason."

    @property
    def details(self) -> dict[str, str]:
        """What the server says of an error beyond its words."""
        found = parsed(self.body)
        fields = found.items() if isinstance(found, dict) else ()
        return {name: value for name, value in fields if name != "error" and isinstance(value, str)}


@dataclass(frozen=True, slots=True)
class Broken:
    """There was no answer, or not all of it; `sent` tells whether the request may have arrived."""

    reason: str
    sent: bool = True


Outcome = Answer | Broken


def answered(response: httpx2.Response) -> Answer:
    """Return the answer that a response, which has been read, stands for."""
    return Answer(response.status_code, response.headers, response.content)


def broken(error: httpx2.RequestError) -> Broken:
    """Return what an exception stands for. It is not raised on: it holds the request with everything confidential in it."""
    return Broken(type(error).__name__, not isinstance(error, NOT_SENT))


def parsed(body: bytes | str) -> Any:
    """Return the JSON of a body, None for what is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def result(call: Call[T], status: int, document: Any) -> T:
    """Return what a call results in; raises InvalidAnswer for what cannot be read."""
    try:
        return call.read(document)
    except (ValueError, TypeError, LookupError):
        pass
    raise InvalidAnswer(status, "The server's answer cannot be read. Is this the right address?")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that a Retry-After header names (RFC 9110, 10.2.3: a number or a date), None without one."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def error_of(outcome: Outcome) -> ApiError:
    """Return the error that an outcome is when it is not tried again."""
    if isinstance(outcome, Broken):
        return Unreachable(0, f"The server did not answer ({outcome.reason}).")
    if outcome.ok:
        return InvalidAnswer(outcome.status, "The server answered something else than was asked for.")
    return error_for(outcome.status, outcome.message, retry_after(outcome.headers), outcome.details)


class Tries:
    """How often a call has been tried, and how long has been waited for it, in seconds."""

    def __init__(self, most: int, patience: float) -> None:
        """At most `most` tries, and no more than `patience` seconds of waiting between them all together."""
        self._left = most
        self._patience = patience
        self._pause = FIRST_PAUSE
        self._renewed = False

    def renews(self, call: Call[Any], outcome: Outcome, sent: Tokens | None) -> bool:
        """Tell whether the outcome means that the access token has expired and can be renewed; so once a call."""
        expired = isinstance(outcome, Answer) and outcome.status == 401 and outcome.message == EXPIRED
        if not (expired and call.signed_in and sent and sent.refresh.get_secret_value()) or self._renewed:
            return False
        self._renewed = True
        return True

    def pause(self, call: Call[Any], outcome: Outcome) -> float:
        """Return the seconds to wait before the next try; raises ApiError when there is to be none."""
        error = error_of(outcome)
        self._left -= 1
        wait = error.retry_after if error.retry_after is not None else _random.uniform(self._pause / 2, self._pause)
        self._pause *= 2
        if not may_repeat(call, outcome) or self._left < 1 or wait > self._patience:
            raise error
        self._patience -= wait
        return wait


def may_repeat(call: Call[Any], outcome: Outcome) -> bool:
    """Tell whether a call may be sent again: refused because of too many it always may, else when that is harmless."""
    if isinstance(outcome, Broken):
        return call.repeatable or not outcome.sent
    return outcome.status == 429 or (outcome.status == 503 and call.repeatable)
