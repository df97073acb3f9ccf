"""What the built-in interviewer says between a question and its verdict: follow-ups, clarifications, and hints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from interviewer.grading.judge import Scored, mark_answer
from interviewer.grading.vectors import unit, vectors
from interviewer.interviews.exchange import Kind, Said, whole_answer
from interviewer.interviews.rubric import AnswerNature, Mark, MarkedPoint, Rubric, folded
from interviewer.interviews.topics import AnswerKind

# Key points of at least this weight are worth a follow-up.
HEAVY = 2
# A clarifying question is the foreseen one if their cosine is at least this.
FORESEEN = 0.5
MAX_QUOTE = 100
YOURS = "That's for you to decide, so say what you assume."
NO_CONTEXT = "Take that as you'd like it, and say what you assume."
NO_HINT = "Begin with what would go wrong first, and say what you would do about it."
# Words that take something back. Without one, a reply that the judge takes for right may just insist on what is wrong.
_RETRACTS = re.compile(
    r"\b(?:(?<!not )wrong|mistaken?|mistakes?|incorrect|misspoke|not (?:right|true|correct)|sorry|correct (?:that|myself|my)|correction|"
    r"actually|take (?:that|it) back|scratch that|on second thought|i was (?:off|confused)|what i meant|i meant|should have said)\b",
    re.IGNORECASE,
)
# What the candidate spoke of comes first.
_ORDER = (Mark.CONTRADICTED, Mark.PARTIAL, Mark.MISSED)


def mark_conversation(prompt: str, rubric: Rubric, answer: str, kind: AnswerKind, said: Sequence[Said]) -> Scored:
    """Mark the whole answer to a question, which may include replies to follow-ups.

    A reply never takes a mark away that was earned before, unless it contradicts the key point. The key point that a follow-up
    asked about is made if the reply to it surely makes it, read alone. Otherwise, a correction drowns in a long answer that was
    wrong before: read as one text, 1 of 38 corrections counted, and 16 count so.
    """
    scored = mark_answer(prompt, rubric, answer, kind)
    first = whole_answer(said[:-1]) if any(one.kind is Kind.FOLLOW_UP for one in said) else ""
    before = mark_answer(prompt, rubric, first, kind) if first else None
    if before is not None and before.nature is AnswerNature.ANSWER:
        scored = _not_below(scored, before)
    for asked, reply in pairwise(said):
        if asked.kind is not Kind.FOLLOW_UP or reply.kind not in (Kind.ANSWER, Kind.FINAL_ANSWER):
            continue
        for index, point in enumerate(rubric.key_points):
            if point.probe and asked.text.endswith(point.probe) and scored.marks[index].mark is not Mark.HIT:
                scored = _with_reply(scored, index, mark_answer(prompt, rubric, reply.text, kind))
    if before is None or not _RETRACTS.search(said[-1].text):
        return scored
    return replace(scored, corrected=_corrected(scored, before, first))


def _corrected(scored: Scored, before: Scored, first: str) -> tuple[MarkedPoint, ...]:
    """Return the marks of key points that what was said `first` surely contradicts, and that later words surely make."""
    return tuple(
        earlier
        for index, (mark, earlier) in enumerate(zip(scored.marks, before.marks, strict=True))
        if earlier.mark is Mark.CONTRADICTED
        and index not in before.doubts
        and surely_makes(scored, index)
        and folded(mark.quote) not in folded(first)
    )


def _not_below(scored: Scored, before: Scored) -> Scored:
    """Return the marks with those that were better before the last reply, except where the whole answer contradicts the point."""
    marks = earlier_if_better(scored.marks, before.marks)
    kept = {index: mark for index, mark in scored.doubts.items() if marks[index] is scored.marks[index]}
    return replace(scored, nature=AnswerNature.ANSWER, marks=marks, doubts=kept)


def surely_makes(scored: Scored, index: int) -> bool:
    """Return whether an answer makes a key point without doubt."""
    return scored.marks[index].mark is Mark.HIT and index not in scored.doubts


def _with_reply(scored: Scored, index: int, alone: Scored) -> Scored:
    """Return `scored` with the key point at `index` marked as in `alone`, if `alone` surely makes the point.

    `alone` is the result of marking only the reply to a follow-up. The point is then no longer in doubt. If the reply does not
    surely make the point, returns `scored` unchanged.
    """
    if not surely_makes(alone, index):
        return scored
    marks = tuple(alone.marks[index] if place == index else mark for place, mark in enumerate(scored.marks))
    return replace(scored, marks=marks, doubts={place: mark for place, mark in scored.doubts.items() if place != index})


def follow_up(rubric: Rubric, scored: Scored) -> str:
    """Return a follow-up about the heaviest key point that is missing, vague, or wrong, or an empty text.

    There is none if there is no answer, or if all heavy key points are made. An answer beside the question gets one. Key points
    that tests decide are left out, because no reply in words makes them.
    """
    if scored.nature is AnswerNature.NON_ANSWER:
        return ""
    open_marks = [
        mark for mark in scored.marks if mark.mark is not Mark.HIT and not mark.tested and rubric.key_points[mark.key_point].probe
    ]
    heavy = [mark for mark in open_marks if rubric.key_points[mark.key_point].weight >= HEAVY]
    if not heavy:
        return ""
    mark = min(heavy, key=lambda one: (-rubric.key_points[one.key_point].weight, _ORDER.index(one.mark), one.key_point))
    return f"{_lead(mark)}{rubric.key_points[mark.key_point].probe}"


def _lead(mark: MarkedPoint) -> str:
    """Return a sentence that takes up what the candidate said about the point, or nothing."""
    if mark.mark is Mark.MISSED or not mark.quote:
        return ""
    quote = " ".join(mark.quote.split()).rstrip(".,;:!?")
    if len(quote) > MAX_QUOTE:
        return ""
    return f"You said “{quote}.” "


def earlier_if_better(
    marks: Sequence[MarkedPoint], before: Sequence[MarkedPoint], *, or_equal: bool = False
) -> tuple[MarkedPoint, ...]:
    """Return the marks of a whole answer, replaced by those of its beginning where these are better.

    With `or_equal`, they also replace equally good ones, so that the quotes come from the beginning. What contradicts a key point
    later still counts, and so do the latest results of tests.
    """
    return tuple(
        earlier
        if mark.mark is not Mark.CONTRADICTED
        and not mark.tested
        and (earlier.mark.share > mark.mark.share or (or_equal and earlier.mark.share == mark.mark.share))
        else mark
        for mark, earlier in zip(marks, before, strict=True)
    )


def clarification(rubric: Rubric, asked: str) -> str:
    """Return the reply to a clarifying question: the foreseen one if the question is like it, or else what may be assumed."""
    if rubric.clarifications:
        rows = unit(vectors([asked, *(one.ask for one in rubric.clarifications)]))
        cosines = rows[1:] @ rows[0]
        if cosines.max() >= FORESEEN:
            return rubric.clarifications[int(np.argmax(cosines))].reply
    return f"{YOURS} {rubric.context}" if rubric.context else NO_CONTEXT


def hint(rubric: Rubric) -> str:
    """Return the hint for a question."""
    return rubric.hint or NO_HINT
