"""The outcome of a request and the rules for retrying it. Nothing here performs I/O or waits."""

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
# These errors mean that the request cannot have reached the server.
NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
EXPIRED = "Unauthorized"
FIRST_PAUSE = 0.5
_random = SystemRandom()


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's response. `body` may contain tokens."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return 200 <= self.status < 300

    @property
    def message(self) -> str:
        """The server's error message, or a generic one if it sent none."""
        found = parsed(self.body)
        message = found.get("error") if isinstance(found, dict) else None
        return message if isinstance(message, str) else f"The server returned status {self.status} without a reason."

    @property
    def details(self) -> dict[str, str]:
        """The string fields of the error body other than `error`."""
        found = parsed(self.body)
        fields = found.items() if isinstance(found, dict) else ()
        return {name: value for name, value in fields if name != "error" and isinstance(value, str)}


@dataclass(frozen=True, slots=True)
class Broken:
    """The response is missing or incomplete. `sent` says whether the request may have reached the server."""

    reason: str
    sent: bool = True


Outcome = Answer | Broken


def answered(response: httpx2.Response) -> Answer:
    """Return the outcome for a response whose body has been read."""
    return Answer(response.status_code, response.headers, response.content)


def broken(error: httpx2.RequestError) -> Broken:
    """Return the outcome for an exception.

    The exception itself is not kept, because it references the request with its passwords and tokens.
    """
    return Broken(type(error).__name__, not isinstance(error, NOT_SENT))


def parsed(body: bytes | str) -> Any:
    """Return a body parsed as JSON, or None if it is not valid JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def result(call: Call[T], status: int, document: Any) -> T:
    """Return the result of a call. Raises InvalidAnswer if the document does not have the expected form."""
    try:
        return call.read(document)
    except (ValueError, TypeError, LookupError):
        pass
    raise InvalidAnswer(status, "The server's response couldn't be read. Is the URL correct?")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the value of the Retry-After header in seconds, or None if the header is missing or invalid.

    The value is a number of seconds or a date (RFC 9110, section 10.2.3).
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def error_of(outcome: Outcome) -> ApiError:
    """Return the error for an outcome that is not retried."""
    if isinstance(outcome, Broken):
        return Unreachable(0, f"The server did not answer ({outcome.reason}).")
    if outcome.ok:
        return InvalidAnswer(outcome.status, "The server answered something else than was asked for.")
    return error_for(outcome.status, outcome.message, retry_after(outcome.headers), outcome.details)


class Tries:
    """The remaining tries of a call, and the remaining seconds that it may wait between them."""

    def __init__(self, most: int, patience: float) -> None:
        """Allow `most` tries, and at most `patience` seconds of waiting between them in total."""
        self._left = most
        self._patience = patience
        self._pause = FIRST_PAUSE
        self._renewed = False

    def renews(self, call: Call[Any], outcome: Outcome, sent: Tokens | None) -> bool:
        """Return whether the access token has expired and should be renewed. Returns True at most once per API call."""
        expired = isinstance(outcome, Answer) and outcome.status == 401 and outcome.message == EXPIRED
        if not (expired and call.signed_in and sent and sent.refresh.get_secret_value()) or self._renewed:
            return False
        self._renewed = True
        return True

    def pause(self, call: Call[Any], outcome: Outcome) -> float:
        """Use up one try, and return the seconds to wait before the next one.

        Raises ApiError if the call must not be retried, if no tries are left, or if the wait would be too long.
        """
        error = error_of(outcome)
        self._left -= 1
        wait = error.retry_after if error.retry_after is not None else _random.uniform(self._pause / 2, self._pause)
        self._pause *= 2
        if not may_repeat(call, outcome) or self._left < 1 or wait > self._patience:
            raise error
        self._patience -= wait
        return wait


def may_repeat(call: Call[Any], outcome: Outcome) -> bool:
    """Return whether a call may be sent again.

    Any call may be sent again after a 429, or if the request never reached the server. After a 503, or if the connection broke
    after the request was sent, only an idempotent call (`repeatable`) may be sent again.
    """
    if isinstance(outcome, Broken):
        return call.repeatable or not outcome.sent
    return outcome.status == 429 or (outcome.status == 503 and call.repeatable)
