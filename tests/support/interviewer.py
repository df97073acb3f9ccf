"""A small scripted interviewer for tests, which records its requests and can fail, wait, or misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from interviewer.core.documents import Document
from interviewer.errors import InterviewerRefused
from interviewer.interviews.interviewer import (
    AnswerBrief,
    FollowUpDraft,
    FollowUpPiece,
    Judging,
    Piece,
    QuestionBrief,
    QuestionDraft,
    ReplyBrief,
    ReplyDraft,
    VerdictDraft,
)

RUBRIC: dict[str, Any] = {
    "key_points": [
        {"point": "Names the first thing", "weight": 3},
        {"point": "Names the second thing", "weight": 2},
        {"point": "Names the third thing", "weight": 1},
    ],
    "model_answer": "The first thing, the second thing and the third thing.",
    "follow_up": "And the fourth?",
}


class ScriptedInterviewer:
    """An `Interviewer` for tests. An answer makes a key point if it contains the point's ordinal: first, second, or third.

    If a test sets `detects_questions`, every message that ends with a question mark is taken for a clarifying question.
    """

    name = "scripted"
    model = "test"
    deterministic = False
    max_follow_ups = 2
    detects_questions = False
    prompt_version: str | None = "test-prompts"

    def __init__(self) -> None:
        self.question_briefs: list[QuestionBrief] = []
        self.answer_briefs: list[AnswerBrief] = []
        self.ask_errors: list[Exception] = []
        self.judge_errors: list[Exception] = []
        self.job_errors: list[Exception] = []
        self.reply_briefs: list[ReplyBrief] = []
        self.reply_errors: list[Exception] = []
        self.follow_ups: list[str] = []
        self.marks: Sequence[Document] | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.rubric = RUBRIC
        self.hold_verdicts = False
        self.called = asyncio.Event()  # set by the first answer or question of the candidate
        self.verdict_gate = asyncio.Event()

    async def ask(self, brief: QuestionBrief) -> AsyncIterator[Piece | QuestionDraft]:
        self.question_briefs.append(brief)
        yield Piece(f"Question {brief.topic_id}.")
        await self.gate.wait()
        if self.ask_errors:
            raise self.ask_errors.pop(0)
        yield Piece(f"{brief.number}?")
        kind = "code" if brief.must_be_code else "text"
        yield QuestionDraft(f"Question {brief.topic_id}.{brief.number}?", "Subtopic", "mid-level", kind, self.rubric)

    async def judge(self, brief: AnswerBrief) -> AsyncIterator[Judging]:
        self.answer_briefs.append(brief)
        self.called.set()
        if self.judge_errors and isinstance(self.judge_errors[0], InterviewerRefused):
            raise self.judge_errors.pop(0)  # a content filter refuses before anything is written
        if brief.may_clarify and brief.said[-1].text.endswith("?"):
            async for piece in self._clarification():
                yield piece
            return
        if brief.may_follow_up and self.follow_ups:
            async for item in self._follow_up():
                yield item
            return
        yield Piece("Well ")
        await self.gate.wait()
        if self.hold_verdicts:
            await self.verdict_gate.wait()
        if self.judge_errors:
            raise self.judge_errors.pop(0)
        yield Piece("said.")
        yield VerdictDraft("Well said.", "answer", self.marks if self.marks is not None else _marks(brief.answer))

    async def _follow_up(self) -> AsyncIterator[FollowUpPiece | FollowUpDraft]:
        yield FollowUpPiece(self.follow_ups[0][:4])
        await self.gate.wait()
        if self.judge_errors:
            raise self.judge_errors.pop(0)
        asked = self.follow_ups.pop(0)
        yield FollowUpPiece(asked[4:])
        yield FollowUpDraft(asked)

    async def _clarification(self) -> AsyncIterator[FollowUpPiece | ReplyDraft]:
        yield FollowUpPiece("Assume ")
        await self.gate.wait()
        if self.judge_errors:
            raise self.judge_errors.pop(0)
        yield FollowUpPiece("one region.")
        yield ReplyDraft("Assume one region.")

    async def reply(self, brief: ReplyBrief) -> AsyncIterator[Piece | ReplyDraft]:
        self.reply_briefs.append(brief)
        self.called.set()
        yield Piece("Assume ")
        await self.gate.wait()
        if self.reply_errors:
            raise self.reply_errors.pop(0)
        text = f"Assume the usual {brief.kind.value}."
        yield Piece(text[len("Assume ") :])
        yield ReplyDraft(text)

    async def analyse_job(self, text: str) -> AsyncIterator[Document]:
        await self.gate.wait()
        if self.job_errors:
            raise self.job_errors.pop(0)
        yield {"title": text.splitlines()[0][:50], "level": "senior", "stack": ["Python"]}

    async def close(self) -> None:
        return None


def _marks(answer: str) -> list[Document]:
    words = ("first", "second", "third")
    return [
        {"key_point": index, "mark": "hit" if word in answer else "missed", "quote": word if word in answer else ""}
        for index, word in enumerate(words)
    ]
