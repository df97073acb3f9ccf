"""Users with past interviews, created through the services, so that pages look as they do after weeks of use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from uuid import UUID

from sqlalchemy import text

from interviewer import wiring
from interviewer.core.database import Database
from interviewer.core.mail_console import Outbox
from interviewer.core.users import User
from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.interviews.events import Asked, Started
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.samples import SAMPLE_JOBS
from interviewer.settings import Settings
from tests.support.candidates import first_part
from tests.support.newcomers import BROWSER, add_user

# The sample job of each finished interview and how many days ago it took place, oldest first. An empty job means none.
HISTORY = (("junior", 41), ("mid-level", 30), ("", 19), ("mid-level", 11), ("senior", 3))
PRACTICED = "databases-lost-update-stock"
# The share of the model answer that each answer contains. Candidates improve by `_BETTER` from one interview to the next.
_SHARES = (0.3, 0.9, 0.5, 0.2, 0.7, 0.4, 1.0)
_BETTER = 0.12
_REMARK = "In my last project I measured this first, because a guess is usually wrong."


@dataclass(frozen=True)
class Veteran:
    """A user with finished, paused, and active interviews. `cookie` is the secret of a signed-in session."""

    email: str
    cookie: str
    finished: int
    first_question: int
    later_question: int
    paused: int
    shared: str  # the secret of the link to the report of `finished`


@dataclass(frozen=True)
class Newcomer:
    """A user with one credit and no interviews. `cookie` is the secret of a signed-in session."""

    email: str
    cookie: str


def seed(database_url: str, history: int = len(HISTORY)) -> tuple[Veteran, Newcomer]:
    """Create both users in a migrated database. The veteran has the latest `history` of the five finished interviews.

    Runs in a separate thread, because the caller's thread may already have an event loop.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _seed(database_url, history)).result()


async def _seed(database_url: str, history: int) -> tuple[Veteran, Newcomer]:
    async with _services(database_url) as services:
        newcomer = await add_user(services.database, "grace@example.com", "Grace")
        person = await add_user(services.database, "ada@example.com", "Ada Lovelace", history + 4)
        finished = [
            await _interview(services, person, job, 12, number * _BETTER)
            for number, (job, _) in enumerate(HISTORY[-history:], 5 - history)
        ]
        await _practice(services, person)
        paused = await _interview(services, person, "junior", 4, 0.3)
        await services.interviews.set_status(person.id, paused, InterviewStatus.PAUSED)
        first, later = await _interview(services, person, "", 0, 0), await _interview(services, person, "senior", 2, 0.5)
        await _backdate(services.database, finished)
        link, _ = await services.sharing.share(person.id, finished[-1])
        cookie, secret = await services.sessions.open(person, BROWSER), link.rpartition("/")[2]
        return (
            Veteran(person.email, cookie, finished[-1], first, later, paused, secret),
            Newcomer(newcomer.email, await services.sessions.open(newcomer, BROWSER)),
        )


@asynccontextmanager
async def _services(database_url: str) -> AsyncIterator[wiring.Services]:
    settings = Settings(_env_file=None)
    services = wiring.build(
        settings, database=Database(database_url), interviewer=BuiltinInterviewer(), mailer=Outbox(), payments=None
    )
    try:
        yield services
    finally:
        await services.interviews.close()
        await services.close()


async def _interview(services: wiring.Services, person: User, job: str, answers: int, better: float) -> int:
    """Start an interview, give this many answers, and return the interview ID."""
    interview_id = question_id = 0
    async for happened in services.interviews.start(person.id, SAMPLE_JOBS[job].text if job else ""):
        if isinstance(happened, Started):
            interview_id = happened.interview_id
        elif isinstance(happened, Asked):
            question_id = happened.turn.question_id
    for _, share in zip(range(answers), cycle(_SHARES), strict=False):
        said = await _partial_answer(services.database, question_id, min(1.0, share + better))
        client_id = UUID(int=interview_id * 1000 + question_id)
        async for happened in services.interviews.answer(person.id, interview_id, question_id, said, client_id):
            if isinstance(happened, Asked):
                question_id = happened.turn.question_id
    return interview_id


async def _partial_answer(database: Database, question_id: int, share: float) -> str:
    """Return this share of a question's model answer, with a remark, as a candidate would say it."""
    async with database.transaction() as session:
        row = await session.execute(text("SELECT rubric ->> 'model_answer' FROM questions WHERE id = :id"), {"id": question_id})
    return f"{first_part(str(row.scalar_one()), share)} {_REMARK}"


async def _practice(services: wiring.Services, person: User) -> None:
    exercise = await services.practice.question(person.id, PRACTICED)
    whole = str(exercise.question.rubric["model_answer"])
    for number, share in enumerate((0.3, 0.9)):
        await services.practice.attempt(person.id, PRACTICED, f"{first_part(whole, share)} {_REMARK}", UUID(int=number + 1))


async def _backdate(database: Database, finished: list[int]) -> None:
    """Backdate the finished interviews to the days in `HISTORY`."""
    async with database.transaction() as session:
        for id, (_, days) in zip(finished, HISTORY[-len(finished) :], strict=True):
            await session.execute(
                text(
                    "UPDATE interviews SET created_at = created_at - make_interval(days => :days), "
                    "updated_at = updated_at - make_interval(days => :days), "
                    "finished_at = finished_at - make_interval(days => :days) WHERE id = :id"
                ),
                {"days": days, "id": id},
            )
