"""How an interview covered the job's requirements: asked and shown, asked and not shown, not asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from interviewer.interviews.job import JobFindings
from interviewer.interviews.rubric import PASS_SCORE, folded

# Likeness (a cosine) of a question with its key points to a line of the posting. Set by looking at the pairs of the bank's
# questions with the lines of the three sample postings: from LIKE on they are about the same; those that name the same
# technology as well are so a little earlier. Below, lines about teams and about scale begin to match anything.
LIKE, LIKE_AND_SHARED = 0.38, 0.30
# A shorter passage stands in many texts by chance.
MIN_QUOTE = 12
_QUOTED = re.compile(r"[“\"]([^“”\"]+)[”\"]")
_HEADING = re.compile(r"(?:what|who|how|why|about) (?:you|we|us)\b.{0,25}", re.IGNORECASE)


class RequirementKind(StrEnum):
    """Where in the job profile a requirement stands."""

    STACK = "stack"
    RESPONSIBILITY = "responsibility"
    QUALIFICATION = "qualification"


class Standing(StrEnum):
    """What an interview has seen of a requirement."""

    SHOWN = "asked and shown"
    NOT_SHOWN = "asked and not shown"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One technology or line that the job asks for."""

    kind: RequirementKind
    text: str


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """A question that was answered; `score` is 0 to 10, None while it is not judged. `points` are its key points."""

    position: int
    prompt: str
    points: tuple[str, ...]
    score: int | None

    @property
    def text(self) -> str:
        """All that says what the question is about."""
        return " ".join((self.prompt, *self.points))


@dataclass(frozen=True, slots=True)
class Nearness:
    """What brings a question near a requirement: the cosine of their vectors, and whether they name the same technology."""

    cosine: float = 0.0
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Covered:
    """A requirement with the questions that were about it, in their order."""

    requirement: Requirement
    questions: tuple[AnsweredQuestion, ...]

    @property
    def standing(self) -> Standing:
        """Shown by one good answer; an answer that is not judged yet shows nothing."""
        if any(question.score is not None and question.score >= PASS_SCORE for question in self.questions):
            return Standing.SHOWN
        return Standing.NOT_SHOWN if self.questions else Standing.NOT_ASKED


def requirements(findings: JobFindings) -> tuple[Requirement, ...]:
    """Return what a job asks for, each thing once, without lines that are only headings."""
    lists: Iterable[tuple[RequirementKind, tuple[str, ...]]] = (
        (RequirementKind.STACK, findings.stack),
        (RequirementKind.RESPONSIBILITY, findings.responsibilities),
        (RequirementKind.QUALIFICATION, findings.qualifications),
    )
    found: dict[str, Requirement] = {}
    for kind, texts in lists:
        for text in texts:
            if not (_HEADING.fullmatch(text) or text.endswith(":")):
                found.setdefault(folded(text), Requirement(kind, text))
    return tuple(found.values())


def is_about(requirement: Requirement, question: AnsweredQuestion, nearness: Nearness) -> bool:
    """Tell whether a question is about a requirement: it names the technology, quotes the line, or is like it."""
    if requirement.kind is RequirementKind.STACK:
        return nearness.shared or names(question.text, requirement.text)
    if quotes(question.prompt, requirement.text):
        return True
    return nearness.cosine >= (LIKE_AND_SHARED if nearness.shared else LIKE)


def names(text: str, name: str) -> bool:
    """Tell whether a technology's name stands in a text as a word of its own; one or two letters only as they are written."""
    exact = len(name) <= 2
    return bool(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w+#])", text, 0 if exact else re.IGNORECASE))


def quotes(prompt: str, line: str) -> bool:
    """Tell whether a question names a line of the posting, or quotes a part of it between quotation marks."""
    whole = folded(line).rstrip(".")
    if len(whole) >= MIN_QUOTE and whole in folded(prompt):
        return True
    parts = (folded(part).rstrip(".…") for part in _QUOTED.findall(prompt))
    return any(len(part) >= MIN_QUOTE and part in whole for part in parts)


def coverage(
    wanted: Sequence[Requirement], questions: Sequence[AnsweredQuestion], nearness: Sequence[Sequence[Nearness]]
) -> tuple[Covered, ...]:
    """Return what became of each requirement; `nearness` has a row for each of them, with a column for each question."""
    return tuple(
        Covered(
            requirement,
            tuple(question for question, near in zip(questions, row, strict=True) if is_about(requirement, question, near)),
        )
        for requirement, row in zip(wanted, nearness, strict=True)
    )
