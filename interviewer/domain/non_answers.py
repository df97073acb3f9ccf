"""Telling what is no answer, in code, whichever interviewer judges: it caps the score of such a reply."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+")
NO_IDEA = re.compile(
    r"\b(i (really |honestly |just )?(do not|don'?t|dont) (know|remember|have (an |any )?(idea|answer|clue))|no idea|not sure|"
    r"i have no (idea|clue|answer)|never (heard|used|worked)|idk|dunno|skip( this)?|pass|can(no|')?t answer|no comment)\b",
    re.IGNORECASE,
)
# A reply with "I don't know" in it that says more than this many words may still answer in part.
SHORT_REPLY = 25
COPIED_SHARE = 0.8
_RUN = 3


def admits_ignorance(answer: str) -> bool:
    """Tell a short reply that says it has no answer."""
    return bool(NO_IDEA.search(answer)) and len(_WORD.findall(answer)) < SHORT_REPLY


def copies_question(prompt: str, answer: str) -> bool:
    """Tell a reply most of whose runs of three words stand in the question."""
    said = [word.casefold() for word in _WORD.findall(answer)]
    asked = [word.casefold() for word in _WORD.findall(prompt)]
    runs = _runs(said)
    return bool(runs) and len(runs & _runs(asked)) / len(runs) >= COPIED_SHARE


def is_non_answer(prompt: str, answer: str) -> bool:
    """Tell a reply that does not try to answer: no words, "I don't know", the question copied back."""
    return not _WORD.search(answer) or admits_ignorance(answer) or copies_question(prompt, answer)


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[start : start + _RUN]) for start in range(len(words) - _RUN + 1)}
