"""The landing page's sample says what the interviewer would say."""

from __future__ import annotations

from interviewer.grading.bank.loader import load_bank
from interviewer.grading.judge import mark_answer
from interviewer.interviews.rubric import Mark, folded, score
from interviewer.interviews.samples import SAMPLE_VERDICT


def test_the_sample_verdict_is_the_built_in_interviewers() -> None:
    question = load_bank()[SAMPLE_VERDICT.bank_id]
    assert folded(question.prompt) == folded(SAMPLE_VERDICT.question)
    scored = mark_answer(question.prompt, question.rubric, SAMPLE_VERDICT.answer, question.kind)
    assert [point.point for point in question.rubric.key_points] == [mark.point for mark in SAMPLE_VERDICT.marks]
    assert [mark.mark is Mark.HIT for mark in scored.marks] == [bool(mark.quote) for mark in SAMPLE_VERDICT.marks]
    assert score(question.rubric, scored.marks, scored.nature) == SAMPLE_VERDICT.score


def test_every_quote_of_the_sample_stands_in_its_answer_once() -> None:
    for mark in SAMPLE_VERDICT.marks:
        assert not mark.quote or SAMPLE_VERDICT.answer.count(mark.quote) == 1
