"""Cutting answers into sentences, and choosing those to read."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from interviewer.grading.learned.packing import MOST_OF_CRITERION, MOST_OF_SEGMENT, MOST_PLACES, MOST_SEGMENTS
from interviewer.grading.learned.sentences import MAX_SENTENCES, MOST_CHARACTERS, sentences
from interviewer.grading.learned.shortlist import COMMON, MOST, ROOM, distinctive, shortlist, speaking


def texts(answer: str) -> list[str]:
    return [answer[span.start : span.end] for span in sentences(answer)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("It fits. It doesn't!", ["It fits.", "It doesn't!"]),
        ("Use a log, e.g. Kafka. Done.", ["Use a log, e.g. Kafka.", "Done."]),
        ("Version 3.5 of asyncio.run is fine", ["Version 3.5 of asyncio.run is fine"]),
        ("first; second\n- third", ["first;", "second", "- third"]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("...", []),
        ("", []),
    ],
)
def test_sentences_end_where_readers_would_say(answer: str, expected: list[str]) -> None:
    assert texts(answer) == expected


def test_code_is_cut_at_line_ends() -> None:
    code = "```python\n" + "".join(f"line_{number} = f(a. b)\n" for number in range(9)) + "```"
    found = texts(f"Like this: {code}\nIt works.")
    assert found[0] == "Like this:"
    assert found[-1] == "It works."
    assert all(line in "\n".join(found).split("\n") for line in code.split("\n") if line != "```")


def test_long_sentences_are_cut_between_words() -> None:
    found = texts("word " * 400)
    assert all(len(text) <= MOST_CHARACTERS for text in found)
    assert " ".join(found).split() == ["word"] * 400


def test_spans_are_ordered_and_exact() -> None:
    answer = "  One.  Two!\n\n```\nthree()\n```\nFour"
    spans = sentences(answer)
    assert all(first.end <= second.start for first, second in pairwise(spans))
    assert all(answer[span.start : span.end].strip() == answer[span.start : span.end] for span in spans)


def test_many_short_sentences_are_joined() -> None:
    answer = "a. " * 9_000
    spans = sentences(answer)
    assert len(spans) <= MAX_SENTENCES
    assert "".join(answer[span.start : span.end] for span in spans).count("a") == 9_000


def test_shortlist_takes_the_most_alike_in_order() -> None:
    likeness = np.array([0.1, 0.9, 0.3, 0.8], dtype=np.float32)
    assert shortlist(likeness, [10, 10, 10, 10], most=2) == [1, 3]


def test_small_talk_is_not_read() -> None:
    cosines = np.array([[0.9, 0.11, 0.13], [-0.2, -0.1, -0.3]], dtype=np.float32)
    found = speaking(cosines, cosines)
    assert shortlist(found[0], [10, 10, 10]) == [0, 2]
    assert shortlist(found[1], [10, 10, 10]) == [1]


def test_shortlist_keeps_within_its_room() -> None:
    likeness = np.array([0.1, 0.9, 0.3, 0.8], dtype=np.float32)
    assert shortlist(likeness, [10, 100, 10, 60], most=3, room=130) == [0, 1, 2]
    assert shortlist(likeness, [500, 500, 500, 500], most=3, room=130) == [1]


def test_longest_sequence_has_places_in_the_network() -> None:
    assert MOST <= MOST_SEGMENTS
    assert MOST_OF_SEGMENT <= ROOM
    assert MOST_OF_CRITERION + 2 + ROOM + MOST <= MOST_PLACES


def test_sentence_like_every_criterion_is_less_distinctive() -> None:
    cosines = np.array([[0.6, 0.5], [0.6, 0.1]], dtype=np.float32)
    found = distinctive(cosines)
    assert cosines[0, 0] > cosines[0, 1]
    assert found[0, 0] < found[0, 1]
    assert found[0, 1] == np.float32(0.5 - COMMON * 0.3)
