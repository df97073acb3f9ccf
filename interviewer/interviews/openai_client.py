"""An interviewer that uses OpenAI's chat/completions API: OpenAI itself, Ollama, vLLM, llama.cpp and compatible servers."""

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
# In characters. Some servers accept a schema without enforcing it, and their replies can run away.
MAX_REPLY = 60_000
MAX_PAST_ANSWER = 2_000
# Bytes of one event of the stream.
MAX_EVENT = 1_000_000
RETRIES = 2
# The statuses with which servers refuse a request that has an unknown option.
REFUSED_OPTION = frozenset({400, 422})
# A larger token count is an error of the server.
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
    """One call: the prompts, the schema of the reply, and the field to show while it is being written."""

    instructions: str
    request: str
    schema: Mapping[str, Any]
    name: str
    shown: str


class OpenAIInterviewer:
    """Implements `interviews.interviewer.Interviewer` with chat/completions."""

    name = "openai"
    deterministic = False

    def __init__(self, *, model: str, api_key: str | None, base_url: str | None, timeout: float) -> None:
        """`timeout` bounds one whole reply, in seconds. Self-hosted servers often need no key."""
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
        """Yield the job profile last; raises a subclass of InterviewerError."""
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
        """Return the names of the server's models; raises a subclass of InterviewerError."""
        with _our_errors():
            async with asyncio.timeout(self._timeout):
                return [model.id async for model in self._client.models.list()]

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._client.close()

    async def _reply(self, order: _Order) -> AsyncIterator[Piece | Usage | str]:
        """Yield the shown field in pieces, then the token usage if the server sends it, then the whole reply as a string."""
        with _our_errors():
            async with asyncio.timeout(self._timeout):
                growing = GrowingField(order.shown)
                reading = _Reading()
                async with await self._stream(order) as stream:
                    # Not the SDK's iterator: it takes as long as all the rest. Text that arrives together is shown together.
                    async for block in stream.response.aiter_bytes():
                        if piece := growing.feed(reading.read(block)):
                            yield Piece(piece)
                if reading.usage is not None:
                    yield reading.usage
                reading.check()
                yield growing.buffer

    async def _stream(self, order: _Order) -> AsyncStream[object]:
        """Request a reply; after a server refuses the option to count tokens, it is not sent again."""
        if self._counts_tokens:
            try:
                return await self._ask(order, stream_options={"include_usage": True})
            except openai.APIStatusError as error:
                if error.status_code not in REFUSED_OPTION or not _OPTION.search(f"{error.message} {error.body}"):
                    raise
                self._counts_tokens = False
        return await self._ask(order)

    async def _ask(self, order: _Order, **options: Any) -> AsyncStream[object]:
        # The SDK's own `create` validates each chunk in Python: 0.15 ms per token, 50 ms per turn.
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
    """The fields that we read from a chunk of the stream."""

    choices: tuple[_Choice, ...] | None = None
    usage: Any = None
    error: Any = None


class _Reading:
    """Parses a stream: its text, its end and the reason for it, and its token usage."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self._ended = ""
        self._line = b""

    def read(self, block: bytes) -> str:
        """Return the text in a block of the stream; raises InterviewerBadOutput if it is malformed or a refusal.

        Assumes server-sent events with one data line each, as every server of this API writes them.
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
            raise InterviewerBadOutput("The interviewer declined to answer that. Nothing is lost. Try again.")
        self._ended = choice.finish_reason or self._ended
        return delta.content or ""

    def check(self) -> None:
        """Raise InterviewerUnreachable if the reply broke off, InterviewerBadOutput if it was truncated.

        Call it once the stream has ended: the token usage comes last, and a truncated reply costs tokens too.
        """
        if not self._ended:
            raise InterviewerUnreachable
        if self._ended in {"length", "content_filter"}:
            raise InterviewerBadOutput


class GrowingField:
    """Extracts one string field from JSON while it is being written."""

    def __init__(self, field: str) -> None:
        self.buffer = ""
        self._field = field
        self._shown = 0
        self._complete = False

    def feed(self, text: str) -> str:
        """Append to the buffer and return the field's new text; raises InterviewerBadOutput for a reply longer than MAX_REPLY."""
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
        # Once another field follows, the text is complete, and the rest of the reply needs no parsing piece by piece.
        self._complete = len(partial) > 1 and next(iter(partial)) == self._field
        new = value[self._shown :]
        self._shown = len(value)
        return new


def _usage(told: object) -> Usage | None:
    """Return a chunk's token usage, or None if it has none or an implausible one."""
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
    """Return the question; raises InterviewerBadOutput if it is about another topic than requested."""
    if reply.topic.strip().casefold() != topic.name.casefold():
        raise InterviewerBadOutput
    try:
        rubric = Rubric(key_points=reply.key_points, model_answer=reply.model_answer, follow_up=reply.follow_up)
    except ValidationError as error:
        raise InterviewerBadOutput from error
    return QuestionDraft(reply.question, reply.subtopic, reply.level.value, reply.kind.value, rubric.model_dump(mode="json"))


def _job(job: JobBrief | None) -> Any:
    """Return the profile if the job is analyzed already, else its text."""
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
    """Translate every exception of the SDK, its HTTP client and the timeout into one of our errors."""
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
    except ValueError as error:  # an event of the stream that is not JSON
        raise InterviewerBadOutput from error
