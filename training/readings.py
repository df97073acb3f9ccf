"""What a network says about every text of a split, computed once, so that rules and figures use the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from interviewer.grading.bank.loader import load_bank
from interviewer.grading.learned import criteria
from interviewer.grading.learned.labels import MADE, NOTHING, WRONG
from interviewer.grading.learned.marking import Alike
from interviewer.grading.learned.reading import Reading, Sought, read
from interviewer.grading.learned.rubrics import Wanted, wanted_by
from interviewer.grading.learned.runtime import Floats, Network
from interviewer.grading.learned.sentences import sentences
from training.answers import spoken_of, texts_of
from training.dataset import Question
from training.examples import statements_of

# The number of model answers from the same topic, and from other topics, that are read for each question.
OTHERS = 2


@dataclass(frozen=True, slots=True)
class StatementRead:
    """A single statement, the criterion that it was written for, and the probability of each class.

    `belief` is set if the criterion is a misconception.
    """

    question: str
    criterion: str
    text: str
    label: int
    belief: bool
    probabilities: Floats


@dataclass(frozen=True, slots=True)
class AnswerRead:
    """A whole answer, the class of each key point, and the readings of the question's key points and misconceptions.

    `alike` is the likeness of the answer to the key points.
    """

    question: str
    kind: str
    text: str
    labels: tuple[int, ...]
    points: tuple[Reading, ...]
    beliefs: tuple[Reading, ...]
    alike: Alike = field(default_factory=Alike)


def read_statements(network: Network, questions: Sequence[Question]) -> list[StatementRead]:
    """Return the readings of all statements about key points and misconceptions."""
    rows = [(question.id, *row) for question in questions for row in _statements(question)]
    packed = [network.packer.pack(criterion, [text]) for _, criterion, text, _, _ in rows]
    return [
        StatementRead(*row, (found.whole + found.segments[0]) / 2) for row, found in zip(rows, network.judge(packed), strict=True)
    ]


def read_answers(network: Network, questions: Sequence[Question]) -> list[AnswerRead]:
    """Return the readings of all whole answers, including model answers, negated ones, and answers to other questions."""
    found = []
    for question in questions:
        wanted = wanted_of(network, question)
        texts = [*texts_of(question), *spoken_of(question), *_to_others(question, questions)]
        found += [_answer(network, question, wanted, answer) for answer in texts]
    return found


def _to_others(question: Question, questions: Sequence[Question]) -> Iterator[tuple[str, str, list[int]]]:
    """Yield model answers to other questions, of other topics and of the same topic, as answers that make no key point."""
    place = questions.index(question)
    others = [*questions[place + 1 :], *questions[:place]]
    for kind, same in (("other topic", False), ("same topic", True)):
        some = [other for other in others if (other.topic == question.topic) is same][:OTHERS]
        yield from ((kind, other.model_answer, [NOTHING] * len(question.points)) for other in some)


def _statements(question: Question) -> Iterator[tuple[str, str, int, bool]]:
    for point in (*question.points, *question.others):
        criterion = criteria.of_point(point.text, point.gap)
        yield from ((criterion, text, label, False) for text, label in statements_of(point))
    for one in question.misconceptions:
        criterion = criteria.of_misconception(one.claim, one.correction)
        yield from ((criterion, text, MADE, True) for text in one.asserted)
        yield from ((criterion, text, WRONG, True) for text in one.corrected)


def wanted_of(network: Network, question: Question) -> Wanted:
    """Return what to look for in the answers to a question of the bank."""
    return wanted_by(network, question.prompt, load_bank()[question.id].rubric)


def criteria_of(network: Network, question: Question) -> tuple[Sought, ...]:
    """Return the criteria of a question: its key points, then its misconceptions."""
    return wanted_of(network, question).criteria


def _answer(network: Network, question: Question, wanted: Wanted, answer: tuple[str, str, list[int]]) -> AnswerRead:
    kind, text, labels = answer
    found = read(network, text, sentences(text), wanted.criteria)
    count = len(question.points)
    points, beliefs = tuple(found[:count]), tuple(found[count:])
    return AnswerRead(question.id, kind, text, tuple(labels), points, beliefs, wanted.alike(points))
