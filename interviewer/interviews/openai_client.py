"""An interviewer that uses the chat/completions API of OpenAI, Ollama, vLLM, llama.cpp and compatible servers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
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
from interviewer.interviews.exchange import MAX_FOLLOW_UPS, Author, Kind, Said
from interviewer.interviews.interviewer import (
    AnswerBrief,
    JobBrief,
    Judging,
    PastTurn,
    Piece,
    QuestionBrief,
    QuestionDraft,
    ReplyBrief,
    ReplyDraft,
    Usage,
    VerdictDraft,
)
from interviewer.interviews.openai_decision import Decision, Shown
from interviewer.interviews.openai_stream import GrowingFields, StreamParser
from interviewer.interviews.rubric import KeyPoint, MarkedPoint, Rubric
from interviewer.interviews.topics import AnswerKind, Level, Topic, topic_by_id

CONNECT_SECONDS = 5.0
MAX_PAST_ANSWER = 2_000
RETRIES = 2
# The status codes that servers return for an unknown request option.
REFUSED_OPTION = frozenset({400, 422})
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


class DecidedReply(_Reply):
    """What the model's reply says to the candidate instead of a verdict, if anything."""

    text: str | None = None


class TextReply(_Reply):
    """A reply to a clarifying question, or a hint."""

    reply: str = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class _ModelRequest:
    """One request: the prompts, the reply's schema, the schema's name, and the fields to show while they are being written."""

    instructions: str
    request: str
    schema: Mapping[str, Any]
    name: str
    shown: tuple[str, ...]


class OpenAIInterviewer:
    """Implements `interviews.interviewer.Interviewer` with the chat/completions API."""

    name = "openai"
    deterministic = False
    max_follow_ups = MAX_FOLLOW_UPS
    detects_questions = True

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
            resume=brief.resume,
        )
        order = _ModelRequest(prompts.QUESTION_INSTRUCTIONS, request, prompts.QUESTION_SCHEMA, "question", ("question",))
        whole = ""
        async for item in self._reply(order):
            if isinstance(item, str):
                whole = item
            else:
                yield Piece(item.text) if isinstance(item, Shown) else item
        reply = _validated(QuestionReply, whole)
        yield _question_draft(reply, topic)

    async def judge(self, brief: AnswerBrief) -> AsyncIterator[Judging]:
        """Stream a verdict, or a follow-up or clarification if the brief allows one.

        Raises a subclass of InterviewerError if the request fails or the reply is unusable.
        """
        decision, whole = Decision(brief), ""
        async for item in self._reply(_verdict_order(brief, decision)):
            if isinstance(item, str):
                whole = item
            elif isinstance(item, Shown):
                for piece in decision.feed(item):
                    yield piece
            else:
                yield item
        if (said := decision.draft(_validated(DecidedReply, whole).text or "")) is not None:
            yield said
            return
        reply = _validated(VerdictReply, whole)
        yield VerdictDraft(reply.feedback, reply.nature, tuple(mark.model_dump(mode="json") for mark in reply.marks))

    async def reply(self, brief: ReplyBrief) -> AsyncIterator[Piece | Usage | ReplyDraft]:
        """Stream the reply to a clarifying question, or a hint.

        Raises a subclass of InterviewerError if the request fails or the reply is unusable.
        """
        rubric = Rubric.model_validate(brief.rubric)
        request = prompts.as_data(
            topic=topic_by_id(brief.topic_id).name,
            wanted=brief.kind.value,
            question=brief.prompt,
            never_reveal=[point.point for point in rubric.key_points],
            context=rubric.context,
            job=_job(brief.job),
            conversation=_conversation(brief.said),
        )
        order = _ModelRequest(prompts.REPLY_INSTRUCTIONS, request, prompts.REPLY_SCHEMA, "reply", ("reply",))
        whole = ""
        async for item in self._reply(order):
            if isinstance(item, str):
                whole = item
            else:
                yield Piece(item.text) if isinstance(item, Shown) else item
        yield ReplyDraft(_validated(TextReply, whole).reply)

    async def analyse_job(self, text: str) -> AsyncIterator[Usage | Document]:
        """Yield the token usage if it is known, then the job profile.

        Raises a subclass of InterviewerError if the request fails or the reply is unusable.
        """
        order = _ModelRequest(prompts.JOB_INSTRUCTIONS, prompts.as_data(job_description=text), prompts.JOB_SCHEMA, "job", ())
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

    async def _reply(self, order: _ModelRequest) -> AsyncIterator[Shown | Usage | str]:
        """Yield the shown fields in pieces, then the token usage if the server sends it, then the whole JSON reply."""
        with _translate_errors():
            async with asyncio.timeout(self._timeout):
                growing = GrowingFields(*order.shown)
                reading = StreamParser()
                async with await self._stream(order) as stream:
                    # The SDK's iterator would double the CPU time. Text that arrives in one block is shown at once.
                    async for block in stream.response.aiter_bytes():
                        for field, text in growing.feed(reading.read(block)):
                            yield Shown(field, text)
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


def _validated(model: type[Reply], text: object) -> Reply:
    try:
        return model.model_validate_json(str(text))
    except ValidationError as error:
        raise InterviewerBadOutput from error


def _verdict_order(brief: AnswerBrief, decision: Decision) -> _ModelRequest:
    """Return the request for a verdict on an answer, or for one of the decisions that the brief allows."""
    rubric, allowed = Rubric.model_validate(brief.rubric), decision.allowed
    request = prompts.verdict_request(
        topic_by_id(brief.topic_id),
        brief.prompt,
        [{"index": index, "point": point.point, "weight": point.weight} for index, point in enumerate(rubric.key_points)],
        rubric.model_answer,
        brief.answer,
        _conversation(brief.said),
        context=rubric.context if brief.may_clarify else "",
    )
    return _ModelRequest(
        prompts.verdict_instructions(*allowed), request, prompts.verdict_schema(*allowed), "verdict", decision.fields
    )


def _conversation(said: Sequence[Said]) -> list[dict[str, str]]:
    """Return a conversation as data, or nothing if it is a single answer."""
    if len(said) < 2 and not any(one.kind is not Kind.ANSWER for one in said):
        return []
    return [
        {"by": "interviewer" if one.author is Author.INTERVIEWER else "candidate", "kind": one.kind.value, "text": one.text}
        for one in said
    ]


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
        "answer": _shortened(turn.answer or ""),
        "score": turn.score,
    }


def _shortened(answer: str) -> str:
    """Return an answer without its middle if it is long, because replies to follow-ups are at its end."""
    half = MAX_PAST_ANSWER // 2
    return answer if len(answer) <= MAX_PAST_ANSWER else f"{answer[:half]} […] {answer[-half:]}"


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
