"""What the judge must tell apart although the words are the same: the truth, its opposite, and corrections."""

from __future__ import annotations

import random

import pytest

from interviewer.grading.bank.loader import BankQuestion, load_bank
from interviewer.grading.judge import Scored, mark_answer
from interviewer.grading.learned.marking import asserted
from interviewer.grading.learned.reading import read
from interviewer.grading.learned.rubrics import wanted_in
from interviewer.grading.learned.runtime import shipped
from interviewer.grading.learned.sentences import sentences
from interviewer.interviews.rubric import Mark, score
from training.dataset import Question, load
from training.splits import Split

BANK = load_bank()
# Questions that the judge was not trained on, but tuned on.
UNSEEN = load(Split.DEVELOPMENT)
STOCK = BANK["databases-lost-update-stock"]


def judged(asked: BankQuestion, answer: str) -> Scored:
    return mark_answer(asked.prompt, asked.rubric, answer, asked.kind)


def points(asked: BankQuestion, answer: str) -> int:
    scored = judged(asked, answer)
    return score(asked.rubric, scored.marks, scored.nature)


def asserts(question: Question, belief: int, statement: str) -> bool:
    """Return whether a statement alone is read as asserting a misconception of its question."""
    asked = BANK[question.id]
    criterion = wanted_in(asked.prompt, asked.rubric).misconceptions[belief]
    (reading,) = read(shipped(), statement, sentences(statement), [criterion])
    return asserted(reading) is not None


def share(found: list[bool]) -> float:
    assert len(found) > 100
    return sum(found) / len(found)


def test_opposite_of_the_truth_earns_little() -> None:
    wrong = (
        "A transaction already makes both requests run one after the other, so this can only be a caching bug. I'd read the stock first "
        "and write the new value in a second statement, outside of a transaction to keep it fast. Locks would be wrong here, since SELECT "
        "FOR UPDATE only blocks readers, and a version column doesn't help because both requests have the same version."
    )
    scored = judged(STOCK, wrong)
    assert points(STOCK, wrong) <= 1
    assert sum(mark.mark is Mark.CONTRADICTED for mark in scored.marks) >= 3
    assert scored.wrong


def test_right_answer_in_other_words_passes() -> None:
    right = (
        "Both requests see 5 in stock and both put back 4, so one sale gets lost; the default isolation level doesn't stop that. I'd push "
        "the check into the statement itself, subtract one where the stock is still at least one, and if no row came back it's sold out. "
        "When other code has to run in between, I'd lock the row up front and keep it short, or carry a version number and try again."
    )
    assert points(STOCK, right) >= 7


def test_later_correction_counts() -> None:
    plain = "If code has to run in between, I'd use SELECT ... FOR UPDATE and keep the transaction short."
    corrected = f"FOR UPDATE doesn't block other writers, so it can't help. No wait, that's wrong. {plain}"
    assert judged(STOCK, plain).marks[2].mark is Mark.HIT
    assert judged(STOCK, corrected).marks[2].mark is Mark.HIT


@pytest.mark.slow
def test_misconceptions_are_caught_and_corrections_are_not() -> None:
    beliefs = [(question, index, one) for question in UNSEEN for index, one in enumerate(question.misconceptions)]
    assert share([asserts(question, index, text) for question, index, one in beliefs for text in one.asserted]) >= 0.8
    assert share([asserts(question, index, text) for question, index, one in beliefs for text in one.corrected]) <= 0.35


@pytest.mark.slow
def test_negated_model_answers_fail() -> None:
    found = [points(BANK[question.id], question.negated) for question in UNSEEN]
    assert sum(value > 3 for value in found) <= len(found) // 20
    assert max(found) < 7


@pytest.mark.slow
def test_fluent_wrong_answers_fail_and_good_ones_pass() -> None:
    rng = random.Random(1)
    chosen = rng.sample([(question, one) for question in UNSEEN for one in question.spoken if one.kind in {"good", "wrong"}], 60)
    good = [points(BANK[question.id], one.text) for question, one in chosen if one.kind == "good"]
    wrong = [points(BANK[question.id], one.text) for question, one in chosen if one.kind == "wrong"]
    assert sum(value < 7 for value in good) / len(good) <= 0.15
    assert sum(value > 3 for value in wrong) / len(wrong) <= 0.2
