"""An interviewer behind OpenAI's chat/completions API: OpenAI itself, Ollama, vLLM, llama.cpp and the like."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
import jiter
import openai
from openai import AsyncOpenAI, AsyncStream
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from interviewer.core.documents import Document
from interviewer.errors import (
    InterviewerBadOutput,
    InterviewerBusy,
    InterviewerError,
    InterviewerMisconfigured,
    InterviewerTimeout,
    InterviewerUnreachable,
)
from interviewer.interviews import prompts
from interviewer.interviews.interviewer import (
    AnswerBrief,
    JobBrief,
    PastTurn,
    Piece,
    QuestionBrief,
    QuestionDraft,
    Usage,
    VerdictDraft,
)
from interviewer.interviews.rubric import KeyPoint, MarkedPoint, Rubric
from interviewer.interviews.topics import AnswerKind, Level, Topic, topic_by_id

CONNECT_SECONDS = 5.0
# Some servers accept a schema and do not enforce it; past this length a reply has run away.
MAX_REPLY = 60_000
MAX_PAST_ANSWER = 2_000
# Bytes of one event of the stream.
MAX_EVENT = 1_000_000
RETRIES = 2
# How servers refuse a request with an option that they do not know.
REFUSED_OPTION = frozenset({400, 422})
# More tokens than this are no count but a mistake.
MOST_TOKENS = 100_000_000
_OPTION = re.compile("stream_options|include_usage")

Reply = TypeVar("Reply", bound=BaseModel)


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class QuestionReply(_Reply):
    """A question as the model writes it."""

    question: str = Field(min_length=1)
    topic: str
    subtopic: str = ""
    level: Level
    kind: AnswerKind
    key_points: tuple[KeyPoint, ...]
    model_answer: str
    follow_up: str = ""


class VerdictReply(_Reply):
    """A verdict as the model writes it. It has no score: that is computed from the marks."""

    feedback: str = Field(min_length=1)
    nature: str
    marks: tuple[MarkedPoint, ...]


@dataclass(frozen=True, slots=True)
class _Order:
    """One call: what the model is told, the schema of its reply and the field that is shown while it grows."""

    instructions: str
    request: str
    schema: Mapping[str, Any]
    name: str
    shown: str


class OpenAIInterviewer:
    """Fulfils `interviews.interviewer.Interviewer` over chat/completions."""

    name = "openai"
    deterministic = False

    def __init__(self, *, model: str, api_key: str | None, base_url: str | None, timeout: float) -> None:
        """`timeout` bounds one whole reply, in seconds. Servers of one's own often want no key."""
        self.model = model
        self._timeout = timeout
        self._counts_tokens = True
        self._client = AsyncOpenAI(
            api_key=api_key or "none",
            base_url=base_url,
            max_retries=RETRIES,
            timeout=httpx2.Timeout(timeout, connect=CONNECT_SECONDS),
        )

    async def ask(self, brief: QuestionBrief) -> AsyncIterator[Piece | Usage | QuestionDraft]:
        """Stream a question; raises a subclass of InterviewerError."""
        topic = topic_by_id(brief.topic_id)
        request = prompts.question_request(
            topic,
            brief.number,
            brief.must_be_code,
            _job(brief.job),
            [_past(turn) for turn in brief.history],
            level=brief.level,
            programming_language=brief.programming_language,
        )
        order = _Order(prompts.QUESTION_INSTRUCTIONS, request, prompts.QUESTION_SCHEMA, "question", "question")
        whole = ""
        async for item in self._reply(order):
            if isinstance(item, str):
                whole = item
            else:
                yield item
        reply = _validated(QuestionReply, whole)
        yield _question_draft(reply, topic)

    async def judge(self, brief: AnswerBrief) -> AsyncIterator[Piece | Usage | VerdictDraft]:
        """Stream a verdict; raises a subclass of InterviewerError."""
        rubric = Rubric.model_validate(brief.rubric)
        key_points = [
            {"index": index, "point": point.point, "weight": point.weight} for index, point in enumerate(rubric.key_points)
        ]
        request = prompts.verdict_request(
            topic_by_id(brief.topic_id), brief.prompt, key_points, rubric.model_answer, brief.answer
        )
        order = _Order(prompts.VERDICT_INSTRUCTIONS, request, prompts.VERDICT_SCHEMA, "verdict", "feedback")
        whole = ""
        async for item in self._reply(order):
            if isinstance(item, str):
                whole = item
            else:
                yield item
        reply = _validated(VerdictReply, whole)
        yield VerdictDraft(reply.feedback, reply.nature, tuple(mark.model_dump(mode="json") for mark in reply.marks))

    async def analyse_job(self, text: str) -> AsyncIterator[Usage | Document]:
        """Yield the job profile, last; raises a subclass of InterviewerError."""
        order = _Order(prompts.JOB_INSTRUCTIONS, prompts.as_data(job_description=text), prompts.JOB_SCHEMA, "job", "title")
        whole = ""
        async for item in self._reply(order):
            if isinstance(item, str):
                whole = item
            elif isinstance(item, Usage):
                yield item
        try:
            found = json.loads(whole)
        except ValueError as error:
            raise InterviewerBadOutput from error
        if not isinstance(found, dict):
            raise InterviewerBadOutput
        yield found

    async def models(self) -> list[str]:
        """Return the names of the models that the server offers; raises a subclass of InterviewerError."""
        with _our_errors():
            async with asyncio.timeout(self._timeout):
                return [model.id async for model in self._client.models.list()]

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._client.close()

    async def _reply(self, order: _Order) -> AsyncIterator[Piece | Usage | str]:
        """Yield pieces of the shown field as they grow, what it took if the server tells, and last the whole reply, a string."""
        with _our_errors():
            async with asyncio.timeout(self._timeout):
                growing = GrowingField(order.shown)
                reading = _Reading()
                async with await self._stream(order) as stream:
                    # Not by the SDK's iterator, which takes as long as all else here. What comes together is shown together.
                    async for block in stream.response.aiter_bytes():
                        if piece := growing.feed(reading.read(block)):
                            yield Piece(piece)
                if reading.usage is not None:
                    yield reading.usage
                reading.check()
                yield growing.buffer

    async def _stream(self, order: _Order) -> AsyncStream[object]:
        """Ask for a reply; a server that does not know the option to count tokens is not asked for that again."""
        if self._counts_tokens:
            try:
                return await self._ask(order, stream_options={"include_usage": True})
            except openai.APIStatusError as error:
                if error.status_code not in REFUSED_OPTION or not _OPTION.search(f"{error.message} {error.body}"):
                    raise
                self._counts_tokens = False
        return await self._ask(order)

    async def _ask(self, order: _Order, **options: Any) -> AsyncStream[object]:
        # The SDK's own `create` builds a model of each chunk in Python, which took 0.15 ms a token: 50 ms of each turn.
        return await self._client.post(
            "/chat/completions",
            cast_to=object,
            stream=True,
            stream_cls=AsyncStream[object],
            body={
                "model": self.model,
                "stream": True,
                "messages": [{"role": "system", "content": order.instructions}, {"role": "user", "content": order.request}],
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": order.name, "strict": True, "schema": dict(order.schema)},
                },
                **options,
            },
        )


class _Delta(_Reply):
    content: str | None = None
    refusal: str | None = None


class _Choice(_Reply):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(_Reply):
    """What we read of a chunk of the stream."""

    choices: tuple[_Choice, ...] | None = None
    usage: Any = None
    error: Any = None


class _Reading:
    """What is learnt from the bytes of a stream: its text, whether the reply ended, and well, and what it took."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self._ended = ""
        self._line = b""

    def read(self, block: bytes) -> str:
        """Return the text that a block of the stream brings; raises InterviewerBadOutput for what is none, or declines.

        The events are Server-Sent Events, each with one line of data, as every server of this API writes them.
        """
        *lines, self._line = (self._line + block).split(b"\n")
        if len(self._line) > MAX_EVENT:
            raise InterviewerBadOutput
        return "".join(self._take(line[5:]) for line in lines if line.startswith(b"data:") and line[5:].strip() != b"[DONE]")

    def _take(self, data: bytes) -> str:
        try:
            chunk = _Chunk.model_validate_json(data)
        except ValidationError as error:
            raise InterviewerBadOutput from error
        if chunk.error:
            raise InterviewerError
        self.usage = _usage(chunk.usage) or self.usage
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        delta = choice.delta or _Delta()
        if delta.refusal:
            raise InterviewerBadOutput("The interviewer declined to answer that. Nothing is lost: try again.")
        self._ended = choice.finish_reason or self._ended
        return delta.content or ""

    def check(self) -> None:
        """Raise InterviewerUnreachable when the reply broke off, InterviewerBadOutput when it was cut.

        Not before the stream is over: what the reply took is told at its end, and a cut one is paid for as well.
        """
        if not self._ended:
            raise InterviewerUnreachable
        if self._ended in {"length", "content_filter"}:
            raise InterviewerBadOutput


class GrowingField:
    """Takes the text of one string field out of JSON while it is being written."""

    def __init__(self, field: str) -> None:
        self.buffer = ""
        self._field = field
        self._shown = 0
        self._complete = False

    def feed(self, text: str) -> str:
        """Add to the buffer and return what is new of the field's text; raises InterviewerBadOutput when it runs away."""
        if not text:
            return ""
        self.buffer += text
        if len(self.buffer) > MAX_REPLY:
            raise InterviewerBadOutput
        if self._complete:
            return ""
        try:
            partial = jiter.from_json(self.buffer.encode(), partial_mode="trailing-strings")
        except ValueError:
            return ""
        value = partial.get(self._field) if isinstance(partial, dict) else None
        if not isinstance(value, str):
            return ""
        # Once another field follows, the text is whole and the rest of the reply need not be parsed piece by piece.
        self._complete = len(partial) > 1 and next(iter(partial)) == self._field
        new = value[self._shown :]
        self._shown = len(value)
        return new


def _usage(told: object) -> Usage | None:
    """Return what a chunk says the reply took; None if it says nothing, or nothing that can be."""
    if not isinstance(told, dict):
        return None
    prompt, completion = _count(told.get("prompt_tokens")), _count(told.get("completion_tokens"))
    if prompt is None or completion is None:
        return None
    details = told.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    return Usage(prompt, min(cached or 0, prompt), completion)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value <= MOST_TOKENS else None


def _validated(model: type[Reply], text: object) -> Reply:
    try:
        return model.model_validate_json(str(text))
    except ValidationError as error:
        raise InterviewerBadOutput from error


def _question_draft(reply: QuestionReply, topic: Topic) -> QuestionDraft:
    """Return the question; one that is about another topic than the server wanted is refused."""
    if reply.topic.strip().casefold() != topic.name.casefold():
        raise InterviewerBadOutput
    try:
        rubric = Rubric(key_points=reply.key_points, model_answer=reply.model_answer, follow_up=reply.follow_up)
    except ValidationError as error:
        raise InterviewerBadOutput from error
    return QuestionDraft(reply.question, reply.subtopic, reply.level.value, reply.kind.value, rubric.model_dump(mode="json"))


def _job(job: JobBrief | None) -> Any:
    """Return the profile if there is one by now, else the text itself."""
    if job is None:
        return None
    return job.profile or job.text


def _past(turn: PastTurn) -> dict[str, Any]:
    return {
        "topic": topic_by_id(turn.topic_id).name,
        "question": turn.prompt,
        "answer": (turn.answer or "")[:MAX_PAST_ANSWER],
        "score": turn.score,
    }


@contextmanager
def _our_errors() -> Any:
    """Turn whatever the SDK, its HTTP client or the clock raises into one of our errors: none of theirs passes this point."""
    try:
        yield
    except InterviewerError:
        raise
    except (openai.APITimeoutError, httpx2.TimeoutException, TimeoutError) as error:
        raise InterviewerTimeout from error
    except (openai.APIConnectionError, httpx2.HTTPError) as error:
        raise InterviewerUnreachable from error
    except openai.RateLimitError as error:
        raise InterviewerBusy from error
    except openai.APIStatusError as error:
        raise (InterviewerMisconfigured if error.status_code < 500 else InterviewerError) from error
    except openai.OpenAIError as error:
        raise InterviewerError from error
    except ValueError as error:  # an event of the stream that is no JSON
        raise InterviewerBadOutput from error
