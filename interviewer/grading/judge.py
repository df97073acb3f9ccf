"""The built-in scorer: marks each key point from words and sentence vectors, with a quote as evidence.

For every key point it looks for the place in the answer, one to three sentences long, that
speaks of it best. Evidence is the share of the key point's ideas whose words stand there, helped by the
similarity of static word vectors. Constants were set on the questions of the bank: every model
answer scores at least 9, and non-answers at most 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from interviewer.grading.bank.loader import load_bank
from interviewer.grading.instructions import addresses_grader, is_self_praise
from interviewer.grading.relevance import answers_another_question, is_off_topic
from interviewer.grading.text import (
    FUNCTION_WORDS,
    Sentence,
    WordOrder,
    contains_phrase,
    content_stems,
    sentences,
    stems,
    vectors,
    words,
)
from interviewer.interviews.non_answers import NO_IDEA
from interviewer.interviews.rubric import NON_ANSWER_CAP, AnswerNature, KeyPoint, Mark, MarkedPoint, Rubric, score
from interviewer.interviews.topics import AnswerKind

HIT_EVIDENCE, PARTIAL_EVIDENCE = 0.7, 0.4
# Cosines of static vectors: unrelated technical sentences stay below the lower bound, paraphrases pass the upper.
UNRELATED_COSINE, SAME_COSINE = 0.35, 0.75
WINDOW = 3
MAX_QUOTE = 280
_ECHO_SHARE = 0.8
_KEYWORD_LIST_FUNCTION_SHARE = 0.12
# Of the bank's model answers none has runs of more than 2.6 words without a function word on average, in poor English 2.9.
_KEYWORD_LIST_WORDS, _HEAP_RUN, _SPARSE_SHARE = 15, 3.0, 0.3
# Of the bank's model answers and of pieces of them none consists to more than 0.47 of wordings of its rubric.
_MOSTLY_WORDINGS, _LONGEST_WORDING = 0.55, 5
# Texts whose words are shuffled lie below in 98 of 100 cases, sentences, also in poor English, above. Short texts vary more.
_NO_ORDER, _NO_ORDER_IN_SHORT, _MANY_PAIRS, _FEW_PAIRS = -0.1, -0.3, 30, 12
# Of 400 functions in Python 4 lie below the first; brackets are closed in all code that was written to be read.
_NO_ORDER_IN_CODE, _DOUBTFUL_IN_CODE, _UNCLOSED_SHARE = -0.4, -0.15, 0.15
# Code has line ends; of a text in one line brackets make no code.
_LONG_LINE = 160


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one to three sentences of the answer: its exact text, and what it says without what was dropped between."""

    text: str
    parts: tuple[str, ...]
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
    """Drop the sentences of an answer that only say the question again, speak to whoever grades it, or praise oneself."""
    asked = set(content_stems(prompt))
    kept = []
    for sentence in answer:
        if addresses_grader(sentence.text) or is_self_praise(sentence.text):
            continue
        said = set(content_stems(sentence.text))
        if not said or len(said & asked) / len(said) < _ECHO_SHARE or len(said) < 3:
            kept.append(sentence)
    return kept


def nature_of(answer: str, kept: Sequence[Sentence], rubric: Rubric, kind: AnswerKind) -> AnswerNature:
    """Tell a try at an answer from none: empty, too short to say anything, "I don't know", a heap of keywords."""
    text = "\n".join(sentence.text for sentence in kept)
    said = words(text)
    content = [word for word in said if word not in FUNCTION_WORDS]
    if len(content) < 3 or (NO_IDEA.search(text) and len(content) < 15):
        return AnswerNature.NON_ANSWER
    if len(said) < 8:
        return AnswerNature.OFF_TOPIC if _share_of_wordings(kept, rubric) == 1 else AnswerNature.ANSWER
    if _share_of_wordings(kept, rubric) > _MOSTLY_WORDINGS:
        return AnswerNature.OFF_TOPIC
    code = _has_brackets(text, said, kind)
    in_lines = code and len(text) / (answer.count("\n") + 1) < _LONG_LINE
    sound = _is_sound_code(text) if in_lines else _is_in_order(text) and (code or _has_grammar(said))
    return AnswerNature.ANSWER if sound else AnswerNature.OFF_TOPIC


def _has_brackets(text: str, said: Sequence[str], kind: AnswerKind) -> bool:
    return sum(text.count(mark) for mark in "(){}=[]") > len(said) / (16 if kind is AnswerKind.CODE else 8)


def _is_sound_code(text: str) -> bool:
    """Tell code from its words and signs thrown together; the order of words alone says less in code than in prose."""
    order, pairs = _word_order().of(text)
    return pairs < _MANY_PAIRS or order > _DOUBTFUL_IN_CODE or (order > _NO_ORDER_IN_CODE and _unclosed(text) < _UNCLOSED_SHARE)


def _unclosed(text: str) -> float:
    """Return which share of the brackets has no partner where it should be."""
    brackets = [sign for sign in text if sign in "()[]{}"]
    waiting: list[str] = []
    alone = 0
    for sign in brackets:
        if sign in "([{":
            waiting.append(sign)
        elif waiting and waiting[-1] + sign in ("()", "[]", "{}"):
            waiting.pop()
        else:
            alone += 1
    return (alone + len(waiting)) / max(1, len(brackets))


def _has_grammar(said: Sequence[str]) -> bool:
    """Tell sentences from a list of words: there are words of grammar between the others."""
    runs = [len(run) for is_content, run in _runs(said) if is_content]
    function_share = 1 - sum(runs) / len(said)
    if function_share < _KEYWORD_LIST_FUNCTION_SHARE:
        return False
    return len(said) < _KEYWORD_LIST_WORDS or function_share >= _SPARSE_SHARE or sum(runs) / len(runs) <= _HEAP_RUN


def _is_in_order(text: str) -> bool:
    """Tell words in an order that people use from shuffled ones, where there are enough of them to tell."""
    order, pairs = _word_order().of(text)
    return pairs < _FEW_PAIRS or order > (_NO_ORDER if pairs >= _MANY_PAIRS else _NO_ORDER_IN_SHORT)


@cache
def _word_order() -> WordOrder:
    return WordOrder(text for question in load_bank().values() for text in (question.prompt, question.model_answer))


def _share_of_wordings(kept: Sequence[Sentence], rubric: Rubric) -> float:
    """Return which part of the words said stands in wordings of the rubric: all of them where its lists are read out."""
    said = [stem for sentence in kept for stem in sentence.stems]
    covered = [False] * len(said)
    wordings = {_term_stems(term) for key_point in rubric.key_points for idea in key_point.terms for term in idea}
    for start in range(len(said)):
        for length in range(1, _LONGEST_WORDING + 1):
            if tuple(said[start : start + length]) in wordings:
                covered[start : start + length] = [True] * len(covered[start : start + length])
    return sum(covered) / len(said)


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
            parts = tuple(sentence.text for sentence in kept[first : last + 1])
            whole = "".join(text.split()) == "".join("".join(parts).split())
            found.append(Window(text if whole else parts[0], parts, run))
    return found


def _lexical(key_point: KeyPoint, haystack: Sequence[str]) -> float:
    """Return the share of the key point's ideas of which one wording stands in `haystack`."""
    if not key_point.terms:
        return 0.0
    there = frozenset(haystack)
    found = sum(any(_stands_in(haystack, there, _term_stems(term)) for term in idea) for idea in key_point.terms)
    return found / len(key_point.terms)


def _stands_in(haystack: Sequence[str], there: frozenset[str], phrase: tuple[str, ...]) -> bool:
    """Tell whether a phrase is in `haystack`, whose words are `there`: most phrases miss one, and need no search."""
    return there.issuperset(phrase) and contains_phrase(haystack, phrase)


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
    nature = nature_of(answer, kept, rubric, kind)
    missed = tuple(MarkedPoint(key_point=index, mark=Mark.MISSED) for index in range(len(rubric.key_points)))
    if nature is AnswerNature.NON_ANSWER:
        return Scored(nature, missed)
    windows = _windows(kept, answer)
    window_vectors = vectors([" ".join(window.parts) for window in windows])
    everything = tuple(stem for sentence in kept for stem in sentence.stems)
    found = [_find(key_point, windows, window_vectors, everything) for key_point in rubric.key_points]
    marks = tuple(
        MarkedPoint(key_point=index, mark=mark, quote="" if mark is Mark.MISSED else _quote(windows[place]))
        for index, (mark, place) in enumerate(found)
    )
    evidence = dict.fromkeys(part for mark, place in found if mark is not Mark.MISSED for part in windows[place].parts)
    if nature is AnswerNature.ANSWER and _says_nothing(prompt, rubric, marks, kept, tuple(evidence), kind):
        nature = AnswerNature.OFF_TOPIC
    return Scored(nature, marks)


def _says_nothing(
    prompt: str,
    rubric: Rubric,
    marks: Sequence[MarkedPoint],
    kept: Sequence[Sentence],
    evidence: Sequence[str],
    kind: AnswerKind,
) -> bool:
    """Tell an answer without any key point, or one whose points are words met by chance in a text about something else."""
    if score(rubric, marks, AnswerNature.ANSWER) <= NON_ANSWER_CAP:
        return not evidence
    said = [sentence.text for sentence in kept]
    # What else stands in an answer, of whatever length, earns no marks; yet a few names of products alone, say, are about anything.
    if answers_another_question(prompt, rubric, " ".join(evidence)) and answers_another_question(prompt, rubric, " ".join(said)):
        return True
    return kind is not AnswerKind.CODE and is_off_topic(prompt, rubric, said)


def _find(
    key_point: KeyPoint, windows: Sequence[Window], window_vectors: NDArray[np.float32], everything: Sequence[str]
) -> tuple[Mark, int]:
    """Mark one key point by its best window and return its place; ideas scattered over the whole answer count a little less."""
    cosines = window_vectors @ _point_vector(key_point.point)
    strengths = [
        _evidence(_lexical(key_point, window.stems), float(cosine)) for window, cosine in zip(windows, cosines, strict=True)
    ]
    # The shortest window among equals makes the clearest quote; windows are ordered by length.
    best = max(range(len(windows)), key=lambda position: (round(strengths[position], 2), -position))
    strength = max(strengths[best], 0.85 * _lexical(key_point, everything))
    if strength >= HIT_EVIDENCE:
        return Mark.HIT, best
    return (Mark.PARTIAL if strength >= PARTIAL_EVIDENCE else Mark.MISSED), best
