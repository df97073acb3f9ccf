"""The built-in scorer: marks each key point from words and sentence vectors, with a quote as evidence.

For every key point it looks for the place in the answer, one to three sentences long, that
speaks of it best. Evidence is the share of the key point's ideas whose words stand there, helped by the
similarity of static word vectors. Constants were set on the questions of the bank: every model
answer scores at least 9, and non-answers at most 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from interviewer.adapters.builtin.instructions import speaks_to_grader
from interviewer.adapters.builtin.relevance import beside_the_point
from interviewer.adapters.builtin.text import (
    FUNCTION_WORDS,
    Sentence,
    contains_phrase,
    content_stems,
    sentences,
    stems,
    vectors,
    words,
)
from interviewer.domain.non_answers import NO_IDEA
from interviewer.domain.rubric import NON_ANSWER_CAP, AnswerNature, KeyPoint, Mark, MarkedPoint, Rubric, score
from interviewer.domain.topics import AnswerKind

HIT_EVIDENCE, PARTIAL_EVIDENCE = 0.7, 0.4
# Cosines of static vectors: unrelated technical sentences stay below the lower bound, paraphrases pass the upper.
UNRELATED_COSINE, SAME_COSINE = 0.35, 0.75
WINDOW = 3
MAX_QUOTE = 280
_ECHO_SHARE = 0.8
_HEAP_FUNCTION_SHARE = 0.12
# Of the bank's model answers none has runs of more than 2.6 words without a function word on average, in poor English 2.9.
_HEAP_WORDS, _HEAP_RUN, _SPARSE_SHARE = 15, 3.0, 0.3


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one to three sentences of the answer."""

    text: str
    stems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """What the scorer found: whether it is an answer at all, and a mark for each key point."""

    nature: AnswerNature
    marks: tuple[MarkedPoint, ...]


@lru_cache(maxsize=4096)
def _term_stems(term: str) -> tuple[str, ...]:
    return tuple(stems(term))


@lru_cache(maxsize=4096)
def _point_vector(point: str) -> NDArray[np.float32]:
    return np.asarray(vectors([point])[0])


def without_echo(answer: Sequence[Sentence], prompt: str) -> list[Sentence]:
    """Drop the sentences of an answer that only say the question again, or speak to whoever grades it."""
    asked = set(content_stems(prompt))
    kept = []
    for sentence in answer:
        if speaks_to_grader(sentence.text):
            continue
        said = set(content_stems(sentence.text))
        if not said or len(said & asked) / len(said) < _ECHO_SHARE or len(said) < 3:
            kept.append(sentence)
    return kept


def nature_of(answer: str, kept: Sequence[Sentence], kind: AnswerKind) -> AnswerNature:
    """Tell a try at an answer from none: empty, too short to say anything, "I don't know", a heap of keywords."""
    said = [word for sentence in kept for word in words(sentence.text)]
    content = [word for word in said if word not in FUNCTION_WORDS]
    if len(content) < 3 or (NO_IDEA.search(answer) and len(content) < 15):
        return AnswerNature.NON_ANSWER
    looks_like_code = sum(answer.count(mark) for mark in "(){}=[]") > len(said) / (16 if kind is AnswerKind.CODE else 8)
    if not looks_like_code and len(said) >= 8 and _is_heap(said):
        return AnswerNature.OFF_TOPIC
    return AnswerNature.ANSWER


def _is_heap(said: Sequence[str]) -> bool:
    """Tell words that no sentence holds together: few function words, and long runs without any between them."""
    runs = [len(run) for is_content, run in _runs(said) if is_content]
    function_share = 1 - sum(runs) / len(said)
    return function_share < _HEAP_FUNCTION_SHARE or (
        len(said) >= _HEAP_WORDS and function_share < _SPARSE_SHARE and sum(runs) / len(runs) > _HEAP_RUN
    )


def _runs(said: Sequence[str]) -> list[tuple[bool, list[str]]]:
    return [(is_content, list(run)) for is_content, run in groupby(said, key=lambda word: word not in FUNCTION_WORDS)]


def _windows(kept: Sequence[Sentence], answer: str) -> list[Window]:
    """Return every run of one to three neighbouring sentences whose text stands as it is in the answer."""
    found = []
    position = 0
    spans = []
    for sentence in kept:
        start = answer.find(sentence.text, position)
        position = start + len(sentence.text)
        spans.append((start, position))
    for size in range(1, WINDOW + 1):
        for first in range(len(kept) - size + 1):
            last = first + size - 1
            text = answer[spans[first][0] : spans[last][1]]
            run = tuple(stem for sentence in kept[first : last + 1] for stem in sentence.stems)
            found.append(Window(text, run))
    return found


def _lexical(key_point: KeyPoint, haystack: Sequence[str]) -> float:
    """Return the share of the key point's ideas of which one wording stands in `haystack`."""
    if not key_point.terms:
        return 0.0
    found = sum(any(contains_phrase(haystack, _term_stems(term)) for term in idea) for idea in key_point.terms)
    return found / len(key_point.terms)


def _evidence(lexical: float, cosine: float) -> float:
    """Combine the two kinds of evidence into one figure from 0 to about 1.3; words weigh more than likeness."""
    semantic = min(1.0, max(0.0, (cosine - UNRELATED_COSINE) / (SAME_COSINE - UNRELATED_COSINE)))
    return max(lexical * 0.85 + 0.3 * semantic, 0.75 * semantic)


def _quote(window: Window) -> str:
    """Return at most `MAX_QUOTE` characters of the window, cut between words, still exact text of the answer."""
    if len(window.text) <= MAX_QUOTE:
        return window.text
    return window.text[:MAX_QUOTE].rsplit(None, 1)[0]


def mark_answer(prompt: str, rubric: Rubric, answer: str, kind: AnswerKind) -> Scored:
    """Mark every key point of `rubric` in `answer`; marks of what is no answer are all missed."""
    kept = without_echo(sentences(answer), prompt)
    nature = nature_of(answer, kept, kind)
    missed = tuple(MarkedPoint(key_point=index, mark=Mark.MISSED) for index in range(len(rubric.key_points)))
    if nature is AnswerNature.NON_ANSWER:
        return Scored(nature, missed)
    windows = _windows(kept, answer)
    window_vectors = vectors([window.text for window in windows])
    everything = tuple(stem for sentence in kept for stem in sentence.stems)
    marks = tuple(
        _mark_point(index, key_point, windows, window_vectors, everything) for index, key_point in enumerate(rubric.key_points)
    )
    if nature is AnswerNature.ANSWER and _says_nothing(prompt, rubric, marks, kept, kind):
        nature = AnswerNature.OFF_TOPIC
    return Scored(nature, marks)


def _says_nothing(prompt: str, rubric: Rubric, marks: Sequence[MarkedPoint], kept: Sequence[Sentence], kind: AnswerKind) -> bool:
    """Tell an answer without any key point, or one whose points are words met by chance in a text about something else."""
    if score(rubric, marks, AnswerNature.ANSWER) <= NON_ANSWER_CAP:
        return all(mark.mark is Mark.MISSED for mark in marks)
    return kind is not AnswerKind.CODE and beside_the_point(prompt, rubric, [sentence.text for sentence in kept])


def _mark_point(
    index: int, key_point: KeyPoint, windows: Sequence[Window], window_vectors: NDArray[np.float32], everything: Sequence[str]
) -> MarkedPoint:
    """Mark one key point by its best window; ideas scattered over the whole answer count a little less."""
    cosines = window_vectors @ _point_vector(key_point.point)
    strengths = [
        _evidence(_lexical(key_point, window.stems), float(cosine)) for window, cosine in zip(windows, cosines, strict=True)
    ]
    # The shortest window among equals makes the clearest quote; windows are ordered by length.
    best = max(range(len(windows)), key=lambda position: (round(strengths[position], 2), -position))
    strength = max(strengths[best], 0.85 * _lexical(key_point, everything))
    if strength >= HIT_EVIDENCE:
        mark = Mark.HIT
    elif strength >= PARTIAL_EVIDENCE:
        mark = Mark.PARTIAL
    else:
        return MarkedPoint(key_point=index, mark=Mark.MISSED)
    return MarkedPoint(key_point=index, mark=mark, quote=_quote(windows[best]))
