"""The interviewer interface: its inputs, its outputs, and the protocol that implementations follow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from interviewer.core.documents import Document
from interviewer.interviews.code_check import CodeCheck, check_code
from interviewer.interviews.exchange import Kind, Said
from interviewer.interviews.rubric import Rubric
from interviewer.interviews.topics import Level


@dataclass(frozen=True, slots=True)
class JobBrief:
    """A job description as the user pasted it. `profile` is None until it has been analyzed."""

    text: str
    profile: Document | None = None


@dataclass(frozen=True, slots=True)
class PastTurn:
    """An earlier question of the same interview, with what was said about it, its answer, and its score if there are any."""

    topic_id: int
    subtopic: str
    level: str
    prompt: str
    bank_id: str | None = None
    answer: str | None = None
    score: int | None = None
    said: Sequence[Said] = ()


@dataclass(frozen=True, slots=True)
class QuestionBrief:
    """The input for asking the next question.

    If `level` is None, the job description decides. If `programming_language` is empty, any language is fine. `resume` is the
    candidate's résumé without contact data, or empty if there is none or this question is not to refer to it.
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
    resume: str = ""


@dataclass(frozen=True, slots=True)
class AnswerBrief:
    """The input for judging one answer. `rubric` was fixed when the question was asked.

    `answer` is everything that counts, and `said` the whole conversation about the question. Instead of giving a verdict, the
    interviewer may ask a follow-up if `may_follow_up` is set, and reply to a clarifying question if `may_clarify` is set.
    """

    topic_id: int
    kind: str
    prompt: str
    rubric: Document
    answer: str
    job: JobBrief | None = None
    said: Sequence[Said] = ()
    may_follow_up: bool = False
    may_clarify: bool = False

    @property
    def may_stay_open(self) -> bool:
        """Whether the question may stay open instead of getting a verdict."""
        return self.may_follow_up or self.may_clarify

    def check(self, rubric: Rubric) -> CodeCheck:
        """Return what is known about the code of the answer, such as the results of its tests. `rubric` is the brief's."""
        return check_code(rubric, self.said, self.kind, self.answer)


@dataclass(frozen=True, slots=True)
class ReplyBrief:
    """What the interviewer knows when the candidate asks a clarifying question or for a hint (`kind`).

    `said` is the conversation about the question so far; its last message is the one to reply to.
    """

    topic_id: int
    prompt: str
    rubric: Document
    kind: Kind
    said: Sequence[Said]
    job: JobBrief | None = None


@dataclass(frozen=True, slots=True)
class FollowUpPiece:
    """Text of a follow-up or clarification to show immediately, appended to the pieces before it."""

    text: str


@dataclass(frozen=True, slots=True)
class FollowUpDraft:
    """A complete follow-up, asked instead of giving a verdict."""

    text: str


@dataclass(frozen=True, slots=True)
class ReplyDraft:
    """A complete reply to a clarifying question, or a hint."""

    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Text to show immediately, appended to the pieces before it."""

    text: str


@dataclass(frozen=True, slots=True)
class QuestionDraft:
    """A complete question as the interviewer proposes it. Its `rubric` has not been validated yet."""

    prompt: str
    subtopic: str
    level: str
    kind: str
    rubric: Document
    bank_id: str | None = None


@dataclass(frozen=True, slots=True)
class VerdictDraft:
    """A complete verdict as the interviewer proposes it. Its `marks` have not been checked against the answer yet.

    `doubts` has, by the index of the key point, the marks that would be about as likely as those given.
    """

    feedback: str
    nature: str
    marks: Sequence[Document] = field(default_factory=tuple)
    doubts: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """The token counts of one reply as reported by the model's server.

    `cached` is the part of `prompt` that came from its cache.
    """

    prompt: int
    cached: int
    completion: int


Judging = Piece | FollowUpPiece | Usage | VerdictDraft | FollowUpDraft | ReplyDraft
"""What `Interviewer.judge` yields."""


class Interviewer(Protocol):
    """Asks questions and judges answers.

    Every method raises a subclass of `errors.InterviewerError` when it fails. If the token usage is known, a `Usage` is yielded
    before the result or the failure.
    """

    @property
    def name(self) -> str:
        """The short name stored with everything the interviewer produces: `builtin` or `openai`."""

    @property
    def model(self) -> str:
        """The model's name."""

    @property
    def prompt_version(self) -> str | None:
        """The version of the prompts that the model gets, which is stored with each verdict. None without prompts."""

    @property
    def deterministic(self) -> bool:
        """Whether the same answer always gets the same verdict."""

    @property
    def max_follow_ups(self) -> int:
        """How many follow-ups it asks about one question at most."""

    @property
    def detects_questions(self) -> bool:
        """Whether `judge` tells clarifying questions from answers. If not, rules do, before it is called."""

    def ask(self, brief: QuestionBrief) -> AsyncIterator[Piece | Usage | QuestionDraft]:
        """Stream the question's text in pieces, then yield the complete question."""

    def judge(self, brief: AnswerBrief) -> AsyncIterator[Judging]:
        """Stream the feedback's text in pieces, then yield the complete verdict.

        If the brief allows a follow-up, or a reply to a clarifying question, that may be streamed and yielded instead.
        """

    def reply(self, brief: ReplyBrief) -> AsyncIterator[Piece | Usage | ReplyDraft]:
        """Stream the reply to a clarifying question, or a hint, then yield it as a whole. It gives no key point away."""

    def analyse_job(self, text: str) -> AsyncIterator[Usage | Document]:
        """Analyze a job description and yield its profile as the last item."""

    async def close(self) -> None:
        """Close all connections. Called once, at shutdown."""
