"""Where in an answer the quotes of a verdict stand."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from interviewer.interviews.rubric import folded, plain

_APART = "\0"
_SPACES = re.compile(r"\s{2,}")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of an answer; `quote` is the place in the list of the first quote that covers it, -1 for none."""

    text: str
    quote: int = -1


def segments(answer: str, quotes: Sequence[str]) -> list[Segment]:
    """Cut an answer where quotes begin and end; joined, the segments are the answer.

    Quotes are found as their proof is checked: white space and case folded, typographic marks plain. Of each the first
    place counts, and where two overlap the earlier one in the list. One that is not there changes nothing.
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


def _folded_with_ends(answer: str) -> tuple[str, list[int]]:
    """Return the answer folded character by character, and for each of its characters where in that its part ends.

    What a page shows is worked out between other requests, so each character that occurs is folded once, all in one go.
    """
    foldings = _foldings(answer)
    parts = [foldings.get(character, character) for character in answer]
    for run in _SPACES.finditer(answer):
        parts[run.start() + 1 : run.end()] = [""] * (len(run[0]) - 1)
    return "".join(parts), list(accumulate(map(len, parts)))


def _foldings(text: str) -> dict[str, str]:
    """Return what each character of a text is alone once folded, as far as that is another; white space is a space."""
    different = list(set(text) - {_APART})
    # Nothing combines across the character between them, so each is folded as it would be alone.
    parts = plain(_APART.join(different)).casefold().split(_APART) if different else []
    return {
        character: " ".join(part.split()) or " " * character.isspace()
        for character, part in zip(different, parts, strict=True)
        if part != character or character.isspace()
    }
