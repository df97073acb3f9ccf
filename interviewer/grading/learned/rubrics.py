"""What to look for in an answer: the key points and the false beliefs of a rubric as criteria."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from interviewer.grading.learned import criteria
from interviewer.grading.learned.reading import Reading, Sought, sought
from interviewer.grading.learned.runtime import Network, shipped
from interviewer.grading.learned.sentences import sentences
from interviewer.grading.learned.shortlist import MOST, MOST_FOR_BELIEF
from interviewer.interviews.rubric import Rubric

# Sentences of the model answer that count as wordings of a key point.
MODEL_SENTENCES = 2
# Rubrics in memory, a few kilobytes each. The questions of 100 interviews that are going on.
_KEPT = 512
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for in the answers to a question: a criterion for each key point and for each misconception.

    `likeness` is the mean over the key points of the cosine of the model answer's sentence that is most like each.
    """

    points: tuple[Sought, ...]
    misconceptions: tuple[Sought, ...]
    likeness: float

    @property
    def criteria(self) -> tuple[Sought, ...]:
        """All criteria, those of the key points first."""
        return self.points + self.misconceptions

    def alike(self, points: Sequence[Reading]) -> float:
        """Return the likeness of an answer, read as `points`, to the key points, as a share of the model answer's."""
        if self.likeness <= 0:
            return 1.0
        return sum(reading.likeness for reading in points) / len(points) / self.likeness


def wanted_by(network: Network, prompt: str, rubric: Rubric) -> Wanted:
    """Return what to look for in the answers to a question."""
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
    return Wanted(tuple(points), misconceptions, float(cosines.max(axis=1).mean()) if said else 0.0)


@lru_cache(maxsize=_KEPT)
def _kept(prompt: str, rubric: Rubric) -> Wanted:
    return wanted_by(shipped(), prompt, rubric)


def wanted_in(prompt: str, rubric: Rubric) -> Wanted:
    """Return what the shipped network looks for. The first call for a question takes about 0.2 s of one core."""
    with _LOCK:
        return _kept(prompt, rubric)
