"""Analyze a job description without a language model: its level, its stack, and lines copied verbatim."""

from __future__ import annotations

import re
from collections.abc import Iterable

from interviewer.grading.bank.loader import technologies
from interviewer.interviews.job import JobFindings
from interviewer.interviews.topics import Level

MAX_LINES = 12
# Technologies whose words are also everyday words, so only their capitalized forms count.
CAPITALIZED = frozenset({"go", "rest", "rust", "express", "spring", "rails", "flask", "helm", "snowflake", "spark", "elixir"})
MAX_LINE = 300
_BULLET = re.compile(r"^\s*(?:[-*•·▪◦–—]|\d+[.)])\s*")
_SENIOR = re.compile(
    r"\b(senior|staff|principal|lead|expert|architect)\b|\b([6-9]|1\d)\s*\+?\s*(?:or more )?years", re.IGNORECASE
)
_JUNIOR = re.compile(
    r"\b(junior|entry[- ]level|graduate|intern(ship)?|trainee|apprentice)\b|\b[01]\s*(?:-|–|to)\s*2\s*years", re.IGNORECASE
)
_QUALIFICATION = re.compile(
    r"\b(years?|experience|degree|bachelor|master|knowledge|proficien\w+|familiar\w*|fluen\w+|skills?|must|required|understanding|certifi\w+|"
    r"comfortable|expertise|strong|solid|hands-on|nice to have|bonus)\b",
    re.IGNORECASE,
)
_RESPONSIBILITY = re.compile(
    r"\b(you will|design|build|develop|maintain|own|implement|operate|collaborat\w+|work (?:with|on|closely)|lead|mentor|review|write|improve|"
    r"scale|ship|deliver|participate|support|drive|optimi[sz]e|responsib\w+|migrate|monitor|automate|integrate)\b",
    re.IGNORECASE,
)
_DOMAINS = {
    "financial services": ("fintech", "bank", "payment", "trading", "insurance", "ledger", "lending"),
    "e-commerce": ("e-commerce", "ecommerce", "marketplace", "retail", "checkout", "online shop"),
    "health": ("health", "medical", "clinic", "patient", "pharma"),
    "education": ("education", "edtech", "learning platform", "students"),
    "games": ("game", "gaming"),
    "logistics and travel": ("logistics", "delivery", "shipping", "mobility", "travel", "booking", "fleet"),
    "advertising and media": ("advertising", "adtech", "media", "streaming service", "publisher"),
    "developer tools and cloud": ("developer tools", "cloud platform", "infrastructure platform", "saas", "developer platform"),
    "security": ("cybersecurity", "threat", "fraud"),
    "data and analytics": ("analytics", "data platform", "machine learning", "data pipelines"),
}


def level_of(text: str) -> Level:
    """Return the seniority that a job description asks for, or mid-level if it does not say."""
    heading = text.strip()[:200]
    if _JUNIOR.search(heading):
        return Level.JUNIOR
    if _SENIOR.search(heading) or _SENIOR.search(text):
        return Level.SENIOR
    return Level.JUNIOR if _JUNIOR.search(text) else Level.MID


def tags_of(text: str) -> tuple[str, ...]:
    """Return the tags of the technologies that a job description mentions, the most frequently mentioned first."""
    lowered = text.casefold()
    counts = {tag: sum(_mentions(word, lowered, text) for word in technology.words) for tag, technology in technologies().items()}
    return tuple(sorted((tag for tag, count in counts.items() if count), key=lambda tag: -counts[tag]))


def _mentions(word: str, lowered: str, text: str) -> int:
    if word in CAPITALIZED:
        shape = word.upper() if word == "rest" else word.capitalize()
        return len(re.findall(rf"(?<![\w.]){re.escape(shape)}(?![\w-])(?!\s+(?:to|for|beyond|above)\b)", text))
    return len(re.findall(rf"(?<![\w.]){re.escape(word)}(?![\w+#])", lowered))


def lines_of(text: str) -> list[str]:
    """Return a job description's lines without bullets, with long lines split into sentences.

    Each line is truncated to 300 characters, and lines with fewer than three words are dropped.
    """
    found = []
    for raw in text.splitlines():
        line = _BULLET.sub("", raw).strip()
        pieces = re.split(r"(?<=[.!?])\s+", line) if len(line) > MAX_LINE // 2 else [line]
        found += [piece[:MAX_LINE] for piece in pieces if len(piece.split()) >= 3]
    return found


def find(text: str) -> JobFindings:
    """Return the profile of a job description, worded as in the description."""
    lines = lines_of(text)
    qualifications = [line for line in lines if _QUALIFICATION.search(line)]
    responsibilities = [line for line in lines if line not in qualifications and _RESPONSIBILITY.search(line)]
    title = next((_BULLET.sub("", line).strip(" #*") for line in text.splitlines() if line.strip(" #*-")), "")
    return JobFindings(
        title=title[:200],
        level=level_of(text),
        domain=_domain(text.casefold()),
        stack=tuple(technologies()[tag].name for tag in tags_of(text))[:30],
        responsibilities=_some(responsibilities),
        qualifications=_some(qualifications),
    )


def _domain(lowered: str) -> str:
    counts = {name: sum(len(re.findall(rf"\b{re.escape(word)}", lowered)) for word in words) for name, words in _DOMAINS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else ""


def _some(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))[:MAX_LINES]
