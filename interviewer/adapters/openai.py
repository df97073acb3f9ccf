"""An interviewer behind OpenAI's chat/completions API: OpenAI itself, Ollama, vLLM, llama.cpp and the like."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
import jiter
import openai
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionChunk
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from interviewer.domain import prompts
from interviewer.domain.rubric import KeyPoint, MarkedPoint, Rubric
from interviewer.domain.topics import AnswerKind, Level, Topic, topic_by_id
from interviewer.errors import (
    InterviewerBadOutput,
    InterviewerBusy,
    InterviewerError,
    InterviewerMisconfigured,
    InterviewerTimeout,
    InterviewerUnreachable,
)
from interviewer.ports import AnswerBrief, Document, JobBrief, PastTurn, Piece, QuestionBrief, QuestionDraft, VerdictDraft

CONNECT_SECONDS = 5.0
# Some servers accept a schema and do not enforce it; past this length a reply has run away.
MAX_REPLY = 60_000
MAX_PAST_ANSWER = 2_000
RETRIES = 2

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
    """Fulfils `ports.Interviewer` over chat/completions."""

    name = "openai"

    def __init__(self, *, model: str, api_key: str | None, base_url: str | None, timeout: float) -> None:
        """`timeout` bounds one whole reply, in seconds. Servers of one's own often want no key."""
        self.model = model
        self._timeout = timeout
        self._client = AsyncOpenAI(
            api_key=api_key or "none",
            base_url=base_url,
            max_retries=RETRIES,
            timeout=httpx2.Timeout(timeout, connect=CONNECT_SECONDS),
        )

    async def ask(self, brief: QuestionBrief) -> AsyncIterator[Piece | QuestionDraft]:
        """Stream a question; raises a subclass of InterviewerError."""
        topic = topic_by_id(brief.topic_id)
        request = prompts.question_request(
            topic, brief.number, brief.must_be_code, _job(brief.job), [_past(turn) for turn in brief.history]
        )
        order = _Order(prompts.QUESTION_INSTRUCTIONS, request, prompts.QUESTION_SCHEMA, "question", "question")
        item: Piece | str = ""
        async for item in self._reply(order):
            if isinstance(item, Piece):
                yield item
        reply = _validated(QuestionReply, item)
        yield _question_draft(reply, topic)

    async def judge(self, brief: AnswerBrief) -> AsyncIterator[Piece | VerdictDraft]:
        """Stream a verdict; raises a subclass of InterviewerError."""
        rubric = Rubric.model_validate(brief.rubric)
        key_points = [
            {"index": index, "point": point.point, "weight": point.weight} for index, point in enumerate(rubric.key_points)
        ]
        request = prompts.verdict_request(
            topic_by_id(brief.topic_id), brief.prompt, key_points, rubric.model_answer, brief.answer
        )
        order = _Order(prompts.VERDICT_INSTRUCTIONS, request, prompts.VERDICT_SCHEMA, "verdict", "feedback")
        item: Piece | str = ""
        async for item in self._reply(order):
            if isinstance(item, Piece):
                yield item
        reply = _validated(VerdictReply, item)
        yield VerdictDraft(reply.feedback, reply.nature, tuple(mark.model_dump(mode="json") for mark in reply.marks))

    async def analyse_job(self, text: str) -> Document:
        """Return the job profile; raises a subclass of InterviewerError."""
        order = _Order(prompts.JOB_INSTRUCTIONS, prompts.as_data(job_description=text), prompts.JOB_SCHEMA, "job", "title")
        items = [item async for item in self._reply(order)]
        try:
            found = json.loads(str(items[-1]))
        except ValueError as error:
            raise InterviewerBadOutput from error
        if not isinstance(found, dict):
            raise InterviewerBadOutput
        return found

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._client.close()

    async def _reply(self, order: _Order) -> AsyncIterator[Piece | str]:
        """Yield pieces of the shown field as they grow, then the whole reply as a string, last."""
        with _our_errors():
            async with asyncio.timeout(self._timeout):
                stream = await self._client.chat.completions.create(
                    model=self.model,
                    stream=True,
                    messages=[{"role": "system", "content": order.instructions}, {"role": "user", "content": order.request}],
                    response_format={
                        "type": "json_schema",
                        "json_schema": {"name": order.name, "strict": True, "schema": dict(order.schema)},
                    },
                )
                growing = GrowingField(order.shown)
                finished = False
                async with stream:
                    async for chunk in stream:
                        text, ended = _content(chunk)
                        finished = finished or ended
                        if piece := growing.feed(text):
                            yield Piece(piece)
                if not finished:
                    raise InterviewerUnreachable
                yield growing.buffer


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


def _content(chunk: ChatCompletionChunk) -> tuple[str, bool]:
    """Return a chunk's text and whether the reply is complete with it; raises InterviewerBadOutput when it was cut or refused."""
    if not chunk.choices:
        return "", False
    choice = chunk.choices[0]
    if choice.delta.refusal:
        raise InterviewerBadOutput("The interviewer declined to answer that. Nothing is lost: try again.")
    if choice.finish_reason in {"length", "content_filter"}:
        raise InterviewerBadOutput
    return choice.delta.content or "", choice.finish_reason is not None


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
