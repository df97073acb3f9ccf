"""What to look for in an answer: the key points and the misconceptions of a rubric as criteria."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from interviewer.grading.learned import criteria
from interviewer.grading.learned.marking import Alike
from interviewer.grading.learned.reading import Reading, Sought, sought
from interviewer.grading.learned.runtime import Network, shipped
from interviewer.grading.learned.sentences import sentences
from interviewer.grading.learned.shortlist import MOST, MOST_FOR_BELIEF
from interviewer.interviews.rubric import Rubric

# The number of sentences of the model answer that count as wordings of each key point.
MODEL_SENTENCES = 2
# A model answer that hardly speaks of a key point is no measure for others.
LEAST_LIKENESS = 0.05
# The maximum number of rubrics in the cache, a few kilobytes each: the questions of 100 interviews in progress.
_KEPT = 512
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for in the answers to a question: a criterion for each key point and for each misconception.

    `likenesses` has the model answer's likeness to each key point: the cosine of the key point and the most similar sentence.
    """

    points: tuple[Sought, ...]
    misconceptions: tuple[Sought, ...]
    likenesses: tuple[float, ...]

    @property
    def criteria(self) -> tuple[Sought, ...]:
        """All criteria, key points first."""
        return self.points + self.misconceptions

    def alike(self, points: Sequence[Reading]) -> Alike:
        """Return an answer's likeness to the key points, whose readings are `points`."""
        each = tuple(
            reading.likeness / max(LEAST_LIKENESS, likeness) for reading, likeness in zip(points, self.likenesses, strict=True)
        )
        whole = sum(self.likenesses)
        return Alike(sum(reading.likeness for reading in points) / whole if whole > 0 else 1.0, each)


def wanted_by(network: Network, prompt: str, rubric: Rubric) -> Wanted:
    """Return what `network` should look for in the answers to a question."""
    answer = rubric.model_answer
    said = [answer[span.start : span.end] for span in sentences(answer)]
    vectors = network.vectors(said)
    points = []
    for point in rubric.key_points:
        text = criteria.of_point(point.point, point.gap) if point.gap else criteria.of_question(point.point, prompt)
        nearest = np.argsort(-(vectors @ network.vectors([text])[0]), kind="stable")[:MODEL_SENTENCES]
        wordings = [point.point, point.gap, point.praise, point.probe, *(said[index] for index in nearest)]
        points.append(sought(network, text, [wording for wording in wordings if wording], MOST))
    misconceptions = tuple(
        sought(network, criteria.of_misconception(one.claim, one.correction), [one.claim, one.correction], MOST_FOR_BELIEF)
        for one in rubric.misconceptions
    )
    cosines = np.stack([one.vector for one in points]) @ vectors.T
    return Wanted(tuple(points), misconceptions, tuple(map(float, cosines.max(axis=1))) if said else (0.0,) * len(points))


@lru_cache(maxsize=_KEPT)
def _kept(prompt: str, rubric: Rubric) -> Wanted:
    return wanted_by(shipped(), prompt, rubric)


def wanted_in(prompt: str, rubric: Rubric) -> Wanted:
    """Return what the shipped network should look for in the answers to a question.

    The result is cached. The first call for a question takes about 0.2 s on one core.
    """
    with _LOCK:
        return _kept(prompt, rubric)
