"""Telling clarifying questions from answers: on examples, on the bank's questions, and on whole answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from interviewer.grading.bank.loader import load_bank
from interviewer.interviews.clarifying import MAX_LENGTH, is_clarifying_question, may_be_question
from tests.interviews.clarifying_examples import ANSWERS, QUESTIONS

TRAINING = Path(__file__).parents[2] / "training" / "data"
MIN_RECALL, MAX_FALSE_ALARMS = 0.9, 0.01


def share(texts: Sequence[str]) -> float:
    """Return the share of texts that are taken for clarifying questions."""
    return sum(map(is_clarifying_question, texts)) / len(texts)


def training_data() -> list[dict[str, list[dict[str, str]]]]:
    """Return what was written about each question to train the built-in judge."""
    rows = [json.loads(line) for path in sorted(TRAINING.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    return [row for row in rows if "answers" in row]


def test_clarifying_questions_are_recognized() -> None:
    assert len(QUESTIONS) >= 120
    assert share(QUESTIONS) >= MIN_RECALL, [text for text in QUESTIONS if not is_clarifying_question(text)]


def test_foreseen_questions_are_recognized() -> None:
    """The bank's own, and those as candidates would type them."""
    foreseen = [one.ask for question in load_bank().values() for one in question.rubric.clarifications]
    typed = [one["ask"] for row in training_data() for one in row["clarifying"]]
    assert min(len(foreseen), len(typed)) > 500
    assert share(foreseen) >= MIN_RECALL
    assert share(typed) >= MIN_RECALL


def test_answers_that_look_like_questions_are_answers() -> None:
    assert len(ANSWERS) >= 100
    assert share(ANSWERS) < MAX_FALSE_ALARMS, [text for text in ANSWERS if is_clarifying_question(text)]


def test_whole_answers_are_answers() -> None:
    answers = [answer["text"] for row in training_data() for answer in row["answers"]]
    answers += [question.rubric.model_answer for question in load_bank().values()]
    assert len(answers) > 1500
    assert share(answers) < MAX_FALSE_ALARMS


def test_model_may_take_every_clarifying_question_for_one() -> None:
    assert all(map(may_be_question, QUESTIONS)), [text for text in QUESTIONS if not may_be_question(text)]
    assert all(may_be_question(one.ask) for question in load_bank().values() for one in question.rubric.clarifications)
    assert may_be_question("Sind das ein oder mehrere Rechenzentren, und wie viele Nutzer greifen gleichzeitig darauf zu?")
    assert may_be_question("読み取りと書き込みの比率はどのくらいですか？")


def test_model_may_take_no_whole_answer_for_a_question() -> None:
    """Whatever it says, an answer of many words is judged."""
    whole = [answer["text"] for row in training_data() for answer in row["answers"]]
    whole = [text for text in whole if len(text.split()) > 40 and "?" not in text]
    whole += [question.rubric.model_answer for question in load_bank().values()]
    assert len(whole) > 1000
    assert not any(map(may_be_question, whole))


@pytest.mark.parametrize("text", ["", "?", "???", "\n\n", "...", "?!", "```\n?\n```", "`x`?"])
def test_text_without_words_is_no_question(text: str) -> None:
    assert not is_clarifying_question(text)


def test_typographic_apostrophes_make_no_difference() -> None:
    assert is_clarifying_question("I’d need to know whether the writes are idempotent.")
    assert not is_clarifying_question("I’d add an index on the key. Does that make sense?")


@pytest.mark.parametrize("piece", ["? ", "a, ", "is it ", "`", "“", "= ", " ? ", "select ", "and ", "U. s"])
def test_no_text_makes_the_patterns_backtrack(piece: str) -> None:
    """One that does would take minutes, and the timeout of the tests would end it."""
    text = (piece * MAX_LENGTH)[:MAX_LENGTH]
    assert not is_clarifying_question(text)
    may_be_question(text)
