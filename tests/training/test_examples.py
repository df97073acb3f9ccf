"""The examples that the judge learns from."""

from __future__ import annotations

import hashlib
import random
from functools import cache

from interviewer.grading.learned import criteria
from interviewer.grading.learned.labels import ANY, MADE, NOT_MADE, NOT_WRONG, NOTHING, PARTIAL, WRONG, only
from interviewer.grading.learned.packing import CRITERION, MARK, MOST_OF_CRITERION, Packer
from interviewer.grading.learned.runtime import WEIGHTS
from training.answers import Rarity, of_answers, texts_of
from training.dataset import Passage, Question, load
from training.examples import (
    Example,
    answer_example,
    of_misconceptions,
    of_passages,
    of_points,
    passage_example,
    segments_of,
    statements_of,
)
from training.splits import Split

# Shorter sentences may be in two questions by chance.
LONG = 40


@cache
def packer() -> Packer:
    return Packer((WEIGHTS / "pieces.txt").read_text(encoding="utf-8").rstrip("\n").split("\n"))


@cache
def training() -> list[Question]:
    return load(Split.TRAINING)


def examples_of(question: Question) -> list[Example]:
    chance = random.Random(1)
    return [*of_points(question, chance), *of_misconceptions(question, chance), *of_passages(question, chance)]


def hashes(texts: set[str]) -> set[str]:
    return {hashlib.sha256(text.encode()).hexdigest() for text in texts if len(text) >= LONG}


def texts_of_question(question: Question) -> set[str]:
    whole = [text for _, text, _ in texts_of(question)] + [passage.text for passage in question.mixed]
    points = [*question.points, *question.others]
    single = [text for point in points for text in (point.text, point.gap, *(text for text, _ in statements_of(point)))]
    beliefs = [text for one in question.misconceptions for text in (one.claim, one.correction, *one.asserted, *one.corrected)]
    return {*whole, *single, *beliefs, *(sentence for text in whole for sentence in segments_of(text))}


def test_no_text_of_the_test_split_is_in_training() -> None:
    unseen = hashes({text for question in load(Split.TEST) for text in texts_of_question(question)})
    learned = {text for question in training() for one in examples_of(question) for text in one.segments}
    sentences = {sentence for question in training() for _, text, _ in texts_of(question) for sentence in segments_of(text)}
    assert len(unseen) > 5_000
    assert len(learned) > 15_000
    assert not unseen & hashes(learned | sentences)
    assert not unseen & hashes({text for question in training() for text in texts_of_question(question)})


def test_every_statement_is_learned_once_with_its_class() -> None:
    question = training()[0]
    found = [
        (text, label)
        for one in of_points(question, random.Random(2))
        if one.kind == "point"
        for text, label in zip(one.segments, one.labels, strict=True)
        if label != only(NOTHING)
    ]
    for point in question.points:
        for text, label in statements_of(point):
            assert label == NOTHING or found.count((text, only(label))) == 1


def test_reworded_criterion_is_not_among_its_segments() -> None:
    for question in training()[:40]:
        for one in of_points(question, random.Random(5)):
            assert all(text not in one.criterion for text in one.segments if len(text) >= LONG)


def test_what_makes_a_point_contradicts_its_opposite() -> None:
    found = [
        (point, one)
        for question in training()[:20]
        for point in question.points
        for one in of_points(question, random.Random(7))
        if one.kind == "reversed" and any(wrong in one.criterion for wrong in point.wrong)
    ]
    assert found
    for point, one in found:
        labels = dict(zip(one.segments, one.labels, strict=True))
        assert {label for text, label in labels.items() if text in point.made} == {only(WRONG)} == {one.whole}


def test_foreign_statements_say_nothing_about_a_point() -> None:
    question = training()[0]
    own = {text for text, _ in statements_of(question.points[0])}
    for one in of_points(question, random.Random(2)):
        if one.criterion.startswith(question.points[0].text):
            strange = [label for text, label in zip(one.segments, one.labels, strict=True) if text not in own]
            assert set(strange) <= {only(NOTHING)}


def test_silent_example_says_nothing_of_its_point() -> None:
    found = [one for question in training()[:5] for one in of_points(question, random.Random(6)) if one.kind == "silent"]
    assert found
    assert all(set(one.labels) == {only(NOTHING)} == {one.whole} for one in found)


def test_right_and_wrong_statements_together_are_not_nothing() -> None:
    for question in training()[:20]:
        for one in of_points(question, random.Random(3)):
            if {only(MADE), only(WRONG)} <= set(one.labels):
                assert one.whole == ANY - only(NOTHING)


def test_false_belief_is_made_by_what_asserts_it() -> None:
    question = training()[0]
    belief = question.misconceptions[0]
    labels = {
        text: label
        for one in of_misconceptions(question, random.Random(4))
        if one.kind == "misconception" and one.criterion.startswith(criteria.of_misconception(belief.claim))
        for text, label in zip(one.segments, one.labels, strict=True)
    }
    assert {labels[text] for text in belief.asserted} == {only(MADE)}
    assert {labels[text] for text in belief.corrected} == {only(WRONG)}


def test_passage_says_nothing_about_points_without_a_mark() -> None:
    passage = Passage("It is cheap. No, wait, it is dear.", {1: "made"})
    touched, silent = passage_example("x", passage, 1), passage_example("x", passage, 0)
    assert (touched.whole, touched.labels, touched.wanted) == (only(MADE), (ANY, ANY), MADE)
    assert (silent.whole, silent.labels, silent.wanted) == (only(NOTHING), (only(NOTHING),) * 2, None)


def test_mark_of_an_answer_limits_what_its_sentences_say() -> None:
    assert answer_example("strong", "x", ["a", "b"], MADE).labels == (NOT_WRONG, NOT_WRONG)
    assert answer_example("wrong", "x", ["a"], WRONG).labels == (NOT_MADE,)
    assert answer_example("vague", "x", ["a"], PARTIAL).wanted == PARTIAL
    assert answer_example("plain", "x", ["a"], NOTHING).labels == (only(NOTHING),)


def test_answers_give_sentences_of_their_own_text() -> None:
    question = training()[0]
    rarity = Rarity(packer(), [text for _, text, _ in texts_of(question)])
    found = list(of_answers(question, packer(), rarity, random.Random(5)))
    sentences = {sentence for _, text, _ in texts_of(question) for sentence in segments_of(text)}
    assert found
    assert all(set(one.segments) <= sentences for one in found)


def test_packed_places_belong_to_their_texts() -> None:
    packed = packer().pack("a cat", ["one dog", "two birds sing"])
    assert [owner for owner in packed.owners if owner != MARK] == [CRITERION] * 2 + [1] * 2 + [2] * 3
    assert len(packer().pack("word " * 500, []).ids) == MOST_OF_CRITERION + 2
