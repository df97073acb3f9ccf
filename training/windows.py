"""Cut an answer into sentences, and sentences into the windows that the judge reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

MOST_SENTENCES = 3
# About what the judge reads of a window; longer sentences are cut between words.
MOST_CHARACTERS = 320
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
# A dot inside a number, a name or an abbreviation ends no sentence.
_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\betc)[.!?]+[\"'”’)\]]*(?=\s)|\n+|;(?=\s)")
_LINES_OF_CODE = 5
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the answer by its first character and the one behind its last."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Window:
    """Neighboring sentences, from the one at index `first` up to the one before `last`."""

    first: int
    last: int
    text: str


def sentences(text: str) -> list[Span]:
    """Return the sentences of `text` in order; code between fences is cut into blocks of a few lines."""
    found: list[Span] = []
    position = 0
    for block in _CODE.finditer(text):
        found += _prose(text, position, block.start())
        found += _code(text, block.start(), block.end())
        position = block.end()
    found += _prose(text, position, len(text))
    return found


def windows(text: str, spans: Sequence[Span], most: int = MOST_SENTENCES) -> list[Window]:
    """Return every run of one to `most` neighboring sentences, shortest first; runs that are too long are left out."""
    found = []
    for size in range(1, most + 1):
        for first in range(len(spans) - size + 1):
            last = first + size
            window = text[spans[first].start : spans[last - 1].end]
            if size == 1 or len(window) <= MOST_CHARACTERS:
                found.append(Window(first, last, window))
    return found


def _prose(text: str, start: int, end: int) -> list[Span]:
    found = []
    position = start
    for match in _END.finditer(text, start, end):
        found += _pieces(text, position, match.end())
        position = match.end()
    return found + _pieces(text, position, end)


def _code(text: str, start: int, end: int) -> list[Span]:
    """Cut a block of code at line ends, so that no piece has more than `_LINES_OF_CODE` lines."""
    lines = [match.start() for match in re.finditer(r"(?m)^", text[start:end])]
    cuts = [start + line for line in lines[::_LINES_OF_CODE]] + [end]
    return [span for first, last in pairwise(cuts) for span in _pieces(text, first, last)]


def _pieces(text: str, start: int, end: int) -> list[Span]:
    """Return the stretch without the blanks around it, in parts if it is long, and nothing if it has no word."""
    found = []
    while end - start > MOST_CHARACTERS:
        cut = max(text.rfind(" ", start, start + MOST_CHARACTERS), text.rfind("\n", start, start + MOST_CHARACTERS))
        cut = cut if cut > start else start + MOST_CHARACTERS
        found.append((start, cut))
        start = cut
    return [_trimmed(text, first, last) for first, last in [*found, (start, end)] if _WORD.search(text, first, last)]


def _trimmed(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return Span(start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip()))
