"""The sample on the landing page matches what the built-in interviewer would say."""

from __future__ import annotations

from interviewer.grading.bank.loader import load_bank
from interviewer.grading.judge import mark_answer
from interviewer.interviews.rubric import Mark, folded, score
from interviewer.interviews.samples import SAMPLE_VERDICT


def test_sample_verdict_matches_built_in_interviewer() -> None:
    question = load_bank()[SAMPLE_VERDICT.bank_id]
    assert folded(question.prompt) == folded(SAMPLE_VERDICT.question)
    scored = mark_answer(question.prompt, question.rubric, SAMPLE_VERDICT.answer, question.kind)
    assert [point.point for point in question.rubric.key_points] == [mark.point for mark in SAMPLE_VERDICT.marks]
    assert [mark.mark is Mark.HIT for mark in scored.marks] == [bool(mark.quote) for mark in SAMPLE_VERDICT.marks]
    assert score(question.rubric, scored.marks, scored.nature) == SAMPLE_VERDICT.score


def test_every_sample_quote_occurs_once_in_its_answer() -> None:
    for mark in SAMPLE_VERDICT.marks:
        assert not mark.quote or SAMPLE_VERDICT.answer.count(mark.quote) == 1
