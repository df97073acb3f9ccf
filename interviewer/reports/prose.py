"""Parse questions, feedback, and model answers into paragraphs, lists, and code.

These texts are plain text rather than Markdown: bullets may be "•", and code may be part of a paragraph, without a fence or an
indented first line. A CommonMark parser would need the same rules on top and take about ten times as long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby

_FENCE = re.compile(r"^\s*```")
_INLINE = re.compile(r"`([^`\n]+)`")
_BULLET = re.compile(r"^\s*[•*-]\s+")
# A line that imports, as code begins in most languages, one that sets a name, or a comment.
_IMPORTS = re.compile(
    r"(?:import [\w.*{\"'(]|from [\w.]{1,80} import |package \w|#include\b|using [\w.:]{1,80};?$|use [\w:]{1,80};?$|"
    r"[A-Za-z_]\w{0,40} = |# )"
)
_INDENTED = re.compile(r"^(?: {2,}|\t)\S")


@dataclass
class Span:
    """A part of a text. `code` is set if it was between backticks."""

    text: str = ""
    code: bool = False


@dataclass
class Block:
    """A paragraph (`text`), code (`code`), or a list with an optional heading (`list`)."""

    kind: str = "text"
    spans: list[Span] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def blocks(text: str) -> list[Block]:
    """Split a text into blocks at blank lines and around fenced or indented code."""
    found: list[Block] = []
    chunk: list[str] = []
    fenced: list[str] | None = None
    for line in [*text.strip("\n").splitlines(), ""]:
        if _FENCE.match(line):
            if fenced is None:
                found += _block(chunk)
                chunk, fenced = [], []
            else:
                found.append(_code(fenced))
                fenced = None
        elif fenced is not None:
            fenced.append(line)
        elif line.strip():
            chunk.append(line)
        else:
            found += _block(chunk)
            chunk = []
    if fenced:
        found.append(_code(fenced))
    return _joined(found)


def model_answer(text: str, kind: str) -> list[Block]:
    """Return a model answer's blocks. If it answers a code question but has no code block, all of it is returned as code."""
    found = blocks(text)
    if kind == "code" and not any(block.kind == "code" for block in found):
        return [Block("code", [Span(text.strip(), True)])]
    return found


def spans(text: str) -> list[Span]:
    """Split a text at its backticks."""
    parts = _INLINE.split(text)
    return [Span(part, bool(number % 2)) for number, part in enumerate(parts) if part]


def _block(lines: list[str]) -> list[Block]:
    if not lines:
        return []
    first_bullet = next((index for index, line in enumerate(lines) if _BULLET.match(line)), None)
    if first_bullet is None and any(_INDENTED.match(line) for line in lines):
        return [_code(lines)]
    if first_bullet is None:
        return [Block("text", spans("\n".join(lines)))]
    items: list[list[str]] = []
    for line in lines[first_bullet:]:
        if _BULLET.match(line):
            items.append([_BULLET.sub("", line)])
        else:
            items[-1].append(line.strip())
    return [Block("list", spans(" ".join(lines[:first_bullet])), [" ".join(item) for item in items])]


def _code(lines: list[str]) -> Block:
    return Block("code", [Span("\n".join(lines).rstrip(), True)])


def _looks_like_code(block: Block) -> bool:
    lines = "".join(span.text for span in block.spans).splitlines()
    return all(line.rstrip().endswith((";", "{", "}")) or _IMPORTS.match(line) for line in lines)


def _joined(found: list[Block]) -> list[Block]:
    """Join code blocks that only blank lines separate. A paragraph of statements next to code counts as code too."""
    # From the end, so that several paragraphs of imports before the code all count.
    known = [*found]
    for number in reversed(range(len(found))):
        known[number] = _next_to_code(known, number)
    joined: list[Block] = []
    for is_code, run in groupby(known, lambda one: one.kind == "code"):
        several = list(run)
        joined += [_code(["\n\n".join(one.spans[0].text for one in several)])] if is_code else several
    return joined


def _next_to_code(found: list[Block], number: int) -> Block:
    block = found[number]
    if (
        block.kind == "text"
        and any(one.kind == "code" for one in found[max(0, number - 1) : number + 2])
        and _looks_like_code(block)
    ):
        return Block("code", [Span("".join(span.text for span in block.spans), True)])
    return block
