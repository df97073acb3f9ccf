"""Plans: presets, places, limits, and requests from API clients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from interviewer.interviews.plan import (
    BAD_COUNT,
    BAD_FOLLOW_UPS,
    BAD_LANGUAGE,
    BAD_LEVEL,
    BAD_TOPICS,
    FIRST_CHOICE,
    LANGUAGES,
    MAX_QUESTIONS,
    NO_FOCUS,
    SHORT,
    STANDARD,
    InvalidPlan,
    Plan,
    PlannedTopic,
    Preset,
    even,
    focus,
    plan_duration,
    plan_of,
    plan_size,
    plan_summary,
    requested,
    too_many,
)
from interviewer.interviews.progress import must_ask_for_code
from interviewer.interviews.topics import CODING, TOPICS, Level

PLANS = some.builds(
    Plan,
    some.lists(
        some.builds(PlannedTopic, some.integers(1, 6), some.integers(1, 3)),
        min_size=1,
        max_size=6,
        unique_by=lambda one: one.topic_id,
    ).map(tuple),
    some.sampled_from([None, *Level]),
    some.sampled_from(["", *LANGUAGES]),
    some.booleans(),
)


def sizes(plan: Plan) -> list[tuple[int, int]]:
    return [(one.topic_id, one.questions) for one in plan.topics]


def test_presets_have_12_6_and_6_questions() -> None:
    assert sizes(STANDARD) == [(id, 2) for id in range(1, 7)]
    assert sizes(SHORT) == [(id, 1) for id in range(1, 7)]
    assert [sizes(focus(ids)) for ids in ([4], [2, 5], [1, 2, 6])] == [[(4, 6)], [(2, 3), (5, 3)], [(1, 2), (2, 2), (6, 2)]]
    assert (STANDARD.total, SHORT.total, *(focus([1, 2, 3][:n]).total for n in (1, 2, 3))) == (12, 6, 6, 6, 6)
    assert (STANDARD.minutes, SHORT.minutes, even([1], 1).minutes) == (30, 15, 3)
    with_follow_ups = [replace(plan, follow_ups=True) for plan in (STANDARD, SHORT, even([1], 1))]
    assert [plan.minutes for plan in with_follow_ups] == [45, 23, 4]
    assert with_follow_ups[0] == FIRST_CHOICE
    for plan, preset in ((STANDARD, Preset.STANDARD), (SHORT, Preset.SHORT), (focus([3]), Preset.FOCUS), (even([1], 1), None)):
        assert plan.preset is preset
        assert replace(plan, level=Level.SENIOR, programming_language="Go", follow_ups=True).preset is preset


@pytest.mark.parametrize("ids", [[], [1, 2, 3, 4]])
def test_focus_takes_one_to_three_topics(ids: list[int]) -> None:
    with pytest.raises(InvalidPlan, match=NO_FOCUS):
        focus(ids)


@given(PLANS)
def test_every_question_has_one_place_in_topic_order(plan: Plan) -> None:
    places = [plan.place(position) for position in range(1, plan.total + 1)]
    expected = [(one.topic_id, number) for one in plan.topics for number in range(1, one.questions + 1)]
    assert [(place.topic.id, place.number) for place in places] == expected
    assert [place.topic.id for place in places if place.last_of_topic] == [one.topic_id for one in plan.topics]
    assert [position for position in range(plan.total + 2) if plan.is_last(position)] == [plan.total]
    for outside in (0, -1, plan.total + 1):
        with pytest.raises(ValueError, match="no question"):
            plan.place(outside)


@given(PLANS)
def test_plan_survives_storage(plan: Plan) -> None:
    assert plan_of(plan.document()) == plan


@given(PLANS)
def test_coding_always_asks_for_code_at_least_once(plan: Plan) -> None:
    places = [plan.place(position) for position in range(1, plan.total + 1)]
    asked = [place.topic for place in places if must_ask_for_code(place, code_asked=False)]
    assert asked == [CODING] * any(one.topic_id == CODING.id for one in plan.topics)
    assert not any(must_ask_for_code(place, code_asked=True) for place in places)


@pytest.mark.parametrize(
    ("topics", "message"),
    [
        ([], BAD_TOPICS),
        ([(1, 1), (1, 1)], BAD_TOPICS),
        ([(0, 1)], BAD_TOPICS),
        ([(7, 1)], BAD_TOPICS),
        ([(1, 0)], BAD_COUNT),
        ([(1, -1)], BAD_COUNT),
    ],
)
def test_invalid_plan_is_refused(topics: list[tuple[int, int]], message: str) -> None:
    with pytest.raises(InvalidPlan) as caught:
        Plan(tuple(PlannedTopic(*one) for one in topics))
    assert str(caught.value) == message


def test_stored_plan_may_exceed_current_limits() -> None:
    stored = Plan((PlannedTopic(1, 9), PlannedTopic(2, 30)), programming_language="COBOL")
    assert plan_of(stored.document()) == stored


@pytest.mark.parametrize("document", [{}, {"topics": 3}, {"topics": [{"id": 1}]}, {"topics": [{"id": 9, "questions": 1}]}])
def test_document_that_is_not_a_plan_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidPlan, match="not a valid plan"):
        plan_of(document)


def test_empty_request_gets_the_standard_plan() -> None:
    assert requested({}) == STANDARD == even([topic.id for topic in TOPICS], 2)


def test_request_gets_the_plan_it_describes() -> None:
    assert sizes(requested({"topics": [4, 2], "questions_per_topic": 3})) == [(4, 3), (2, 3)]
    assert sizes(requested({"topics": [5]})) == [(5, 2)]
    assert requested({"questions_per_topic": 1}) == SHORT
    assert requested({"questions_per_topic": 3}).total == MAX_QUESTIONS
    found = requested({"level": "senior", "programming_language": " go ", "follow_ups": True})
    assert (found.level, found.programming_language, found.follow_ups) == (Level.SENIOR, "Go", True)
    assert requested({"level": "", "programming_language": ""}) == STANDARD


REFUSED: dict[str, dict[str, tuple[object, ...]]] = {
    "topics": {BAD_TOPICS: ([], "1", 1, [1, 1], [0], [7], ["1"], [True], [1.0], [[1]], {"1": 2}, [10**30])},
    "questions_per_topic": {BAD_COUNT: (0, 7, -1, "2", 2.0, True, [2], 10**30), too_many(24): (4,)},
    "level": {BAD_LEVEL: ("Senior", "staff", 1, True, ["senior"], "x" * 9000)},
    "programming_language": {BAD_LANGUAGE: ("COBOL", 1, ["Go"], "Go, Rust", "x" * 9000)},
    "follow_ups": {BAD_FOLLOW_UPS: ("true", 1, 0, [])},
}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [(name, value, message) for name, found in REFUSED.items() for message, values in found.items() for value in values],
)
def test_invalid_request_is_refused_with_a_sentence(name: str, value: object, message: str) -> None:
    with pytest.raises(InvalidPlan) as caught:
        requested({name: value})
    assert str(caught.value) == message


def test_plan_is_described_in_words() -> None:
    assert plan_size(STANDARD) == "12 questions on 6 topics"
    assert plan_size(even([4], 1)) == "1 question on Databases and Data Management"
    assert plan_summary(replace(focus([2, 3]), level=Level.JUNIOR, programming_language="Go")) == (
        "6 questions on 2 topics · junior · Go"
    )
    assert plan_summary(replace(SHORT, follow_ups=True)) == "6 questions on 6 topics · with follow-ups"


@pytest.mark.parametrize(
    ("plan", "follow_ups", "words"),
    [
        (STANDARD, False, "about 30 minutes"),
        (STANDARD, True, "about 45 minutes"),
        (SHORT, False, "about 15 minutes"),
        (SHORT, True, "about 25 minutes"),
        (even([1], 1), True, "about 4 minutes"),
        (even([1, 2], 4), False, "about 20 minutes"),
        (even([1, 2, 3], 3), False, "about 25 minutes"),
    ],
)
def test_duration_is_rounded_to_five_minutes(plan: Plan, follow_ups: bool, words: str) -> None:
    assert plan_duration(replace(plan, follow_ups=follow_ups)) == words
