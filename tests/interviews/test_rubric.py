"""Scores are computed from marks, and marks need quotes as evidence."""

from __future__ import annotations

import pytest

from interviewer.interviews.rubric import AnswerNature, KeyPoint, Mark, MarkedPoint, Rubric, checked_marks, percentage, score

RUBRIC = Rubric(
    key_points=(KeyPoint(point="one", weight=3), KeyPoint(point="two", weight=2), KeyPoint(point="three", weight=1)),
    model_answer="m",
)


def marks(*given: Mark) -> list[MarkedPoint]:
    return [MarkedPoint(key_point=index, mark=mark, quote="q") for index, mark in enumerate(given)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((Mark.HIT, Mark.HIT, Mark.HIT), 10),
        ((Mark.MISSED, Mark.MISSED, Mark.MISSED), 0),
        ((Mark.HIT, Mark.MISSED, Mark.MISSED), 5),
        ((Mark.HIT, Mark.PARTIAL, Mark.MISSED), 7),  # 4 of 6: 6.67
        ((Mark.PARTIAL, Mark.MISSED, Mark.MISSED), 3),  # 1.5 of 6: exactly 2.5, half up
    ],
)
def test_score_is_ten_times_the_earned_share_half_up(given: tuple[Mark, ...], expected: int) -> None:
    assert score(RUBRIC, marks(*given), AnswerNature.ANSWER) == expected


@pytest.mark.parametrize("nature", [AnswerNature.OFF_TOPIC, AnswerNature.NON_ANSWER])
def test_non_answer_scores_at_most_three(nature: AnswerNature) -> None:
    assert score(RUBRIC, marks(Mark.HIT, Mark.HIT, Mark.HIT), nature) == 3


@pytest.mark.parametrize(
    ("quote", "answer", "proven"),
    [
        ("the index", "I add the index.", True),
        ("THE\n  INDEX", "I add the index.", True),
        ("“quoted”", 'a "quoted" word', True),
        ("the indexes", "I add the index.", False),
        ("", "I add the index.", False),
        ("   ", "I add the index.", False),
    ],
)
def test_mark_counts_only_with_a_quote_from_the_answer(quote: str, answer: str, proven: bool) -> None:
    checked = checked_marks(RUBRIC, [MarkedPoint(key_point=0, mark=Mark.HIT, quote=quote)], answer)
    assert [mark.mark for mark in checked] == [Mark.HIT if proven else Mark.MISSED, Mark.MISSED, Mark.MISSED]


def test_first_duplicate_mark_counts_and_unknown_are_dropped() -> None:
    given = [
        MarkedPoint(key_point=0, mark=Mark.PARTIAL, quote="a"),
        MarkedPoint(key_point=0, mark=Mark.HIT, quote="a"),
        MarkedPoint(key_point=5, mark=Mark.HIT, quote="a"),
    ]
    assert [mark.mark for mark in checked_marks(RUBRIC, given, "a")] == [Mark.PARTIAL, Mark.MISSED, Mark.MISSED]


@pytest.mark.parametrize(
    ("total", "judged", "expected"), [(0, 0, None), (120, 12, 100), (17, 2, 85), (1, 8, 1), (5, 12, 4), (0, 3, 0)]
)
def test_interview_score_is_a_percentage_of_judged_answers(total: int, judged: int, expected: int | None) -> None:
    assert percentage(total, judged) == expected
