"""Read the code in an answer: find it between Markdown fences, parse Python, and leave out comments."""

from __future__ import annotations

import ast
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,}) *([A-Za-z0-9+#.-]*)")
_PYTHON = frozenset({"python", "py", "python3"})
_STARTS = re.compile(r"(?:async def|def|class|import|from|if|for|while|try|with|return)\b|@")
# Statements whose keyword also begins many sentences, such as "with a map it takes O(n) time (or less)".
_BEGINS_PROSE = re.compile(r"(?:for|from|if|try|while|with|return)\b")
_DEFINES = re.compile(r"(?m)^[ \t]*(?:async )?(?:def|class) ?([A-Za-z_]\w*)")
# What Python versions after the server's may allow: type parameters, nested quotes in f-strings, and `except A, B`.
_NEWER = re.compile(r"(?m)^[ \t]*(?:(?:async )?(?:def|class) [A-Za-z_]\w*\[|type [A-Za-z_]\w*)")
_NEWER_ERRORS = ("f-string", "multiple exception types")
# The paragraphs after code without fences that may be prose.
_MOST_PROSE = 4
MAX_MESSAGE = 120
_PARSING = threading.Lock()
# How comments begin, by language. Of an unknown language, all of them count.
_SHARP = frozenset({"python", "ruby", "shell", "bash", "php", "elixir", "r", "perl"})
_DASHES = frozenset({"sql", "haskell", "lua"})


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a text: code with the language in its fence, or empty if it names none, or prose if `is_code` is false."""

    text: str
    language: str = ""
    is_code: bool = True


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """Why Python code cannot be compiled. `line` is the number of the line in the code, from 1, and `text` the line itself."""

    line: int
    text: str
    message: str


def blocks_of(text: str) -> list[Block]:
    """Split a text at Markdown fences. A fence that is never closed lasts to the end."""
    found: list[Block] = []
    lines: list[str] = []
    fence, language = "", ""
    for line in text.splitlines(keepends=True):
        opened = _FENCE.match(line)
        if not fence and opened:
            found.append(Block("".join(lines), is_code=False))
            fence, language, lines = opened[1], opened[2].lower(), []
        elif fence and opened and not opened[2] and opened[1].startswith(fence):
            found.append(Block("".join(lines), language))
            fence, lines = "", []
        else:
            lines.append(line)
    return [*found, Block("".join(lines), language if fence else "", is_code=bool(fence))]


def is_python(text: str, language: str, names: frozenset[str] = frozenset()) -> bool:
    """Return whether an answer is Python: by the language sent with it or in a fence, or if it defines one of `names`."""
    if language:
        return language in _PYTHON
    blocks = [block for block in blocks_of(text) if block.is_code]
    if any(block.language for block in blocks):
        return any(block.language in _PYTHON for block in blocks)
    return bool(names & set(defined_names(text))) and not re.search(r"(?m)^[ \t]*end[ \t]*$", text)


def defined_names(code: str) -> list[str]:
    """Return the names of the functions and classes that Python code defines, in order."""
    return _DEFINES.findall(code)


def python_problem(*texts: str) -> SyntaxProblem | None:
    """Return why none of the Python code in an answer, or in its messages, can be compiled: what is wrong in the last of them.

    Returns None if some of it can, if there is none, and if only a later version of Python can tell.
    """
    problems = [found for text in texts if (found := _problems(text))]
    return problems[-1][0] if problems and all(all(found) for found in problems) else None


def _problems(text: str) -> list[SyntaxProblem | None]:
    """Return what is wrong with each piece of Python code in a text, None for what can be compiled."""
    blocks = [block for block in blocks_of(text) if block.is_code and (not block.language or block.language in _PYTHON)]
    if blocks:
        return [_problem(dedent(block.text)) for block in blocks if block.text.strip()]
    return [_problem(code) for code in _unfenced(text)]


def _unfenced(text: str) -> Iterator[str]:
    """Yield what may be the code in a text without fences: all from its first line of code, then without the last paragraphs."""
    lines = text.strip().splitlines()
    first = next((place for place, line in enumerate(lines) if _may_be_code(line)), None)
    if first is None or not any(map(_is_surely_code, lines)):
        return
    code = "\n" * first + dedent("\n".join(lines[first:]))
    yield code
    paragraphs = re.split(r"\n[ \t]*\n", code)
    for left_out in range(1, min(_MOST_PROSE, len(paragraphs) - 1) + 1):
        # A paragraph that is indented or has code is a part of the program, so what is wrong with it counts.
        if any(map(_is_surely_code, paragraphs[-left_out].splitlines())) or paragraphs[-left_out][:1].isspace():
            return
        yield "\n\n".join(paragraphs[:-left_out])


def has_code(text: str) -> bool:
    """Return whether some line of a text is code in a fence, or surely Python."""
    return any(block.is_code for block in blocks_of(text)) or any(map(_is_surely_code, text.splitlines()))


def _may_be_code(line: str) -> bool:
    """Return whether a line begins like a statement: with a keyword, a decorator, or an assignment."""
    name, sign, rest = line.partition("=")
    target = name.strip().rstrip("+-*/|&%").strip().partition("[")[0]
    assigns = bool(sign) and not rest.startswith("=") and target.replace(".", "_").isidentifier()
    return assigns or bool(_STARTS.match(line.lstrip()))


def _is_surely_code(line: str) -> bool:
    """Return whether a line is code and not prose that begins with a word such as "for"."""
    stripped = line.strip()
    if _BEGINS_PROSE.match(stripped):
        return stripped.endswith((":", "(", "[", "{"))
    return _may_be_code(line) and (stripped.endswith((":", ")", "]", "}", "(", "[", "{", ",")) or "=" in stripped)


def _problem(code: str) -> SyntaxProblem | None:
    try:
        # Warnings about odd code are no problem of it, and would go to the log. The filters belong to the whole process.
        with _PARSING, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
    except SyntaxError as error:
        message = " ".join((error.msg or "invalid syntax").split())[:MAX_MESSAGE]
        is_newer = sys.version_info < (3, 14) and (message.startswith(_NEWER_ERRORS) or bool(_NEWER.search(code)))
        number = error.lineno or 1
        line = next(iter(code.splitlines()[number - 1 : number]), "").strip()
        return None if is_newer else SyntaxProblem(number, line, message)
    except (ValueError, MemoryError, RecursionError):
        return None  # too deeply nested to tell
    return None


def without_comments(text: str, language: str = "", *, is_code: bool = True) -> str:
    """Return an answer without the comments in its code.

    Without fences, all of it is taken for code if `is_code` is set. Docstrings are comments, too.
    """
    blocks = blocks_of(text)
    if len(blocks) == 1:
        return _uncommented(text, language) if is_code else text
    return "".join(_uncommented(block.text, block.language or language) if block.is_code else block.text for block in blocks)


def _uncommented(code: str, language: str) -> str:
    """Return code without comments, in one pass over its characters."""
    name = "python" if language in _PYTHON else language
    sharp, dashes = not name or name in _SHARP, not name or name in _DASHES
    slashes = not name or not (name in _SHARP or name in _DASHES) or name == "php"
    kept: list[str] = []
    place, begins = 0, True  # whether only white space came before on this line
    # Where the line ends in which a sign is known not to close, so that no line is searched twice for the same sign.
    unclosed: dict[str, int] = {}
    while place < len(code):
        end = _comment_end(code, place, begins=begins, sharp=sharp, slashes=slashes, dashes=dashes)
        if end:
            place = end
            continue
        sign = code[place]
        if sign in "\"'`" and place >= unclosed.get(sign, 0):
            end = _string_end(code, place)
            if not end:
                unclosed[sign] = _line_end(code, place)
                end = place + 1
            kept.append(code[place:end])
            place, begins = end, False
            continue
        kept.append(sign)
        begins = sign == "\n" or (begins and sign.isspace())
        place += 1
    return "".join(kept)


def _comment_end(code: str, place: int, *, begins: bool, sharp: bool, slashes: bool, dashes: bool) -> int:
    """Return where the comment that begins at `place` ends, or 0 if none does."""
    apart = begins or code[place - 1 : place].isspace()
    two = code[place : place + 2]
    if (sharp and code[place] == "#" and apart) or (slashes and two == "//" and code[place - 1 : place] != ":"):
        return _line_end(code, place)
    if dashes and two == "--" and apart:
        return _line_end(code, place)
    if two == "/*" and (slashes or dashes):
        end = code.find("*/", place + 2)
        return len(code) if end < 0 else end + 2
    three = code[place : place + 3]
    if sharp and begins and three in ('"""', "'''"):
        end = code.find(three, place + 3)
        return len(code) if end < 0 else end + 3
    return 0


def _line_end(code: str, place: int) -> int:
    end = code.find("\n", place)
    return len(code) if end < 0 else end


def _string_end(code: str, place: int) -> int:
    """Return where the string that begins at `place` ends, or 0 if it is not closed in its line, as an apostrophe is not."""
    sign = code[place]
    if code[place : place + 3] == sign * 3:
        end = code.find(sign * 3, place + 3)
        return len(code) if end < 0 else end + 3
    at = place + 1
    while at < len(code) and code[at] != "\n":
        if code[at] == "\\":
            at += 1
        elif code[at] == sign:
            return at + 1
        at += 1
    return 0
