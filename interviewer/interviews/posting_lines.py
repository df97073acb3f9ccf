"""Split a pasted job description into lines: markup, bullets, hard wraps, and paragraphs are undone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser

_TAG = re.compile(r"</?(?:p|div|li|ul|ol|br|h[1-6]|b|strong|em|span|table|tr|td|section)\b[^>]{0,300}>", re.IGNORECASE)
_BLOCKS = frozenset({"p", "div", "li", "ul", "ol", "br", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "section", "table"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BULLET = re.compile(r"^(?:[-*+>•·▪▫◦‣●○–—→✓✔»]+|o(?=\t| {2})|\d{1,2}[.)](?=\s))\s*")
_MARKDOWN_HEADING = re.compile(r"^#{1,6}\s+")
_BOLD_LINE = re.compile(r"^(?:\*\*|__)([^*_]{2,80})(?:\*\*|__):?$")
_EMPHASIS = re.compile(r"\*\*|__|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)|`")
_LABELED = re.compile(r"^[A-Z][\w-]{1,20}:\s")
_LINK = re.compile(r"\[([^\]\n]{1,200})\]\([^)\s]{1,500}\)")
_SENTENCE = re.compile(r"(?<=[.!?])[\"”’)]?\s+(?=[\"“‘(¿¡]?[A-ZÀ-ÖØ-Þ0-9])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|incl|approx|vs|no|nr|req|mr|mrs|ms|dr|inc|ltd|z\.B|bzw|ca)|^\W*\d{1,2})\.$", re.IGNORECASE
)
# A text is hard-wrapped if its lines are no longer than WRAP_WIDTH and at least WRAPPED of them are longer than WRAP_FROM.
WRAP_WIDTH, WRAP_FROM, WRAPPED = 84, 52, 4
MAX_LINES = 400
# Sentences of at least this many characters are split where a period is followed by a lower-case word.
LOOSE = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One line or sentence.

    `heading` is set if markup makes it a heading, and `symbol` if it began with an emoji, as bullets and headings do.
    """

    text: str
    bullet: bool = False
    symbol: bool = False
    heading: bool = False
    after_blank: bool = False
    before_blank: bool = False
    indent: int = 0
    paragraph: int = 0


def lines_of(text: str) -> list[Line]:
    """Return the lines of a job description, at most MAX_LINES. Bullets stay whole, and paragraphs are split into sentences."""
    raw = _without_tags(text) if _TAG.search(text) else text
    raw = raw.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").replace("\u200b", "")
    lines = _joined(list(_parsed(raw.split("\n"))))
    return [one for number, line in enumerate(lines) for one in _split(replace(line, paragraph=number))][:MAX_LINES]


def _parsed(rows: list[str]) -> Iterator[Line]:
    blanks = [not row.strip() for row in rows]
    for place, row in enumerate(rows):
        text = row.strip()
        if not text or not any(char.isalnum() for char in text):
            continue
        marked = bool(_MARKDOWN_HEADING.match(text) or _BOLD_LINE.match(text))
        text = _MARKDOWN_HEADING.sub("", text)
        bullet = not marked and bool(_BULLET.match(text))
        text = _BULLET.sub("", text) if bullet else text
        text, symbol = _without_symbols(_LINK.sub(r"\1", _EMPHASIS.sub("", text)))
        if not text:
            continue
        before = place == 0 or blanks[place - 1]
        after = place + 1 == len(rows) or blanks[place + 1]
        yield Line(" ".join(text.split()), bullet, symbol, marked, before, after, len(row) - len(row.lstrip()))


def _without_symbols(text: str) -> tuple[str, bool]:
    """Return a text without the emoji and signs around it, and whether there were any before it."""
    start, end = 0, len(text)
    while start < end and _is_symbol(text[start]):
        start += 1
    while end > start and _is_symbol(text[end - 1]):
        end -= 1
    return text[start:end].strip(), any(unicodedata.category(char) == "So" for char in text[:start])


def _is_symbol(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in ("So", "Sk", "Mn", "Cf") or char == "|"


def _joined(lines: list[Line]) -> list[Line]:
    """Undo hard wraps: join each line that continues the one before it."""
    long = sum(len(line.text) + line.indent > WRAP_FROM for line in lines)
    wrapped = long >= WRAPPED and all(len(line.text) + line.indent <= WRAP_WIDTH for line in lines)
    found: list[Line] = []
    last = 0
    for line in lines:
        before = found[-1] if found else None
        if wrapped and before and not (line.bullet or line.symbol or line.after_blank) and _continues(line, last):
            found[-1] = replace(before, text=f"{before.text} {line.text}", before_blank=line.before_blank)
        else:
            found.append(line)
        last = len(line.text) + line.indent
    return found


def _continues(line: Line, last: int) -> bool:
    return last > WRAP_FROM and not line.heading and not line.text.isupper() and not _LABELED.match(line.text)


def _split(line: Line) -> Iterable[Line]:
    if (line.bullet or line.symbol) and len(line.text) < 300:
        return (line,)
    pieces = [part for sentence in sentences_of(line.text) for part in _loose(sentence)]
    return (replace(line, text=piece) for piece in pieces)


def _loose(sentence: str) -> list[str]:
    """Split what is typed without capitals, as in a chat."""
    if len(sentence) < LOOSE or _LABELED.match(sentence):
        return [sentence]
    return [part for part in re.split(r"(?<=[a-z)]{2}[.!?])\s+(?=[a-z])", sentence) if part]


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a paragraph."""
    found: list[str] = []
    for piece in _SENTENCE.split(text):
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] = f"{found[-1]} {piece}"
        else:
            found.append(piece)
    return [piece.strip() for piece in found if piece.strip()]


class _Text(HTMLParser):
    """Collects the text of HTML, with headings and list items marked as in Markdown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[str] = [""]
        self._prefix = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in _BLOCKS:
            self._prefix = "- " if tag == "li" else "# " if tag in _HEADINGS else ""
            self.rows += ["", ""] if tag in _HEADINGS or tag == "p" else [""]
        elif tag in ("b", "strong"):
            self.rows[-1] += "**"

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.rows.append("")
            self._prefix = ""
        elif tag in ("b", "strong"):
            self.rows[-1] += "**"

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if not text:
            return
        if self._prefix and not self.rows[-1].strip("*"):
            self.rows[-1] = f"{self._prefix}{self.rows[-1]}"
            self._prefix = ""
        before = self.rows[-1]
        self.rows[-1] += f"{' ' if before and data[:1].isspace() else ''}{text}{' ' if data[-1:].isspace() else ''}"


def _without_tags(text: str) -> str:
    parser = _Text()
    parser.feed(text)
    parser.close()
    return "\n".join(parser.rows)
