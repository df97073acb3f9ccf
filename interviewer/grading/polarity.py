"""Opposite words, and detection of texts that tie the same subject to opposite ends of a scale."""

from __future__ import annotations

import re
from collections.abc import Set
from functools import lru_cache

from interviewer.grading.text import FUNCTION_WORDS, stem, words

_SCALES = (
    "more most higher high greater larger large longer big bigger increase increasing maximum above faster fast upper"
    " | less fewer least lower low smaller small shorter decrease decreasing reduce minimum below slower slow",
    "first front head begin start before earliest | last back tail end after latest newest rear",
    "fifo | lifo",
    "left | right",
    "push insert add enqueue | pop delete remove dequeue",
    "always every | never",
    "true yes | false",
    "best | worst",
    "static fixed constant | dynamic variable grow shrink resize",
    "public | private",
    "parent | child children",
    "compile | runtime",
    "sender source | receiver destination",
    "same equal identical | different distinct",
    "synchronous | asynchronous",
    "ascending | descending",
    "linear | quadratic exponential logarithmic",
    "independent | dependent",
    "possible | impossible",
    "advantage | disadvantage",
    "top | bottom",
    "connection-oriented | connectionless",
    "reliable | unreliable",
    "local | global",
    "read | write",
)
_CLAUSE = re.compile(r"[.,;:()\n]|\b(?:and|while|whereas|but|however|then)\b", re.IGNORECASE)
_ORDERS = (
    (re.compile(r"\bfirst[\s-]*in[\s,-]*(?:is\s+)?first[\s-]*out\b", re.IGNORECASE), "fifo"),
    (re.compile(r"\blast[\s-]*in[\s,-]*(?:is\s+)?first[\s-]*out\b|\bfirst[\s-]*in[\s,-]*last[\s-]*out\b", re.IGNORECASE), "lifo"),
)
_NEGATION = re.compile(r"\b(?:no|not|never|cannot|can't|without|neither|nor|\w+n['’]t)\b", re.IGNORECASE)
ANSWERS_YES_OR_NO = re.compile(r"\A\W*(yes|no)\b", re.IGNORECASE)

_EndOf = dict[str, tuple[int, int]]
Bindings = dict[tuple[str, int], frozenset[int]]


def _ends() -> _EndOf:
    found: _EndOf = {}
    for scale, sides in enumerate(_SCALES):
        for sign, side in zip((1, -1), sides.split("|"), strict=True):
            for word in side.split():
                found.setdefault(stem(word), (scale, sign))
    return found


_ENDS = _ends()


@lru_cache(maxsize=2048)
def _bindings(text: str) -> Bindings:
    """Return, for each (word, scale), the ends of the scale that share a clause with the word. A negation swaps the ends."""
    for pattern, word in _ORDERS:
        text = pattern.sub(word, text)
    found: dict[tuple[str, int], set[int]] = {}
    for clause in _CLAUSE.split(text):
        turned = -1 if _NEGATION.search(clause) else 1
        said = [stem(word) for word in words(clause) if word not in FUNCTION_WORDS or word in {"before", "after", "more", "most"}]
        ends = [_ENDS[word] for word in said if word in _ENDS]
        for word in said:
            own = _ENDS.get(word, (-1, 0))[0]
            for scale, sign in ends:
                if scale != own:
                    found.setdefault((word, scale), set()).add(sign * turned)
    return {key: frozenset(signs) for key, signs in found.items()}


def conflict(reference: str, answer: str, subjects: Set[str]) -> tuple[float, float]:
    """Return how many subjects both texts tie to the same end of a scale, and how many to opposite ends.

    `subjects` are stems. Words at the ends of other scales count as subjects too ("left" with "smaller").
    """
    expected, said = _bindings(reference), _bindings(answer)
    same = opposite = 0
    for key in expected.keys() & said.keys():
        if len(expected[key]) > 1 or (key[0] not in subjects and key[0] not in _ENDS):
            continue
        if said[key] == expected[key]:
            same += 1
        elif len(said[key]) == 1:
            opposite += 1
    return float(same), float(opposite)
