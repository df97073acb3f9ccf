"""How well questions cover what a job asks for, taken together: its technologies and its requirement lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from interviewer.grading.bank.loader import BankQuestion, load_bank
from interviewer.grading.bank.vectors import bank_vectors
from interviewer.grading.learned.runtime import Floats
from interviewer.grading.postings.classify import LineKind
from interviewer.grading.postings.posting import Posting, WantedTechnology, analyze
from interviewer.grading.postings.vocabulary import mentions, tags_of_name, vocabulary
from interviewer.grading.text import content_stems
from interviewer.grading.vectors import vectors

# A question covers a requirement line in part from the first cosine on, and wholly from the second.
NEAR, AT = 0.28, 0.55
# How much a line counts beside a technology of weight 1.
_LINE_WEIGHTS = {LineKind.DUTY: 1.5, LineKind.REQUIRED: 1.0, LineKind.NICE: 0.4}
NICE = 0.3
# How much likeness to the duties as a whole counts. A question that is four standard deviations above the mean is wholly like them.
WHOLE = 3.0
# How much the cosine to a question's subject counts beside that to its prompt alone.
SUBJECT = 0.9
# How far a question covers a technology that it is only tagged with, and one that shares only a field, such as another database.
TAGGED, RELATED = 0.7, 0.2
# Questions with more tags suit many jobs but are about none of their technologies.
MOST_TAGS = 4
# How much technologies count beside lines, by topic. In a design, the product matters more than the tools, and people matter most in
# stories. In all other topics they count fully.
TECHNOLOGIES_IN = {"system-design": 0.4, "introduction": 0.5, "behavioral": 0.2}
# How much more the job's main programming languages count than other technologies.
LANGUAGE = 1.6
# Tags of programming languages. A job in one language of a family is not asked about the others of other families.
_FAMILIES = (
    frozenset({"python"}),
    frozenset({"go"}),
    frozenset({"java"}),
    frozenset({"kotlin"}),
    frozenset({"javascript", "typescript", "nodejs"}),
    frozenset({"rust"}),
    frozenset({"csharp", "dotnet"}),
    frozenset({"ruby"}),
    frozenset({"php"}),
    frozenset({"scala"}),
    frozenset({"elixir"}),
    frozenset({"cpp"}),
)
_LANGUAGES = frozenset().union(*_FAMILIES)
# Too common to say that a job names it.
_COMMON = frozenset({"HTTP", "TCP", "TLS", "DNS", "Git", "GitHub", "JWT", "SQL", "REST", "Linux", "Bash", "OpenAPI", "C"})
# Questions about the candidate, in which a technology is only an example.
_ABOUT_PEOPLE = frozenset({"introduction", "behavioral"})
# The minimum cosine of a question and a line that it is about.
TIED = 0.38
# The minimum cosine of a question and a line that is quoted before it, and the most characters of such a line.
TIE_COSINE, MAX_TIE = 0.45, 160


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a job asks for. `scores` tells, for each question of the bank, how far it covers it (0 to 1)."""

    weight: float
    scores: Floats


class JobFit:
    """What a job asks for, and how far each question of the bank covers it."""

    def __init__(self, posting: Posting) -> None:
        self.posting = posting
        self._rows = {id: row for row, id in enumerate(load_bank())}
        self._names = frozenset(one.name for one in posting.technologies)
        self._tags = frozenset().union(*(tags_of_name(name) for name in self._names))
        self._languages = self._wanted_languages()
        self._lines = [one.text for one in posting.lines]
        bank = bank_vectors()
        rows = vectors(self._lines)
        self._prompts = np.asarray(rows @ np.stack(list(bank.prompts.values())).T, dtype=np.float32)
        self._cosines = np.maximum(self._prompts, SUBJECT * (rows @ np.stack(list(bank.subjects.values())).T))
        self._technologies = self._technology_needs()
        self._needs = [*self._technologies, *self._line_needs(), *self._whole()]

    def gains(self, questions: Sequence[BankQuestion], asked: Collection[str]) -> list[float]:
        """Return how much each question adds to what the asked questions (by ID) cover, from 0 to 1 for the one that adds most.

        All questions are of one topic.
        """
        rows = [self._rows[one.id] for one in questions]
        named = TECHNOLOGIES_IN.get(questions[0].topic, 1.0) if questions else 1.0
        before = [self._rows[id] for id in asked if id in self._rows]
        total = np.zeros(len(rows), dtype=np.float32)
        for number, need in enumerate(self._needs):
            covered = float(need.scores[before].max()) if before else 0.0
            share = named if number < len(self._technologies) else 1.0
            total += share * need.weight * np.maximum(need.scores[rows] - covered, 0.0)
        most = float(total.max()) if len(rows) else 0.0
        return [float(value) / most for value in total] if most else [0.0] * len(rows)

    def is_foreign(self, question: BankQuestion) -> bool:
        """Return whether a question is about programming languages, and none of them is one of the job's."""
        about = _LANGUAGES.intersection(question.tags)
        return bool(about and self._languages) and not about & self._languages

    def unknown_names(self, question: BankQuestion) -> int:
        """Return how many technologies a question names that the job does not name or imply."""
        return sum(name not in self._names and _first_tag(name) not in self._tags for name in named_in(question.id))

    def is_tied(self, question: BankQuestion) -> bool:
        """Return whether a question is about a technology that the job asks for, or about one of its requirement lines."""
        row = self._rows[question.id]
        named = any(need.scores[row] >= TAGGED for need in self._technologies)
        return named or bool(self._lines and self._cosines[:, row].max() >= TIED)

    def reference(self, question: BankQuestion, said: str, number: int) -> str:
        """Return a sentence that connects a question to the job, or "" if nothing true can be said.

        It quotes a line that the question is about, or names a technology that both name. `said` is the text of the questions
        before, whose lines and technologies are not repeated, and `number` how many there were.
        """
        column = self._prompts[:, self._rows[question.id]] if self._lines else np.zeros(0)
        asked = set(content_stems(question.prompt))
        for place in np.argsort(-column):
            line, nice = self._lines[int(place)], self.posting.lines[int(place)].kind is LineKind.NICE
            if column[place] < TIE_COSINE:
                break
            if len(line) <= MAX_TIE and len(line.split()) >= 4 and line not in said and asked.intersection(content_stems(line)):
                return (_NICE_QUOTES if nice else _QUOTES)[number % 2].format(line)
        if question.topic in _ABOUT_PEOPLE:
            return ""
        for one in self.posting.technologies:
            if one.name in subjects_of(question.id) - _COMMON and not _is_named(one.name, said):
                return (_NICE_NAMES if one.nice else _NAMES)[number % 2].format(one.name)
        return ""

    def _wanted_languages(self) -> frozenset[str]:
        needed = [tags_of_name(one.name) & _LANGUAGES for one in self.posting.technologies if not one.nice]
        wanted = [tags for tags in needed if tags] or [tags_of_name(name) & _LANGUAGES for name in self._names]
        named = frozenset().union(*wanted)
        return frozenset().union(*(family for family in _FAMILIES if family & named))

    def _technology_needs(self) -> list[Need]:
        return [
            Need(
                _weight(one),
                np.array([_covers(one.name, question) for question in load_bank().values()], dtype=np.float32),
            )
            for one in self.posting.technologies
        ]

    def _line_needs(self) -> list[Need]:
        scores = np.clip((self._cosines - NEAR) / (AT - NEAR), 0.0, 1.0)
        return [Need(_LINE_WEIGHTS[line.kind], row) for line, row in zip(self.posting.lines, scores, strict=True)]

    def _whole(self) -> list[Need]:
        """Return the need for questions that are like the duties as a whole, more than most questions are."""
        rows = [row for row, line in zip(self._cosines, self.posting.lines, strict=True) if line.kind is LineKind.DUTY]
        if not rows:
            return []
        mean = np.mean(rows, axis=0)
        return [Need(WHOLE, np.clip((mean - mean.mean()) / (4 * mean.std()), 0.0, 1.0))]


_QUOTES = (
    "The posting says: “{}.”",
    "One line of the posting reads: “{}.”",
)
_NICE_QUOTES = ("The posting lists this as a plus: “{}.”", "One nice-to-have in the posting is: “{}.”")
_NAMES = ("The posting names {}.", "{} comes up in the posting.")
_NICE_NAMES = ("{} is a nice-to-have in the posting.", "The posting lists {} as a plus.")


@lru_cache(maxsize=64)
def job_fit(text: str) -> JobFit:
    """Return what a job description asks for, and how far each question of the bank covers it."""
    return JobFit(analyze(text))


@cache
def named_in(bank_id: str) -> frozenset[str]:
    """Return the technologies that a question's prompt names."""
    return frozenset(found.name for found in mentions(load_bank()[bank_id].prompt))


@cache
def subjects_of(bank_id: str) -> frozenset[str]:
    """Return the technologies that a question is really about: its first tag, or its second if it names the technology repeatedly."""
    question = load_bank()[bank_id]
    counts = Counter(found.name for found in mentions(question.prompt))
    return frozenset(name for name, count in counts.items() if tags_of_name(name).intersection(question.tags[: 1 + (count > 1)]))


def _covers(name: str, question: BankQuestion) -> float:
    """Return how far a question covers a technology, from 0 to 1."""
    if name in named_in(question.id):
        return 1.0
    tags = tags_of_name(name)
    if not tags.intersection(question.tags):
        return 0.0
    if len(question.tags) > MOST_TAGS:
        return 0.0
    return TAGGED if _first_tag(name) in question.tags else RELATED


def _weight(one: WantedTechnology) -> float:
    if one.nice or one.name in _COMMON:
        return NICE * one.weight
    return one.weight * (LANGUAGE if _first_tag(one.name) in _LANGUAGES else 1.0)


def _first_tag(name: str) -> str:
    return next(iter(vocabulary()[name].tags), "")


def _is_named(name: str, said: str) -> bool:
    return bool(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w+#])", said))
