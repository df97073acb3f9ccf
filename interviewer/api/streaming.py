"""Responses in pieces: server-sent events (WHATWG HTML, 9.2), and the same events as one JSON body."""

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

from interviewer.api.errors import refusal
from interviewer.api.schemas import as_json
from interviewer.errors import AppError
from interviewer.interviews.events import Asked, Completed, Event, Failed, FeedbackPiece, Judged, QuestionPiece

EVENT_STREAM = "text/event-stream"
# An event's id says how much of the feedback and the question has been sent, so that a client can resume in any process: feedback
# units * _SIDE + question units. A unit is a character; the score and the end are one more each.
_SIDE = 1_000_000


@dataclass(slots=True)
class Progress:
    """How much of the feedback and the question a client has received, in characters."""

    feedback: int = 0
    question: int = 0

    @classmethod
    def after(cls, last_event_id: str) -> Progress:
        """Return the progress that an event's id encodes; an invalid id means the beginning."""
        number = int(last_event_id) if last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) < 16 else 0
        return cls(*divmod(number, _SIDE))

    @property
    def id(self) -> int:
        """The id of an event sent at this progress."""
        return self.feedback * _SIDE + self.question


class Stream:
    """Turns events into those of the stream, and skips what the client already has."""

    def __init__(self, progress: Progress) -> None:
        self._sent = progress
        self._seen = Progress()
        self._scored = self._asked = False
        self.failure: AppError | None = None
        self.completed: Completed | None = None

    def lines(self, event: Event) -> str:
        """Return the text to send for an event: usually one event of the stream, sometimes two, "" for none."""
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
        if isinstance(event, Failed):
            self.failure = self.failure or event.error
        if isinstance(event, Completed):
            self.completed = event
        return ""

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
        """Return the score's event; the score counts as one character after the feedback."""
        self._seen.feedback += 1
        if self._sent.feedback >= self._seen.feedback:
            return ""
        self._sent.feedback = self._seen.feedback
        return self._event("score", {"score": score})

    def end(self, body: BaseModel) -> str:
        """Return the last event."""
        self._sent.question += 1
        return self._event("done", as_json(body))

    def error(self, failure: AppError) -> str:
        """Return a failure's event; it repeats the last id, so that a client that resumes tries again."""
        return f"id: {self._sent.id}\n{error_event(failure)}"

    def _event(self, name: str, data: dict[str, Any]) -> str:
        return f"id: {self._sent.id}\nevent: {name}\n{_data(data)}"


def error_event(failure: AppError) -> str:
    """Return a failure's event without an id: a client resumes after the last event that had one."""
    return f"event: error\n{_data({'error': failure.user_message, 'status': failure.status})}"


def _data(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def _forget() -> None:
    """Ignore that a response was delivered."""


async def _call(function: Callable[[], None]) -> None:
    """Call a function on the event loop; Starlette would use a thread."""
    function()


async def respond(
    request: Request,
    events: AsyncIterator[Event],
    body: Callable[[Completed | None], Awaitable[BaseModel]],
    status: int = 201,
    arrived: Callable[[], None] = _forget,
) -> Response:
    """Stream the events as they come if the client asks for it, else respond once they are over.

    `body` builds the final JSON. `arrived` is called when the last byte of a successful reply has been handed over, as far as the
    server can know: not after the client disconnected, and not for a failure. An error before the first event is raised, so in
    both cases it becomes a plain status.
    """
    first = await anext(events, None)
    everything = _with(first, events)
    if EVENT_STREAM in request.headers.get("Accept", ""):
        progress = (
            Progress.after(request.headers.get("Last-Event-ID", "")) if request.headers.get("Idempotency-Key") else Progress()
        )
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_streamed(everything, body, progress, arrived), status, headers, EVENT_STREAM)
    failure: AppError | None = None
    completed: Completed | None = None
    async for event in everything:
        if isinstance(event, Failed):
            failure = failure or event.error
        elif isinstance(event, Completed):
            completed = event
    if failure:
        return refusal(failure)
    content = (await body(completed)).model_dump_json(exclude_none=True)
    # Check before responding: afterwards, every connection counts as disconnected.
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
    progress: Progress,
    arrived: Callable[[], None],
) -> AsyncIterator[str]:
    stream = Stream(progress)
    try:
        async with aclosing(events) as open_events:  # type: ignore[type-var]
            async for event in open_events:
                if lines := stream.lines(event):
                    yield lines
        if stream.failure:
            yield stream.error(stream.failure)
            return
        yield stream.end(await body(stream.completed))
        arrived()  # reached only if the client is still connected: a disconnect cancels this at the `yield`
    except AppError as error:
        yield stream.error(error)
