"""Validate the interviewer's replies before anything is stored."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from interviewer.core.broadcast import Publish
from interviewer.core.columns import utcnow
from interviewer.core.documents import Document
from interviewer.errors import InterviewerBadOutput
from interviewer.interviews.code_check import CodeCheck, proven_before_hint, with_code_quotes
from interviewer.interviews.events import Event, FeedbackPiece, FollowUpPiece, QuestionPiece
from interviewer.interviews.exchange import Kind, answers, before_hint
from interviewer.interviews.interviewer import (
    AnswerBrief,
    FollowUpDraft,
    Interviewer,
    Piece,
    QuestionBrief,
    QuestionDraft,
    ReplyBrief,
    ReplyDraft,
    Usage,
    VerdictDraft,
)
from interviewer.interviews.interviewer import FollowUpPiece as FollowUpText
from interviewer.interviews.job import JobFindings
from interviewer.interviews.non_answers import is_non_answer
from interviewer.interviews.repeated_grading import Grading, likely_range, median_grading, spread
from interviewer.interviews.rubric import AnswerNature, Judgement, Mark, MarkedPoint, Rubric, after_hint, checked_marks, score
from interviewer.interviews.tables import Question
from interviewer.interviews.topics import AnswerKind, Level, topic_by_id
from interviewer.interviews.verdicts import unseen

_SURROGATE = re.compile("[\ud800-\udfff]")

UsageCallback = Callable[[Usage], object]
"""A callback that receives the token usage of each reply, where it is known."""

MAX_PROMPT = 4000
MAX_FEEDBACK = 8000
MAX_SUBTOPIC = 120
# Of a follow-up, a clarification, or a hint.
MAX_REPLY = 1500


@dataclass(frozen=True, slots=True)
class Reply:
    """What the interviewer says instead of giving a verdict: a follow-up, or a reply to a clarifying question (`kind`)."""

    text: str
    kind: Kind = Kind.FOLLOW_UP


@dataclass(frozen=True, slots=True)
class _Graded:
    """One grading with its feedback."""

    feedback: str
    grading: Grading


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question with a validated rubric. Its topic is the requested one, even if the interviewer names another."""

    topic_id: int
    prompt: str
    subtopic: str
    level: Level
    kind: AnswerKind
    rubric: Rubric
    bank_id: str | None

    def as_row(self, conversation_id: int, position: int) -> Question:
        """Return the row that stores the question at `position`."""
        return Question(
            id=0,
            conversation_id=conversation_id,
            position=position,
            topic_id=self.topic_id,
            subtopic=self.subtopic,
            level=self.level.value,
            kind=self.kind.value,
            prompt=self.prompt,
            rubric=self.rubric.model_dump(mode="json"),
            bank_id=self.bank_id,
            created_at=utcnow(),
        )


def _ignore_usage(_usage: Usage) -> None:
    """Ignore the token usage."""


async def ask(
    interviewer: Interviewer, brief: QuestionBrief, publish: Publish[Event], spent: UsageCallback = _ignore_usage
) -> AskedQuestion:
    """Have the interviewer ask a question, publish its text as it is written, and return the validated question.

    `spent` receives the token usage, where it is known. Raises InterviewerBadOutput if there is no usable question.
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
            topic_id=brief.topic_id,
            prompt=draft.prompt.strip(),
            subtopic=(draft.subtopic.strip() or topic_by_id(brief.topic_id).name)[:MAX_SUBTOPIC],
            level=Level(draft.level),
            # If the server requires a code question, the kind in the model's reply is ignored.
            kind=AnswerKind.CODE if brief.must_be_code else AnswerKind(draft.kind),
            rubric=Rubric.model_validate(draft.rubric),
            bank_id=draft.bank_id,
        )
    except (ValidationError, ValueError) as error:
        raise InterviewerBadOutput from error


async def judge(
    interviewer: Interviewer, brief: AnswerBrief, publish: Publish[Event], spent: UsageCallback = _ignore_usage, repeats: int = 1
) -> Judgement:
    """Have the interviewer judge an answer, publish the feedback as it is written, and compute the score from the checked marks.

    If `repeats` is above 1, the answer is judged that many times concurrently. The median of each mark counts, the feedback comes
    from the first grading, and failures of the other gradings are ignored. `spent` receives the token usage of each grading,
    where it is known. Raises InterviewerBadOutput if there is no usable verdict.
    """
    brief = replace(brief, may_follow_up=False, may_clarify=False)
    more = [asyncio.create_task(_graded(interviewer, brief, unseen, spent)) for _ in range(1, repeats)]
    try:
        first = await _graded(interviewer, brief, publish, spent)
        others = [found for found in await asyncio.gather(*more, return_exceptions=True) if isinstance(found, _Graded)]
    finally:
        for task in more:
            task.cancel()
    if not isinstance(first, _Graded):
        raise InterviewerBadOutput
    return _judgement(brief, [first, *others])


async def judge_or_reply(
    interviewer: Interviewer, brief: AnswerBrief, publish: Publish[Event], spent: UsageCallback = _ignore_usage, repeats: int = 1
) -> Judgement | Reply:
    """Have the interviewer judge an answer as in `judge`, or say what the brief allows instead: a follow-up or a clarification.

    Its text is published and returned. If that is possible, further gradings start only after the first one, because none is
    needed if the question stays open.
    """
    if not brief.may_stay_open:
        return await judge(interviewer, brief, publish, spent, repeats)
    first = await _graded(interviewer, brief, publish, spent)
    if isinstance(first, Reply):
        return first
    final = replace(brief, may_follow_up=False, may_clarify=False)
    more = [_graded(interviewer, final, unseen, spent) for _ in range(1, repeats)]
    others = [found for found in await asyncio.gather(*more, return_exceptions=True) if isinstance(found, _Graded)]
    return _judgement(brief, [first, *others])


def _judgement(brief: AnswerBrief, graded: Sequence[_Graded]) -> Judgement:
    """Combine the gradings. What a mark earns is halved if only words after the hint show it.

    The score is limited if the code fails all hidden tests or does not compile.
    """
    rubric = Rubric.model_validate(brief.rubric)
    cap = brief.check(rubric).cap
    gradings = [one.grading for one in graded]
    counts = median_grading(gradings)
    low, high = spread(rubric, gradings, cap) if len(gradings) > 1 else likely_range(rubric, gradings[0], cap)
    value = score(rubric, counts.marks, counts.nature, cap)
    return Judgement(feedback=graded[0].feedback, marks=counts.marks, nature=counts.nature, score=value, low=low, high=high)


async def _graded(interviewer: Interviewer, brief: AnswerBrief, publish: Publish[Event], spent: UsageCallback) -> _Graded | Reply:
    """Have the interviewer judge once, and return its feedback and checked marks, or its reply.

    The feedback begins with what the tests of the code showed, which no interviewer decides. Answers that do not try to answer
    the question get the nature NON_ANSWER, whatever the interviewer says. Raises InterviewerBadOutput if there is no usable
    verdict or reply.
    """
    draft: VerdictDraft | FollowUpDraft | ReplyDraft | None = None
    shown: set[type[Piece | FollowUpText]] = set()
    check = brief.check(Rubric.model_validate(brief.rubric))
    tested = f"{check.summary}\n\n" if check.summary else ""
    async for item in interviewer.judge(brief):
        if isinstance(item, Piece | FollowUpText):
            if tested and isinstance(item, Piece) and Piece not in shown:
                publish(FeedbackPiece(tested))
            shown.add(type(item))
            publish(FeedbackPiece(item.text) if isinstance(item, Piece) else FollowUpPiece(item.text))
        elif isinstance(item, Usage):
            spent(item)
        else:
            draft = item
    # What is shown first decides whether the next question is asked, so the result must be the same.
    if shown - {FollowUpText if isinstance(draft, FollowUpDraft | ReplyDraft) else Piece}:
        raise InterviewerBadOutput
    if isinstance(draft, FollowUpDraft | ReplyDraft):
        return _allowed_reply(draft, brief)
    if draft is None or not 0 < len(draft.feedback.strip()) <= MAX_FEEDBACK or not storable(draft.feedback, list(draft.marks)):
        raise InterviewerBadOutput
    try:
        grading = _grading(draft, brief, check)
    except (ValidationError, ValueError) as error:
        raise InterviewerBadOutput from error
    return _Graded(tested + draft.feedback.strip(), grading)


def _grading(draft: VerdictDraft, brief: AnswerBrief, check: CodeCheck) -> Grading:
    """Return the checked marks of a verdict. Raises ValueError for marks or a nature that do not exist."""
    rubric = Rubric.model_validate(brief.rubric)
    nature = AnswerNature(draft.nature)
    given = [MarkedPoint.model_validate(mark) for mark in draft.marks]
    marks = checked_marks(rubric, with_code_quotes(given, check), brief.answer, check.evidence)
    doubts = {index: Mark(mark) for index, mark in draft.doubts.items() if index not in check.proven}
    if check.hidden_passed:
        nature = AnswerNature.ANSWER
    elif all(is_non_answer(brief.prompt, answer) for answer in answers(brief.said) or [brief.answer]):
        nature = AnswerNature.NON_ANSWER
    if brief.said:
        marks = after_hint(marks, before_hint(brief.said), proven_before_hint(rubric, brief.said, brief.kind))
    return Grading(marks, nature, doubts)


def _allowed_reply(draft: FollowUpDraft | ReplyDraft, brief: AnswerBrief) -> Reply:
    """Return the reply if the brief allows one of its kind. Raises InterviewerBadOutput if it doesn't."""
    follows_up = isinstance(draft, FollowUpDraft)
    if not (brief.may_follow_up if follows_up else brief.may_clarify):
        raise InterviewerBadOutput
    return Reply(_said(draft.text), Kind.FOLLOW_UP if follows_up else Kind.CLARIFICATION)


def _said(raw: str) -> str:
    """Return a follow-up, a clarification, or a hint as it is stored. Raises InterviewerBadOutput if it is unusable."""
    text = raw.strip()
    if not 0 < len(text) <= MAX_REPLY or not storable(raw):
        raise InterviewerBadOutput
    return text


async def reply(
    interviewer: Interviewer, brief: ReplyBrief, publish: Publish[Event], spent: UsageCallback = _ignore_usage
) -> str:
    """Have the interviewer reply to a clarifying question or give a hint, publish the text as it is written, and return it.

    `spent` receives the token usage, where it is known. Raises InterviewerBadOutput if there is no usable text.
    """
    draft: ReplyDraft | None = None
    async for item in interviewer.reply(brief):
        if isinstance(item, Piece):
            publish(FollowUpPiece(item.text))
        elif isinstance(item, Usage):
            spent(item)
        else:
            draft = item
    if draft is None:
        raise InterviewerBadOutput
    return _said(draft.text)


async def analyze(interviewer: Interviewer, text: str, spent: UsageCallback = _ignore_usage) -> dict[str, Any]:
    """Have the interviewer analyze a job description, and return its validated profile.

    `spent` receives the token usage, where it is known. Raises InterviewerBadOutput if there is no usable profile.
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
    """Return whether the values are free of NUL, which PostgreSQL rejects, and of lone surrogates, which UTF-8 cannot encode."""
    text = json.dumps(values, ensure_ascii=False, default=str)
    # JSON writes a backslash as two. Without those pairs, \u0000 can only be the escape of a NUL.
    return "\\u0000" not in text.replace("\\\\", "") and not _SURROGATE.search(text)
