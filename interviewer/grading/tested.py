"""Read an answer that is code: its tests decide what they can show, and comments alone prove no behavior."""

from __future__ import annotations

from dataclasses import replace

from interviewer.grading.conversation import mark_conversation
from interviewer.grading.judge import Scored, mark_answer
from interviewer.interviews.code_check import CodeCheck
from interviewer.interviews.interviewer import AnswerBrief
from interviewer.interviews.rubric import AnswerNature, Mark, MarkedPoint, Rubric, folded
from interviewer.interviews.topics import AnswerKind


def mark_code(brief: AnswerBrief, rubric: Rubric, check: CodeCheck) -> Scored:
    """Mark what was said about a question, as `mark_conversation` does, with the results of the tests of its code.

    Key points that the tests decide have their marks, which are not in doubt. If there are no results, words in comments do not
    count for these points: they are read without the comments.
    """
    read, kind = rubric.as_read, AnswerKind(brief.kind)
    scored = mark_conversation(brief.prompt, read, brief.answer, kind, brief.said)
    if check.exercise is None:
        return scored
    if check.proven:
        nature = AnswerNature.ANSWER if check.hidden_passed else scored.nature
        return replace(_with(scored, _tested(check)), nature=nature)
    text = folded(check.uncommented)
    commented = [
        mark.key_point
        for mark in scored.marks
        if mark.key_point in check.exercise.points and mark.quote and folded(mark.quote) not in text
    ]
    if not commented:
        return scored
    bare = mark_answer(brief.prompt, read, check.uncommented, kind)
    return _with(scored, [bare.marks[point] for point in commented])


def _tested(check: CodeCheck) -> list[MarkedPoint]:
    return [MarkedPoint(key_point=point, mark=mark, tested=True) for point, mark in check.proven.items()]


def _with(scored: Scored, marks: list[MarkedPoint]) -> Scored:
    """Return what was found with other marks, which are not in doubt."""
    new = {mark.key_point: mark for mark in marks}
    doubts: dict[int, Mark] = {point: mark for point, mark in scored.doubts.items() if point not in new}
    corrected = tuple(mark for mark in scored.corrected if mark.key_point not in new)
    marked = tuple(new.get(mark.key_point, mark) for mark in scored.marks)
    return replace(scored, marks=marked, doubts=doubts, corrected=corrected)
