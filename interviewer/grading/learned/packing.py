"""Turn a criterion and some segments of an answer into one sequence of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import BertWordPieceTokenizer

MOST_OF_CRITERION, MOST_OF_SEGMENT, MOST_SEGMENTS = 64, 72, 8
# Places of a sequence in the exported network; what a shortlist chooses takes less.
MOST_PLACES = 256
# The criterion's place in `owners`; segments count from 1, marks between the texts belong to none, and padding fills up a row.
CRITERION, MARK, PADDING = 0, -1, -2


@dataclass(frozen=True, slots=True)
class Packed:
    """Numbers of pieces, and for each the text that it belongs to."""

    ids: tuple[int, ...]
    owners: tuple[int, ...]
    segments: int


class Packer:
    """Packs texts with one vocabulary."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._tokenizer = BertWordPieceTokenizer({piece: index for index, piece in enumerate(pieces)}, lowercase=True)
        self._start, self._stop = pieces.index("[CLS]"), pieces.index("[SEP]")

    def pieces(self, text: str, most: int = MOST_OF_SEGMENT) -> list[int]:
        """Return the numbers of the first pieces of a text, without marks."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids[:most])

    def pack(self, criterion: str, segments: Sequence[str]) -> Packed:
        """Return "[CLS] criterion [SEP] segment [SEP] segment [SEP] ..."."""
        return self.join(self.pieces(criterion, MOST_OF_CRITERION), [self.pieces(segment) for segment in segments])

    def join(self, criterion: Sequence[int], segments: Sequence[Sequence[int]]) -> Packed:
        """Return the same from numbers of pieces."""
        ids, owners = [self._start, *criterion, self._stop], [MARK, *[CRITERION] * len(criterion), MARK]
        for place, segment in enumerate(segments, 1):
            ids += [*segment, self._stop]
            owners += [*[place] * len(segment), MARK]
        return Packed(tuple(ids), tuple(owners), len(segments))

    def alone(self, text: str) -> Packed:
        """Return a text for its vector."""
        return self.join(self.pieces(text), [])
