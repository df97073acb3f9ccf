"""Skills and covered requirements as shown by answers, and the bank questions to practice next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from interviewer.core.capacity import CapacityQueue, cpu_capacity
from interviewer.core.database import Database
from interviewer.interviews.job import JobFindings
from interviewer.interviews.question_bank import BankItem, Likeness, QuestionBank
from interviewer.interviews.rubric import Rubric
from interviewer.interviews.views import Loaded, TurnRow
from interviewer.reports import practice_queries as queries
from interviewer.reports.coverage import AnsweredQuestion, CoveredRequirement, Nearness, Requirement, coverage, requirements
from interviewer.reports.lessons import Lessons, graded, lessons
from interviewer.reports.practice_queries import Asked, Practiced
from interviewer.reports.skill_levels import Exercise, Skill, suggest, to_improve, weakest_first

# Questions with more tags ("How do your changes get to production?") suit many jobs but are about none of their technologies.
MAX_TAGS = 3


@dataclass(frozen=True, slots=True)
class SuggestedQuestion:
    """A question to practice.

    `skill` is the subtopic that it improves, or "" for none in particular. `tries` is the number of the user's tries, and `best`
    is their highest score (0 to 10), or None before the first try.
    """

    question: BankItem
    skill: str
    tries: int
    best: int | None


@dataclass(frozen=True, slots=True)
class PracticedQuestion:
    """A question that the user practiced outside of interviews."""

    question: BankItem
    tries: int
    best: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class SkillsOverview:
    """Skills over all interviews (weakest first), questions to practice, and practiced questions (newest first)."""

    skills: tuple[Skill, ...]
    suggestions: tuple[SuggestedQuestion, ...]
    practiced: tuple[PracticedQuestion, ...]


@dataclass(frozen=True, slots=True)
class InterviewReport:
    """The findings of one interview: its lessons, covered requirements, and suggestions.

    `bank_ids` maps the IDs of the interview's questions to the bank questions that they come from, if any.
    """

    lessons: Lessons
    coverage: tuple[CoveredRequirement, ...]
    suggestions: tuple[SuggestedQuestion, ...]
    bank_ids: Mapping[int, str]


class Skills:
    """Computes skills. The CPU-bound work waits in `capacity`, so each method raises Crowded if no slot is free in that queue."""

    def __init__(self, database: Database, bank: QuestionBank, likeness: Likeness, capacity: CapacityQueue | None = None) -> None:
        self._database = database
        self._bank = bank
        self._likeness = likeness
        self._capacity = capacity or cpu_capacity()

    async def overview(self, user_id: int, leave_out: Collection[str] = ()) -> SkillsOverview:
        """Return a user's skills over all interviews, and suggestions that exclude the bank questions in `leave_out`."""
        rows, tries = await self._read(user_id)
        skills = weakest_first(skills_of(rows))
        bank = self._bank.all()
        practiced = (
            PracticedQuestion(bank[one.bank_id], one.tries, one.best, one.last_at)
            for one in sorted(tries, key=lambda one: one.last_at, reverse=True)
            if one.bank_id in bank
        )
        async with self._capacity.slot(user_id):
            suggestions = await asyncio.to_thread(self._suggestions, skills, rows, tries, leave_out)
        return SkillsOverview(tuple(skills), suggestions, tuple(practiced))

    async def report(self, user_id: int, loaded: Loaded) -> InterviewReport:
        """Return the findings of one of the user's interviews."""
        rows, tries = await self._read(user_id)
        skills = skills_in(loaded.rows)
        async with self._capacity.slot(user_id):
            covered = await asyncio.to_thread(self._coverage, loaded)
            suggestions = await asyncio.to_thread(self._suggestions, skills, rows, tries, ()) if skills else ()
        return InterviewReport(self.lessons(loaded), covered, suggestions, self._bank_ids(loaded.rows))

    def lessons(self, loaded: Loaded) -> Lessons:
        """Return the lessons of an interview."""
        bank = self._bank.all()
        return lessons(loaded.plan, graded(loaded.rows, loaded.view().turns, bank), bank)

    async def _read(self, user_id: int) -> tuple[Sequence[Asked], Sequence[Practiced]]:
        async with self._database.autocommit() as session:
            return await queries.asked(session, user_id), await queries.practiced(session, user_id)

    def _bank_ids(self, rows: Sequence[TurnRow]) -> dict[int, str]:
        bank = self._bank.all()
        return {row.question.id: row.question.bank_id for row in rows if row.question.bank_id and row.question.bank_id in bank}

    def _suggestions(
        self, skills: Sequence[Skill], rows: Sequence[Asked], tries: Sequence[Practiced], leave_out: Collection[str]
    ) -> tuple[SuggestedQuestion, ...]:
        bank, records = self._bank.all(), {one.bank_id: one for one in tries}
        exercises = [Exercise(one.id, one.topic_id, one.subtopic) for one in bank.values()]
        seen = last_seen(rows, tries)
        chosen = suggest(skills, exercises, self._nearness(to_improve(skills), exercises), seen, leave_out)
        found = []
        for one in chosen:
            record = records.get(one.exercise.id)
            skill = one.skill.subtopic if one.skill else ""
            found.append(
                SuggestedQuestion(bank[one.exercise.id], skill, record.tries if record else 0, record.best if record else None)
            )
        return tuple(found)

    def _nearness(self, skills: Sequence[Skill], exercises: Sequence[Exercise]) -> Callable[[Skill, str], float]:
        """Return a function that gives the cosine of a skill and a subtopic. All cosines are computed up front."""
        names = list(dict.fromkeys(skill.subtopic for skill in skills))
        subtopics = list(dict.fromkeys(one.subtopic for one in exercises))
        table = self._likeness.cosines(names, subtopics) if names else []
        cosines = {
            (name, other): value
            for name, row in zip(names, table, strict=True)
            for other, value in zip(subtopics, row, strict=True)
        }
        return lambda skill, subtopic: cosines.get((skill.subtopic, subtopic), 0.0)

    def _coverage(self, loaded: Loaded) -> tuple[CoveredRequirement, ...]:
        wanted = _wanted(loaded)
        answered = [(row, _answered(row)) for row in loaded.rows if row.answer is not None]
        questions = [question for _, question in answered]
        if not wanted or not questions:
            return coverage(wanted, (), [()] * len(wanted), [self._likeness.names(one.text) for one in wanted])
        tags = [self._tags(row, question) for row, question in answered]
        cosines = self._likeness.cosines([one.text for one in wanted], [question.text for question in questions])
        nearness = [
            [self._near(one, question, cosine, tagged) for question, cosine, tagged in zip(questions, row, tags, strict=True)]
            for one, row in zip(wanted, cosines, strict=True)
        ]
        return coverage(wanted, questions, nearness, [self._likeness.names(one.text) for one in wanted])

    def _near(self, one: Requirement, question: AnsweredQuestion, cosine: float, tagged: frozenset[str]) -> Nearness:
        shared = bool(self._likeness.technologies(one.text) & tagged)
        return Nearness(cosine, shared, self._likeness.shares_words(one.text, question.text))

    def _tags(self, row: TurnRow, question: AnsweredQuestion) -> frozenset[str]:
        """Return the technologies of a question: those that it mentions, plus its tags in the bank unless there are too many."""
        item = self._bank.all().get(row.question.bank_id or "")
        about = item.tags if item and len(item.tags) <= MAX_TAGS else frozenset()
        return self._likeness.technologies(question.text) | about


def _wanted(loaded: Loaded) -> tuple[Requirement, ...]:
    """Return the requirements of the interview's job. Empty if there is no job, or if its profile is missing or invalid."""
    try:
        return requirements(JobFindings.model_validate(loaded.job.profile)) if loaded.job and loaded.job.profile else ()
    except ValidationError:
        return ()


def _answered(row: TurnRow) -> AnsweredQuestion:
    points = tuple(one.point for one in Rubric.model_validate(row.question.rubric).key_points)
    return AnsweredQuestion(row.question.position, row.question.prompt, points, row.score)


def skills_in(rows: Sequence[TurnRow]) -> list[Skill]:
    """Return the skills shown by one interview's scored answers."""
    scores: dict[tuple[int, str], tuple[str, list[int]]] = {}
    for row in rows:
        if row.score is not None:
            topic_id, name = row.question.topic_id, row.question.subtopic
            scores.setdefault((topic_id, name.casefold()), (name, []))[1].append(row.score)
    return [Skill(topic_id, name, tuple(found)) for (topic_id, _), (name, found) in scores.items()]


def skills_of(rows: Sequence[Asked]) -> list[Skill]:
    """Return the skills over all interviews. The scores of each are in the order of the questions."""
    found: dict[tuple[int, str], tuple[str, list[tuple[int, int]]]] = {}
    for row in rows:
        if row.scores and row.question_ids:
            scores = found.setdefault((row.topic_id, row.subtopic.casefold()), (row.subtopic, []))[1]
            scores += zip(row.question_ids, row.scores, strict=True)
    return [Skill(topic_id, name, tuple(score for _, score in sorted(scores))) for (topic_id, _), (name, scores) in found.items()]


def last_seen(rows: Sequence[Asked], tries: Sequence[Practiced]) -> dict[str, datetime]:
    """Return when each bank question was last asked in an interview or practiced, keyed by its ID."""
    moments = [(row.bank_id, row.last_asked) for row in rows if row.bank_id] + [(one.bank_id, one.last_at) for one in tries]
    seen: dict[str, datetime] = {}
    for bank_id, moment in moments:
        seen[bank_id] = max(moment, seen.get(bank_id, moment))
    return seen
