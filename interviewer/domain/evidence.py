"""Where in an answer the quotes of a verdict stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from interviewer.domain.rubric import folded


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
    haystack, origins = _folded_with_origins(answer)
    owner = [-1] * len(answer)
    for number, quote in enumerate(quotes):
        needle = folded(quote)
        at = haystack.find(needle) if needle else -1
        if at < 0:
            continue
        for position in range(origins[at], origins[at + len(needle) - 1] + 1):
            if owner[position] < 0:
                owner[position] = number
    found: list[Segment] = []
    start = 0
    for position in range(1, len(answer) + 1):
        if position == len(answer) or owner[position] != owner[start]:
            found.append(Segment(answer[start:position], owner[start]))
            start = position
    return found


def _folded_with_origins(answer: str) -> tuple[str, list[int]]:
    """Return the answer folded character by character, and for each character of that which one it came from."""
    characters: list[str] = []
    origins: list[int] = []
    for position, character in enumerate(answer):
        plain = " " if character.isspace() else folded(character)
        if plain == " " and characters[-1:] == [" "]:
            continue
        characters.extend(plain)
        origins.extend([position] * len(plain))
    return "".join(characters), origins
