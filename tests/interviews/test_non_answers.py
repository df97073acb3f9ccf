"""Distinguish answers from replies that decline to answer."""

from __future__ import annotations

import pytest

from interviewer.interviews.non_answers import admits_ignorance


@pytest.mark.parametrize(
    "said",
    [
        "pass",
        "Skip.",
        "I'd rather skip this one",
        "Pass, please",
        "I don't know",
        "Not sure.",
        "Never heard of it",
        "I have never used it",
        "I'm not sure about this",
        "idk",
    ],
)
def test_declining_is_a_non_answer(said: str) -> None:
    assert admits_ignorance(said)


@pytest.mark.parametrize(
    "said",
    [
        "Pass by value copies it",
        "a skip list",
        "An index that is never used costs writes",
        "We pass the id along",
        "SELECT ... FOR UPDATE SKIP LOCKED lets workers skip rows that are taken",
    ],
)
def test_technical_terms_are_not_declining(said: str) -> None:
    assert not admits_ignorance(said)
