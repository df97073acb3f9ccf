"""Text layout for PDF pages: fallback fonts, line breaks, highlights, signs, and page breaks.

The text regions of fpdf2 take twice as long, use one fallback list for all fonts, cannot highlight part of a line, and drop
characters that no font has.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from fpdf import FPDF

Color = tuple[int, int, int]

INK: Color = (29, 27, 22)
MUTED: Color = (94, 88, 77)
LINE: Color = (215, 208, 192)
MARKER: Color = (255, 232, 138)
CODE: Color = (245, 242, 234)
TONES: dict[str, Color] = {"hit": (23, 105, 63), "partial": (138, 90, 0), "missed": (163, 42, 34), "contradicted": (163, 42, 34)}

# The A4 page, its margins, and one point, in millimeters.
WIDTH, HEIGHT, SIDE, TOP, BOTTOM = 210.0, 297.0, 17.0, 14.0, 16.0
POINT = 25.4 / 72
# The size of the text and of what few readers need in full, in points, and the line height relative to the size.
BODY, SMALL, LEADING = 8.4, 7.2, 1.33
# The placeholder for a character that no font has.
MISSING = "\N{WHITE VERTICAL RECTANGLE}"
_FOLDER = Path(__file__).parent / "fonts"
_FILES = {
    "serif": "Newsreader-Bold",
    "sans": "InstrumentSans-Regular",
    "bold": "InstrumentSans-SemiBold",
    "mono": "JetBrainsMono-Regular",
    "wide": "DejaVuSans",
    "wide-bold": "DejaVuSans-Bold",
    "wide-mono": "DejaVuSansMono",
}
# For each font, the fonts to try for characters that it lacks, in order.
_FALLBACKS = {
    "serif": ("wide-bold", "wide"),
    "sans": ("wide",),
    "bold": ("wide-bold", "wide"),
    "mono": ("wide-mono", "wide"),
}
_TOKENS = re.compile(r"\n| +|[^ \n]+")
# The ring around the score on the web pages, as cubic Bézier curves in a box of 104 by 70.
RING = (
    ((60, 8), (34, 2), (6, 12), (5, 33)),
    ((5, 33), (4, 54), (29, 63), (55, 62)),
    ((55, 62), (81, 61), (102, 49), (99, 29)),
    ((99, 29), (96, 9), (70, 3), (42, 9)),
)
_STROKES = {
    "hit": ((0.0, 1.5), (1.1, 2.7), (3.2, 0.0)),
    "partial": ((0.0, 1.5), (3.0, 1.3)),
}
_CROSS = (((0.2, 0.2), (2.8, 2.8)), ((2.8, 0.1), (0.1, 2.9)))


@dataclass(frozen=True, slots=True)
class Run:
    """Text in one font.

    `mark` highlights (hit) or underlines (partial, contradicted) it, `link` is the ID of its link target, a URL, or 0, and
    `scale` is its size relative to the text around it.
    """

    text: str
    face: str = "sans"
    color: Color = INK
    mark: str = ""
    link: int | str = 0
    scale: float = 1.0


Row = list[Run]


class Sheet(FPDF):
    """The pages of a document, with page numbers in the footer."""

    def __init__(self, title: str) -> None:
        super().__init__(format="A4", unit="mm")
        self.set_margins(SIDE, TOP, SIDE)
        self.set_auto_page_break(False)
        for face, name in _FILES.items():
            self.add_font(face, fname=_FOLDER / f"{name}.ttf")
        self.set_font("sans", size=BODY)
        self.set_title(title)
        self.set_lang("en-US")
        self.set_creator("Interviewer")

    def footer(self) -> None:
        """Write the page number."""
        self.set_font("sans", size=SMALL)
        self.set_text_color(*MUTED)
        self.set_xy(SIDE, HEIGHT - 11.5)
        self.cell(WIDTH - 2 * SIDE, 5, f"Page {self.page_no()} of {{nb}}", align="L")


class Typesetter:
    """Writes lines of text one below the other. The next one starts at `y`, between `left` and `left + width`, in millimeters."""

    def __init__(self, title: str) -> None:
        self.sheet = Sheet(title)
        self.left, self.width, self.y = SIDE, WIDTH - 2 * SIDE, TOP
        self.missing: set[str] = set()
        self._widths: dict[tuple[str, str], float] = {}
        self._faces: dict[tuple[str, str], tuple[str, str]] = {}
        self._characters = {face: frozenset(self.sheet.fonts[face].cmap) for face in _FILES}  # type: ignore[union-attr]
        self.sheet.add_page()

    # -- pages -----------------------------------------------------------------------------------------------------

    def need(self, height: float) -> None:
        """Begin a new page unless the current page has at least `height` millimeters left."""
        if self.y + height > HEIGHT - BOTTOM:
            self.sheet.add_page()
            self.y = TOP

    def space(self, height: float) -> None:
        """Leave a vertical gap in millimeters, except at the top of a page."""
        if self.y > TOP:
            self.y += height

    def document(self) -> bytes:
        """Return the PDF document."""
        return bytes(self.sheet.output())

    @contextmanager
    def inset(self, left: float, right: float = 0) -> Iterator[None]:
        """Narrow the text area by `left` and `right` millimeters inside the `with` block."""
        before = self.left, self.width
        self.left, self.width = self.left + left, self.width - left - right
        try:
            yield
        finally:
            self.left, self.width = before

    # -- text ------------------------------------------------------------------------------------------------------

    def paragraph(self, runs: Sequence[Run], size: float = BODY, *, leading: float = LEADING, together: bool = False) -> None:
        """Write a paragraph with a font size of `size` points. With `together`, keep it on one page if it fits on half a page."""
        height = size * POINT * leading
        rows = self.rows(runs, size, self.width)
        if together:
            self.need(min(len(rows) * height, HEIGHT / 2))
        for row in rows:
            self.need(height)
            self._row(row, size, height)

    def code(self, runs: Sequence[Run], size: float = SMALL) -> None:
        """Write code, keeping its line breaks and spaces. Long lines are wrapped."""
        height, inset = size * POINT * LEADING, 3.0
        self.need(3 * height)
        self.y += 0.8
        for row in self.rows(
            [replace(run, text=run.text.expandtabs(4)) for run in runs], size, self.width - 2 * inset, spaces=True
        ):
            self.need(height)
            self._box(self.left, self.y, self.width, height, CODE)
            with self.inset(inset):
                self._row(row, size, height)
        self.y += 1.2

    def rows(self, runs: Sequence[Run], size: float, width: float, *, spaces: bool = False) -> list[Row]:
        """Break a paragraph into lines of at most `width` millimeters. With `spaces`, keep spaces at the start of lines."""
        found: list[Row] = [[]]
        used = 0.0
        for atom in _atoms(self._drawable(runs)):
            if atom[0].text == "\n":
                found.append([])
                used = 0.0
                continue
            long = self.length(atom, size)
            blank = not atom[0].text.strip(" ")
            if used and used + long > width:
                if blank:  # The line ends here; the next word begins another one.
                    used = width
                    continue
                found.append([])
                used = 0.0
            if blank and not used and not spaces:
                continue
            for part in [atom] if long <= width else self._pieces(atom, size, width):
                more = self.length(part, size)
                if used and used + more > width:
                    found.append([])
                    used = 0.0
                found[-1] += part
                used += more
        return [_joined(row) for row in found]

    def _pieces(self, runs: Sequence[Run], size: float, width: float) -> list[Row]:
        """Break runs at any character so that each line is at most `width` millimeters long."""
        found: list[Row] = [[]]
        used = 0.0
        for run in runs:
            for character in run.text:
                more = self._width(run.face, character) * run.scale * size
                if used and used + more > width:
                    found[-1] = _joined(found[-1])
                    found.append([])
                    used = 0.0
                found[-1].append(replace(run, text=character))
                used += more
        found[-1] = _joined(found[-1])
        return found

    def _drawable(self, runs: Iterable[Run]) -> list[Run]:
        """Return the runs with each character in a font that has it."""
        found: list[Run] = []
        for run in runs:
            text = unicodedata.normalize("NFC", run.text.replace("\r\n", "\n").replace("\r", "\n"))
            for face, shown in groupby((self._shown(run.face, character) for character in text), key=itemgetter(0)):
                found.append(replace(run, text="".join(one for _, one in shown), face=face))
        return [run for run in found if run.text]

    def _shown(self, face: str, character: str) -> tuple[str, str]:
        key = (face, character)
        if key not in self._faces:
            self._faces[key] = self._face(face, character)
        return self._faces[key]

    def _face(self, face: str, character: str) -> tuple[str, str]:
        """Return the font for a character and the text to show for it.

        The text of a character that no font has is MISSING, or "" if the character is invisible.
        """
        if character == "\n":
            return face, character
        if character == "\t":
            return face, "    "
        if character in "\x0b\x0c\x85\u2028\u2029":
            return face, "\n"
        for one in (face, *_FALLBACKS[face]):
            if ord(character) in self._characters[one]:
                return one, character
        if unicodedata.category(character) in {"Mn", "Me", "Cf", "Cc"}:
            return face, ""
        self.missing.add(character)
        return "wide", MISSING

    def length(self, runs: Sequence[Run], size: float) -> float:
        """Return the length of the runs on one line, in millimeters."""
        return sum(self._width(run.face, character) * run.scale for run in runs for character in run.text) * size

    def _width(self, face: str, character: str) -> float:
        """Return the width of a character at a font size of one point, in millimeters."""
        key = (face, character)
        if key not in self._widths:
            self.sheet.set_font(face, size=100)
            self._widths[key] = self.sheet.get_string_width(character, normalized=True) / 100
        return self._widths[key]

    def _row(self, row: Row, size: float, height: float) -> None:
        x, middle = self.left, self.y + height / 2
        baseline = middle + size * POINT * 0.34
        for run in row:
            long = self.length([run], size)
            if run.mark == "hit":
                self._box(x - 0.3, middle - size * POINT * 0.62, long + 0.6, size * POINT * 1.24, MARKER)
            x += long
        x = self.left
        for run in row:
            long = self.length([run], size)
            self.sheet.set_font(run.face, size=size * run.scale)
            self.sheet.set_text_color(*run.color)
            if run.text.strip():
                self.sheet.text(x, baseline, run.text)
            if run.mark in {"partial", "contradicted"}:
                self._line(x, baseline + 0.9, x + long, baseline + 0.8, TONES[run.mark], 0.45)
            if run.link:
                self._line(x, baseline + 0.7, x + long, baseline + 0.7, run.color, 0.15)
                self.sheet.link(x, self.y, long, height, run.link)
            x += long
        self.y += height

    def at_right(self, run: Run, size: float, height: float) -> None:
        """Write a short text at the right end of the current line without advancing to the next line."""
        runs = self._drawable([run])
        left, y = self.left, self.y
        self.left = left + self.width - self.length(runs, size)
        self._row(runs, size, height)
        self.left, self.y = left, y

    # -- drawing ---------------------------------------------------------------------------------------------------

    def sign(self, mark: str, x: float, y: float) -> None:
        """Draw a tick, a dash, or for a missed or contradicted point a cross. It is about 3 mm wide."""
        self._pen(TONES[mark], 0.5)
        for stroke in [_STROKES[mark]] if mark in _STROKES else _CROSS:
            self.sheet.polyline([(x + a, y + b) for a, b in stroke])

    def ring(self, x: float, y: float, width: float, height: float, color: Color) -> None:
        """Draw the hand-drawn ring, scaled to the given box in millimeters."""
        self._pen(color, 0.7)
        for curve in RING:
            self.sheet.bezier([(x + a * width / 104, y + b * height / 70) for a, b in curve])

    def bar(self, percent: float, color: Color, notch: float, height: float = 1.5) -> None:
        """Draw a bar that is filled to `percent`, with a notch at another percentage."""
        self._box(self.left, self.y, self.width, height, LINE)
        if percent:
            self._box(self.left, self.y, self.width * percent / 100, height, color)
        at = self.left + self.width * notch / 100
        self._line(at, self.y - 0.5, at, self.y + height + 0.5, INK, 0.25)
        self.y += height

    def rule(self) -> None:
        """Draw a horizontal line across the text area."""
        self._line(self.left, self.y, self.left + self.width, self.y, LINE, 0.3)

    def _line(self, x: float, y: float, to_x: float, to_y: float, color: Color, width: float) -> None:
        self._pen(color, width)
        self.sheet.line(x, y, to_x, to_y)

    def _pen(self, color: Color, width: float) -> None:
        self.sheet.set_draw_color(*color)
        self.sheet.set_line_width(width)

    def _box(self, x: float, y: float, width: float, height: float, color: Color) -> None:
        self.sheet.set_fill_color(*color)
        self.sheet.rect(x, y, width, height, style="F")

    def columns(self, *columns: Callable[[], None], gap: float = 10) -> None:
        """Write columns of equal width next to each other. They must fit on the current page."""
        left, width, top = self.left, self.width, self.y
        self.width = (width - gap * (len(columns) - 1)) / len(columns)
        ends = []
        for column in columns:
            self.y = top
            column()
            ends.append(self.y)
            self.left += self.width + gap
        self.left, self.width, self.y = left, width, max(ends)


def _atoms(runs: Sequence[Run]) -> Iterator[Row]:
    """Yield words, spaces, and line breaks. A word may consist of several runs."""
    word: Row = []
    for run in runs:
        for token in _TOKENS.findall(run.text):
            part = replace(run, text=token)
            if token.strip(" \n"):
                word.append(part)
                continue
            if word:
                yield word
                word = []
            yield [part]
    if word:
        yield word


def _joined(runs: Sequence[Run]) -> Row:
    """Join neighboring runs that differ only in their text."""
    found: Row = []
    for run in runs:
        if found and replace(found[-1], text="") == replace(run, text=""):
            found[-1] = replace(run, text=found[-1].text + run.text)
        else:
            found.append(run)
    return found
