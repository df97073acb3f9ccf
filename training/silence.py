"""Examples that say nothing about a key point: answers to other questions, answers with the point removed, filler, noise."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from interviewer.grading.learned.labels import NOTHING, PARTIAL, only
from interviewer.grading.learned.packing import Packer
from training.answers import Rarity, chosen, known_of, spoken_of, texts_of
from training.dataset import DATA, Question
from training.examples import Example, criterion_of, criterion_of_belief, segments_of

# The number of examples per question in one pass that show a key point with an answer to another question, and with filler or
# noise alone.
ELSEWHERE, EMPTY = 12, 2
# The share of the answers to other questions that are to a question of the same topic.
NEAR = 0.5
# An answer to a question of the same topic may make the point after all, so it is skipped if its likeness to the point is above
# SAME, or if the topic asks for stories.
SAME = 0.45
STORIES = ("introduction", "behavioral")
# The probability that a point is shown with an answer from which its sentences were removed.
TAKEN_OUT = 0.2
# The probability that filler is inserted into a sequence, and the maximum number of sentences of it.
FILLED, MOST_FILLER = 0.12, 3
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
FILLER = tuple((DATA / "filler.txt").read_text(encoding="utf-8").splitlines())


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The correct answers to all questions of a split, as sentences, and the questions' topics. Both are keyed by question ID."""

    answers: Mapping[str, Sequence[tuple[str, ...]]]
    topics: Mapping[str, str]

    def other(self, question: Question, chance: random.Random) -> tuple[str, tuple[str, ...]]:
        """Return the topic of another question and an answer to it, chosen at random."""
        near = chance.random() < NEAR
        ids = [one for one in self.answers if one != question.id and (self.topics[one] == question.topic) == near]
        chosen_id = chance.choice(ids)
        return self.topics[chosen_id], chance.choice(self.answers[chosen_id])


def elsewhere(questions: Sequence[Question]) -> Elsewhere:
    """Return the correct answers to `questions`."""
    answers = {
        one.id: [
            segments_of(text)
            for kind, text, _ in (*texts_of(one), *spoken_of(one))
            if kind in ("strong", "plain", "non_native", "model", "spoken good")
        ]
        for one in questions
    }
    return Elsewhere(answers, {one.id: one.topic for one in questions})


def of_others(question: Question, pool: Elsewhere, packer: Packer, rarity: Rarity, chance: random.Random) -> Iterator[Example]:
    """Yield examples that show key points and a misconception with answers to other questions."""
    for _ in range(ELSEWHERE):
        point = chance.choice(question.points)
        topic, segments = pool.other(question, chance)
        known = known_of(point)
        found = chosen(segments, known, packer, rarity)
        if topic == question.topic and (topic in STORIES or max(rarity.likeness(one, known) for one in found) > SAME):
            continue
        yield silent("elsewhere", criterion_of(question, point, chance), found)
    if question.misconceptions:
        belief = chance.choice(question.misconceptions)
        _, segments = pool.other(question, chance)
        yield silent("elsewhere", criterion_of_belief(belief, chance), chosen(segments, [belief.claim], packer, rarity))


def of_nothing(question: Question, chance: random.Random) -> Iterator[Example]:
    """Yield examples that show key points with filler or noise alone."""
    for _ in range(EMPTY):
        criterion = criterion_of(question, chance.choice(question.points), chance)
        count = chance.randint(1, 2 * MOST_FILLER)
        lines = chance.sample(FILLER, count) if chance.random() < 0.6 else [noise(chance) for _ in range(count)]
        yield silent("filler", criterion, lines)


def of_taken_out(question: Question, packer: Packer, rarity: Rarity, chance: random.Random) -> Iterator[Example]:
    """Yield examples that show key points with an answer from which the sentences that make them were removed.

    The remaining sentences touch the key point at most.
    """
    for answer in question.spoken:
        segments = segments_of(answer.text)
        for point, mark, quote in zip(question.points, answer.marks, answer.quotes, strict=True):
            left = [one for one in segments if one not in quote and quote not in one]
            if mark == "made" and quote and left and chance.random() < TAKEN_OUT:
                example = silent(
                    "taken out", criterion_of(question, point, chance), chosen(left, known_of(point), packer, rarity)
                )
                allowed = only(NOTHING, PARTIAL)
                yield replace(example, labels=(allowed,) * len(example.segments), whole=allowed)


def filled(example: Example, chance: random.Random) -> Example:
    """Return the example, with probability FILLED with filler between its sentences."""
    if chance.random() >= FILLED:
        return example
    segments, labels = list(example.segments), list(example.labels)
    for line in chance.sample(FILLER, chance.randint(1, MOST_FILLER)):
        place = chance.randint(0, len(segments))
        segments.insert(place, line)
        labels.insert(place, only(NOTHING))
    return replace(example, segments=tuple(segments), labels=tuple(labels))


def silent(kind: str, criterion: str, segments: Sequence[str]) -> Example:
    """Return an example of sentences that say nothing about the criterion."""
    return Example(kind, criterion, tuple(segments), (only(NOTHING),) * len(segments), only(NOTHING))


def noise(chance: random.Random) -> str:
    """Return random letters, or random digits and punctuation."""
    letters = _LETTERS if chance.random() < 0.8 else "0123456789!?#"
    return " ".join("".join(chance.choices(letters, k=chance.randint(2, 8))) for _ in range(chance.randint(2, 12)))
