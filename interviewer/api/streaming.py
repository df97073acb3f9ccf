"""Answers that come in pieces: Server-Sent Events (WHATWG HTML, 9.2), and the same as one JSON body."""

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
# An event's id says how far feedback and question have been sent, so that whoever comes back, to any process, can go on after it:
# feedback units * this + question units. A unit is a character; the score and the end are one more each.
_SIDE = 1_000_000


@dataclass(slots=True)
class Progress:
    """How much of feedback and question a client has got, in characters."""

    feedback: int = 0
    question: int = 0

    @classmethod
    def after(cls, last_event_id: str) -> Progress:
        """Return the progress that an event's id stands for; what is none is the beginning."""
        number = int(last_event_id) if last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) < 16 else 0
        return cls(*divmod(number, _SIDE))

    @property
    def id(self) -> int:
        """The id of an event that was sent when this much was known to be sent."""
        return self.feedback * _SIDE + self.question


class Stream:
    """Turns events into the stream's; what the client has got already is not sent again."""

    def __init__(self, progress: Progress) -> None:
        self._sent = progress
        self._seen = Progress()
        self._scored = self._asked = False
        self.failure: AppError | None = None
        self.completed: Completed | None = None

    def lines(self, event: Event) -> str:
        """Return what is to be sent for an event, mostly one event of the stream, "" for nothing."""
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
        """The score counts as one character behind the feedback."""
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
        """Return the event of a failure; it has the id of what came before it, so that coming back tries again."""
        return f"id: {self._sent.id}\n{error_event(failure)}"

    def _event(self, name: str, data: dict[str, Any]) -> str:
        return f"id: {self._sent.id}\nevent: {name}\n{_data(data)}"


def error_event(failure: AppError) -> str:
    """Return the event of a failure without an id: coming back goes on after the last one that had one."""
    return f"event: error\n{_data({'error': failure.user_message, 'status': failure.status})}"


def _data(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def _forget() -> None:
    """For answers whose arrival need not be known."""


async def _call(function: Callable[[], None]) -> None:
    """Call a function on the event loop; Starlette would send it to a thread."""
    function()


async def respond(
    request: Request,
    events: AsyncIterator[Event],
    body: Callable[[Completed | None], Awaitable[BaseModel]],
    status: int = 201,
    arrived: Callable[[], None] = _forget,
) -> Response:
    """Answer with the events as they come if the client wants a stream, else once they are over.

    `body` is made at the end, of what was known there. `arrived` is called once the last byte of a reply has been handed over, as
    far as is known: not when the client has gone by then, and not for a failure.

    What is refused before anything happens is raised, and so a plain status in both cases.
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
    # Asked before the answer is sent: after it, every connection counts as ended.
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
        arrived()  # reached only if the client has not gone meanwhile: then this is cancelled at the `yield`
    except AppError as error:
        yield stream.error(error)
