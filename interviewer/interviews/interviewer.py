"""The interviewer as the use cases see it: what it is given, what it returns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from interviewer.core.documents import Document
from interviewer.interviews.topics import Level


@dataclass(frozen=True, slots=True)
class JobBrief:
    """A job description as the user pasted it and, once analysed, what was found in it."""

    text: str
    profile: Document | None = None


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A question already asked in this interview, with its answer and score where there are any."""

    topic_id: int
    subtopic: str
    level: str
    prompt: str
    bank_id: str | None = None
    answer: str | None = None
    score: int | None = None


@dataclass(frozen=True, slots=True)
class QuestionBrief:
    """All that is needed to ask the next question.

    Without a `level` the job decides; without a `programming_language` any will do.
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
    """All that is needed to judge one answer; `rubric` was fixed with the question."""

    topic_id: int
    kind: str
    prompt: str
    rubric: Document
    answer: str
    job: JobBrief | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Text to show at once, a continuation of the pieces before it."""

    text: str


@dataclass(frozen=True, slots=True)
class QuestionDraft:
    """A complete question as proposed; `rubric` still has to be validated."""

    prompt: str
    subtopic: str
    level: str
    kind: str
    rubric: Document
    bank_id: str | None = None


@dataclass(frozen=True, slots=True)
class VerdictDraft:
    """A complete verdict as proposed; `marks` still have to be checked against the answer."""

    feedback: str
    nature: str
    marks: Sequence[Document] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one reply took, in tokens, as the model's server counts; `cached` are those of `prompt` that it had in its cache."""

    prompt: int
    cached: int
    completion: int


class Interviewer(Protocol):
    """Asks and judges. Every method raises a subclass of `errors.InterviewerError` when it fails.

    What a reply took comes before its end, or before the failure, where that is known.
    """

    @property
    def name(self) -> str:
        """Short name that is stored with what it produced: `builtin` or `openai`."""

    @property
    def model(self) -> str:
        """The model behind it."""

    @property
    def deterministic(self) -> bool:
        """Whether it judges the same answer always the same."""

    def ask(self, brief: QuestionBrief) -> AsyncIterator[Piece | Usage | QuestionDraft]:
        """Stream the question's text in pieces, then yield the whole question once, last."""

    def judge(self, brief: AnswerBrief) -> AsyncIterator[Piece | Usage | VerdictDraft]:
        """Stream the feedback's text in pieces, then yield the whole verdict once, last."""

    def analyse_job(self, text: str) -> AsyncIterator[Usage | Document]:
        """Yield the job profile found in a job description once, last."""

    async def close(self) -> None:
        """Let go of connections; called once, at the end."""
