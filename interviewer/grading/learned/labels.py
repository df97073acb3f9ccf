"""The classes for what a sentence says about a criterion: nothing, partial, made, or wrong.

Sets of classes are bit masks. They label training data for which only some classes are ruled out.
"""

from __future__ import annotations

NOTHING, PARTIAL, MADE, WRONG = range(4)
NAMES = ("nothing", "partial", "made", "wrong")
# The set of all classes.
ANY = 0b1111


def only(*labels: int) -> int:
    """Return the set of these classes as a bit mask."""
    return sum(1 << label for label in labels)


NOT_WRONG, NOT_MADE = ANY - only(WRONG), ANY - only(MADE)
NAMED = {name: label for label, name in enumerate(NAMES)}
