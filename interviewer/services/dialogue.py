"""Talking to the interviewer: briefs out of rows, and what comes back validated before anything is stored."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from pydantic import ValidationError

from interviewer import metrics
from interviewer.db.models import JobProfile, Question, utcnow
from interviewer.domain.agreement import Grading, median_grading, spread
from interviewer.domain.job import JobFindings
from interviewer.domain.non_answers import is_non_answer
from interviewer.domain.progress import must_ask_for_code
from interviewer.domain.rubric import AnswerNature, Judgement, MarkedPoint, Rubric, checked_marks, score
from interviewer.domain.text import SKIPPED, TextRefused, TextTooLong
from interviewer.domain.topics import AnswerKind, Level, number_in_topic, topic_of
from interviewer.errors import BadRequest, InterviewerBadOutput, TooLarge
from interviewer.ports import (
    AnswerBrief,
    Document,
    Interviewer,
    JobBrief,
    PastTurn,
    Piece,
    QuestionBrief,
    QuestionDraft,
    Usage,
    VerdictDraft,
)
from interviewer.services.events import Event, FeedbackPiece, QuestionPiece
from interviewer.services.live import Publish
from interviewer.services.views import TurnRow

_SURROGATE = re.compile("[\ud800-\udfff]")

Spent = Callable[[Usage], None]

MAX_PROMPT = 4000
MAX_FEEDBACK = 8000
MAX_SUBTOPIC = 120
SKIPPED_WORDS = "You skipped this question, so it scores 0. The model answer shows what a good answer holds."


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question whose rubric has been validated."""

    prompt: str
    subtopic: str
    level: Level
    kind: AnswerKind
    rubric: Rubric
    bank_id: str | None

    def as_row(self, conversation_id: int, position: int) -> Question:
        """Return the row that stores it at `position`; the topic follows from the position, not from the interviewer."""
        return Question(
            id=0,
            conversation_id=conversation_id,
            position=position,
            topic_id=topic_of(position).id,
            subtopic=self.subtopic,
            level=self.level.value,
            kind=self.kind.value,
            prompt=self.prompt,
            rubric=self.rubric.model_dump(mode="json"),
            bank_id=self.bank_id,
            created_at=utcnow(),
        )


def job_brief(job: JobProfile | None) -> JobBrief | None:
    """Return the job description as the interviewer gets it."""
    return JobBrief(job.text, job.profile) if job else None


def question_brief(position: int, rows: Sequence[TurnRow], job: JobBrief | None, seen_before: Sequence[str]) -> QuestionBrief:
    """Return what the interviewer needs to ask the question at `position`, after the turns in `rows`."""
    code_asked = any(row.question.kind == AnswerKind.CODE for row in rows)
    return QuestionBrief(
        topic_id=topic_of(position).id,
        number=number_in_topic(position),
        must_be_code=must_ask_for_code(position, code_asked),
        job=job,
        history=tuple(_past(row) for row in rows),
        last_rubric=rows[-1].question.rubric if rows else None,
        seen_before=seen_before,
    )


def answer_brief(question: Question, answer: str, job: JobBrief | None) -> AnswerBrief:
    """Return what the interviewer needs to judge `answer`."""
    return AnswerBrief(question.topic_id, question.kind, question.prompt, question.rubric, answer, job)


def _past(row: TurnRow) -> PastTurn:
    question = row.question
    return PastTurn(
        topic_id=question.topic_id,
        subtopic=question.subtopic,
        level=question.level,
        prompt=question.prompt,
        bank_id=question.bank_id,
        answer=row.answer.content if row.answer else None,
        score=row.score,
    )


def _forget(_usage: Usage) -> None:
    """For callers who do not mind what it took."""


async def ask(interviewer: Interviewer, brief: QuestionBrief, publish: Publish[Event], spent: Spent = _forget) -> AskedQuestion:
    """Let the interviewer ask, publishing the text as it comes; `spent` is told what it took, where that is known.

    Raises InterviewerBadOutput when no usable question comes.
    """
    draft: QuestionDraft | None = None
    async for item in interviewer.ask(brief):
        if isinstance(item, Piece):
            publish(QuestionPiece(item.text))
        elif isinstance(item, Usage):
            spent(item)
        else:
            draft = item
    if (
        draft is None
        or not 0 < len(draft.prompt.strip()) <= MAX_PROMPT
        or not storable(draft.prompt, draft.subtopic, draft.rubric)
    ):
        raise InterviewerBadOutput
    try:
        return AskedQuestion(
            prompt=draft.prompt.strip(),
            subtopic=(draft.subtopic.strip() or topic_of(2 * brief.topic_id).name)[:MAX_SUBTOPIC],
            level=Level(draft.level),
            # Whatever the model says about its question, a turn that must be code is one.
            kind=AnswerKind.CODE if brief.must_be_code else AnswerKind(draft.kind),
            rubric=Rubric.model_validate(draft.rubric),
            bank_id=draft.bank_id,
        )
    except (ValidationError, ValueError) as error:
        raise InterviewerBadOutput from error


async def judge(
    interviewer: Interviewer, brief: AnswerBrief, publish: Publish[Event], spent: Spent = _forget, repeats: int = 1
) -> Judgement:
    """Let the interviewer judge, publishing the feedback as it comes; the score is computed here, from checked marks.

    With `repeats` over 1 it judges as often, side by side: the median of each mark counts, the feedback is the first one's,
    and of the others those that fail are left out. `spent` is told what each took, where that is known.
    Raises InterviewerBadOutput when no usable verdict comes.
    """
    more = [asyncio.create_task(_graded(interviewer, brief, unseen, spent)) for _ in range(1, repeats)]
    try:
        feedback, first = await _graded(interviewer, brief, publish, spent)
        others = [found for found in await asyncio.gather(*more, return_exceptions=True) if not isinstance(found, BaseException)]
    finally:
        for task in more:
            task.cancel()
    rubric = Rubric.model_validate(brief.rubric)
    gradings = [first, *(grading for _, grading in others)]
    counts = median_grading(gradings)
    low, high = spread(rubric, gradings) if len(gradings) > 1 else (None, None)
    value = score(rubric, counts.marks, counts.nature)
    return Judgement(feedback=feedback, marks=counts.marks, nature=counts.nature, score=value, low=low, high=high)


def skipped(question: Question) -> Judgement:
    """Return the verdict on a question that was skipped: it scores 0, and the interviewer is not asked."""
    marks = checked_marks(Rubric.model_validate(question.rubric), [], SKIPPED)
    return Judgement(feedback=SKIPPED_WORDS, marks=marks, nature=AnswerNature.NON_ANSWER, score=0)


def timing_feedback(publish: Publish[Event]) -> Publish[Event]:
    """Return what publishes as `publish` does and notes how long the first piece of feedback was waited for from now on."""
    began: float | None = perf_counter()

    def timed(event: Event) -> None:
        nonlocal began
        if began is not None and isinstance(event, FeedbackPiece):
            metrics.FIRST_FEEDBACK_SECONDS.observe(perf_counter() - began)
            began = None
        publish(event)

    return timed


def unseen(_event: Event) -> None:
    """Publish to nobody: for a verdict that is shown when it is whole, or not at all."""


async def _graded(interviewer: Interviewer, brief: AnswerBrief, publish: Publish[Event], spent: Spent) -> tuple[str, Grading]:
    """Let the interviewer judge once and return its feedback and its marks, checked; raises InterviewerBadOutput."""
    draft: VerdictDraft | None = None
    async for item in interviewer.judge(brief):
        if isinstance(item, Piece):
            publish(FeedbackPiece(item.text))
        elif isinstance(item, Usage):
            spent(item)
        else:
            draft = item
    if draft is None or not 0 < len(draft.feedback.strip()) <= MAX_FEEDBACK or not storable(draft.feedback, list(draft.marks)):
        raise InterviewerBadOutput
    try:
        nature = AnswerNature(draft.nature)
        given = [MarkedPoint.model_validate(mark) for mark in draft.marks]
        marks = checked_marks(Rubric.model_validate(brief.rubric), given, brief.answer)
    except (ValidationError, ValueError) as error:
        raise InterviewerBadOutput from error
    if is_non_answer(brief.prompt, brief.answer):
        nature = AnswerNature.NON_ANSWER
    return draft.feedback.strip(), Grading(marks, nature)


def judgement_columns(judgement: Judgement, interviewer: Interviewer) -> dict[str, Any]:
    """Return what is stored of a judgement, whether it is the first verdict on an answer or the one of an appeal."""
    return {
        "score": judgement.score,
        "score_low": judgement.low,
        "score_high": judgement.high,
        "nature": judgement.nature.value,
        "feedback": judgement.feedback,
        "marks": [mark.model_dump(mode="json") for mark in judgement.marks],
        "interviewer": interviewer.name,
        "model": interviewer.model,
        "created_at": utcnow(),
    }


async def analyse(interviewer: Interviewer, text: str, spent: Spent = _forget) -> dict[str, Any]:
    """Let the interviewer analyse a job description; `spent` is told what it took, where that is known.

    Raises InterviewerBadOutput when the result is not usable.
    """
    profile: Document | None = None
    async for item in interviewer.analyse_job(text):
        if isinstance(item, Usage):
            spent(item)
        else:
            profile = item
    try:
        found = JobFindings.model_validate(profile).model_dump(mode="json")
    except ValidationError as error:
        raise InterviewerBadOutput from error
    if not storable(found):
        raise InterviewerBadOutput
    return found


def storable(*values: Any) -> bool:
    """Tell whether texts and documents can be stored: PostgreSQL takes no NUL, UTF-8 no lone surrogate."""
    text = json.dumps(values, ensure_ascii=False, default=str)
    return "\\u0000" not in text and not _SURROGATE.search(text)


def cleaned(clean: Callable[[str], str], raw: str) -> str:
    """Apply a rule of the domain to a user's text and turn its refusal into an error with a status."""
    try:
        return clean(raw)
    except TextTooLong as error:
        raise TooLarge(str(error)) from error
    except TextRefused as error:
        raise BadRequest(str(error)) from error
