"""Words, stems, and usual word order for the built-in judge."""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

import snowballstemmer

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[+#]{1,2}(?=\W|$)")
_SEGMENT = re.compile(r"[^.!?;\n]+(?:[.!?;](?!\s|$)[^.!?;\n]*)*[.!?;]*")
# More pieces than any answer of the allowed length has, unless its lines are only a few letters long.
MAX_PIECES = 300
_STEMMER = snowballstemmer.stemmer("english")
# The stemmer is not thread-safe (it stores the current word), and answers are judged in several threads.
_STEMMER_LOCK = threading.Lock()

FUNCTION_WORDS = frozenset(
    [
        "a",
        "about",
        "above",
        "after",
        "again",
        "all",
        "also",
        "although",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "being",
        "below",
        "between",
        "both",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "down",
        "during",
        "each",
        "few",
        "for",
        "from",
        "further",
        "had",
        "has",
        "have",
        "having",
        "he",
        "her",
        "here",
        "hers",
        "him",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "just",
        "may",
        "me",
        "might",
        "more",
        "most",
        "must",
        "my",
        "no",
        "nor",
        "not",
        "of",
        "off",
        "on",
        "once",
        "only",
        "or",
        "other",
        "our",
        "out",
        "over",
        "own",
        "same",
        "she",
        "should",
        "since",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "theirs",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "to",
        "too",
        "under",
        "until",
        "up",
        "very",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "whether",
        "which",
        "while",
        "who",
        "whom",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return the English stem of a lowercase word."""
    with _STEMMER_LOCK:
        return str(_STEMMER.stemWord(word))


def words(text: str) -> list[str]:
    """Return the words of a text in lowercase. Identifiers are split at case changes and punctuation."""
    return [word.lower() for word in _WORD.findall(text)]


def stems(text: str) -> list[str]:
    """Return the stems of all words of a text, in order."""
    return [stem(word) for word in words(text)]


def content_stems(text: str) -> list[str]:
    """Return the stems of the words of a text that are not function words, in order."""
    return [stem(word) for word in words(text) if word not in FUNCTION_WORDS]


def cut(piece: re.Pattern[str], text: str) -> list[str]:
    """Return the matches of `piece` in `text`.

    If there are more than MAX_PIECES, neighbors are merged, because each piece costs the judge time.
    """
    spans = [match.span() for match in piece.finditer(text)]
    together = math.ceil(len(spans) / MAX_PIECES) or 1
    runs = [spans[first : first + together] for first in range(0, len(spans), together)]
    return [text[run[0][0] : run[-1][1]] for run in runs]


def sentences(text: str) -> list[str]:
    """Split a text at sentence ends, semicolons and line ends. Pieces without a word are dropped."""
    return [piece.strip() for piece in cut(_SEGMENT, text) if _WORD.search(piece)]


_ENDINGS = ("ing", "ed", "ly", "tion", "er", "s")
# The prior's pseudocount. Most pairs of words are too rare for their own counts to be reliable.
_PRIOR = 10.0


class WordOrder:
    """A model of usual word order, learned from texts. Function words are kept; other words are reduced to their endings."""

    def __init__(self, texts: Iterable[str]) -> None:
        single: Counter[str] = Counter()
        pairs: Counter[tuple[str, str]] = Counter()
        for text in texts:
            for sentence in sentences(text):
                kinds = _kinds(sentence)
                single.update(kinds)
                pairs.update(pairwise(kinds))
        self._share = {kind: count / single.total() for kind, count in single.items()}
        self._rare = 1 / max(1, single.total())
        self._single, self._pairs = single, pairs

    def of(self, text: str) -> tuple[float, int]:
        """Return how usual a text's word order is, and its number of word pairs.

        The first value is the mean log ratio of a word's probability after its predecessor to its overall probability. It is
        below 0 for words in random order, and 0 if there are no pairs.
        """
        found = [
            self._surprise(*pair) for sentence in sentences(text) for kinds in [_kinds(sentence)] for pair in pairwise(kinds)
        ]
        return (sum(found) / len(found) if found else 0.0), len(found)

    def _surprise(self, before: str, kind: str) -> float:
        share = self._share.get(kind, self._rare)
        return math.log((self._pairs[before, kind] + _PRIOR * share) / (self._single[before] + _PRIOR) / share)


def _kinds(text: str) -> list[str]:
    return [_kind(word) for word in words(text)]


@lru_cache(maxsize=20_000)
def _kind(word: str) -> str:
    if word in FUNCTION_WORDS:
        return word
    if word.isdigit() or len(word) < 3:
        return "1" if word.isdigit() else "?"
    return next((f"-{ending}" for ending in _ENDINGS if word.endswith(ending) and len(word) > len(ending) + 2), "-")
