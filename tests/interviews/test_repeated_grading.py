"""Repeated gradings of one answer, and locating their quotes in it."""

from __future__ import annotations

from statistics import median_low

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interviewer.interviews.evidence import segments
from interviewer.interviews.repeated_grading import MIN_DOUBTS, Grading, likely_range, median_grading, settled, spread
from interviewer.interviews.rubric import AnswerNature, KeyPoint, Mark, MarkedPoint, Rubric, folded, score

RUBRIC = Rubric(key_points=tuple(KeyPoint(point=f"Point {n}", weight=n) for n in (1, 2, 3)), model_answer="All of it.")
ORDER = [Mark.MISSED, Mark.PARTIAL, Mark.HIT]


def grading(*marks: Mark, nature: AnswerNature = AnswerNature.ANSWER, says: str = "") -> Grading:
    return Grading(tuple(MarkedPoint(key_point=n, mark=mark, quote=says) for n, mark in enumerate(marks)), nature)


MARKS = st.tuples(*[st.sampled_from(ORDER)] * 3)


@given(st.lists(MARKS, min_size=1, max_size=9))
def test_each_mark_is_its_median(given_marks: list[tuple[Mark, Mark, Mark]]) -> None:
    found = median_grading([grading(*marks) for marks in given_marks])
    for number, mark in enumerate(found.marks):
        ranks = [ORDER.index(marks[number]) for marks in given_marks]
        assert ORDER.index(mark.mark) == median_low(ranks)


@given(st.lists(MARKS, min_size=1, max_size=9))
def test_extremes_are_ordered_and_equal_if_gradings_agree(given_marks: list[tuple[Mark, Mark, Mark]]) -> None:
    gradings = [grading(*marks) for marks in given_marks]
    low, high = spread(RUBRIC, gradings)
    middle = median_grading(gradings)
    assert 0 <= low <= high <= 10
    if len(set(given_marks)) == 1:
        assert low == high == score(RUBRIC, middle.marks, middle.nature)


def test_quote_is_one_given_for_the_median_mark() -> None:
    gradings = [
        grading(Mark.HIT, Mark.HIT, Mark.HIT, says="a"),
        grading(*[Mark.PARTIAL] * 3, says="b"),
        grading(*[Mark.MISSED] * 3),
    ]
    assert {mark.quote for mark in median_grading(gradings).marks} == {"b"}


def test_majority_decides_whether_it_is_an_answer() -> None:
    off = grading(*[Mark.MISSED] * 3, nature=AnswerNature.OFF_TOPIC)
    assert median_grading([grading(*[Mark.HIT] * 3), off, off]).nature is AnswerNature.OFF_TOPIC


@pytest.mark.parametrize(("first", "second", "counts"), [(4, 4, 4), (4, 5, 5), (10, 0, 5), (3, 8, 6), (0, 1, 1)])
def test_appeal_score_is_the_mean_rounded_half_up(first: int, second: int, counts: int) -> None:
    assert settled(first, second) == settled(second, first) == counts


@given(st.text(max_size=200), st.lists(st.text(max_size=30), max_size=5))
def test_segments_joined_are_the_answer(answer: str, quotes: list[str]) -> None:
    assert "".join(segment.text for segment in segments(answer, quotes)) == answer


@given(st.text(alphabet="aB ’\n\tß.", min_size=1, max_size=60), st.data())
def test_quote_from_the_answer_is_found(answer: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(answer) - 1))
    end = data.draw(st.integers(start + 1, len(answer)))
    quote = folded(answer[start:end])
    marked = "".join(segment.text for segment in segments(answer, [quote]) if segment.quote == 0)
    assert folded(marked) == quote


def test_quotes_are_marked_as_they_were_written() -> None:
    found = segments("First I  MEASURE,\nthen I change one thing.", ["i measure, then", "one thing", "not there"])
    assert [(segment.text, segment.quote) for segment in found] == [
        ("First ", -1),
        ("I  MEASURE,\nthen", 0),
        (" I change ", -1),
        ("one thing", 1),
        (".", -1),
    ]


@given(MARKS, st.dictionaries(st.integers(0, 2), st.sampled_from(list(Mark))))
def test_range_of_a_doubtful_score_holds_the_score(given_marks: tuple[Mark, Mark, Mark], doubts: dict[int, Mark]) -> None:
    one = Grading(grading(*given_marks).marks, AnswerNature.ANSWER, doubts)
    low, high = likely_range(RUBRIC, one)
    if len(doubts) < MIN_DOUBTS:
        assert (low, high) == (None, None)
    else:
        assert low is not None
        assert high is not None
        assert 0 <= low <= score(RUBRIC, one.marks, one.nature) <= high <= 10


def test_doubtful_marks_are_decided_both_ways() -> None:
    one = Grading(grading(Mark.HIT, Mark.PARTIAL, Mark.MISSED).marks, AnswerNature.ANSWER, {1: Mark.HIT, 2: Mark.PARTIAL})
    assert score(RUBRIC, one.marks, one.nature) == 3
    assert likely_range(RUBRIC, one) == (3, 8)
