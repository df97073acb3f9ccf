"""Split a reference answer into its points, and an answer into the windows that may make them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from interviewer.grading.text import FUNCTION_WORDS, cut, stem, words

_SEGMENT = re.compile(r"[^.!?;\n•●○]+(?:[.!?;](?!\s|$)[^.!?;\n•●○]*)*[.!?;]*")
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_COUNT = re.compile(
    r"\b(\d|two|three|four|five|six)\b(?:\s+(?:of|the|main|possible|different|key|important|\w+(?=\s+(?:class|type|kind)))){0,3}"
    r"\s+(\w+s)\b",
    re.IGNORECASE,
)
_NOT_COUNTED = frozenset(["sentences", "words", "times", "seconds", "minutes", "hours", "bits", "bytes", "packets", "points"])
# Words that introduce a point but carry no content.
_FILLERS = frozenset(
    stem(word)
    for word in (
        "example",
        "eg",
        "ie",
        "etc",
        "thing",
        "way",
        "answer",
        "question",
        "use",
        "case",
        "also",
        "first",
        "second",
        "third",
        "one",
        "two",
        "three",
        "follow",
        "possible",
        "mean",
        "however",
        "therefore",
        "thus",
        "lecture",
        "advantage",
        "disadvantage",
        "difference",
        "correct",
        "get",
        "make",
        "give",
        "need",
    )
)
FILLER_WEIGHT = 0.4
WINDOW = 3


@dataclass(frozen=True, slots=True)
class Point:
    """One thing the reference answer says: its text, its stems, the stems that are not in the question, and its weight."""

    text: str
    stems: frozenset[str]
    new: frozenset[str]
    weight: float


@dataclass(frozen=True, slots=True)
class Windows:
    """All runs of one to `WINDOW` neighboring sentences: the sentence range and the stems of each run."""

    ranges: tuple[tuple[int, int], ...]
    stems: tuple[frozenset[str], ...]


def segments(text: str) -> list[str]:
    """Split a text at sentence ends, semicolons, bullets and line ends. Pieces without a word or number are dropped."""
    pieces = (piece.strip(" \t-–*>→\r") for piece in cut(_SEGMENT, text))
    return [piece for piece in pieces if words(piece)]


def content(text: str) -> frozenset[str]:
    """Return the stems of the meaningful words and numbers of a text."""
    return frozenset(stem(word) for word in words(text) if word not in FUNCTION_WORDS and (len(word) > 1 or word.isdigit()))


def weight_of(word: str) -> float:
    """Return the weight of a stem in an overlap: 1, or FILLER_WEIGHT for filler words."""
    return FILLER_WEIGHT if word in _FILLERS else 1.0


def overlap(wanted: Collection[str], said: Collection[str]) -> float:
    """Return the weighted share (0 to 1) of `wanted` that also occurs in `said`, or 0 if `wanted` is empty."""
    total = sum(weight_of(word) for word in wanted)
    return sum(weight_of(word) for word in wanted if word in said) / total if total else 0.0


def points(reference: str, asked: frozenset[str]) -> list[Point]:
    """Return the points of the reference answer. Headings that only repeat the question are dropped if anything else remains."""
    found = []
    for piece in segments(reference):
        said = content(piece)
        if said:
            new = said - asked
            found.append(Point(piece, said, new, min(6, len(new)) + 0.5))
    return [point for point in found if point.new] or found or [Point(reference.strip() or ".", frozenset(), frozenset(), 1.0)]


def wanted_points(question: str, available: int) -> int:
    """Return how many points the question asks for ("name two ..."), at most `available`; all of them if it gives no number."""
    counts = [
        int(count) if count.isdigit() else _COUNTS[count.lower()]
        for count, counted in _COUNT.findall(question)
        if counted.lower() not in _NOT_COUNTED
    ]
    return max(1, min(available, max(counts))) if counts else available


def windows(stems: Sequence[frozenset[str]]) -> Windows:
    """Return all runs of one to `WINDOW` neighboring sentences. `stems` has the stems of each sentence."""
    ranges = tuple((first, first + size) for size in range(1, WINDOW + 1) for first in range(len(stems) - size + 1))
    return Windows(ranges, tuple(frozenset().union(*stems[first:last]) for first, last in ranges))
