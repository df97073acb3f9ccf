"""Key points derived from a reference answer."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from interviewer.grading.reference import rubric_from_reference
from interviewer.interviews.rubric import MAX_KEY_POINTS, KeyPoint, Rubric

QUESTION = "How does a B-tree index help a query?"


def points(reference: str, question: str = QUESTION) -> list[str]:
    return [key_point.point for key_point in rubric_from_reference(question, reference).key_points]


def test_sentences_become_key_points() -> None:
    reference = (
        "It keeps keys sorted. A lookup reads few pages, e.g. three or four. Version 1.5 made it smaller. Writes cost more."
    )
    assert points(reference) == [
        "It keeps keys sorted.",
        "A lookup reads few pages, e.g. three or four.",
        "Version 1.5 made it smaller.",
        "Writes cost more.",
    ]


def test_list_markers_are_removed_and_headings_joined() -> None:
    reference = "Advantages:\n1. fast lookups\n2.range scans\n - sorted output that spares a step of its own\n   at the end\n• fewer pages\ni) less disk"
    assert points(reference) == [
        "Advantages: fast lookups",
        "range scans",
        "sorted output that spares a step of its own at the end",
        "fewer pages",
        "less disk",
    ]


def test_text_that_only_resembles_a_list_marker_is_kept() -> None:
    lines = ["-5 is less than 0", "*args is a tuple", "--help prints help", "e.g. this one"]
    assert points("\n".join(lines)) == lines


def test_repeated_question_is_dropped() -> None:
    found = points(f"{QUESTION} It keeps keys sorted. Lookups read few pages. Writes cost more.")
    assert found == ["It keeps keys sorted.", "Lookups read few pages.", "Writes cost more."]


def test_too_many_points_are_merged_shortest_first() -> None:
    items = ["a very long thing that is said", "x y", "z w", *(f"another longish item {number}" for number in range(4))]
    found = points("\n".join(items))
    assert len(found) == MAX_KEY_POINTS
    assert found[1] == "x y; z w"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (
            "It keeps keys sorted, which makes ranges cheap, and lookups read few pages",
            ["It keeps keys sorted", "which makes ranges cheap", "and lookups read few pages"],
        ),
        ("Lookups get faster and writes get slower", ["Lookups get faster", "writes get slower"]),
        ("It shrinks by a factor of 10, e.g. 300m to 30m.", ["It shrinks by a factor of 10, e.g. 300m to 30m."]),
        ("There is a connection between sender and receiver", ["There is a connection between sender and receiver"]),
        ("7", ["The answer is 7"]),
    ],
)
def test_short_reference_is_split_at_clauses(reference: str, expected: list[str]) -> None:
    assert points(reference) == expected


def test_longer_key_points_weigh_more() -> None:
    reference = (
        "Yes.\nIt keeps keys in order so that ranges are cheap to read.\n" + "Much more is said about this point. "[:-1] * 3
    )
    weights = [key_point.weight for key_point in rubric_from_reference(QUESTION, reference).key_points]
    assert weights[0] == 1
    assert max(weights) >= 2


@pytest.mark.parametrize("reference", ["", " \n", "..."])
def test_reference_without_words_is_refused(reference: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        rubric_from_reference(QUESTION, reference)


@example("0.:", "")
@given(st.text(max_size=400) | st.text(alphabet="ab1.,;:- \n", max_size=3000), st.text(max_size=50))
def test_any_reference_with_a_word_makes_a_stable_rubric(reference: str, question: str) -> None:
    assume(re.search(r"\w", reference))
    rubric = rubric_from_reference(question, reference)
    assert 1 <= len(rubric.key_points) <= MAX_KEY_POINTS
    assert rubric == rubric_from_reference(question, reference)


def test_only_an_imported_rubric_may_be_short() -> None:
    one = (KeyPoint(point="one", weight=1),)
    assert Rubric(key_points=one, model_answer="m", imported=True)
    with pytest.raises(ValueError, match="at least 3"):
        Rubric(key_points=one, model_answer="m")
