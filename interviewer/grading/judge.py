"""The built-in judge. It marks each key point of an answer, with a quote as evidence, and finds asserted misconceptions.

A small neural network that ships with the package (`grading.learned`) reads the answer. Rules detect non-answers and lists of
keywords.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from interviewer.grading.learned.labels import MADE, NOTHING, PARTIAL, WRONG
from interviewer.grading.learned.marking import Asserted, Marked, company_of, mark_all, surely_asserted
from interviewer.grading.learned.reading import read
from interviewer.grading.learned.rubrics import wanted_in
from interviewer.grading.learned.runtime import shipped
from interviewer.grading.learned.sentences import Span, sentences
from interviewer.grading.nature import nature_of, spoken
from interviewer.interviews.non_answers import is_non_answer
from interviewer.interviews.rubric import MAX_SCORE, AnswerNature, Mark, MarkedPoint, Misconception, Rubric, exact_score
from interviewer.interviews.topics import AnswerKind

MAX_QUOTE = 280
# An answer is off-topic if its likeness to the key points is below this share of the model answer's likeness. This holds for
# three of four answers to other questions, and for 1 % of vague answers to the question itself.
ELSEWHERE = 0.5
# But an answer that makes this share of the key points' weight is on topic, in whatever words.
ANSWERED = 0.8
# The maximum number of verdicts in the cache.
_RECENT = 64
_recent: OrderedDict[tuple[str, Rubric, str, AnswerKind], Future[Scored]] = OrderedDict()
_LOCK = threading.Lock()
_MARKS = {MADE: Mark.HIT, PARTIAL: Mark.PARTIAL, NOTHING: Mark.MISSED, WRONG: Mark.CONTRADICTED}


@dataclass(frozen=True, slots=True)
class WrongStatement:
    """A quote from the answer that asserts a misconception of the rubric."""

    quote: str
    misconception: Misconception


@dataclass(frozen=True, slots=True)
class Scored:
    """What the judge found: the nature of the answer, a mark for each key point, and wrong statements.

    `share` is the expected share (0 to 1) of the key points' weight. It is more precise than the marks. Only evaluations use it,
    because it cannot be explained to candidates. `doubts` maps the indexes of doubtful key points to other marks that are about
    as likely as those in `marks`. `corrected` has the marks for what was said first and taken back later: points that were
    contradicted and are now made.
    """

    nature: AnswerNature
    marks: tuple[MarkedPoint, ...]
    wrong: tuple[WrongStatement, ...] = ()
    share: float = 0.0
    doubts: Mapping[int, Mark] = field(default_factory=dict)
    corrected: tuple[MarkedPoint, ...] = ()


def mark_answer(prompt: str, rubric: Rubric, answer: str, kind: AnswerKind) -> Scored:
    """Mark every key point of `rubric` in `answer`. In a non-answer, all key points are missed.

    The result is deterministic and cached. A 200-word answer takes about 0.4 s on one core. The verdict and the choice of the
    next question judge the same answer at the same time, so the second caller waits for the first one's result.
    """
    key = (prompt, rubric, answer, kind)
    with _LOCK:
        future = _recent.get(key)
        if future is not None:
            _recent.move_to_end(key)
        else:
            _recent[key] = mine = Future[Scored]()
            while len(_recent) > _RECENT:
                _recent.popitem(last=False)
    if future is not None:
        return future.result()
    try:
        mine.set_result(_mark(prompt, rubric, answer, kind))
    except BaseException as error:
        with _LOCK:
            _recent.pop(key, None)
        mine.set_exception(error)
        raise
    return mine.result()


def _mark(prompt: str, rubric: Rubric, answer: str, kind: AnswerKind) -> Scored:
    kept = spoken(answer, sentences(answer), prompt)
    nature = AnswerNature.NON_ANSWER if is_non_answer(prompt, answer) else nature_of(answer, kept, kind)
    if nature is AnswerNature.NON_ANSWER:
        return Scored(nature, tuple(MarkedPoint(key_point=index, mark=Mark.MISSED) for index in range(len(rubric.key_points))))
    wanted = wanted_in(prompt, rubric)
    readings = read(shipped(), answer, kept, wanted.criteria)
    points, misconceptions = readings[: len(wanted.points)], readings[len(wanted.points) :]
    alike = wanted.alike(points)
    found = mark_all(points, alike)
    company = company_of(points)
    wrong = _wrong_statements(answer, rubric, [surely_asserted(reading, company) for reading in misconceptions])
    marks = tuple(_marked(index, one, answer) for index, one in enumerate(found))
    if is_elsewhere(alike.whole, float(exact_score(rubric, marks, nature)) / MAX_SCORE):
        nature = AnswerNature.OFF_TOPIC
    weights = [key_point.weight for key_point in rubric.key_points]
    share = sum(weight * one.share for weight, one in zip(weights, found, strict=True)) / sum(weights)
    doubts = {index: _MARKS[one.other] for index, one in enumerate(found) if one.other is not None}
    return Scored(nature, marks, wrong, share, doubts)


def is_elsewhere(alike: float, share: float) -> bool:
    """Return whether an answer is about something else.

    `alike` is its likeness to the key points as a share of the model answer's, and `share` the part of their weight that it earns.
    """
    return alike < ELSEWHERE and share < ANSWERED


def _marked(index: int, found: Marked, answer: str) -> MarkedPoint:
    quote = "" if found.quote is None else _quoted(answer, found.quote)
    return MarkedPoint(key_point=index, mark=_MARKS[found.label] if quote else Mark.MISSED, quote=quote)


def _wrong_statements(answer: str, rubric: Rubric, beliefs: Sequence[Asserted | None]) -> tuple[WrongStatement, ...]:
    """Return the wrong statements, surest first: at most one for each misconception and one for each sentence."""
    found = [(one, misconception) for one, misconception in zip(beliefs, rubric.misconceptions, strict=True) if one]
    kept: dict[Span, WrongStatement] = {}
    for one, misconception in sorted(found, key=lambda pair: -pair[0].sureness):
        kept.setdefault(one.quote, WrongStatement(_quoted(answer, one.quote), misconception))
    return tuple(kept.values())


def _quoted(answer: str, span: Span) -> str:
    """Return the text of a sentence, truncated at a word boundary if it exceeds MAX_QUOTE characters."""
    text = answer[span.start : span.end]
    return text if len(text) <= MAX_QUOTE else text[:MAX_QUOTE].rsplit(None, 1)[0]
