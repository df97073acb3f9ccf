"""Graders: the built-in one, or any interviewer with a rubric. Both return unrounded scores."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from evaluation.records import Record
from interviewer.errors import InterviewerBadOutput, InterviewerError, InterviewerUnreachable
from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.grading.judge import mark_answer
from interviewer.grading.reference import rubric_from_reference
from interviewer.interviews import replies
from interviewer.interviews.interviewer import AnswerBrief, Interviewer, Usage
from interviewer.interviews.non_answers import is_non_answer
from interviewer.interviews.rubric import MAX_SCORE, NON_ANSWER_CAP, AnswerNature, exact_score
from interviewer.interviews.user_text import InvalidText, TextTooLong, clean_answer

# Evaluation records have no topic, but grading needs one. Topic 6 is general backend knowledge.
TOPIC = 6
# Attempts per answer. The model client already retries rejected requests; this covers replies that are cut off or invalid.
TRIES = 2


@dataclass(frozen=True, slots=True)
class Graded:
    """An unrounded score from 0 to 10 and the model tokens spent on it. `cached_tokens` are included in `prompt_tokens`."""

    score: float
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0


class NotGraded(Exception):
    """An answer could not be graded. The message is the reason, and `spent` is the token usage of the failed attempts."""

    def __init__(self, reason: str, spent: Usage | None = None) -> None:
        self.spent = spent or Usage(0, 0, 0)
        super().__init__(reason)


class Grader(Protocol):
    """Grades one answer at a time."""

    async def grade(self, record: Record) -> Graded:
        """Return the unrounded score. Raises NotGraded if the answer cannot be graded."""

    async def close(self) -> None:
        """Close all connections. Called once at the end."""


class InterviewerGrader:
    """Grades with an interviewer, as the app does. If a record has no rubric, one is derived from the reference answer."""

    def __init__(self, interviewer: Interviewer) -> None:
        self._interviewer = interviewer

    async def grade(self, record: Record) -> Graded:
        """Return the unrounded score computed from the verified marks. An empty answer scores 0.

        Raises NotGraded if the answer is too long, no rubric can be derived, or the interviewer fails.
        """
        answer = _cleaned(record.answer)
        if not answer:
            return Graded(0.0)
        try:
            rubric = record.rubric or rubric_from_reference(record.question, record.reference_answer)
        except ValueError as error:
            raise NotGraded(f"No rubric can be made: {error}") from error
        brief = AnswerBrief(TOPIC, record.kind.value, record.question, rubric.model_dump(mode="json"), answer)
        usages: list[Usage] = []
        for left in reversed(range(TRIES)):
            try:
                judgement = await replies.judge(self._interviewer, brief, lambda _event: None, usages.append)
            except InterviewerError as error:
                if not left or not isinstance(error, InterviewerBadOutput | InterviewerUnreachable):
                    raise NotGraded(_in_words(error), _sum(usages)) from error
            else:
                break
        spent = _sum(usages)
        exact = float(exact_score(rubric, judgement.marks, judgement.nature))
        return Graded(exact, spent.prompt, spent.completion, spent.cached)

    async def close(self) -> None:
        """Close the interviewer's connections."""
        await self._interviewer.close()


class BuiltinGrader:
    """Grades by the rubric, or against the reference answer if there is no rubric.

    Deterministic, and needs no language model.
    """

    def __init__(self) -> None:
        self._by_rubric = InterviewerGrader(BuiltinInterviewer())

    async def grade(self, record: Record) -> Graded:
        """Return the unrounded score. Raises NotGraded if the answer is too long or the reference answer has no content.

        With a rubric, the score is computed from the marks. Otherwise, key points are derived from the reference answer, and the
        score is computed from the expected share of their weight, which is more precise than marks. An empty answer scores 0.
        """
        if record.rubric is not None:
            return await self._by_rubric.grade(record)
        answer = _cleaned(record.answer)
        if not answer or is_non_answer(record.question, answer):
            return Graded(0.0)
        try:
            rubric = rubric_from_reference(record.question, record.reference_answer)
        except ValueError as error:
            raise NotGraded(f"No rubric can be made: {error}") from error
        scored = await asyncio.to_thread(mark_answer, record.question, rubric, answer, record.kind)
        capped = scored.nature is not AnswerNature.ANSWER
        return Graded(min(MAX_SCORE * scored.share, NON_ANSWER_CAP if capped else MAX_SCORE))

    async def close(self) -> None:
        """Do nothing, because there are no connections."""


def _cleaned(answer: str) -> str:
    """Return the answer as the app would store it, or "" if nothing remains after cleaning.

    Raises NotGraded if it is too long.
    """
    try:
        return clean_answer(answer)
    except TextTooLong as error:
        raise NotGraded("The answer is longer than the app takes.") from error
    except InvalidText:
        return ""


def _sum(usages: list[Usage]) -> Usage:
    return Usage(sum(one.prompt for one in usages), sum(one.cached for one in usages), sum(one.completion for one in usages))


def _in_words(error: InterviewerError) -> str:
    """Return the error's message without the reassurance for candidates (" Nothing was lost ...")."""
    return error.user_message.split(" Nothing was lost", maxsplit=1)[0]
