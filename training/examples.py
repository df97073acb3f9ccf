"""Training examples: a criterion, segments, and what each segment and all of them together say about the criterion."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from interviewer.grading.learned import criteria
from interviewer.grading.learned.labels import ANY, MADE, NAMED, NOT_MADE, NOT_WRONG, NOTHING, PARTIAL, WRONG, only
from interviewer.grading.learned.sentences import sentences
from training.dataset import Misconception, Passage, Point, Question

# The maximum number of statements about the criterion, and about other criteria, in one sequence.
OWN, FOREIGN = 3, 2
# The probability that a criterion is also shown with statements that say nothing about it.
SILENT = 0.5
# The probability that a wrong statement about a point is used as a misconception, which correct statements contradict.
REVERSED = 0.35
# The probability that a misconception is looked for without its correction.
BARE = 0.5
# The probability that a point is stated in words other than the rubric's.
REWORDED = 0.2
Statement = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Example:
    """One sequence, labeled with sets of possible classes.

    `labels` has one set for each segment, and `whole` is the set for all segments together. `wanted` is a class that at least one
    segment must have, or None.
    """

    kind: str
    criterion: str
    segments: tuple[str, ...]
    labels: tuple[int, ...]
    whole: int = ANY
    wanted: int | None = None


def statements_of(point: Point) -> list[Statement]:
    """Return the statements about a point, each with its class."""
    parts = ((point.made, MADE), (point.wrong, WRONG), (point.partial, PARTIAL), (point.near, NOTHING))
    return [(text, label) for texts, label in parts for text in texts]


def of_points(question: Question, chance: random.Random) -> Iterator[Example]:
    """Yield examples that show every statement once with its point, among statements about other points.

    Some additional examples show a point with only statements about other points, or a wrong statement as a misconception.
    """
    for kind, points in (("point", question.points), ("other", question.others)):
        pools = [statements_of(point) for point in points]
        for index, point in enumerate(points):
            foreign = [text for other, pool in enumerate(pools) if other != index for text, _ in pool]
            for own in _groups(pools[index], chance):
                said = frozenset(text for text, _ in own)
                yield _pack(kind, criterion_of(question, point, chance, said), own, foreign, chance)
            yield from _silent(criterion_of(question, point, chance), foreign, chance)
            yield from _reversed(point, foreign, chance)


def of_misconceptions(question: Question, chance: random.Random) -> Iterator[Example]:
    """Yield examples with statements that assert or reject each misconception, among statements about the key points."""
    foreign = [text for point in question.points for text in (*point.made, *point.near)]
    for one in question.misconceptions:
        own = [(text, MADE) for text in one.asserted] + [(text, WRONG) for text in one.corrected]
        for group in _groups(own, chance):
            yield _pack("misconception", criterion_of_belief(one, chance), group, foreign, chance)
        yield from _silent(criterion_of_belief(one, chance), foreign, chance)


def of_passages(question: Question, chance: random.Random) -> Iterator[Example]:
    """Yield an example for each point that a mixed passage touches, and for one point that it does not touch."""
    for passage in question.mixed:
        silent = [index for index in range(len(question.points)) if index not in passage.marks]
        for index in [*passage.marks, *chance.sample(silent, min(1, len(silent)))]:
            criterion = criterion_of(question, question.points[index], chance)
            yield passage_example(criterion, passage, index)


def passage_example(criterion: str, passage: Passage, index: int) -> Example:
    """Return an example of a passage and one point. A passage without a mark for the point says nothing about it."""
    segments = segments_of(passage.text)
    mark = NAMED[passage.marks.get(index, "nothing")]
    each = only(NOTHING) if mark == NOTHING else ANY
    return Example("passage", criterion, segments, (each,) * len(segments), only(mark), None if mark == NOTHING else mark)


def criterion_of(question: Question, point: Point, chance: random.Random, said: frozenset[str] = frozenset()) -> str:
    """Return one of the forms in which a rubric may state a point, chosen at random.

    The text is the point itself or, as if it were taken from a reference answer, a statement that makes the point and is not in
    `said`. The `gap` of the point or the question may follow the text.
    """
    place = chance.random()
    others = [text for text in point.made if text not in said]
    text = chance.choice(others) if place < REWORDED and others else point.text
    place = chance.random()
    if place < 0.6 and point.gap and text is point.text:
        return criteria.of_point(text, point.gap)
    return criteria.of_point(text) if place < 0.8 else criteria.of_question(text, question.prompt)


def criterion_of_belief(one: Misconception, chance: random.Random) -> str:
    """Return the criterion for a misconception, with or without its correction, chosen at random."""
    return criteria.of_misconception(one.claim, "" if chance.random() < BARE else one.correction)


def answer_example(kind: str, criterion: str, segments: Sequence[str], mark: int) -> Example:
    """Return an example from a whole answer. The mark of the point is known, but not which sentences show it."""
    each = {MADE: NOT_WRONG, PARTIAL: NOT_WRONG, WRONG: NOT_MADE, NOTHING: only(NOTHING)}[mark]
    wanted = None if mark == NOTHING else mark
    return Example(kind, criterion, tuple(segments), (each,) * len(segments), only(mark), wanted)


def spoken_example(criterion: str, segments: Sequence[str], shown: Sequence[bool], mark: int) -> Example:
    """Return an example from a whole answer in which `shown` says which sentences show the mark."""
    example = answer_example("spoken", criterion, segments, mark)
    labels = tuple(only(mark) if here else label for here, label in zip(shown, example.labels, strict=True))
    return replace(example, labels=labels, wanted=None if any(shown) else example.wanted)


def segments_of(text: str) -> tuple[str, ...]:
    """Return the sentences of a text."""
    return tuple(text[span.start : span.end] for span in sentences(text))


def _silent(criterion: str, foreign: Sequence[str], chance: random.Random) -> Iterator[Example]:
    """Yield, with probability SILENT, an example in which nothing speaks of the criterion."""
    if foreign and chance.random() < SILENT:
        texts = tuple(chance.sample(foreign, min(len(foreign), chance.randint(1, OWN))))
        yield Example("silent", criterion, texts, (only(NOTHING),) * len(texts), only(NOTHING))


def _reversed(point: Point, foreign: Sequence[str], chance: random.Random) -> Iterator[Example]:
    """Yield, with probability REVERSED, an example that looks for a wrong statement as if it were a misconception.

    Statements that make the point contradict this misconception.
    """
    if point.wrong and point.made and chance.random() < REVERSED:
        own = [(text, WRONG) for text in chance.sample(point.made, min(len(point.made), 2))]
        yield _pack("reversed", criteria.of_misconception(chance.choice(point.wrong)), own, foreign, chance)


def _groups(own: Sequence[Statement], chance: random.Random) -> Iterator[list[Statement]]:
    mixed = chance.sample(own, len(own))
    while mixed:
        size = chance.randint(1, OWN)
        yield mixed[:size]
        mixed = mixed[size:]


def _pack(kind: str, criterion: str, own: Sequence[Statement], foreign: Sequence[str], chance: random.Random) -> Example:
    """Return an example with the statements `own` about the criterion among some of the `foreign` ones, in random order."""
    others = [(text, NOTHING) for text in chance.sample(foreign, min(len(foreign), chance.randint(0, FOREIGN)))]
    placed = chance.sample([*own, *others], len(own) + len(others))
    labels = {label for _, label in own}
    return Example(
        kind, criterion, tuple(text for text, _ in placed), tuple(only(label) for _, label in placed), _together(labels)
    )


def _together(labels: set[int]) -> int:
    """Return the set of possible classes of several statements together.

    A correct or wrong statement outweighs vague ones. If there are both correct and wrong statements, only "nothing" is ruled
    out.
    """
    if {MADE, WRONG} <= labels:
        return ANY - only(NOTHING)
    return only(next((label for label in (MADE, WRONG, PARTIAL) if label in labels), NOTHING))
