"""Detect replies that do not try to answer. Their score is capped no matter which interviewer judges them."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+")
NO_IDEA = re.compile(
    r"\b(i (really |honestly |just )?(do not|don'?t|dont) (know|remember|have (an |any )?(idea|answer|clue))|no idea|"
    r"i have no (idea|clue|answer)|i (have |just |really )?never (heard|used|worked)|i'?ve never (heard|used|worked)|"
    r"i('m| am) not sure|"
    r"idk|dunno|can(no|')?t answer|no comment)\b|^\W*(not sure|never (heard|used|worked))\b|"
    # "Pass by value" and "a skip list" are answers: these words decline only when they are the whole reply.
    r"^\W*(i('ll| will|'d| would)?,? )?(rather )?(pass|skip)( on)?( this| that| it| the question)?( one)?,?"
    r"( please| thanks)?\W*$",
    re.IGNORECASE,
)
# In words. A longer reply that contains "I don't know" may still be a partial answer.
SHORT_REPLY = 25
COPIED_SHARE = 0.8
_RUN = 3


def admits_ignorance(answer: str) -> bool:
    """Return whether a reply is short and says that the candidate has no answer."""
    return bool(NO_IDEA.search(answer)) and len(_WORD.findall(answer)) < SHORT_REPLY


def copies_question(prompt: str, answer: str) -> bool:
    """Return whether at least 80 % of the reply's distinct three-word sequences also occur in the question."""
    said = [word.casefold() for word in _WORD.findall(answer)]
    asked = [word.casefold() for word in _WORD.findall(prompt)]
    runs = _runs(said)
    return bool(runs) and len(runs & _runs(asked)) / len(runs) >= COPIED_SHARE


def is_non_answer(prompt: str, answer: str) -> bool:
    """Return whether a reply does not try to answer: it has no words, says "I don't know", or copies the question."""
    return not _WORD.search(answer) or admits_ignorance(answer) or copies_question(prompt, answer)


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[start : start + _RUN]) for start in range(len(words) - _RUN + 1)}
