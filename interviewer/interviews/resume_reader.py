"""The program that reads the text of a résumé file in its own process: `python -m interviewer.interviews.resume_reader`.

It reads the file from stdin and writes one JSON object: `{"text": ...}`, or `{"problem": ...}` with a `Problem`. The file comes
from a user and may be hostile, so the process limits its own memory and CPU time, cannot write files, and gets no environment.
Its parent kills it when it takes too long.
"""

from __future__ import annotations

import io
import json
import sys
import unicodedata
import zipfile
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

# Limits of this process: memory in bytes, CPU time in seconds.
MAX_MEMORY, MAX_CPU_SECONDS = 256 * 1024**2, 10
MAX_PAGES = 20
# Limits of a .docx file, which is a ZIP archive: its parts, and their size in bytes when unpacked.
MAX_PARTS, MAX_UNPACKED = 1_000, 20 * 1024**2
# More characters than a résumé may have. Reading stops here, and the length is reported as too long.
MAX_TEXT = 100_000
_PDF, _ZIP = b"%PDF-", b"PK\x03\x04"
# A PDF header may come after some other bytes (PDF 32000-1, implementation notes).
_HEADER_WITHIN = 1024
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


class Problem(StrEnum):
    """Why a file's text cannot be read."""

    KIND = "kind"
    BROKEN = "broken"
    ENCRYPTED = "encrypted"
    LONG = "long"
    NO_TEXT = "no text"
    TOO_MUCH = "too much"


class Unreadable(Exception):
    """The file's text cannot be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def read(data: bytes) -> str:
    """Return the text of a PDF or .docx file. Its first bytes decide which it is. Raises Unreadable."""
    if _PDF in data[:_HEADER_WITHIN]:
        text = _joined(_pdf_pages(data))
    elif data.startswith(_ZIP):
        text = _joined(_docx_lines(data))
    else:
        raise Unreadable(Problem.KIND)
    if sum(character.isalpha() for character in text) < 20:
        raise Unreadable(Problem.NO_TEXT)
    return text


def _joined(parts: Iterator[str]) -> str:
    """Return the parts as lines, without characters that are no text, such as a font's icons. Stops after MAX_TEXT characters."""
    found, length = [], 0
    for part in parts:
        found.append("".join(one for one in part[:MAX_TEXT] if one in "\n\t" or unicodedata.category(one)[0] != "C"))
        length += len(found[-1])
        if length > MAX_TEXT:
            break
    return "\n".join(found).replace("\ufffd", "")


def _pdf_pages(data: bytes) -> Iterator[str]:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(data))
    # An empty password opens files that only restrict printing or copying.
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable(Problem.ENCRYPTED)
    if len(reader.pages) > MAX_PAGES:
        raise Unreadable(Problem.LONG)
    for page in reader.pages:
        yield page.extract_text()


def _docx_lines(data: bytes) -> Iterator[str]:
    from docx import Document

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
    if not any(part.filename == "[Content_Types].xml" for part in parts):
        raise Unreadable(Problem.KIND)
    # Reading a part stops at its declared size, so a declaration that is too small makes the archive invalid.
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise Unreadable(Problem.TOO_MUCH)
    try:
        body = Document(io.BytesIO(data)).element.body
    except ValueError as error:  # for example, a spreadsheet
        raise Unreadable(Problem.KIND) from error
    # Every paragraph in order, including those in tables and text boxes, which many résumé templates use.
    for paragraph in body.iter(f"{_WORD}p"):
        if not any(parent.tag == _FALLBACK for parent in paragraph.iterancestors()):
            yield "".join(_runs(paragraph))


def _runs(paragraph: Any) -> Iterator[str]:
    """Yield the text of a paragraph, without that of paragraphs within it."""
    for child in paragraph:
        if child.tag == f"{_WORD}p" or child.tag == f"{_WORD}del":
            continue
        if child.tag == f"{_WORD}t":
            yield child.text or ""
        elif child.tag in (f"{_WORD}tab", f"{_WORD}cr", f"{_WORD}br"):
            yield "\t" if child.tag == f"{_WORD}tab" else "\n"
        elif child.tag != f"{_WORD}pPr":
            yield from _runs(child)


def _limit() -> None:
    """Limit this process. Does nothing on Windows, which has no such limits; there, only the parent's time limit applies."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in (
        (resource.RLIMIT_AS, MAX_MEMORY),
        (resource.RLIMIT_CPU, MAX_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def main() -> None:
    """Read the file from stdin, and write its text or the problem to stdout."""
    data = sys.stdin.buffer.read()
    _limit()
    try:
        found = {"text": read(data)}
    except Unreadable as error:
        found = {"problem": error.problem.value}
    except (MemoryError, RecursionError):
        found = {"problem": Problem.TOO_MUCH.value}
    except Exception as error:  # the parsers raise many kinds for a broken file
        found = {"problem": _problem_of(error).value}
    sys.stdout.write(json.dumps(found))


def _problem_of(error: Exception) -> Problem:
    """Return the problem behind a parser's error."""
    from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError

    if isinstance(error, DependencyError | FileNotDecryptedError):
        return Problem.ENCRYPTED
    return Problem.TOO_MUCH if isinstance(error, LimitReachedError) else Problem.BROKEN


if __name__ == "__main__":
    main()
