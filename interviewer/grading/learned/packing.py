"""Turn a criterion and some segments of an answer into one sequence of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import BertWordPieceTokenizer

# The first two are in tokens.
MOST_OF_CRITERION, MOST_OF_SEGMENT, MOST_SEGMENTS = 64, 72, 8
# The longest sequence that the exported network accepts, in tokens. A criterion with the sentences of a shortlist is shorter.
MOST_PLACES = 256
# The special values in `owners`: the criterion, the [CLS] and [SEP] tokens, and padding. Segments are numbered from 1.
CRITERION, MARK, PADDING = 0, -1, -2


@dataclass(frozen=True, slots=True)
class Packed:
    """Token IDs, and for each token its owner: the text that it belongs to."""

    ids: tuple[int, ...]
    owners: tuple[int, ...]
    segments: int


class Packer:
    """Packs texts with one WordPiece vocabulary."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._tokenizer = BertWordPieceTokenizer({piece: index for index, piece in enumerate(pieces)}, lowercase=True)
        self._start, self._stop = pieces.index("[CLS]"), pieces.index("[SEP]")

    def pieces(self, text: str, most: int = MOST_OF_SEGMENT) -> list[int]:
        """Return the IDs of at most the first `most` tokens of a text, without special tokens."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids[:most])

    def pack(self, criterion: str, segments: Sequence[str]) -> Packed:
        """Return the tokens of "[CLS] criterion [SEP] segment [SEP] segment [SEP] ...".

        The criterion is truncated to MOST_OF_CRITERION tokens, and each segment to MOST_OF_SEGMENT. The number of segments is
        not limited here.
        """
        return self.join(self.pieces(criterion, MOST_OF_CRITERION), [self.pieces(segment) for segment in segments])

    def join(self, criterion: Sequence[int], segments: Sequence[Sequence[int]]) -> Packed:
        """Return the same tokens as `pack`, but from token IDs and without truncating them."""
        ids, owners = [self._start, *criterion, self._stop], [MARK, *[CRITERION] * len(criterion), MARK]
        for place, segment in enumerate(segments, 1):
            ids += [*segment, self._stop]
            owners += [*[place] * len(segment), MARK]
        return Packed(tuple(ids), tuple(owners), len(segments))

    def alone(self, text: str) -> Packed:
        """Return the tokens of "[CLS] text [SEP]", from which the text's vector is computed.

        The text is truncated to MOST_OF_SEGMENT tokens.
        """
        return self.join(self.pieces(text), [])
