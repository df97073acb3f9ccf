"""Reads PDFs made by fpdf2: the text of each page, decoded as a PDF reader copies it, and the outline."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

_OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
_STREAM = re.compile(rb"stream\n(.*?)\nendstream", re.DOTALL)
_FONT = re.compile(rb"/(F\d+) (\d+) 0 R")
_SHOWN = re.compile(rb"/(F\d+) [\d.]+ Tf|\(((?:[^\\()]|\\.)*)\) Tj", re.DOTALL)
_ESCAPED = {b"\\n": b"\n", b"\\r": b"\r", b"\\t": b"\t", b"\\b": b"\b", b"\\f": b"\f"}


@dataclass(frozen=True)
class Read:
    """The text of a PDF's pages, its outline titles in order, and the number of its links."""

    pages: list[str]
    outline: list[str]
    links: int

    @property
    def text(self) -> str:
        """The text of all pages, with runs of whitespace collapsed."""
        return " ".join(" ".join(self.pages).split())


def read(document: bytes) -> Read:
    """Read a PDF made by fpdf2."""
    assert document.startswith(b"%PDF-")
    objects = {int(found[1]): found[2] for found in _OBJECT.finditer(document)}
    pages = [one for one in objects.values() if re.search(rb"/Type /Page\n", one)]
    titles = [one for one in objects.values() if b"/Title" in one and b"/Dest" in one]
    outline = [_text(match[1]) for one in titles if (match := re.search(rb"/Title \(((?:[^\\()]|\\.)*)\)", one, re.DOTALL))]
    return Read([_page(one, objects) for one in pages], outline, document.count(b"/Subtype /Link"))


def _page(page: bytes, objects: dict[int, bytes]) -> str:
    fonts = {name: _table(objects[int(id)], objects) for name, id in _FONT.findall(objects[_reference(page, b"Resources")])}
    font, texts = b"", []
    for name, shown in _SHOWN.findall(_content(objects[_reference(page, b"Contents")])):
        if name:
            font = name
            continue
        raw = _unescaped(shown)
        texts.append("".join(fonts[font][int.from_bytes(raw[at : at + 2])] for at in range(0, len(raw), 2)))
    return " ".join(texts)


def _table(font: bytes, objects: dict[int, bytes]) -> dict[int, str]:
    """Return a font's mapping of character codes to text."""
    table = _content(objects[_reference(font, b"ToUnicode")])
    return {
        int(a, 16): bytes.fromhex(b.decode()).decode("utf-16-be")
        for a, b in re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>\n", table)
    }


def _reference(one: bytes, name: bytes) -> int:
    found = re.search(rb"/" + name + rb" (\d+) 0 R", one)
    assert found, name
    return int(found[1])


def _content(one: bytes) -> bytes:
    found = _STREAM.search(one)
    assert found
    return zlib.decompress(found[1]) if b"FlateDecode" in one else found[1]


def _unescaped(raw: bytes) -> bytes:
    return re.sub(rb"\\.", lambda found: _ESCAPED.get(found[0], found[0][1:]), raw, flags=re.DOTALL)


def _text(raw: bytes) -> str:
    raw = _unescaped(raw)
    return raw.decode("utf-16") if raw.startswith((b"\xfe\xff", b"\xff\xfe")) else raw.decode("latin-1")
