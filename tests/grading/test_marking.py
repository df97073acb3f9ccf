"""Marks from fixed probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from interviewer.grading.learned.labels import MADE, NOTHING, PARTIAL, WRONG
from interviewer.grading.learned.marking import asserted, mark, mark_all
from interviewer.grading.learned.reading import Reading
from interviewer.grading.learned.sentences import Span

SPANS = (Span(0, 10), Span(11, 20), Span(21, 30))
NO = (0.97, 0.01, 0.01, 0.01)
VAGUE = (0.2, 0.7, 0.05, 0.05)
YES = (0.03, 0.05, 0.9, 0.02)
OPPOSITE = (0.03, 0.05, 0.02, 0.9)
EITHER = (0.02, 0.03, 0.4, 0.55)


def reading(whole: tuple[float, ...], *each: tuple[float, ...]) -> Reading:
    return Reading(np.array(whole, dtype=np.float32), SPANS[: len(each)], np.array(each, dtype=np.float32), 0.5)


@pytest.mark.parametrize(
    ("found", "label", "quote"),
    [
        (reading(YES, NO, YES, NO), MADE, SPANS[1]),
        (reading(OPPOSITE, NO, NO, OPPOSITE), WRONG, SPANS[2]),
        (reading(VAGUE, VAGUE, NO), PARTIAL, SPANS[0]),
        (reading(NO, NO, NO), NOTHING, None),
    ],
)
def test_best_sentence_is_the_quote(found: Reading, label: int, quote: Span | None) -> None:
    marked = mark(found)
    assert (marked.label, marked.quote) == (label, quote)


def test_surer_contradiction_beats_the_point() -> None:
    assert mark(reading((0.05, 0.05, 0.3, 0.6), YES, OPPOSITE)).label == WRONG


def test_contradiction_in_the_same_sentence_beats_the_point() -> None:
    assert mark(reading((0.05, 0.05, 0.5, 0.4), NO, EITHER)).label == WRONG


def test_later_correction_wins() -> None:
    """All sentences together then say the point, although the first one says its opposite."""
    marked = mark(reading((0.02, 0.03, 0.8, 0.15), OPPOSITE, YES))
    assert (marked.label, marked.quote) == (MADE, SPANS[1])


def test_wrong_and_absent_points_earn_nothing() -> None:
    assert mark(reading(OPPOSITE, OPPOSITE)).share == 0
    assert mark(reading(NO, NO)).share == 0


def test_share_rises_with_the_evidence() -> None:
    weak, strong = (0.5, 0.2, 0.28, 0.02), (0.3, 0.2, 0.48, 0.02)
    assert 0 < mark(reading(weak, weak)).share < mark(reading(strong, strong)).share < mark(reading(YES, YES)).share == 1


def test_false_belief_needs_a_sure_reading() -> None:
    found = asserted(reading(YES, NO, YES))
    assert found is not None
    assert found.quote == SPANS[1]
    assert asserted(reading(OPPOSITE, OPPOSITE)) is None
    assert asserted(reading(EITHER, EITHER)) is None
    assert asserted(reading(NO, NO)) is None


def test_each_point_gets_its_own_quote_if_it_can() -> None:
    sure, also = (0.01, 0.02, 0.95, 0.02), (0.1, 0.1, 0.7, 0.1)
    first, second = mark_all([reading(YES, sure, NO), reading(YES, YES, also)])
    assert (first.quote, second.quote) == (SPANS[0], SPANS[1])


def test_points_share_a_sentence_that_alone_says_both() -> None:
    first, second = mark_all([reading(YES, YES, NO), reading(YES, YES, NO)])
    assert first.quote == second.quote == SPANS[0]


def test_vague_mention_counts_less_in_an_answer_about_something_else() -> None:
    found = reading((0.45, 0.5, 0.03, 0.02), (0.45, 0.5, 0.03, 0.02))
    assert mark(found).label == mark(found, alike=0.8).label == PARTIAL
    assert mark(found, alike=0.45).label == NOTHING
    assert mark(found, own=0.45).label == NOTHING, "nor in one that is about everything but this point"


def test_mark_names_the_other_one_that_is_about_as_likely() -> None:
    close = (0.02, 0.44, 0.5, 0.04)
    assert mark(reading(close, close)).other == PARTIAL
    assert mark(reading(YES, YES)).other is None
    assert mark(reading((0.5, 0.0, 0.02, 0.48), (0.5, 0.0, 0.02, 0.48))).other is None, "neither earns anything"
