"""What a stretch of an answer says about a statement, and sets of such labels for data that only exclude some."""

from __future__ import annotations

NOTHING, PARTIAL, MADE, WRONG = range(4)
NAMES = ("nothing", "partial", "made", "wrong")
# Bits of the classes that are possible.
ANY = 0b1111


def only(*labels: int) -> int:
    """Return the set of `labels` as bits."""
    return sum(1 << label for label in labels)


NOT_WRONG, NOT_MADE = ANY - only(WRONG), ANY - only(MADE)
NAMED = {name: label for label, name in enumerate(NAMES)}
