"""The built-in grader for short answers: compares an answer with a reference answer, without network or language model.

The features are in features.py and the trained model in regression.py. This module has the rules around them: a non-answer scores
0, whatever the model predicts.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import lru_cache

from interviewer.grading.encoders import contextual
from interviewer.grading.features import measure
from interviewer.grading.instructions import addresses_grader
from interviewer.grading.regression import Model, trained
from interviewer.grading.segments import content, segments, weight_of
from interviewer.grading.text import FUNCTION_WORDS, words
from interviewer.interviews.non_answers import admits_ignorance, copies_question

_BLANK = re.compile(
    r"\W*(?:no|empty|blank|missing|none|nothing|n/?a)?\W*(?:response|submission|answer|reply|solution|comment)?"
    r"(?:\W+(?:given|provided|submitted))?\W*",
    re.IGNORECASE,
)
KEYWORD_LIST_GRADE = 0.25
# The model ranks answers well but grades average ones too low, mainly for new kinds of questions.
USUAL_GRADE, LIFT = 0.8, 0.35
_LIFTED_FROM, _LIFTED_WHOLLY = 0.3, 0.5
# A short answer that ties a subject to the wrong end of a scale ("a queue is last in first out") keeps this share of its grade.
REVERSED_SHARE, SHORT_ANSWER = 0.6, 12
_KEYWORD_LIST_WORDS, _KEYWORD_LIST_FUNCTION_SHARE = 8, 0.1
# An answer with at most NO_EVIDENCE gets nothing; from EVIDENCE on, it gets the full prediction.
NO_EVIDENCE, EVIDENCE = 0.02, 0.15
_ECHO_RUN, _ECHO_SHARE, _ECHO_WORDS = 5, 0.7, 60
_UNRELATED, _RELATED = 0.15, 0.65


def grade(question: str, reference_answer: str, answer: str) -> float:
    """Return the grade (0 to 1) that a human would probably give to `answer`.

    The result is deterministic. Raises ValueError if the reference answer has no words.
    """
    if not words(reference_answer):
        raise ValueError("The reference answer has no words.")
    if is_non_attempt(question, answer) and not _BLANK.fullmatch(reference_answer):
        return 0.0
    encoder = contextual()
    measured = measure(question, reference_answer, worded(question, answer), encoder)
    return settle(measured, trained("context" if encoder else "static"), question, reference_answer, answer)


# Cached because every rule calls it, and detecting repetitions of the question is slow.
@lru_cache(maxsize=64)
def worded(question: str, answer: str) -> str:
    """Return `answer` without sentences that address the grader or repeat the question. The result may be empty."""
    return "\n".join(piece for piece in segments(answer) if not addresses_grader(piece) and not _echoes(question, piece))


def _echoes(question: str, piece: str) -> bool:
    """Return whether a sentence repeats most of a sentence of the question verbatim and adds only filler words."""
    said = words(piece)
    if len(said) > _ECHO_WORDS:
        return False
    for asked in map(words, segments(question)):
        run = SequenceMatcher(None, said, asked, autojunk=False).find_longest_match()
        if run.size >= max(_ECHO_RUN, _ECHO_SHARE * len(asked)):
            left = content(" ".join(said[: run.a] + said[run.a + run.size :]))
            if all(weight_of(word) < 1 for word in left):
                return True
    return False


def is_non_attempt(question: str, answer: str) -> bool:
    """Return whether an answer is no attempt: it is empty, "no submission" or "I don't know", or repeats the question."""
    said = worded(question, answer)
    return bool(_BLANK.fullmatch(said)) or not words(said) or admits_ignorance(said) or copies_question(question, said)


def settle(measured: dict[str, float], model: Model, question: str, reference_answer: str, answer: str) -> float:
    """Return the grade for measured features: the model's prediction, adjusted by the rules."""
    predicted = _lifted(min(1.0, max(0.0, model.predict(measured)))) * _trust(measured)
    if measured["conflict"] > 0.5 and len(content(worded(question, answer))) <= SHORT_ANSWER:
        predicted *= REVERSED_SHARE
    if _is_keyword_list(worded(question, answer), reference_answer):
        predicted = min(predicted, KEYWORD_LIST_GRADE)
    return round(min(1.0, max(0.0, predicted)), 4)


def _lifted(predicted: float) -> float:
    """Raise an average grade toward USUAL_GRADE. Grades near zero and good grades stay the same."""
    share = min(1.0, max(0.0, (predicted - _LIFTED_FROM) / (_LIFTED_WHOLLY - _LIFTED_FROM)))
    return predicted + share * LIFT * max(0.0, USUAL_GRADE - predicted)


def _trust(measured: dict[str, float]) -> float:
    """Return the factor (0 to 1) by which a prediction is trusted.

    It is 0 for an answer that shares no words or meaning with the reference or question, and 1 from EVIDENCE on.
    """
    likeness = max(measured["static_backward_best"], measured["static_asked_like"], measured.get("context_backward_best", 0.0))
    meaning = (likeness - _UNRELATED) / (_RELATED - _UNRELATED)
    evidence = max(measured["words_wanted"], measured["soft_wanted"], meaning)
    return min(1.0, max(0.0, (evidence - NO_EVIDENCE) / (EVIDENCE - NO_EVIDENCE)))


def _is_keyword_list(said: str, reference: str) -> bool:
    """Return whether a text lists keywords without grammar. If the reference is itself such a list, the answer may be one too."""
    return _bare(said) and not _bare(reference) and len(content(said)) >= _KEYWORD_LIST_WORDS


def _bare(text: str) -> bool:
    found = words(text)
    function_words = sum(word in FUNCTION_WORDS for word in found)
    formulas = sum(text.count(sign) for sign in "=(){}[]<>*^+") > len(found) / 8
    return len(found) >= _KEYWORD_LIST_WORDS and function_words / len(found) < _KEYWORD_LIST_FUNCTION_SHARE and not formulas
