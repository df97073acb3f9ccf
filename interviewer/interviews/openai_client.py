"""An interviewer that uses the chat/completions API of OpenAI, Ollama, vLLM, llama.cpp and compatible servers."""

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
# The maximum size of one event of the stream, in bytes.
MAX_EVENT = 1_000_000
RETRIES = 2
# The status codes that servers return for an unknown request option.
REFUSED_OPTION = frozenset({400, 422})
# Larger token counts are implausible, so they are ignored.
MAX_TOKEN_COUNT = 100_000_000
_OPTION = re.compile("stream_options|include_usage")

Reply = TypeVar("Reply", bound=BaseModel)


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class QuestionReply(_Reply):
    """A question in the model's reply."""

    question: str = Field(min_length=1)
    topic: str
    subtopic: str = ""
    level: Level
    kind: AnswerKind
    key_points: tuple[KeyPoint, ...]
    model_answer: str
    follow_up: str = ""


class VerdictReply(_Reply):
    """A verdict in the model's reply. It has no score, because the score is computed from the marks."""

    feedback: str = Field(min_length=1)
    nature: str
    marks: tuple[MarkedPoint, ...]


@dataclass(frozen=True, slots=True)
class _ModelRequest:
    """One request: the prompts, the reply's schema, the schema's name, and the field to show while it is being written."""

    instructions: str
    request: str
    schema: Mapping[str, Any]
    name: str
    shown: str


class OpenAIInterviewer:
    """Implements `interviews.interviewer.Interviewer` with the chat/completions API."""

    name = "openai"
    deterministic = False

    def __init__(self, *, model: str, api_key: str | None, base_url: str | None, timeout: float) -> None:
        """Create a client. `timeout` limits one complete reply, in seconds. Self-hosted servers often need no `api_key`."""
        self.model, self._timeout = model, timeout
        self._counts_tokens = True
        self._client = AsyncOpenAI(
            api_key=api_key or "none",
            base_url=base_url,
            max_retries=RETRIES,
            timeout=httpx2.Timeout(timeout, connect=CONNECT_SECONDS),
        )

    async def ask(self, brief: QuestionBrief) -> AsyncIterator[Piece | Usage | QuestionDraft]:
        """Stream a question. Raises a subclass of InterviewerError if the request fails or the reply is unusable."""
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
        order = _ModelRequest(prompts.QUESTION_INSTRUCTIONS, request, prompts.QUESTION_SCHEMA, "question", "question")
        whole = ""
        async for item in self._reply(order):
            if isinstance(item, str):
                whole = item
            else:
                yield item
        reply = _validated(QuestionReply, whole)
        yield _question_draft(reply, topic)

    async def judge(self, brief: AnswerBrief) -> AsyncIterator[Piece | Usage | VerdictDraft]:
        """Stream a verdict. Raises a subclass of InterviewerError if the request fails or the reply is unusable."""
        rubric = Rubric.model_validate(brief.rubric)
        key_points = [
            {"index": index, "point": point.point, "weight": point.weight} for index, point in enumerate(rubric.key_points)
        ]
        request = prompts.verdict_request(
            topic_by_id(brief.topic_id), brief.prompt, key_points, rubric.model_answer, brief.answer
        )
        order = _ModelRequest(prompts.VERDICT_INSTRUCTIONS, request, prompts.VERDICT_SCHEMA, "verdict", "feedback")
        whole = ""
        async for item in self._reply(order):
            if isinstance(item, str):
                whole = item
            else:
                yield item
        reply = _validated(VerdictReply, whole)
        yield VerdictDraft(reply.feedback, reply.nature, tuple(mark.model_dump(mode="json") for mark in reply.marks))

    async def analyse_job(self, text: str) -> AsyncIterator[Usage | Document]:
        """Yield the token usage if it is known, then the job profile.

        Raises a subclass of InterviewerError if the request fails or the reply is unusable.
        """
        order = _ModelRequest(prompts.JOB_INSTRUCTIONS, prompts.as_data(job_description=text), prompts.JOB_SCHEMA, "job", "title")
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
        """Return the IDs of the models that the server offers. Raises a subclass of InterviewerError if the request fails."""
        with _translate_errors():
            async with asyncio.timeout(self._timeout):
                return [model.id async for model in self._client.models.list()]

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._client.close()

    async def _reply(self, order: _ModelRequest) -> AsyncIterator[Piece | Usage | str]:
        """Yield the shown field in pieces, then the token usage if the server sends it, then the whole JSON reply as a string."""
        with _translate_errors():
            async with asyncio.timeout(self._timeout):
                growing = GrowingField(order.shown)
                reading = _StreamParser()
                async with await self._stream(order) as stream:
                    # The SDK's iterator would double the CPU time. Text that arrives in one block is shown at once.
                    async for block in stream.response.aiter_bytes():
                        if piece := growing.feed(reading.read(block)):
                            yield Piece(piece)
                if reading.usage is not None:
                    yield reading.usage
                reading.check()
                yield growing.buffer

    async def _stream(self, order: _ModelRequest) -> AsyncStream[object]:
        """Request a streamed reply with token counts.

        If the server rejects the option for token counts, retry without it and never send it again.
        """
        if self._counts_tokens:
            try:
                return await self._ask(order, stream_options={"include_usage": True})
            except openai.APIStatusError as error:
                if error.status_code not in REFUSED_OPTION or not _OPTION.search(f"{error.message} {error.body}"):
                    raise
                self._counts_tokens = False
        return await self._ask(order)

    async def _ask(self, order: _ModelRequest, **options: Any) -> AsyncStream[object]:
        # The SDK's `create` validates each chunk in Python, which takes 0.15 ms per token or 50 ms per turn.
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
    """The fields of a stream chunk that we use."""

    choices: tuple[_Choice, ...] | None = None
    usage: Any = None
    error: Any = None


class _StreamParser:
    """Parses a stream into its text, its finish reason, and its token usage."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self._ended = ""
        self._line = b""

    def read(self, block: bytes) -> str:
        """Return the new text in a block of the stream, which may be empty.

        Assumes server-sent events with one data line each, as every server of this API writes them. Raises InterviewerBadOutput
        for malformed data, an event that is too long, or a refusal, and InterviewerError for an error sent by the server.
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
            raise InterviewerBadOutput("The interviewer declined to answer that. Nothing was lost. Please try again.")
        self._ended = choice.finish_reason or self._ended
        return delta.content or ""

    def check(self) -> None:
        """Raise InterviewerUnreachable if the stream ended early, or InterviewerBadOutput if the reply was truncated or filtered.

        Call this after the stream has ended: the token usage comes last, and truncated replies cost tokens too.
        """
        if not self._ended:
            raise InterviewerUnreachable
        if self._ended in {"length", "content_filter"}:
            raise InterviewerBadOutput


class GrowingField:
    """Extracts one string field from a JSON document while it is being received."""

    def __init__(self, field: str) -> None:
        self.buffer = ""
        self._field = field
        self._shown = 0
        self._complete = False

    def feed(self, text: str) -> str:
        """Append to the buffer and return the field's new text, which may be empty.

        Raises InterviewerBadOutput if the reply exceeds MAX_REPLY.
        """
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
        # Once another field follows, the text is complete, so later pieces need no parsing.
        self._complete = len(partial) > 1 and next(iter(partial)) == self._field
        new = value[self._shown :]
        self._shown = len(value)
        return new


def _usage(reported: object) -> Usage | None:
    """Return a chunk's token usage, or None if it is missing or implausible."""
    if not isinstance(reported, dict):
        return None
    prompt, completion = _count(reported.get("prompt_tokens")), _count(reported.get("completion_tokens"))
    if prompt is None or completion is None:
        return None
    details = reported.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    return Usage(prompt, min(cached or 0, prompt), completion)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value <= MAX_TOKEN_COUNT else None


def _validated(model: type[Reply], text: object) -> Reply:
    try:
        return model.model_validate_json(str(text))
    except ValidationError as error:
        raise InterviewerBadOutput from error


def _question_draft(reply: QuestionReply, topic: Topic) -> QuestionDraft:
    """Return the reply as a draft. Raises InterviewerBadOutput for a question on another topic or an invalid rubric."""
    if reply.topic.strip().casefold() != topic.name.casefold():
        raise InterviewerBadOutput
    try:
        rubric = Rubric(key_points=reply.key_points, model_answer=reply.model_answer, follow_up=reply.follow_up)
    except ValidationError as error:
        raise InterviewerBadOutput from error
    return QuestionDraft(reply.question, reply.subtopic, reply.level.value, reply.kind.value, rubric.model_dump(mode="json"))


def _job(job: JobBrief | None) -> Any:
    """Return the job's profile, its text if it has no profile yet, or None if there is no job."""
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
def _translate_errors() -> Any:
    """Translate the exceptions of the SDK, its HTTP client, and the timeout into subclasses of InterviewerError."""
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
    except ValueError as error:  # a stream event that is not JSON
        raise InterviewerBadOutput from error
