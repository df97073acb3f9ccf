"""Interview events as a stream of server-sent events (WHATWG HTML, 9.2) or, for other clients, as a single JSON body."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel
from starlette.background import BackgroundTask

from interviewer.api.errors import response_for
from interviewer.api.schemas import as_json
from interviewer.errors import AppError
from interviewer.interviews.events import (
    Asked,
    Completed,
    Event,
    Failed,
    FeedbackPiece,
    FollowUpPiece,
    Judged,
    QuestionPiece,
    Replied,
)

EVENT_STREAM = "text/event-stream"
# An event's ID encodes how much of each text has been sent, so that a client can resume in any process:
# (follow-up units * _SIDE + feedback units) * _SIDE + question units. A unit is one character; the score and the last event count
# as one unit each. A follow-up, clarification or hint has at most 1,500 characters, so IDs are exact as floating-point numbers.
_SIDE, _ID_DIGITS = 1_000_000, 16


@dataclass(slots=True)
class Progress:
    """How much of each text a client has received, in the units of event IDs."""

    follow_up: int = 0
    feedback: int = 0
    question: int = 0

    @classmethod
    def after(cls, last_event_id: str) -> Progress:
        """Return the progress that an event's ID encodes. An invalid ID means the beginning."""
        is_valid = last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) <= _ID_DIGITS
        verdict, question = divmod(int(last_event_id) if is_valid else 0, _SIDE)
        return cls(*divmod(verdict, _SIDE), question)

    @property
    def id(self) -> int:
        """The event ID that encodes this position in the stream."""
        return (self.follow_up * _SIDE + self.feedback) * _SIDE + self.question


class Stream:
    """Turns use case events into server-sent events, and skips what the client has already received.

    Follow-ups, clarifications and hints are left out unless `turns` is set.
    """

    def __init__(self, progress: Progress, *, turns: bool = False) -> None:
        self._sent = progress
        self._turns = turns
        self._seen = Progress()
        self._scored = self._asked = self._replied = False
        self.failure: AppError | None = None
        self.completed: Completed | None = None

    def lines(self, event: Event) -> str:
        """Return the server-sent events for `event` as text: one, two, or none ("").

        A Failed or Completed event is only recorded, in `failure` or `completed`.
        """
        if isinstance(event, FeedbackPiece) and not self._scored:
            return self._feedback(event.text)
        if isinstance(event, QuestionPiece) and not self._asked:
            return self._question(event.text)
        if isinstance(event, Judged) and event.turn.verdict and not self._scored:
            self._scored = True
            rest = self._feedback(event.turn.verdict.feedback[self._seen.feedback :])
            return rest + self._score(event.turn.verdict.score)
        if isinstance(event, Asked) and not self._asked:
            self._asked = True
            return self._question(event.turn.prompt[self._seen.question :])
        if isinstance(event, FollowUpPiece | Replied) and self._turns and not self._replied:
            return self._reply(event)
        if isinstance(event, Failed):
            self.failure = self.failure or event.error
        if isinstance(event, Completed):
            self.completed = event
        return ""

    def _reply(self, event: FollowUpPiece | Replied) -> str:
        """Return the next piece of a follow-up, clarification or hint, or all that is missing once it is stored."""
        if isinstance(event, FollowUpPiece):
            return self._follow_up(event.text)
        self._replied = True
        return self._follow_up(event.turn.messages[-1].text[self._seen.follow_up :])

    def _follow_up(self, text: str) -> str:
        self._seen.follow_up += len(text)
        new = text[max(0, len(text) - max(0, self._seen.follow_up - self._sent.follow_up)) :]
        self._sent.follow_up = max(self._sent.follow_up, self._seen.follow_up)
        return self._event("follow_up", {"text": new}) if new else ""

    def _feedback(self, text: str) -> str:
        self._seen.feedback += len(text)
        new = text[max(0, len(text) - max(0, self._seen.feedback - self._sent.feedback)) :]
        self._sent.feedback = max(self._sent.feedback, self._seen.feedback)
        return self._event("feedback", {"text": new}) if new else ""

    def _question(self, text: str) -> str:
        self._seen.question += len(text)
        new = text[max(0, len(text) - max(0, self._seen.question - self._sent.question)) :]
        self._sent.question = max(self._sent.question, self._seen.question)
        return self._event("question", {"text": new}) if new else ""

    def _score(self, score: int) -> str:
        """Return the score event, or "" if the client already has it. The score counts as one unit after the feedback."""
        self._seen.feedback += 1
        if self._sent.feedback >= self._seen.feedback:
            return ""
        self._sent.feedback = self._seen.feedback
        return self._event("score", {"score": score})

    def end(self, body: BaseModel) -> str:
        """Return the `done` event, which carries the response body."""
        self._sent.question += 1
        return self._event("done", as_json(body))

    def error(self, failure: AppError) -> str:
        """Return an error event with the ID of the last event sent, so that the client can resume after that event."""
        return f"id: {self._sent.id}\n{error_event(failure)}"

    def _event(self, name: str, data: dict[str, Any]) -> str:
        return f"id: {self._sent.id}\nevent: {name}\n{_data(data)}"


def error_event(failure: AppError) -> str:
    """Return an error event without an ID. A client that resumes continues after the last event that had an ID."""
    return f"event: error\n{_data({'error': failure.user_message, 'status': failure.status})}"


def _data(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def _forget() -> None:
    """Do nothing. This is the default for `arrived` in `respond`."""


async def _call(function: Callable[[], None]) -> None:
    """Call a function on the event loop. Starlette would run a sync function in a thread."""
    function()


async def respond(
    request: Request,
    events: AsyncIterator[Event],
    body: Callable[[Completed | None], Awaitable[BaseModel]],
    status: int = 201,
    arrived: Callable[[], None] = _forget,
    *,
    turns: bool = False,
) -> Response:
    """Stream the events as they arrive if the client accepts event streams; otherwise, respond with JSON once they have ended.

    If getting the first event fails, that error is raised, so that streaming clients get a plain error response, too.

    `body` builds the JSON body, which is also the data of the stream's last event. Its argument is the Completed event, or None
    if there was none. `arrived` is called after a successful response has been sent. It is not called after a failure, or if the
    client is known to have disconnected; for JSON, that is checked only just before sending. Set `turns` to include follow-ups,
    clarifications, and hints in the stream.
    """
    first = await anext(events, None)
    everything = _with(first, events)
    if EVENT_STREAM in request.headers.get("Accept", ""):
        progress = (
            Progress.after(request.headers.get("Last-Event-ID", "")) if request.headers.get("Idempotency-Key") else Progress()
        )
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(
            _streamed(everything, body, Stream(progress, turns=turns), arrived), status, headers, EVENT_STREAM
        )
    failure: AppError | None = None
    completed: Completed | None = None
    async for event in everything:
        if isinstance(event, Failed):
            failure = failure or event.error
        elif isinstance(event, Completed):
            completed = event
    if failure:
        return response_for(failure)
    content = (await body(completed)).model_dump_json(exclude_none=True)
    # Check this before responding: afterward, every connection counts as disconnected.
    background = None if await request.is_disconnected() else BackgroundTask(_call, arrived)
    return Response(content, status, media_type="application/json", background=background)


async def _with(first: Event | None, rest: AsyncIterator[Event]) -> AsyncIterator[Event]:
    async with aclosing(rest) as opened:  # type: ignore[type-var]
        if first is not None:
            yield first
        async for event in opened:
            yield event


async def _streamed(
    events: AsyncIterator[Event],
    body: Callable[[Completed | None], Awaitable[BaseModel]],
    stream: Stream,
    arrived: Callable[[], None],
) -> AsyncIterator[str]:
    try:
        async with aclosing(events) as open_events:  # type: ignore[type-var]
            async for event in open_events:
                if lines := stream.lines(event):
                    yield lines
        if stream.failure:
            yield stream.error(stream.failure)
            return
        yield stream.end(await body(stream.completed))
        arrived()  # only reached if the client is still connected: a disconnect cancels this generator at a `yield`
    except AppError as error:
        yield stream.error(error)
