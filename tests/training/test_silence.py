"""Examples of texts that say nothing about a key point."""

from __future__ import annotations

import random
from functools import cache

from interviewer.grading.learned.labels import MADE, NOTHING, PARTIAL, only
from interviewer.grading.learned.packing import Packer
from interviewer.grading.learned.runtime import WEIGHTS
from training.answers import Rarity
from training.dataset import Question, load
from training.examples import Example, segments_of
from training.silence import FILLER, SAME, Elsewhere, elsewhere, filled, noise, of_nothing, of_others, of_taken_out
from training.splits import Split


@cache
def some() -> list[Question]:
    return random.Random(2).sample(load(Split.DEVELOPMENT), 12)


@cache
def pool() -> Elsewhere:
    return elsewhere(some())


@cache
def likeness() -> tuple[Packer, Rarity]:
    packer = Packer((WEIGHTS / "pieces.txt").read_text(encoding="utf-8").rstrip("\n").split("\n"))
    return packer, Rarity(packer, [one.prompt for one in some()])


def test_answers_to_other_questions_say_nothing() -> None:
    packer, rarity = likeness()
    asked = some()[0]
    own = {segment for answer in pool().answers[asked.id] for segment in answer}
    found = list(of_others(asked, pool(), packer, rarity, random.Random(1)))
    assert len(found) > 4
    for one in found:
        assert one.segments
        assert not own & set(one.segments)
        assert set(one.labels) == {one.whole} == {only(NOTHING)}
    assert 0 < SAME < 1


def test_point_whose_sentences_are_taken_out_is_at_most_touched() -> None:
    packer, rarity = likeness()
    found = [one for asked in some() for one in of_taken_out(asked, packer, rarity, random.Random(1))]
    assert found
    sources = [
        (set(segments_of(answer.text)), quote)
        for asked in some()
        for answer in asked.spoken
        for mark, quote in zip(answer.marks, answer.quotes, strict=True)
        if mark == "made" and quote
    ]
    for one in found:
        assert one.whole == only(NOTHING, PARTIAL)
        assert any(set(one.segments) <= said and not any(text in quote for text in one.segments) for said, quote in sources)


def test_filler_and_noise_alone_say_nothing() -> None:
    found = [one for seed in range(9) for one in of_nothing(some()[0], random.Random(seed))]
    assert {one.whole for one in found} == {only(NOTHING)}
    assert any(set(one.segments) <= set(FILLER) for one in found)
    assert any(not set(one.segments) & set(FILLER) for one in found)
    assert not set(noise(random.Random(1)).split()) & set(FILLER)


def test_filler_keeps_the_labels_of_an_example() -> None:
    example = Example("point", "Criterion.", ("It makes it.", "It is near."), (only(MADE), only(NOTHING)), only(MADE))
    chance = random.Random(1)
    found = [one for one in (filled(example, chance) for _ in range(60)) if one != example]
    assert found
    for one in found:
        pairs = list(zip(one.segments, one.labels, strict=True))
        assert [pair for pair in pairs if pair[0] not in FILLER] == list(zip(example.segments, example.labels, strict=True))
        assert {label for text, label in pairs if text in FILLER} == {only(NOTHING)}
        assert one.whole == example.whole
