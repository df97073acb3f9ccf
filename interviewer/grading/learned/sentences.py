"""Cut an answer into the sentences that the judge reads."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise

# More sentences than any answer of the allowed length has, unless they are only a few words long.
MAX_SENTENCES = 200
# About as much of a sentence as the judge reads. Longer sentences are cut between words.
MOST_CHARACTERS = 320
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
# A dot inside a number, a name or an abbreviation ends no sentence.
_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\betc)(?<![\s.])[.!?]+[\"'”’)\]]*(?=\s)|\n+|;(?=\s)")
_LINES_OF_CODE = 5
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the answer. `start` is the index of its first character, and `end` the index after its last one."""

    start: int
    end: int


def sentences(text: str) -> list[Span]:
    """Return the sentences of `text`, in order. Code between fences is cut into blocks of a few lines."""
    found: list[Span] = []
    position = 0
    for block in _CODE.finditer(text):
        found += _prose(text, position, block.start())
        found += _code(text, block.start(), block.end())
        position = block.end()
    return _merged(found + _prose(text, position, len(text)))


def _merged(spans: list[Span]) -> list[Span]:
    """Join neighbors if there are more than MAX_SENTENCES, because each sentence costs the judge time."""
    together = math.ceil(len(spans) / MAX_SENTENCES) or 1
    runs = [spans[first : first + together] for first in range(0, len(spans), together)]
    return [Span(run[0].start, run[-1].end) for run in runs]


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
    """Return a part of the text without surrounding white space, split if it is too long. Pieces without a word are dropped."""
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
