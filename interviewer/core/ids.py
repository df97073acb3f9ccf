"""Database row IDs as clients write them."""

from __future__ import annotations

# IDs are 32-bit integers in the database, so every ID is below this.
MAX_ID = 2**31
# Maximum number of digits, including leading zeros. int() takes quadratic time for longer text.
MAX_ID_LENGTH = 20


def id_of(text: str) -> int | None:
    """Parse an ID. Returns 0 for a number too large to be an ID, and None for text other than ASCII digits."""
    if not (text.isascii() and text.isdecimal()):
        return None
    number = int(text) if len(text) <= MAX_ID_LENGTH else MAX_ID
    return number if number < MAX_ID else 0
