"""Tell which lines of a job description are duties, requirements, or nice to have: a linear classifier over sentence vectors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np

from interviewer.grading.learned.runtime import Floats
from interviewer.grading.postings.sections import Section, inline_heading, is_heading, section_of
from interviewer.grading.postings.vocabulary import mentions
from interviewer.grading.vectors import vectors
from interviewer.interviews.job_title import is_title_label
from interviewer.interviews.posting_lines import Line

# Made by `python -m training.postings`.
WEIGHTS = Path(__file__).with_name("lines.npz")


class LineKind(StrEnum):
    """What a line of a job description is."""

    DUTY = "duty"
    REQUIRED = "required"
    NICE = "nice"
    OTHER = "other"


# A text of at most this many sentences is read clause by clause.
FEW = 2
# A heading inside a section has at most this many words.
SUBHEADING = 5
KINDS = tuple(LineKind)


@dataclass(frozen=True, slots=True)
class Placed:
    """A line with the section it is in, and its place in the text from 0 to 1."""

    line: Line
    section: Section
    place: float


_CUES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:nice to have|a (?:plus|bonus)|bonus|ideally|not (?:required|a must|needed|a dealbreaker)|would be (?:great|nice|a)|even better|advantage|"
        r"welcome|preferred|von vorteil|wünschenswert|un plus|un atout|apprécié|se valora|pluspunt|meegenomen|pré|helps? if|helpful|happy if|neither is needed)\b",
        r"\byou(?:['’]ll| will|['’]d| would)\b|\b(?:du wirst|je gaat|vous (?:allez|serez)|harás)\b",
        r"\b(?:you have|you['’]ve|you know|you are|you['’]re|you can|you should|you need|you bring|you still|must|need(?:s|ed)?|looking for|we would like you|essential)\b",
        r"\b(?:years?|yrs|experience|knowledge|degree|bachelor|fluent|familiar\w*|proficien\w*|understanding|skills?|comfortable|ans|jahre|jaar|años)\b",
        r"^(?:design|build|develop|maintain|own|implement|operate|lead|mentor|review|write|improve|scale|ship|run|keep|make|reduce|define|drive|work|help|take|"
        r"support|automate|integrate|migrate|monitor|participate|plan|document|move|replace|bring|teach|guard|shepherd)\w*\b",
        r"[€$£]|\b(?:eur|usd|gbp|sek|chf|salary|pension|holidays?|vacation|leave|insurance|equity|stock options|bonus up|health plan|401|pto|discount|budget|salaire|gehalt|urlaub)\b",
        r"\b(?:apply|application|cv|résumé|resume|equal opportunit|without regard|cover letter|recruiter|interview|call|e-?mail|contact|regards|dear|hi|hello|hey)\b|@",
        r"^(?:we|our|founded|the company|us)\b|\b(?:we are|we['’]re|our customers|founded in|people use|employees|headquarter\w*|series [a-d])\b",
        r"^(?:it|this|that|they|he|she|there|not|no)\b",
    )
)


# What ends a letter. A signature comes after it.
_CLOSING = re.compile(
    r"^(?:(?:kind|best|warm) (?:regards|wishes)|best|regards|cheers|thanks|thank you|sincerely|yours|many thanks|mit freundlichen|viele grüße|cordialement|"
    r"saludos|met vriendelijke groet|see you)\b.{0,20}$",
    re.IGNORECASE,
)


def place_lines(lines: Sequence[Line]) -> list[Placed]:
    """Return the lines that are no headings, each with its section. Lists behind an inline heading are split."""
    if len(lines) <= FEW:
        lines = [replace(line, text=part) for line in lines for part in _clauses(line.text)]
    found: list[Placed] = []
    section = Section.NONE
    for number, line in enumerate(lines):
        place = number / len(lines)
        if _CLOSING.match(line.text):
            section = Section.OTHER
        if is_heading(line):
            section = section_of(line.text)
            continue
        if _is_subheading(line, lines[number + 1 : number + 2]):
            continue
        inline = None if is_title_label(line.text) else inline_heading(line.text)
        if inline is None:
            found.append(Placed(line, section, place))
            continue
        inside, rest = inline
        found += [Placed(Line(piece, bullet=True, paragraph=line.paragraph), inside, place) for piece in _pieces(rest, inside)]
    return found


def _is_subheading(line: Line, following: Sequence[Line]) -> bool:
    """Return whether a short line before a list divides a section: "Reliability", "People"."""
    if line.bullet or not following or not following[0].bullet or not (line.after_blank or line.symbol):
        return False
    return len(line.text.split()) <= SUBHEADING and line.text[-1] not in ".;," and not mentions(line.text)


def _clauses(text: str) -> list[str]:
    """Return the clauses of a long sentence: the parts between semicolons, and a last part that begins with "and a little"."""
    parts = re.split(
        r"\s*;\s+|,?\s+(?=to (?:help )?(?:build|run|develop|grow|maintain|own)\b)|,\s+and\s+(?=.{3,60}\b(?:bonus|plus)\b)", text
    )
    return [part for part in parts if part]


def _pieces(text: str, section: Section) -> Iterable[str]:
    """Return the parts of a list in one line, separated by semicolons."""
    return [part.strip(" .") for part in text.split(";") if part.strip(" .")] if section is not Section.STACK else [text]


def features(lines: Sequence[Placed]) -> Floats:
    """Return the features of each line, as rows: its sentence vector, its section, and simple signs."""
    cues = np.array([_cues(one) for one in lines], dtype=np.float32)
    signs = np.array([_signs(one) for one in lines], dtype=np.float32)
    return np.hstack([signs, cues, _around(lines, cues), 2 * vectors([one.line.text for one in lines])]).astype(np.float32)


def _signs(one: Placed) -> list[float]:
    line, words = one.line, len(one.line.text.split())
    listed = line.bullet or line.symbol
    signs = [float(one.section is section) for section in Section]
    signs += [float(one.section is section and listed) for section in Section]
    signs += [1.0, float(listed), float(words <= 3), float(words <= 6), float(words > 25), one.place]
    return [*signs, float(line.text.endswith(("?", "!", ","))), float(line.text[:1].islower()), float(bool(mentions(line.text)))]


def _cues(one: Placed) -> list[float]:
    cues = [float(bool(cue.search(one.line.text))) for cue in _CUES]
    return cues + [cue * (one.section is Section.NONE) for cue in cues]


def _around(lines: Sequence[Placed], cues: Floats) -> Floats:
    """Return the cues of the sentence before each line and the mean of its whole paragraph, where the section is unknown."""
    found = np.zeros((len(lines), 2 * len(_CUES)), dtype=np.float32)
    paragraphs = np.array([one.line.paragraph for one in lines])
    for row, one in enumerate(lines):
        if one.section is Section.NONE:
            same = np.flatnonzero(paragraphs == one.line.paragraph)
            found[row, len(_CUES) :] = cues[same, : len(_CUES)].mean(axis=0)
            found[row, : len(_CUES)] = cues[max(row - 1, 0), : len(_CUES)]
    return found


@cache
def _weights() -> Floats:
    with np.load(WEIGHTS) as stored:
        weights: Floats = stored["weights"].astype(np.float32)
    return weights


# The kind of the lines of a section. A line that is alone on its row in such a section is of this kind unless the classifier
# is as sure as SURELY_OTHER that it is none: a signature, or a button of the page that was copied along.
_OF_SECTION = {Section.DUTIES: LineKind.DUTY, Section.REQUIRED: LineKind.REQUIRED, Section.NICE: LineKind.NICE}
SURELY_OTHER = 0.9
_NICE = re.compile(
    r"\b(?:nice[ -]to[ -]have|(?:a|big|huge|real|would be a) (?:plus|bonus)|bonus if|ideally but|not (?:required|needed|necessary|a must|a blocker|a deal-?breaker)|"
    r"(?:would be|is) (?:great|nice|welcome|helpful|a bonus)(?:,| but|$)|cool if|can be learned|von vorteil|wünschenswert|(?:un|est un|serait un) (?:plus|atout)|"
    r"serait appréciée?|se valorará|is een (?:plus|pré)|mooi meegenomen)\b",
    re.IGNORECASE,
)


def kinds_of(lines: Sequence[Placed]) -> list[LineKind]:
    """Return what each line is."""
    if not lines:
        return []
    return settle(lines, features(lines) @ _weights())


def settle(lines: Sequence[Placed], values: Floats) -> list[LineKind]:
    """Return what each line is by the values of its kinds, as rows, and by the section that it is in."""
    odds = np.exp(values - values.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    rows = Counter(one.line.paragraph for one in lines if not one.line.bullet)
    return [
        _settled(one, row, alone=one.line.bullet or rows[one.line.paragraph] == 1) for one, row in zip(lines, odds, strict=True)
    ]


def _settled(one: Placed, odds: Floats, *, alone: bool) -> LineKind:
    kind = KINDS[int(odds.argmax())]
    if alone and one.section in _OF_SECTION:
        kind = LineKind.OTHER if odds[KINDS.index(LineKind.OTHER)] > SURELY_OTHER else _OF_SECTION[one.section]
    if kind is LineKind.REQUIRED and _NICE.search(one.line.text):
        return LineKind.NICE
    return kind
