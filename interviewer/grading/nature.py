"""Rules that detect non-answers, lists of keywords, and words in random order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import groupby

from interviewer.grading.bank.loader import load_bank
from interviewer.grading.instructions import addresses_grader, is_self_praise
from interviewer.grading.learned.sentences import Span
from interviewer.grading.text import FUNCTION_WORDS, WordOrder, content_stems, words
from interviewer.interviews.non_answers import NO_IDEA
from interviewer.interviews.rubric import AnswerNature
from interviewer.interviews.topics import AnswerKind

_ECHO_SHARE = 0.8
_KEYWORD_LIST_FUNCTION_SHARE = 0.12
# Runs of words that no function word interrupts have at most 2.6 words on average in the bank's model answers, and 2.9 in poor
# English.
_KEYWORD_LIST_WORDS, _LONG_RUN, _SPARSE_SHARE = 15, 3.0, 0.3
# 98 % of texts with shuffled words score below these limits. Sentences score above them, even in poor English. Short texts vary
# more.
_NO_ORDER, _NO_ORDER_IN_SHORT, _MANY_PAIRS, _FEW_PAIRS = -0.1, -0.3, 30, 12
# Of 400 Python functions, 4 score below the first limit. Code that was written to be read closes its brackets.
_NO_ORDER_IN_CODE, _DOUBTFUL_IN_CODE, _UNCLOSED_SHARE = -0.4, -0.15, 0.15
# In characters. Code has line breaks, so a text with longer lines on average does not count as code, even if it has brackets.
_LONG_LINE = 160


def spoken(answer: str, spans: Sequence[Span], prompt: str) -> list[Span]:
    """Return the sentences that say something.

    Sentences that repeat the question, address the grader, or only praise the candidate are left out.
    """
    asked = set(content_stems(prompt))
    answering = [span for span in spans if not addresses_grader(answer[span.start : span.end])]
    # If a sentence addresses the grader, single words ("pass") probably belong to it.
    least = 2 if len(answering) < len(spans) else 0
    return [span for span in answering if _says_something(answer[span.start : span.end], asked, least)]


def _says_something(sentence: str, asked: set[str], least: int) -> bool:
    """Return whether a sentence has at least `least` meaningful words, and is neither self-praise nor a copy of the question."""
    found = content_stems(sentence)
    if len(found) < least or is_self_praise(sentence):
        return False
    said = set(found)
    return len(said) < 3 or len(said & asked) / len(said) < _ECHO_SHARE


def nature_of(answer: str, kept: Sequence[Span], kind: AnswerKind) -> AnswerNature:
    """Return the nature of an answer. `kept` are its sentences that say something.

    An answer is a non-answer if it is empty, too short to say anything, or "I don't know". It is off-topic if it is a list of
    keywords or words in random order.
    """
    text = "\n".join(answer[span.start : span.end] for span in kept)
    said = words(text)
    content = [word for word in said if word not in FUNCTION_WORDS]
    if len(set(content)) < 3 or (NO_IDEA.search(text) and len(content) < 15):
        return AnswerNature.NON_ANSWER
    if len(said) < 8:
        return AnswerNature.ANSWER
    code = _has_brackets(text, said, kind)
    in_lines = code and len(text) / (answer.count("\n") + 1) < _LONG_LINE
    sound = _is_sound_code(text) if in_lines else _is_in_order(text) and (code or _has_grammar(said))
    return AnswerNature.ANSWER if sound else AnswerNature.OFF_TOPIC


def _has_brackets(text: str, said: Sequence[str], kind: AnswerKind) -> bool:
    return sum(text.count(sign) for sign in "(){}=[]") > len(said) / (16 if kind is AnswerKind.CODE else 8)


def _is_sound_code(text: str) -> bool:
    """Return whether code is in a plausible order, not shuffled.

    Word order says less about code than about prose, so brackets without a partner count as well.
    """
    order, pairs = _word_order().of(text)
    return pairs < _MANY_PAIRS or order > _DOUBTFUL_IN_CODE or (order > _NO_ORDER_IN_CODE and _unclosed(text) < _UNCLOSED_SHARE)


def _unclosed(text: str) -> float:
    """Return the share of brackets without a partner in the right place."""
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
    """Return whether enough function words come between the others to form sentences instead of a list of keywords.

    Numbers count as neither: an estimate of capacity is full of them.
    """
    said = [word for word in said if not word.isdecimal()]
    runs = [len(list(run)) for is_content, run in groupby(said, key=lambda word: word not in FUNCTION_WORDS) if is_content]
    function_share = 1 - sum(runs) / max(1, len(said))
    if function_share < _KEYWORD_LIST_FUNCTION_SHARE:
        return False
    return len(said) < _KEYWORD_LIST_WORDS or function_share >= _SPARSE_SHARE or sum(runs) / max(1, len(runs)) <= _LONG_RUN


def _is_in_order(text: str) -> bool:
    """Return whether the words are in a usual order, not shuffled. True if there are too few word pairs to decide."""
    order, pairs = _word_order().of(text)
    return pairs < _FEW_PAIRS or order > (_NO_ORDER if pairs >= _MANY_PAIRS else _NO_ORDER_IN_SHORT)


@cache
def _word_order() -> WordOrder:
    return WordOrder(text for question in load_bank().values() for text in (question.prompt, question.model_answer))
