"""Derive key points from a reference answer, for questions that have no rubric.

No language model is involved. The text is split where its author split it: into list items, then into sentences, and into clauses
only if that gives too few parts. If there are too many parts, neighbors are merged, the shortest first. A key point's weight
depends on its length relative to the mean.
"""

from __future__ import annotations

import re

from interviewer.interviews.non_answers import copies_question
from interviewer.interviews.rubric import MAX_KEY_POINTS, MAX_MODEL_ANSWER, MAX_POINT, MIN_KEY_POINTS, KeyPoint, Rubric

# Matches bullets, numbers and letters before list items, but not a minus sign, "--option", "*args" or "e.g.".
_ITEM = re.compile(
    r"(?:(?:[•●○▪]|[-–—](?![-\d])|\*(?=\s)|\(?\d{1,2}[.)](?!\d)|\(?(?:[ivx]{1,4}|[a-h])(?:\)|\.(?=\s)))\s*)+(?=\S)",
    re.IGNORECASE,
)
# Does not split after abbreviations or within a number.
_SENTENCE = re.compile(r"(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)(?<!vs\.)(?<=[.!?;])\s+(?=[^\s\da-z(]|\d+[^\d.])")
_CLAUSES = (
    re.compile(r"(?<!\s)\s*;\s*"),
    re.compile(r"(?<!\s)\s*,\s*(?=(?:and|but|or|so|which|because|while|whereas|whereby|since)\b)", re.IGNORECASE),
    re.compile(r"(?<!\s)\s+(?=(?:because|while|whereas|whereby|but)\b)", re.IGNORECASE),
    re.compile(r"(?<!\s)\s*,\s*(?!\s|e\.?g|i\.?e|for example|such as|etc)", re.IGNORECASE),
    re.compile(r"(?<!\s)\s+and\s+", re.IGNORECASE),
)
# After these words, an "and" joins a pair and does not end a clause.
_PAIR = re.compile(r"\b(?:between|both)\b[^,;.]*$", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_MIN_CLAUSE_WORDS = 2
# Shorter lines are assumed to end where their author meant them to end.
_WRAPPED_LENGTH = 40
_MAX_HEADING_WORDS = 14
# Lengths relative to the mean: key points below _LIGHT get weight 1, and key points above _HEAVY get weight 3.
_LIGHT, _HEAVY = 0.6, 1.5


def rubric_from_reference(question: str, reference: str) -> Rubric:
    """Return a rubric of 3 to 6 key points, or fewer if the reference cannot be split that far.

    The result is deterministic. Raises ValueError for a reference without any words.
    """
    if not _WORD.search(reference):
        raise ValueError("The reference answer is empty.")
    parts = _without_echo(question, _sentences(_items(reference)))
    parts = _merged(_split_further(parts))
    mean = sum(map(len, parts)) / len(parts)
    key_points = tuple(KeyPoint(point=_fitting(part), weight=_weight(len(part) / mean)) for part in parts)
    return Rubric(key_points=key_points, model_answer=reference.strip()[:MAX_MODEL_ANSWER], imported=True)


def _items(text: str) -> list[str]:
    """Split a text into list items and paragraphs, joining wrapped lines."""
    items: list[str] = []
    length = 0
    for line in text.splitlines():
        flat = " ".join(line.split())
        if not _WORD.search(flat):
            continue
        marked = _ITEM.match(flat)
        if marked and not _WORD.search(flat, marked.end()):
            # A number with nothing after it is content, not a list marker.
            marked = None
        body = flat[marked.end() :] if marked else flat
        if length >= _WRAPPED_LENGTH and not marked and body[0].islower() and items[-1][-1] not in ".!?:;":
            items[-1] += f" {body}"
        else:
            items.append(body)
        length = len(flat)
    return items


def _sentences(items: list[str]) -> list[str]:
    """Split items into sentences, with a heading prefixed to the sentence that follows it."""
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
    """Return the parts without those that only repeat the question, or all parts if nothing else is left."""
    return [part for part in parts if not copies_question(question, part)] or parts


def _split_further(parts: list[str]) -> list[str]:
    """Split at clauses, commas, and "and" until there are MIN_KEY_POINTS parts or nothing more can be split."""
    for clause in _CLAUSES:
        while len(parts) < MIN_KEY_POINTS:
            cuts = [(len(part), -index, halves) for index, part in enumerate(parts) if (halves := _halves(part, clause))]
            if not cuts:
                break
            _, index, halves = max(cuts)
            parts = [*parts[:-index], *halves, *parts[-index + 1 :]]
    return parts


def _halves(part: str, clause: re.Pattern[str]) -> tuple[str, str] | None:
    """Split a part at the separator nearest its middle, or return None if no separator leaves enough words in both halves."""
    found = [
        (abs(cut.start() - len(part) / 2), part[: cut.start()], part[cut.end() :])
        for cut in clause.finditer(part)
        if min(len(_WORD.findall(part[: cut.start()])), len(_WORD.findall(part[cut.end() :]))) >= _MIN_CLAUSE_WORDS
        and not _PAIR.search(part[: cut.start()])
    ]
    return min(found)[1:] if found else None


def _merged(parts: list[str]) -> list[str]:
    """Merge neighboring parts, the shortest pair first, until there are at most MAX_KEY_POINTS."""
    while len(parts) > MAX_KEY_POINTS:
        first = min(range(len(parts) - 1), key=lambda index: len(parts[index]) + len(parts[index + 1]))
        parts = [*parts[:first], _joined(parts[first], parts[first + 1]), *parts[first + 2 :]]
    return parts


def _joined(first: str, second: str) -> str:
    return f"{first} {second}" if first[-1] in ".!?:;" else f"{first}; {second}"


def _fitting(part: str) -> str:
    """Return a part as the text of a key point, adjusted to the length limits."""
    if len(part) > MAX_POINT:
        return part[: MAX_POINT - 1].rsplit(None, 1)[0] + "…"
    return part if len(part.strip()) > 2 else f"The answer is {part}"


def _weight(length: float) -> int:
    """Return the weight (1 to 3) for a length relative to the mean."""
    return 1 if length < _LIGHT else 3 if length > _HEAVY else 2
