"""Streamed responses: their events, and how a stream resumes after its connection has broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx2

from .calls import Call
from .errors import InvalidAnswer, error_for
from .outcomes import Answer, parsed, result

T = TypeVar("T")
EVENT_STREAM = "text/event-stream"
# Maximum size of an event in bytes. The last event contains the whole interview, which is at most about one megabyte.
MAX_EVENT = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class QuestionText:
    """A piece of the first or next question, sent while the question is being written."""

    text: str


@dataclass(frozen=True, slots=True)
class FeedbackText:
    """A piece of the feedback, sent while the feedback is being written."""

    text: str


@dataclass(frozen=True, slots=True)
class FollowUpText:
    """A piece of a follow-up, a clarification or a hint, sent while it is being written."""

    text: str


@dataclass(frozen=True, slots=True)
class Score:
    """The score of the answer, 0 to 10."""

    score: int


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The last event, with the result that the call returns without streaming. Use this result if it differs from the pieces."""

    result: T


UNREADABLE = "The server's stream couldn't be read."
Piece = QuestionText | FeedbackText | FollowUpText | Score
_PIECES: dict[str, tuple[Callable[[Any], Piece], type, str]] = {
    "question": (QuestionText, str, "text"),
    "feedback": (FeedbackText, str, "text"),
    "follow_up": (FollowUpText, str, "text"),
    "score": (Score, int, "score"),
}
Event = QuestionText | FeedbackText | FollowUpText | Score | Done[T]


def is_stream(response: httpx2.Response) -> bool:
    """Return whether a response is successful and is an event stream."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return response.is_success and kind == EVENT_STREAM


class Stream(Generic[T]):
    """The progress of a streamed call, across all its connections."""

    def __init__(self, call: Call[T]) -> None:
        self._call = call
        self._last_id = ""
        self._tried_from = ""
        self.over = False
        self.failure: Answer | None = None

    def request(self, **given: Any) -> dict[str, Any]:
        """Return the request arguments `given` with the headers that request a stream.

        If events have been received, the headers request only the events after the last one.
        """
        headers = {**given["headers"], "Accept": EVENT_STREAM}
        if self._last_id:
            headers["Last-Event-ID"] = self._last_id
        self._tried_from, self.failure = self._last_id, None
        return {**given, "headers": headers}

    @property
    def advanced(self) -> bool:
        """Whether the last try received new events."""
        return self._last_id != self._tried_from

    def take(self, sent: httpx2.ServerSentEvent) -> Event[T] | None:
        """Return the event to pass to the caller, or None if there is nothing to pass on.

        Raises InvalidAnswer for an invalid event. Raises ApiError for a failure after the first event, because a retry could
        yield different text from what the caller already has. A failure before the first event can be retried, so it is only
        stored in `failure`.
        """
        found = parsed(sent.data)
        if sent.event == "error":
            self._fail(found if isinstance(found, dict) else {})
            return None
        event = self._read(sent.event, found)
        if event is not None:
            self._last_id = sent.id
            self.over = isinstance(event, Done)
        return event

    def _read(self, name: str, found: Any) -> Event[T] | None:
        if name == "done":
            return Done(result(self._call, 200, found))
        if name not in _PIECES:
            return None
        kind, type, field = _PIECES[name]
        value = found.get(field) if isinstance(found, dict) else None
        if not isinstance(value, type):
            raise InvalidAnswer(200, UNREADABLE)
        return kind(value)

    def _fail(self, found: dict[str, Any]) -> None:
        status, message = found.get("status"), found.get("error")
        if not (isinstance(status, int) and isinstance(message, str)):
            raise InvalidAnswer(200, UNREADABLE)
        if self._last_id:
            raise error_for(status, message)
        self.failure = Answer(status, {}, json.dumps({"error": message}).encode())
