"""Locate a verdict's quotes in the answer."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from interviewer.interviews.rubric import folded, plain

_APART = "\0"
_SPACES = re.compile(r"\s{2,}")
_ELISION = re.compile(r"\[?(?:…|\.\.\.)\]?")
_QUOTATION_MARKS = " \t\r\n\"'`“”‘’«»„‚"


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of an answer. `quote` is the index of the first quote that covers it, or -1 if none does."""

    text: str
    quote: int = -1


def segments(answer: str, quotes: Sequence[str]) -> list[Segment]:
    """Split an answer where quotes begin and end.

    Joining the segments gives the answer again. As in `checked_marks`, quotes are compared with the answer after folding both
    with `folded`. Only the first occurrence of a quote is used. Where quotes overlap, the one earlier in the list wins. Quotes
    that are not found are ignored.
    """
    haystack, ends = _folded_with_ends(answer)
    stretches: list[tuple[int, int, int]] = []
    for number, quote in enumerate(quotes):
        needle = folded(quote)
        at = haystack.find(needle) if needle else -1
        if at >= 0:
            stretches.append((bisect_right(ends, at), bisect_right(ends, at + len(needle) - 1) + 1, number))
    cuts = sorted({0, len(answer)}.union(*((begin, end) for begin, end, _ in stretches)))
    found: list[Segment] = []
    for begin, end in pairwise(cuts):
        owner = next((number for first, last, number in stretches if first <= begin and end <= last), -1)
        if found and found[-1].quote == owner:
            found[-1] = Segment(found[-1].text + answer[begin:end], owner)
        else:
            found.append(Segment(answer[begin:end], owner))
    return found


def holds(answer: str, quote: str) -> bool:
    """Return whether an answer contains a quote, after the same normalization as in `segments`."""
    needle = folded(quote)
    return bool(needle) and needle in _folded_with_ends(answer)[0]


def proven_quote(answer: str, quote: str) -> str:
    """Return the quote without quotation marks around it if it is in the answer, else "".

    A quote that leaves words out ("a … b") is proven if its parts are in the answer in this order; the longest part is returned.
    """
    haystack = folded(answer)
    for candidate in (quote, quote.strip(_QUOTATION_MARKS)):
        if candidate.strip() and folded(candidate) in haystack:
            return candidate.strip()
    parts = [part.strip(_QUOTATION_MARKS) for part in _ELISION.split(quote)]
    parts = [part for part in parts if part.strip()]
    at = 0
    for part in parts:
        found = haystack.find(folded(part), at)
        if found < 0:
            return ""
        at = found + len(folded(part))
    return max(parts, key=len, default="") if len(parts) > 1 else ""


def _folded_with_ends(answer: str) -> tuple[str, list[int]]:
    """Return the folded answer and, for each character of the original, the end (exclusive) of its folded form.

    The ends are indexes into the folded answer. This function runs on the event loop, so it has to be fast: one call folds all
    the distinct characters, each only once.
    """
    foldings = _foldings(answer)
    parts = [foldings.get(character, character) for character in answer]
    for run in _SPACES.finditer(answer):
        parts[run.start() + 1 : run.end()] = [""] * (len(run[0]) - 1)
    return "".join(parts), list(accumulate(map(len, parts)))


def _foldings(text: str) -> dict[str, str]:
    """Map each character that folding changes to its folded form. Every white space character maps to a space."""
    different = list(set(text) - {_APART})
    # Characters never combine across a NUL separator, so each one is folded independently.
    parts = plain(_APART.join(different)).casefold().split(_APART) if different else []
    return {
        character: " ".join(part.split()) or " " * character.isspace()
        for character, part in zip(different, parts, strict=True)
        if part != character or character.isspace()
    }
