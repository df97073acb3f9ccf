"""The built-in interviewer: questions from the bank and verdicts from the built-in judge, without a model or network access."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

from interviewer.core.documents import Document
from interviewer.grading import conversation, job_match, selection
from interviewer.grading.feedback import write_feedback
from interviewer.grading.tested import mark_code
from interviewer.interviews.code_check import proven_before_hint
from interviewer.interviews.exchange import Kind, before_hint, until_hint, whole_answer
from interviewer.interviews.interviewer import (
    AnswerBrief,
    FollowUpDraft,
    FollowUpPiece,
    Piece,
    QuestionBrief,
    QuestionDraft,
    ReplyBrief,
    ReplyDraft,
    VerdictDraft,
)
from interviewer.interviews.rubric import Rubric, after_hint


class BuiltinInterviewer:
    """Implements `interviews.interviewer.Interviewer` without a model or network access."""

    name = "builtin"
    model = "question-bank"
    deterministic = True
    max_follow_ups = 1
    detects_questions = False
    prompt_version = None

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng or random.Random()

    async def ask(self, brief: QuestionBrief) -> AsyncIterator[Piece | QuestionDraft]:
        """Yield the text of a bank question in pieces, then its QuestionDraft. Never raises InterviewerError."""
        choice = await asyncio.to_thread(selection.choose, brief, self._rng)
        question = choice.question
        prompt = f"{choice.lead} {question.prompt.strip()}".strip()
        for piece in _sentences(prompt):
            yield Piece(piece)
        yield QuestionDraft(
            prompt=prompt,
            subtopic=question.subtopic,
            level=question.level.value,
            kind=question.kind.value,
            rubric=question.asked_rubric.model_dump(mode="json"),
            bank_id=question.id,
        )

    async def judge(self, brief: AnswerBrief) -> AsyncIterator[Piece | FollowUpPiece | VerdictDraft | FollowUpDraft]:
        """Yield the feedback in pieces, then the verdict, or a follow-up if the brief allows one and a heavy key point is open.

        The feedback quotes the answer, corrects it, and names what is missing.
        """
        rubric = Rubric.model_validate(brief.rubric)
        check = brief.check(rubric)
        scored = await asyncio.to_thread(mark_code, brief, rubric, check)
        if brief.may_follow_up and (asked := conversation.follow_up(rubric, scored)):
            for piece in _sentences(asked):
                yield FollowUpPiece(piece)
            yield FollowUpDraft(asked)
            return
        begun = until_hint(brief.said)
        if len(begun) < len(brief.said) and (said := whole_answer(begun)):
            earlier = replace(brief, answer=said, said=begun)
            before = await asyncio.to_thread(mark_code, earlier, rubric, earlier.check(rubric))
            scored = replace(scored, marks=conversation.earlier_if_better(scored.marks, before.marks, or_equal=True))
        shown = scored
        if brief.said:
            proven = proven_before_hint(rubric, brief.said, brief.kind)
            shown = replace(scored, marks=after_hint(scored.marks, before_hint(brief.said), proven))
        follow_ups = [one.text for one in brief.said if one.kind is Kind.FOLLOW_UP]
        feedback = write_feedback(rubric, shown, follow_ups, fails=check.fails)
        for piece in _sentences(feedback):
            yield Piece(piece)
        marks = tuple(mark.model_dump(mode="json") for mark in scored.marks)
        yield VerdictDraft(feedback, scored.nature.value, marks, {index: mark.value for index, mark in scored.doubts.items()})

    async def reply(self, brief: ReplyBrief) -> AsyncIterator[Piece | ReplyDraft]:
        """Yield the reply to a clarifying question, or a hint, in pieces and then as a whole."""
        rubric = Rubric.model_validate(brief.rubric)
        if brief.kind is Kind.HINT:
            text = conversation.hint(rubric)
        else:
            text = await asyncio.to_thread(conversation.clarification, rubric, brief.said[-1].text)
        for piece in _sentences(text):
            yield Piece(piece)
        yield ReplyDraft(text)

    async def analyse_job(self, text: str) -> AsyncIterator[Document]:
        """Yield the profile of a job description, worded as in the description."""
        yield (await asyncio.to_thread(job_match.find, text)).model_dump(mode="json")

    async def close(self) -> None:
        """Do nothing, because there are no connections."""


def _sentences(text: str) -> Iterator[str]:
    """Split a text into sentences. Joining them gives the text again."""
    yield from re.findall(r".+?(?:[.!?:]\s+|\n+|$)", text, re.DOTALL)
