"""The built-in interviewer: questions from the bank and verdicts from the built-in judge, without a model or network access."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Iterator, Sequence

from interviewer.core.documents import Document
from interviewer.grading import job_match, selection
from interviewer.grading.judge import Scored, mark_answer
from interviewer.interviews.interviewer import AnswerBrief, Piece, QuestionBrief, QuestionDraft, VerdictDraft
from interviewer.interviews.rubric import AnswerNature, Mark, MarkedPoint, Rubric
from interviewer.interviews.topics import AnswerKind

MAX_FEEDBACK_QUOTE = 120


class BuiltinInterviewer:
    """Implements `interviews.interviewer.Interviewer` without a model or network access."""

    name = "builtin"
    model = "question-bank"
    deterministic = True

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng or random.Random()

    async def ask(self, brief: QuestionBrief) -> AsyncIterator[Piece | QuestionDraft]:
        """Yield the text of a question from the bank in pieces, then the question. Raises no InterviewerError."""
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
            rubric=question.rubric.model_dump(mode="json"),
            bank_id=question.id,
        )

    async def judge(self, brief: AnswerBrief) -> AsyncIterator[Piece | VerdictDraft]:
        """Yield the feedback in pieces, then the verdict. The feedback quotes the answer and names what is missing."""
        rubric = Rubric.model_validate(brief.rubric)
        scored = await asyncio.to_thread(mark_answer, brief.prompt, rubric, brief.answer, AnswerKind(brief.kind))
        feedback = write_feedback(rubric, scored)
        for piece in _sentences(feedback):
            yield Piece(piece)
        yield VerdictDraft(feedback, scored.nature.value, tuple(mark.model_dump(mode="json") for mark in scored.marks))

    async def analyse_job(self, text: str) -> AsyncIterator[Document]:
        """Yield the profile of a job description, worded as in the description."""
        yield (await asyncio.to_thread(job_match.find, text)).model_dump(mode="json")

    async def close(self) -> None:
        """Do nothing, because there are no connections."""


def _sentences(text: str) -> Iterator[str]:
    """Split a text into sentences. Joining them gives the text again."""
    yield from re.findall(r".+?(?:[.!?:]\s+|\n+|$)", text, re.DOTALL)


def write_feedback(rubric: Rubric, scored: Scored) -> str:
    """Return the feedback: what was good, half-way there and missing, and one thing to improve next.

    Quotes from the answer show what was good or half-way there.
    """
    by_mark = {mark: [found for found in scored.marks if found.mark is mark] for mark in Mark}
    hits, partial, missed = (_heaviest_first(rubric, by_mark[mark]) for mark in (Mark.HIT, Mark.PARTIAL, Mark.MISSED))
    parts = [_opening(scored.nature, rubric, hits, missed)]
    if hits:
        parts.append(
            "What was good\n" + "\n".join(f"• {_point(rubric, mark)} — you said “{_short(mark.quote)}”" for mark in hits)
        )
    if partial:
        parts.append(
            "Half-way there\n"
            + "\n".join(f"• {_point(rubric, mark)} — “{_short(mark.quote)}” touches it but stops short" for mark in partial)
        )
    if missed:
        parts.append("What was missing\n" + "\n".join(f"• {_point(rubric, mark)}" for mark in missed))
    parts.append(_next_step(rubric, partial, missed))
    return "\n\n".join(parts)


def _heaviest_first(rubric: Rubric, marks: Sequence[MarkedPoint]) -> list[MarkedPoint]:
    return sorted(marks, key=lambda mark: -rubric.key_points[mark.key_point].weight)


def _point(rubric: Rubric, mark: MarkedPoint) -> str:
    return rubric.key_points[mark.key_point].point.rstrip(".")


def _short(quote: str) -> str:
    flat = " ".join(quote.split()).rstrip(".;,")
    return flat if len(flat) <= MAX_FEEDBACK_QUOTE else flat[: MAX_FEEDBACK_QUOTE - 1].rsplit(None, 1)[0] + "…"


def _opening(nature: AnswerNature, rubric: Rubric, hits: Sequence[MarkedPoint], missed: Sequence[MarkedPoint]) -> str:
    """Return the first sentence, an overall impression based on the share of the weight whose key points were fully made."""
    if nature is AnswerNature.NON_ANSWER:
        return "This does not answer the question yet. In an interview, say what you do know and reason from there: it often earns half of the credit."
    if nature is AnswerNature.OFF_TOPIC:
        return "This does not speak to what was asked, or only lists words without saying how they fit together."
    total = sum(key_point.weight for key_point in rubric.key_points)
    share = sum(rubric.key_points[mark.key_point].weight for mark in hits) / total
    if not missed and share > 0.8:
        return "A complete answer: it makes every point that an interviewer would listen for."
    if share >= 0.7:
        return "A strong answer that makes the points that matter most."
    if share >= 0.4:
        return "A solid start: part of what matters is here, and some of it still has to be said."
    return "A beginning, but most of what an interviewer would listen for is not in it yet."


def _next_step(rubric: Rubric, partial: Sequence[MarkedPoint], missed: Sequence[MarkedPoint]) -> str:
    """Return the one thing to improve: the heaviest key point that was not fully made.

    If there is none, it is the follow-up question or a general suggestion.
    """
    weak = _heaviest_first(rubric, [*missed, *partial])
    if weak:
        return f"Next time: begin with the point that weighs most here — {_point(rubric, weak[0])}. Then back it with an example of your own."
    return (
        f"To go further, be ready for this follow-up: {rubric.follow_up}"
        if rubric.follow_up
        else "Next time: add a measured example of your own."
    )
