"""What the judge is trained on: criteria, segments, and what each segment and all together say about the criterion."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from training import criteria
from training.dataset import Passage, Point, Question
from training.labels import ANY, MADE, NAMED, NOT_MADE, NOT_WRONG, NOTHING, PARTIAL, WRONG, only
from training.windows import sentences

# At most so many statements to a criterion, and to others, are in one sequence.
OWN, FOREIGN = 3, 2
# How often a criterion is also shown with nothing that speaks of it.
SILENT = 0.5
Statement = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Example:
    """One sequence: `labels` and `whole` are sets of possible classes; `wanted` is one that some segment must have."""

    kind: str
    criterion: str
    segments: tuple[str, ...]
    labels: tuple[int, ...]
    whole: int = ANY
    wanted: int | None = None


def statements_of(point: Point) -> list[Statement]:
    """Return the statements to a point with their classes."""
    parts = ((point.made, MADE), (point.wrong, WRONG), (point.partial, PARTIAL), (point.near, NOTHING))
    return [(text, label) for texts, label in parts for text in texts]


def of_points(question: Question, chance: random.Random) -> Iterator[Example]:
    """Return every statement once with its point, among statements to other points; and points with those alone."""
    for kind, points in (("point", question.points), ("other", question.others)):
        pools = [statements_of(point) for point in points]
        for index, point in enumerate(points):
            foreign = [text for other, pool in enumerate(pools) if other != index for text, _ in pool]
            for own in _groups(pools[index], chance):
                yield _pack(kind, criterion_of(question, point, chance), own, foreign, chance)
            yield from _silent(criterion_of(question, point, chance), foreign, chance)


def of_misconceptions(question: Question, chance: random.Random) -> Iterator[Example]:
    """Return statements that assert or reject each false belief, among right ones to the points."""
    foreign = [text for point in question.points for text in (*point.made, *point.near)]
    for one in question.misconceptions:
        own = [(text, MADE) for text in one.asserted] + [(text, WRONG) for text in one.corrected]
        for group in _groups(own, chance):
            yield _pack("misconception", criteria.of_misconception(one.claim, one.correction), group, foreign, chance)
        yield from _silent(criteria.of_misconception(one.claim, one.correction), foreign, chance)


def of_passages(question: Question, chance: random.Random) -> Iterator[Example]:
    """Return each mixed passage with the points that it touches and one that it does not."""
    for passage in question.mixed:
        silent = [index for index in range(len(question.points)) if index not in passage.marks]
        for index in [*passage.marks, *chance.sample(silent, min(1, len(silent)))]:
            criterion = criterion_of(question, question.points[index], chance)
            yield passage_example(criterion, passage, index)


def passage_example(criterion: str, passage: Passage, index: int) -> Example:
    """Return a passage with one point; a passage without a mark for it says nothing about it."""
    segments = segments_of(passage.text)
    mark = NAMED[passage.marks.get(index, "nothing")]
    each = only(NOTHING) if mark == NOTHING else ANY
    return Example("passage", criterion, segments, (each,) * len(segments), only(mark), None if mark == NOTHING else mark)


def criterion_of(question: Question, point: Point, chance: random.Random) -> str:
    """Return one of the forms in which a rubric may state a point: with or without its facts or the question."""
    place = chance.random()
    if place < 0.6 and point.gap:
        return criteria.of_point(point.text, point.gap)
    return criteria.of_point(point.text) if place < 0.85 else criteria.of_question(point.text, question.prompt)


def answer_example(kind: str, criterion: str, segments: Sequence[str], mark: int) -> Example:
    """Return an example of a whole answer, of which only the mark of the point is known."""
    each = {MADE: NOT_WRONG, PARTIAL: NOT_WRONG, WRONG: NOT_MADE, NOTHING: only(NOTHING)}[mark]
    wanted = None if mark == NOTHING else mark
    return Example(kind, criterion, tuple(segments), (each,) * len(segments), only(mark), wanted)


def segments_of(text: str) -> tuple[str, ...]:
    """Return the sentences of a text."""
    return tuple(text[span.start : span.end] for span in sentences(text))


def _silent(criterion: str, foreign: Sequence[str], chance: random.Random) -> Iterator[Example]:
    """Return, half of the time, a criterion of which nothing speaks."""
    if foreign and chance.random() < SILENT:
        texts = tuple(chance.sample(foreign, min(len(foreign), chance.randint(1, OWN))))
        yield Example("silent", criterion, texts, (only(NOTHING),) * len(texts), only(NOTHING))


def _groups(own: Sequence[Statement], chance: random.Random) -> Iterator[list[Statement]]:
    mixed = chance.sample(own, len(own))
    while mixed:
        size = chance.randint(1, OWN)
        yield mixed[:size]
        mixed = mixed[size:]


def _pack(kind: str, criterion: str, own: Sequence[Statement], foreign: Sequence[str], chance: random.Random) -> Example:
    """Put statements to a criterion among foreign ones, in any order."""
    others = [(text, NOTHING) for text in chance.sample(foreign, min(len(foreign), chance.randint(0, FOREIGN)))]
    placed = chance.sample([*own, *others], len(own) + len(others))
    labels = {label for _, label in own}
    return Example(
        kind, criterion, tuple(text for text, _ in placed), tuple(only(label) for _, label in placed), _together(labels)
    )


def _together(labels: set[int]) -> int:
    """Return what statements say together: the right or wrong one outweighs the vague; right and wrong ones leave it open."""
    if {MADE, WRONG} <= labels:
        return ANY - only(NOTHING)
    return only(next((label for label in (MADE, WRONG, PARTIAL) if label in labels), NOTHING))
