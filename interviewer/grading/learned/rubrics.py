"""What to look for in an answer: the key points and the false beliefs of a rubric as criteria."""

from __future__ import annotations

import threading
from functools import lru_cache

import numpy as np

from interviewer.grading.learned import criteria
from interviewer.grading.learned.reading import Sought, sought
from interviewer.grading.learned.runtime import Network, shipped
from interviewer.grading.learned.sentences import sentences
from interviewer.grading.learned.shortlist import MOST, MOST_FOR_BELIEF
from interviewer.interviews.rubric import Rubric

# Sentences of the model answer that count as wordings of a key point.
MODEL_SENTENCES = 2
# Rubrics in memory, a few kilobytes each. The questions of 100 interviews that are going on.
_KEPT = 512
_LOCK = threading.Lock()


def sought_by(network: Network, prompt: str, rubric: Rubric) -> tuple[Sought, ...]:
    """Return the criteria of a question: one for each key point, then one for each misconception."""
    answer = rubric.model_answer
    said = [answer[span.start : span.end] for span in sentences(answer)]
    vectors = network.vectors(said)
    found = []
    for point in rubric.key_points:
        text = criteria.of_point(point.point, point.gap) if point.gap else criteria.of_question(point.point, prompt)
        nearest = np.argsort(-(vectors @ network.vectors([text])[0]), kind="stable")[:MODEL_SENTENCES]
        wordings = [point.point, point.gap, point.praise, point.probe, *(said[index] for index in nearest)]
        found.append(sought(network, text, [wording for wording in wordings if wording], MOST))
    for one in rubric.misconceptions:
        text = criteria.of_misconception(one.claim, one.correction)
        found.append(sought(network, text, [one.claim, one.correction], MOST_FOR_BELIEF))
    return tuple(found)


@lru_cache(maxsize=_KEPT)
def _kept(prompt: str, rubric: Rubric) -> tuple[Sought, ...]:
    return sought_by(shipped(), prompt, rubric)


def criteria_of(prompt: str, rubric: Rubric) -> tuple[Sought, ...]:
    """Return the criteria of a question for the shipped network. The first call for a question takes about 0.2 s of one core."""
    with _LOCK:
        return _kept(prompt, rubric)


@lru_cache(maxsize=_KEPT)
def model_likeness(prompt: str, rubric: Rubric) -> float:
    """Return the mean over the key points of the cosine of the model answer's sentence that is most like it."""
    answer = rubric.model_answer
    said = shipped().vectors([answer[span.start : span.end] for span in sentences(answer)] or [answer])
    wanted = np.stack([one.vector for one in criteria_of(prompt, rubric)[: len(rubric.key_points)]])
    return float((wanted @ said.T).max(axis=1).mean())
