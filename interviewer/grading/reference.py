"""Key points out of a reference answer, for questions that come with one and without a rubric. No model is asked.

The text is cut where its author cut it: list items, then sentences; clauses only if that gives too few. What is too
many is put together again, the shortest neighbours first, and a key point weighs by how much of the text it is.
"""

from __future__ import annotations

import re

from interviewer.interviews.non_answers import copies_question
from interviewer.interviews.rubric import MAX_KEY_POINTS, MAX_MODEL_ANSWER, MAX_POINT, MIN_KEY_POINTS, KeyPoint, Rubric

# Bullets, numbers and letters in front of list items, but no minus sign, no "--option", no "*args", no "e.g.".
_ITEM = re.compile(
    r"(?:(?:[•●○▪]|[-–—](?![-\d])|\*(?=\s)|\(?\d{1,2}[.)](?!\d)|\(?(?:[ivx]{1,4}|[a-h])(?:\)|\.(?=\s)))\s*)+(?=\S)",
    re.IGNORECASE,
)
# Not after abbreviations, nor between the parts of a number.
_SENTENCE = re.compile(r"(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)(?<!vs\.)(?<=[.!?;])\s+(?=[^\s\da-z(]|\d+[^\d.])")
_CLAUSES = (
    re.compile(r"(?<!\s)\s*;\s*"),
    re.compile(r"(?<!\s)\s*,\s*(?=(?:and|but|or|so|which|because|while|whereas|whereby|since)\b)", re.IGNORECASE),
    re.compile(r"(?<!\s)\s+(?=(?:because|while|whereas|whereby|but)\b)", re.IGNORECASE),
    re.compile(r"(?<!\s)\s*,\s*(?!\s|e\.?g|i\.?e|for example|such as|etc)", re.IGNORECASE),
    re.compile(r"(?<!\s)\s+and\s+", re.IGNORECASE),
)
# What pairs two words: the "and" after it is no end of a clause.
_PAIR = re.compile(r"\b(?:between|both)\b[^,;.]*$", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_MIN_CLAUSE_WORDS = 2
# Nobody wraps lines that are shorter.
_WRAPPED_LENGTH = 40
_MAX_HEADING_WORDS = 14
# How much longer or shorter than the mean a key point is that weighs more or less than the others.
_LIGHT, _HEAVY = 0.6, 1.5


def rubric_from_reference(question: str, reference: str) -> Rubric:
    """Return a rubric of 3 to 6 key points, the same for the same texts; of fewer where the reference says fewer things.

    Raises ValueError for a reference without a word.
    """
    if not _WORD.search(reference):
        raise ValueError("The reference answer is empty.")
    parts = _without_echo(question, _sentences(_items(reference)))
    parts = _merged(_split_further(parts))
    mean = sum(map(len, parts)) / len(parts)
    key_points = tuple(KeyPoint(point=_fitting(part), weight=_weight(len(part) / mean)) for part in parts)
    return Rubric(key_points=key_points, model_answer=reference.strip()[:MAX_MODEL_ANSWER], imported=True)


def _items(text: str) -> list[str]:
    """Cut into list items and paragraphs; a line that goes on with the one before it, wrapped for its length, belongs to that."""
    items: list[str] = []
    length = 0
    for line in text.splitlines():
        flat = " ".join(line.split())
        if not _WORD.search(flat):
            continue
        marked = _ITEM.match(flat)
        if marked and not _WORD.search(flat, marked.end()):
            # A number with nothing behind it is what is meant.
            marked = None
        body = flat[marked.end() :] if marked else flat
        if length >= _WRAPPED_LENGTH and not marked and body[0].islower() and items[-1][-1] not in ".!?:;":
            items[-1] += f" {body}"
        else:
            items.append(body)
        length = len(flat)
    return items


def _sentences(items: list[str]) -> list[str]:
    """Cut items into sentences; a heading goes in front of what it is the heading of."""
    parts: list[str] = []
    heading = ""
    for item in items:
        for sentence in _SENTENCE.split(item):
            if not _WORD.search(sentence):
                continue
            if sentence.endswith(":") and len(_WORD.findall(sentence)) <= _MAX_HEADING_WORDS:
                heading = f"{heading} {sentence}".strip()
                continue
            parts.append(f"{heading} {sentence}".strip())
            heading = ""
    return [*parts, heading] if heading else parts


def _without_echo(question: str, parts: list[str]) -> list[str]:
    """Leave out what only says the question again, unless there is nothing else."""
    return [part for part in parts if not copies_question(question, part)] or parts


def _split_further(parts: list[str]) -> list[str]:
    """Cut at ends of clauses, at commas, at "and", until there are enough parts or nothing is left to cut."""
    for clause in _CLAUSES:
        while len(parts) < MIN_KEY_POINTS:
            cuts = [(len(part), -index, halves) for index, part in enumerate(parts) if (halves := _halves(part, clause))]
            if not cuts:
                break
            _, index, halves = max(cuts)
            parts = [*parts[:-index], *halves, *parts[-index + 1 :]]
    return parts


def _halves(part: str, clause: re.Pattern[str]) -> tuple[str, str] | None:
    """Cut a part in two at the place nearest to its middle that leaves words enough on both sides."""
    found = [
        (abs(cut.start() - len(part) / 2), part[: cut.start()], part[cut.end() :])
        for cut in clause.finditer(part)
        if min(len(_WORD.findall(part[: cut.start()])), len(_WORD.findall(part[cut.end() :]))) >= _MIN_CLAUSE_WORDS
        and not _PAIR.search(part[: cut.start()])
    ]
    return min(found)[1:] if found else None


def _merged(parts: list[str]) -> list[str]:
    """Put neighbours together, the shortest first, until there are not too many."""
    while len(parts) > MAX_KEY_POINTS:
        first = min(range(len(parts) - 1), key=lambda index: len(parts[index]) + len(parts[index + 1]))
        parts = [*parts[:first], _joined(parts[first], parts[first + 1]), *parts[first + 2 :]]
    return parts


def _joined(first: str, second: str) -> str:
    return f"{first} {second}" if first[-1] in ".!?:;" else f"{first}; {second}"


def _fitting(part: str) -> str:
    """Return a part as the text of a key point: neither too long nor too short for one."""
    if len(part) > MAX_POINT:
        return part[: MAX_POINT - 1].rsplit(None, 1)[0] + "…"
    return part if len(part.strip()) > 2 else f"The answer is {part}"


def _weight(length: float) -> int:
    """Return 1 to 3 for a length that is given as a share of the mean."""
    return 1 if length < _LIGHT else 3 if length > _HEAVY else 2
