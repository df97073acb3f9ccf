"""Terminal output that escapes control characters in external data."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import typer

GAP = "  "
# Unicode categories: control, format, surrogate, private-use, and unassigned characters (C), line separators, and
# paragraph separators.
_UNPRINTABLE = ("C", "Zl", "Zp")


def shown(value: object) -> str:
    """Return a value as one line of printable text. Control characters and characters that change text direction are escaped."""
    return "".join(
        _escaped(character) if unicodedata.category(character).startswith(_UNPRINTABLE) else character for character in str(value)
    )


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def say(line: str = "") -> None:
    """Print a line, escaped by `shown`."""
    typer.echo(shown(line))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows in aligned columns below a header. Control characters are escaped."""
    lines = [[shown(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        typer.echo(GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def say_if_truncated(found: Sequence[object], limit: int) -> None:
    """Print a hint if `found` has more rows than `limit`, the number of rows shown."""
    if len(found) > limit:
        say(f"Showing only the first {limit}. Use --limit to see more.")
