"""Build the interviewer's inputs from database rows."""

from __future__ import annotations

from collections.abc import Sequence

from interviewer.interviews.exchange import Kind, without_refused
from interviewer.interviews.interviewer import AnswerBrief, JobBrief, PastTurn, QuestionBrief, ReplyBrief
from interviewer.interviews.plan import Plan
from interviewer.interviews.progress import must_ask_for_code
from interviewer.interviews.resume import RESUME_TOPICS, without_contacts
from interviewer.interviews.tables import JobProfile
from interviewer.interviews.topics import CODING, AnswerKind
from interviewer.interviews.views import TurnRow


def job_brief(job: JobProfile | None) -> JobBrief | None:
    """Return the interviewer's input for a job description, or None if there is no job description."""
    return JobBrief(job.text, job.profile) if job else None


def question_brief(
    plan: Plan, position: int, rows: Sequence[TurnRow], job: JobBrief | None, seen_before: Sequence[str], resume: str = ""
) -> QuestionBrief:
    """Return the interviewer's input for asking the question at `position`, which follows the turns in `rows`."""
    place = plan.place(position)
    code_asked = any(row.question.kind == AnswerKind.CODE for row in rows if row.question.topic_id == CODING.id)
    return QuestionBrief(
        topic_id=place.topic.id,
        number=place.number,
        must_be_code=must_ask_for_code(place, code_asked),
        job=job,
        history=tuple(_past(row) for row in rows),
        last_rubric=rows[-1].question.rubric if rows else None,
        seen_before=seen_before,
        level=plan.level,
        programming_language=plan.programming_language,
        resume=without_contacts(resume) if place.topic.id in RESUME_TOPICS else "",
    )


def answer_brief(row: TurnRow, job: JobBrief | None, *, may_follow_up: bool = False, may_clarify: bool = False) -> AnswerBrief:
    """Return the interviewer's input for judging what was said about a question."""
    question = row.question
    return AnswerBrief(
        topic_id=question.topic_id,
        kind=question.kind,
        prompt=question.prompt,
        rubric=question.rubric,
        answer=row.answer_text,
        job=job,
        said=without_refused(row.said),
        may_follow_up=may_follow_up,
        may_clarify=may_clarify,
    )


def reply_brief(row: TurnRow, kind: Kind, job: JobBrief | None) -> ReplyBrief:
    """Return the interviewer's input for replying to a clarifying question, or for a hint."""
    question = row.question
    return ReplyBrief(question.topic_id, question.prompt, question.rubric, kind, without_refused(row.said), job)


def _past(row: TurnRow) -> PastTurn:
    question = row.question
    return PastTurn(
        topic_id=question.topic_id,
        subtopic=question.subtopic,
        level=question.level,
        prompt=question.prompt,
        bank_id=question.bank_id,
        answer=row.answer_text if row.answer else None,
        score=row.score,
        said=row.said,
    )
