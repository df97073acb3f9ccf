"""Find a job's level and line of business in its description."""

from __future__ import annotations

import re
from collections.abc import Sequence

from interviewer.interviews.topics import Level

_SENIOR = r"senior|sr\.?|staff|principal|lead|expert|architect|head of|founding staff|chief"
_JUNIOR = r"junior|jr\.?|entry[- ]level|graduate|intern(?:ship)?|trainee|apprentice(?:ship)?|werkstudent(?:in)?|working student|new grad|stagiaire|prácticas|beginner|berufseinsteiger"
_MID = r"mid(?:dle)?(?:[- ]level)?|medior|intermediate|confirmé|ii|2"
_LEVELS = tuple(
    (level, re.compile(rf"(?<![\w-])(?:{words})(?![\w])", re.IGNORECASE))
    for level, words in ((Level.JUNIOR, _JUNIOR), (Level.SENIOR, _SENIOR), (Level.MID, _MID))
)
_NUMBERS = {
    name: value
    for value, names in enumerate(
        (
            "",
            "one un uno une ein eine een",
            "two deux dos zwei twee",
            "three trois tres drei drie",
            "four quatre cuatro vier",
            "five cinq cinco fünf vijf",
            "six seis sechs zes",
            "seven sept siete sieben zeven",
            "eight huit ocho acht",
            "nine neuf nueve neun negen",
            "ten dix diez zehn tien",
        )
    )
    for name in names.split()
}
_YEARS = re.compile(
    rf"\b(\d{{1,2}}|{'|'.join(_NUMBERS)})\s*\+?\s*(?:(?:-|–|to|bis|à|a|or|ou|o|of|tot)\s*(\d{{1,2}}|{'|'.join(_NUMBERS)})\s*\+?)?\s*(?:or more |oder mehr |o más )?\+?\s*"
    r"(?:years?|yrs?|yoe|jahren?|ans|années|años|jaar)\b",
    re.IGNORECASE,
)
_DECADE = re.compile(r"\b(?:a|over a|more than a) decade\b", re.IGNORECASE)
_LEVEL_WORDS = (
    (
        Level.JUNIOR,
        re.compile(
            rf"\b(?:{_JUNIOR}|first job|straight from university|no (?:professional )?experience (?:is )?(?:needed|required))\b",
            re.IGNORECASE,
        ),
    ),
    (
        Level.SENIOR,
        re.compile(
            r"\b(?:seasoned|deep expertise|track record of leading|extensive experience|senior (?:backend|software|engineer|developer|position|role|level|colleague we are looking))\b",
            re.IGNORECASE,
        ),
    ),
)
_DOMAINS = {
    "payments": ("payment", "payout", "card issuing", "acquirer", "checkout", "merchant"),
    "banking": ("bank", "ledger", "lending", "loan", "treasury", "mortgage"),
    "insurance": ("insurance", "insurer", "claims", "policyholder", "actuar"),
    "trading": ("trading", "exchange", "market data", "broker", "hedge fund"),
    "e-commerce": ("e-commerce", "ecommerce", "marketplace", "retail", "online shop", "webshop", "storefront"),
    "health": ("health", "medical", "clinic", "patient", "hospital", "pharma"),
    "education": ("education", "edtech", "learning platform", "student", "school"),
    "games": ("game", "gaming", "player"),
    "logistics": ("logistics", "shipping", "warehouse", "fleet", "parcel", "freight", "rail"),
    "travel": ("travel", "booking", "hotel", "airline", "ticket"),
    "media": ("media", "streaming", "podcast", "publisher", "newsroom", "video"),
    "advertising": ("advertising", "adtech", "ad tech", "campaign"),
    "developer tools": ("developer tools", "developer platform", "ci platform", "sdk"),
    "security": ("cybersecurity", "threat", "fraud", "soc ", "vulnerabilit"),
    "data and machine learning": ("analytics", "data platform", "machine learning", "data warehouse", "ml platform"),
    "telecom": ("telecom", "mobile network", "subscriber", "sim card"),
    "public sector": ("public sector", "government", "ministry", "council", "citizen"),
}


def level_of(title: str, wanted: Sequence[str], text: str) -> Level:
    """Return the seniority of a job by its title, the years of experience in its requirements (`wanted`), and its words."""
    for level, pattern in _LEVELS:
        if pattern.search(title):
            return level
    years = max((_years(line) for line in wanted), default=-1)
    if years < 0:
        years = max(
            (
                _years(line)
                for line in re.split(r"[.\n]", text)
                if re.search(r"experience|exp\b|backend|erfahrung|expérience|experiencia|ervaring", line, re.IGNORECASE)
            ),
            default=-1,
        )
    if years >= 0:
        return Level.SENIOR if years >= 6 else Level.MID if years >= 3 else Level.JUNIOR
    return next((level for level, pattern in _LEVEL_WORDS if pattern.search(text)), Level.MID)


def _years(line: str) -> int:
    """Return the least years of experience that a line asks for, or -1 if it names none. A range such as 0-2 counts by its end."""
    if _DECADE.search(line):
        return 10
    found = [(_number(match[1]), _number(match[2])) for match in _YEARS.finditer(line)]
    return max((end if start == 0 and end is not None else start or 0 for start, end in found), default=-1)


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    return int(text) if text.isdigit() else _NUMBERS[text.casefold()]


def domain_of(text: str) -> str:
    """Return the line of business that a job description mentions most, or "" if it mentions none."""
    lowered = text.casefold()
    counts = {name: sum(len(re.findall(rf"\b{re.escape(word)}", lowered)) for word in words) for name, words in _DOMAINS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] > 1 else ""
