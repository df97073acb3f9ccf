"""The technologies that a text mentions, by the bank's tags, and the profile of a job description."""

from __future__ import annotations

import re
from collections.abc import Iterable

from interviewer.grading.bank.loader import technologies
from interviewer.grading.postings.classify import LineKind
from interviewer.grading.postings.posting import Posting, analyze
from interviewer.interviews.job import MAX_LINES, JobFindings

# Technologies whose words are also everyday words, so only their capitalized forms count.
CAPITALIZED = frozenset({"go", "rest", "rust", "express", "spring", "rails", "flask", "helm", "snowflake", "spark", "elixir"})


def tags_of(text: str) -> tuple[str, ...]:
    """Return the tags of the technologies that a text mentions, the most frequently mentioned first."""
    lowered = text.casefold()
    counts = {tag: sum(_mentions(word, lowered, text) for word in technology.words) for tag, technology in technologies().items()}
    return tuple(sorted((tag for tag, count in counts.items() if count), key=lambda tag: -counts[tag]))


def _mentions(word: str, lowered: str, text: str) -> int:
    if word in CAPITALIZED:
        shape = word.upper() if word == "rest" else word.capitalize()
        return len(re.findall(rf"(?<![\w.]){re.escape(shape)}(?![\w-])(?!\s+(?:to|for|beyond|above)\b)", text))
    return len(re.findall(rf"(?<![\w.]){re.escape(word)}(?![\w+#])", lowered))


def find(text: str) -> JobFindings:
    """Return the profile of a job description, worded as in the description."""
    posting = analyze(text)
    return JobFindings(
        title=posting.title,
        level=posting.level,
        domain=posting.domain,
        stack=tuple(one.name for one in posting.technologies)[:MAX_LINES],
        responsibilities=_texts(posting, LineKind.DUTY),
        qualifications=_texts(posting, LineKind.REQUIRED),
        nice_to_have=_texts(posting, LineKind.NICE),
    )


def _texts(posting: Posting, kind: LineKind) -> tuple[str, ...]:
    return _some(line.text for line in posting.lines if line.kind is kind)


def _some(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))[:MAX_LINES]
