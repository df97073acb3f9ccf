"""Ids of database rows, as clients write them."""

from __future__ import annotations

# Ids are 32-bit integers in the database; each is smaller than this.
MAX_ID = 2**31
# Digits, leading zeros included; int() takes quadratic time for longer ones.
LONGEST_ID = 20


def id_of(text: str) -> int | None:
    """Return the id in `text`: 0 for a number that no row can have, None for text other than ASCII digits."""
    if not (text.isascii() and text.isdecimal()):
        return None
    number = int(text) if len(text) <= LONGEST_ID else MAX_ID
    return number if number < MAX_ID else 0
