"""The part of the base model's vocabulary that is kept. Its entries are WordPiece tokens, called pieces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import BertWordPieceTokenizer

# Pieces are roughly in order of frequency. ASCII pieces before this index are kept whether or not our texts use them.
COMMON = 11_000


def read_pieces(path: Path) -> list[str]:
    """Return the pieces in a vocabulary file, which has one per line."""
    return path.read_text(encoding="utf-8").rstrip("\n").split("\n")


def kept(pieces: Sequence[str], texts: Iterable[str]) -> list[int]:
    """Return the indexes of the pieces to keep: special tokens, single letters, common pieces, and those that `texts` use."""
    tokenizer = BertWordPieceTokenizer({piece: index for index, piece in enumerate(pieces)}, lowercase=True)
    used = {index for encoding in tokenizer.encode_batch(list(texts)) for index in encoding.ids}
    return [index for index, piece in enumerate(pieces) if index in used or _is_general(index, piece)]


def _is_general(index: int, piece: str) -> bool:
    if piece.startswith("[unused"):
        return False
    return piece.isascii() and (index < COMMON or len(piece.removeprefix("##")) == 1)
