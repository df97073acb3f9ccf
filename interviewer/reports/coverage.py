"""Which of the job's requirements an interview covered: asked and demonstrated, asked but not demonstrated, or not asked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from interviewer.interviews.job import JobFindings
from interviewer.interviews.rubric import PASS_SCORE, folded

# Minimum cosines between a question with its key points and a line of the posting, set by reading pairs: from LIKE on, both are
# about the same thing if they have a rare word in common. If they share the line's technology, NAMED is enough. From SURELY_LIKE
# on, nothing else is needed.
LIKE, NAMED, SURELY_LIKE = 0.33, 0.24, 0.5
# In characters. Shorter passages occur in many texts by chance.
MIN_QUOTE = 12
_QUOTED = re.compile(r"[“\"]([^“”\"]+)[”\"]")
_HEADING = re.compile(r"(?:what|who|how|why|about) (?:you|we|us)\b.{0,25}", re.IGNORECASE)


class RequirementKind(StrEnum):
    """The part of the job profile that a requirement comes from."""

    STACK = "stack"
    RESPONSIBILITY = "responsibility"
    QUALIFICATION = "qualification"
    NICE_TO_HAVE = "nice to have"


class Standing(StrEnum):
    """Whether an interview asked about a requirement, and whether an answer showed that the candidate meets it.

    Only a requirement with parts, such as "Docker, Kubernetes, and Terraform", can be demonstrated in part.
    """

    SHOWN = "asked about and demonstrated"
    PARTLY_SHOWN = "partly demonstrated"
    NOT_SHOWN = "asked about, not demonstrated yet"
    NOT_ASKED = "not asked about"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One technology or line from the job profile."""

    kind: RequirementKind
    text: str


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """A question that was answered. `points` are the texts of its key points; `score` is 0 to 10, or None if not scored yet."""

    position: int
    prompt: str
    points: tuple[str, ...]
    score: int | None

    @property
    def text(self) -> str:
        """The question followed by its key points, which say what it is about."""
        return " ".join((self.prompt, *self.points))


@dataclass(frozen=True, slots=True)
class Nearness:
    """How close a question is to a requirement.

    `cosine` is that of their vectors; `shared` and `words` are set if they have a technology or a rare word in common.
    """

    cosine: float = 0.0
    shared: bool = False
    words: bool = False


@dataclass(frozen=True, slots=True)
class CoveredRequirement:
    """A requirement with the questions about it, in the order of the interview.

    `parts` are the technologies of a line that names several. Each counts separately.
    """

    requirement: Requirement
    questions: tuple[AnsweredQuestion, ...]
    parts: tuple[CoveredRequirement, ...] = ()

    @property
    def standing(self) -> Standing:
        """The requirement's standing. One passing answer shows it, or each of its parts; an answer without a score does not."""
        if self.parts:
            return _of_parts({part.standing for part in self.parts})
        if any(question.score is not None and question.score >= PASS_SCORE for question in self.questions):
            return Standing.SHOWN
        return Standing.NOT_SHOWN if self.questions else Standing.NOT_ASKED


def _of_parts(standings: Collection[Standing]) -> Standing:
    if len(standings) == 1:
        return next(iter(standings))
    return Standing.PARTLY_SHOWN if Standing.SHOWN in standings else Standing.NOT_SHOWN


def requirements(findings: JobFindings) -> tuple[Requirement, ...]:
    """Return the requirements of a job, without duplicates and headings."""
    lists: Iterable[tuple[RequirementKind, tuple[str, ...]]] = (
        (RequirementKind.STACK, findings.stack),
        (RequirementKind.RESPONSIBILITY, findings.responsibilities),
        (RequirementKind.QUALIFICATION, findings.qualifications),
        (RequirementKind.NICE_TO_HAVE, findings.nice_to_have),
    )
    found: dict[str, Requirement] = {}
    for kind, texts in lists:
        for text in texts:
            if not (_HEADING.fullmatch(text) or text.endswith(":")):
                found.setdefault(folded(text), Requirement(kind, text))
    return tuple(found.values())


def is_about(requirement: Requirement, question: AnsweredQuestion, nearness: Nearness, technologies: Sequence[str] = ()) -> bool:
    """Return whether a question is about a requirement that names these technologies.

    A technology must be mentioned in the question or shared with it. Any other line must be quoted in the question or be similar
    enough to it. If the line names technologies, the question must name or share one of them.
    """
    if requirement.kind is RequirementKind.STACK:
        return nearness.shared or names(question.text, requirement.text)
    if quotes(question.prompt, requirement.text):
        return True
    if nearness.cosine >= SURELY_LIKE:
        return True
    if technologies:
        return nearness.cosine >= NAMED and (nearness.shared or any(names(question.text, one) for one in technologies))
    return nearness.cosine >= LIKE and nearness.words


def names(text: str, name: str) -> bool:
    """Return whether a text contains a technology's name as a whole word. Names of one or two letters must match in case."""
    exact = len(name) <= 2
    return bool(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w+#])", text, 0 if exact else re.IGNORECASE))


def quotes(prompt: str, line: str) -> bool:
    """Return whether a question contains a line of the posting, or quotes a part of it in quotation marks."""
    whole = folded(line).rstrip(".")
    if len(whole) >= MIN_QUOTE and whole in folded(prompt):
        return True
    parts = (folded(part).rstrip(".…") for part in _QUOTED.findall(prompt))
    return any(len(part) >= MIN_QUOTE and part in whole for part in parts)


def coverage(
    wanted: Sequence[Requirement],
    questions: Sequence[AnsweredQuestion],
    nearness: Sequence[Sequence[Nearness]],
    parts: Sequence[Sequence[str]] = (),
) -> tuple[CoveredRequirement, ...]:
    """Return each requirement with the questions about it.

    `nearness` has a row for each requirement and a column for each question. `parts` has the technologies that each requirement
    names. A line that names several is covered by them alone, if any question names one.
    """
    found = []
    for number, (requirement, row) in enumerate(zip(wanted, nearness, strict=True)):
        named = parts[number] if parts and requirement.kind is not RequirementKind.STACK else ()
        if len(named) > 1 and any(names(question.text, one) for question in questions for one in named):
            found.append(_compound(requirement, named, questions))
        else:
            about = (
                question for question, near in zip(questions, row, strict=True) if is_about(requirement, question, near, named)
            )
            found.append(CoveredRequirement(requirement, tuple(about)))
    return tuple(found)


def _compound(requirement: Requirement, parts: Sequence[str], questions: Sequence[AnsweredQuestion]) -> CoveredRequirement:
    """Return a line that names several technologies: each part with the questions that name it."""
    covered = tuple(
        CoveredRequirement(
            Requirement(RequirementKind.STACK, part), tuple(question for question in questions if names(question.text, part))
        )
        for part in parts
    )
    asked = tuple(question for question in questions if any(question in part.questions for part in covered))
    return CoveredRequirement(requirement, asked, covered)
