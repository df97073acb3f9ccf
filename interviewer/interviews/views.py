"""What pages and the API show of an interview: plain values, computed from rows by pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from interviewer.errors import NotFound
from interviewer.interviews import job_title
from interviewer.interviews.code_run import NO_CODE, Code
from interviewer.interviews.code_view import RunView, exercise_of
from interviewer.interviews.exchange import Author, Kind, Said, is_allowed, is_open, may_stay_open, whole_answer
from interviewer.interviews.exercise import Exercise, page_text
from interviewer.interviews.plan import Plan, plan_of
from interviewer.interviews.posting_lines import lines_of
from interviewer.interviews.progress import InterviewStatus, missing_after
from interviewer.interviews.rubric import percentage
from interviewer.interviews.tables import Appeal, Interview, JobProfile, Message, Question, Verdict
from interviewer.interviews.topics import topic_by_id
from interviewer.interviews.user_text import SKIPPED
from interviewer.interviews.verdict_views import VerdictView, verdict_view


@dataclass(frozen=True, slots=True)
class TurnRow:
    """The rows of one turn: a question, what was said about it in order, and the verdict and appeal, None until they exist."""

    question: Question
    messages: tuple[Message, ...] = ()
    verdict: Verdict | None = None
    appeal: Appeal | None = None

    @property
    def said(self) -> tuple[Said, ...]:
        """What was said about the question, in order."""
        return tuple(
            Said(Author(message.author), Kind(message.kind), message.content, message.code)
            for message in self.messages
            if message.author != "system"
        )

    @property
    def exercise(self) -> Exercise | None:
        """The tests of the question, or None."""
        return exercise_of(self.question.rubric)

    @property
    def tests(self) -> RunView | None:
        """The results of the question's tests. None if it has none, and before there is a verdict on an answer."""
        return verdict_view(self.question, self.said, self.verdict, self.appeal).run if self.verdict else None

    @property
    def answer(self) -> Message | None:
        """The user's last message if it is judged or the interviewer has yet to reply to it; None if the question is open."""
        if self.verdict is None and is_open(self.said):
            return None
        return self.last

    @property
    def last(self) -> Message | None:
        """The user's last message, or None."""
        return next((message for message in reversed(self.messages) if message.author == Author.USER), None)

    @property
    def answer_text(self) -> str:
        """Everything that is judged, or an empty text if there is nothing, or if the question was skipped."""
        return whole_answer(self.said)

    @property
    def next_number(self) -> int:
        """The number of the user's next message."""
        return sum(message.author == Author.USER for message in self.messages)

    def has_message(self, number: int, kind: Kind, text: str, client_id: UUID) -> bool:
        """Return whether the user's message with this number has this ID or text. Without a text, the kinds are compared."""
        found = (one for one in self.messages if one.author == Author.USER and one.number == number)
        return any(one.client_id == client_id or (one.content == text and (bool(text) or one.kind == kind)) for one in found)

    def until(self, number: int) -> TurnRow:
        """Return the turn as it was once the interviewer had replied to the user's message with this number."""
        if number >= self.next_number - 1:
            return self
        return TurnRow(self.question, tuple(message for message in self.messages if message.number <= number))

    @property
    def score(self) -> int | None:
        """The score that counts, or None before the first verdict. After an appeal, it is computed from both verdicts."""
        if self.verdict is None:
            return None
        return self.appeal.counted if self.appeal else self.verdict.score


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message about a question: by the user or the interviewer (`author`), of which kind, and what came with code."""

    author: Author
    kind: Kind
    text: str
    at: datetime
    code: Code = NO_CODE


@dataclass(frozen=True, slots=True)
class TurnView:
    """One question and its outcome.

    `answer` is everything that is judged, or None while the question is open; `messages` has all that was said, in order.
    `may_ask` and `may_get_hint` tell whether the user has clarifying questions or the hint left. `undecided` is set while the
    interviewer has yet to reply to the last message, and the reply may leave the question open.

    The rubric is included only once there is a verdict. `leased` is set once a worker has taken the lease on the answer. It stays
    set after the work is done, and is cleared if the work fails. A `skipped` question has an empty answer. `total` is the number
    of questions in the interview, and `language` the programming language chosen for it, or empty. `exercise` is what a page gets
    of the tests (see `page_text`) until there is a verdict.
    """

    question_id: int
    position: int
    topic_id: int
    topic: str
    subtopic: str
    level: str
    kind: str
    prompt: str
    answer: str | None
    verdict: VerdictView | None
    lacks_verdict: bool
    lacks_next: bool
    leased: bool
    asked_at: datetime | None = None
    total: int = 1
    language: str = ""
    messages: tuple[MessageView, ...] = ()
    may_ask: bool = False
    may_get_hint: bool = False
    undecided: bool = False
    exercise: str = ""

    @property
    def skipped(self) -> bool:
        """Whether the question was skipped."""
        return self.answer == SKIPPED and not self.undecided


@dataclass(frozen=True, slots=True)
class TopicScore:
    """The score of one topic in percent, or None before any of its answers has been judged."""

    topic_id: int
    name: str
    percent: int | None
    judged: int


@dataclass(frozen=True, slots=True)
class InterviewView:
    """A whole interview."""

    id: int
    conversation_id: int | None
    status: InterviewStatus
    plan: Plan
    interviewer: str
    model: str
    job_text: str
    job_profile: dict[str, Any] | None
    turns: tuple[TurnView, ...]
    answers_judged: int
    score_sum: int
    percent: int | None
    topic_scores: tuple[TopicScore, ...]
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None

    @property
    def open_turn(self) -> TurnView | None:
        """The turn whose question is open, or may stay open after the interviewer's reply, or None if there is none."""
        return next((turn for turn in reversed(self.turns) if turn.answer is None or turn.undecided), None)

    @property
    def incomplete_turns(self) -> tuple[TurnView, ...]:
        """The answered turns that are missing their verdict or the next question."""
        return tuple(turn for turn in self.turns if turn.answer is not None and (turn.lacks_verdict or turn.lacks_next))


@dataclass(frozen=True, slots=True)
class Loaded:
    """An interview and its related rows, as loaded from the database.

    `resume` is in no view, so that no page and no shared report can show it.
    """

    interview: Interview
    conversation_id: int | None
    job: JobProfile | None
    rows: tuple[TurnRow, ...]
    resume: str = ""

    @property
    def plan(self) -> Plan:
        """The plan with which the interview was started."""
        return plan_of(self.interview.plan)

    def view(self) -> InterviewView:
        """Return the view of the interview."""
        return interview_view(self.interview, self.conversation_id, self.job, self.rows)

    def row(self, question_id: int) -> TurnRow:
        """Return the turn of the question with this ID. Raises NotFound if the interview has no such question."""
        for row in self.rows:
            if row.question.id == question_id:
                return row
        raise NotFound("This question isn't part of this interview.")


def is_answer(message: Message) -> bool:
    """Return whether a message is the user's answer or skips the question."""
    return message.author == Author.USER and message.kind in (Kind.ANSWER, Kind.FINAL_ANSWER, Kind.SKIP)


@lru_cache(maxsize=1024)
def title_of(job_text: str | None) -> str:
    """Return a short title for an interview: the role in its job description, or a general title if there is none."""
    if not (job_text or "").strip():
        return "General backend interview"
    return job_title.title_of(lines_of(job_text or "")) or "Interview for your job description"


def turn_view(row: TurnRow, plan: Plan, asked: int) -> TurnView:
    """Return the view of one turn. `asked` is the number of questions that have been asked so far."""
    question, answer, verdict = row.question, row.answer, row.verdict
    missing = missing_after(question.position, judged=verdict is not None, asked=asked, total=plan.total)
    return TurnView(
        question_id=question.id,
        position=question.position,
        topic_id=question.topic_id,
        topic=topic_by_id(question.topic_id).name,
        subtopic=question.subtopic,
        level=question.level,
        kind=question.kind,
        prompt=question.prompt,
        answer=row.answer_text if answer else None,
        verdict=verdict_view(question, row.said, verdict, row.appeal) if verdict else None,
        lacks_verdict=answer is not None and missing.verdict,
        lacks_next=answer is not None and missing.next_question,
        leased=answer is not None and answer.judging_until is not None,
        asked_at=question.created_at,
        total=plan.total,
        language=plan.programming_language,
        messages=tuple(_message(message) for message in row.messages),
        may_ask=is_allowed(row.said, Kind.CLARIFICATION),
        may_get_hint=is_allowed(row.said, Kind.HINT),
        undecided=verdict is None and may_stay_open(row.said, follow_ups=plan.follow_ups and asked <= question.position),
        exercise=page_text(row.exercise, question.bank_id or f"question-{question.id}") if verdict is None else "",
    )


def _message(message: Message) -> MessageView:
    return MessageView(Author(message.author), Kind(message.kind), message.content, message.created_at, message.code)


def topic_scores(plan: Plan, turns: Sequence[TurnView]) -> tuple[TopicScore, ...]:
    """Return the score of each topic of the plan, computed from its judged answers."""
    found = []
    for topic in plan.topics:
        scores = [turn.verdict.score for turn in turns if turn.topic_id == topic.topic_id and turn.verdict]
        found.append(TopicScore(topic.topic_id, topic.name, percentage(sum(scores), len(scores)), len(scores)))
    return tuple(found)


def interview_view(
    interview: Interview, conversation_id: int | None, job: JobProfile | None, rows: Sequence[TurnRow]
) -> InterviewView:
    """Return the view of an interview. `rows` are its turns in order."""
    plan = plan_of(interview.plan)
    turns = tuple(turn_view(row, plan, asked=len(rows)) for row in rows)
    return InterviewView(
        id=interview.id,
        conversation_id=conversation_id,
        status=InterviewStatus(interview.status),
        plan=plan,
        interviewer=interview.interviewer,
        model=interview.model,
        job_text=job.text if job else "",
        job_profile=job.profile if job else None,
        turns=turns,
        answers_judged=interview.answers_judged,
        score_sum=interview.score_sum,
        percent=percentage(interview.score_sum, interview.answers_judged),
        topic_scores=topic_scores(plan, turns),
        created_at=interview.created_at,
        updated_at=interview.updated_at,
        finished_at=interview.finished_at,
    )
