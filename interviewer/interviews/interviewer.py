"""The interviewer's interface: its inputs, its outputs, and the protocol that implementations follow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from interviewer.core.documents import Document
from interviewer.interviews.topics import Level


@dataclass(frozen=True, slots=True)
class JobBrief:
    """A job description as the user pasted it and, once analyzed, its profile."""

    text: str
    profile: Document | None = None


@dataclass(frozen=True, slots=True)
class PastTurn:
    """An earlier question of this interview, with its answer and score if it has them."""

    topic_id: int
    subtopic: str
    level: str
    prompt: str
    bank_id: str | None = None
    answer: str | None = None
    score: int | None = None


@dataclass(frozen=True, slots=True)
class QuestionBrief:
    """The input for asking the next question.

    Without a `level` the job decides; without a `programming_language` any language is fine.
    """

    topic_id: int
    number: int
    must_be_code: bool
    job: JobBrief | None = None
    history: Sequence[PastTurn] = ()
    last_rubric: Document | None = None
    seen_before: Sequence[str] = ()
    level: Level | None = None
    programming_language: str = ""


@dataclass(frozen=True, slots=True)
class AnswerBrief:
    """The input for judging one answer; `rubric` was fixed with the question."""

    topic_id: int
    kind: str
    prompt: str
    rubric: Document
    answer: str
    job: JobBrief | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Text to show at once; it continues the pieces before it."""

    text: str


@dataclass(frozen=True, slots=True)
class QuestionDraft:
    """A complete question as proposed; `rubric` is not validated yet."""

    prompt: str
    subtopic: str
    level: str
    kind: str
    rubric: Document
    bank_id: str | None = None


@dataclass(frozen=True, slots=True)
class VerdictDraft:
    """A complete verdict as proposed; `marks` are not checked against the answer yet."""

    feedback: str
    nature: str
    marks: Sequence[Document] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one reply as counted by the model's server; `cached` is the part of `prompt` that came from its cache."""

    prompt: int
    cached: int
    completion: int


class Interviewer(Protocol):
    """Asks questions and judges answers. Every method raises a subclass of `errors.InterviewerError` when it fails.

    A `Usage`, where known, is yielded before the result or the failure.
    """

    @property
    def name(self) -> str:
        """Short name that is stored with what it produces: `builtin` or `openai`."""

    @property
    def model(self) -> str:
        """The model's name."""

    @property
    def deterministic(self) -> bool:
        """Whether it always gives the same answer the same verdict."""

    def ask(self, brief: QuestionBrief) -> AsyncIterator[Piece | Usage | QuestionDraft]:
        """Stream the question's text in pieces, then yield the whole question last."""

    def judge(self, brief: AnswerBrief) -> AsyncIterator[Piece | Usage | VerdictDraft]:
        """Stream the feedback's text in pieces, then yield the whole verdict last."""

    def analyse_job(self, text: str) -> AsyncIterator[Usage | Document]:
        """Yield the job description's profile last."""

    async def close(self) -> None:
        """Close connections; called once, at shutdown."""
