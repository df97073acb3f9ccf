"""Locating quotes in an answer, compared with a simple but slow implementation."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interviewer.interviews.evidence import segments
from interviewer.interviews.rubric import folded
from interviewer.interviews.user_text import MAX_ANSWER
from tests.support.steps import steps

# Letters that fold to several, combining marks, various white space, quotes, the separator, Arabic, Hangul, emoji.
CHARACTERS = "aA ’“\n\t\0\x85\u2003\u00a0ßﬁİ\u0301\u0308¨\u3099か\ufdfaع\u1100\u1161한漢字🙂\U0001f1e9\ud800."
# Steps for each character of the longest answer. Folding every character on its own would take about ten times as many.
MAX_STEPS = 5


def plainly(answer: str, quotes: list[str]) -> list[tuple[str, int]]:
    """Find quotes by folding one character at a time, and record for each character the first quote that covers it."""
    characters: list[str] = []
    origins: list[int] = []
    for position, character in enumerate(answer):
        part = " " if character.isspace() else folded(character)
        if part != " " or characters[-1:] != [" "]:
            characters.extend(part)
            origins.extend([position] * len(part))
    owner = [-1] * len(answer)
    for number, quote in enumerate(quotes):
        needle = folded(quote)
        at = "".join(characters).find(needle) if needle else -1
        for position in range(origins[at], origins[at + len(needle) - 1] + 1) if at >= 0 else ():
            owner[position] = number if owner[position] < 0 else owner[position]
    return [
        ("".join(answer[position] for position in stretch), number)
        for number, stretch in groupby(range(len(answer)), owner.__getitem__)
    ]


@settings(max_examples=200)
@given(st.data())
def test_quotes_match_the_plain_implementation(data: st.DataObject) -> None:
    answer = data.draw(st.text(alphabet=st.one_of(st.sampled_from(CHARACTERS), st.characters()), max_size=60))
    places = st.tuples(*[st.integers(0, len(answer))] * 2)
    quotes = data.draw(
        st.lists(st.one_of(st.text(CHARACTERS, max_size=4), places.map(lambda two: answer[min(two) : max(two)])), max_size=6)
    )
    assert [(one.text, one.quote) for one in segments(answer, quotes)] == plainly(answer, quotes)


def test_every_character_folds_independently() -> None:
    """Check Unicode's first two planes, which contain all characters that fold to another except some ideographs."""
    characters = "".join(map(chr, range(0x20000)))
    for begin in range(0, len(characters), MAX_ANSWER):
        answer = characters[begin : begin + MAX_ANSWER]
        quotes = [answer[at : at + 1] for at in range(0, len(answer), 997)]
        assert [(one.text, one.quote) for one in segments(answer, quotes)] == plainly(answer, quotes)


@pytest.mark.parametrize(
    "answer",
    [
        "Ünïcode\n\twith  漢字, العربية 🙂 “quotes” ",
        "\n\t \u2003",
        "\ufdfa",
        "".join(map(chr, range(0x3400, 0x3400 + MAX_ANSWER))),
    ],
    ids=["mixed", "white space", "long foldings", "all different"],
)
def test_work_to_locate_quotes_is_linear_and_small(answer: str) -> None:
    answer = (answer * MAX_ANSWER)[:MAX_ANSWER]
    quotes = [answer[at : at + 300] for at in range(0, MAX_ANSWER, MAX_ANSWER // 6)]
    assert "".join(one.text for one in segments(answer, quotes)) == answer
    assert steps(lambda: segments(answer, quotes)) < MAX_STEPS * MAX_ANSWER
