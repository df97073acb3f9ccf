"""Users with more interviews than one page of a query: counts, lists, and exports include all of them."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.interviews.queries import PAGE
from interviewer.wiring import Services
from tests.conftest import NewUser

MANY = PAGE + 7
JOB = "Backend engineer for payments\nPython, PostgreSQL. " + "Much more of it. " * 200


async def add(database: Database, user: User, status: str, judged: int = 12, score: int = 60) -> None:
    """Insert MANY identical interviews and one failed interview."""
    async with database.transaction() as session:
        given = {"user": user.id, "status": status, "judged": judged, "score": score, "many": MANY, "job": JOB}
        await session.execute(
            text(
                "INSERT INTO job_profiles (user_id, text_hash, text, created_at) VALUES (:user, 'x', :job, now()) "
                "ON CONFLICT DO NOTHING"
            ),
            given,
        )
        await session.execute(
            text(
                "INSERT INTO interviews (user_id, job_profile_id, status, interviewer, model, answers_judged, score_sum, "
                "created_at, updated_at) SELECT :user, (SELECT id FROM job_profiles WHERE user_id = :user), "
                "CASE WHEN number = 0 THEN 'failed' ELSE :status END, 'test', '', "
                "CASE WHEN number = 0 THEN 0 ELSE CAST(:judged AS int) END, "
                "CASE WHEN number = 0 THEN 0 ELSE CAST(:score AS int) END, now(), now() "
                "FROM generate_series(0, :many) AS number"
            ),
            given,
        )


@pytest.fixture
async def user(new_user: NewUser, database: Database) -> User:
    """A user with MANY finished and MANY paused interviews. Another user also has finished interviews."""
    owner, other = await new_user(), await new_user()
    await add(database, owner, "finished")
    await add(database, owner, "paused", judged=1, score=9)
    await add(database, other, "finished", score=120)
    return owner


async def test_data_export_includes_every_interview(services: Services, user: User) -> None:
    document = await services.personal.export(user.id)
    statuses = [one["status"] for one in document["interviews"]]
    assert (len(statuses), statuses.count("finished"), statuses.count("paused")) == (2 * MANY, MANY, MANY)


async def test_overview_counts_every_interview(services: Services, user: User) -> None:
    overview = await services.dashboard.load(user.id, 20)
    assert (len(overview.finished), overview.past, len(overview.unfinished)) == (20, MANY, MANY)
    assert overview.percents == (50,) * MANY
    assert {one.title for one in (*overview.finished, *overview.unfinished)} == {"Backend engineer for payments"}
    ids = [one.id for one in overview.unfinished]
    assert ids == sorted(ids, reverse=True)


async def test_list_without_a_limit_is_complete(services: Services, user: User) -> None:
    everything = await services.dashboard.past(user.id, None, None)
    assert len({one.id for one in everything}) == len(everything) == 2 * MANY
    middle = everything[MANY].id
    assert [one.id for one in await services.dashboard.past(user.id, None, middle)] == [one.id for one in everything[MANY + 1 :]]
    assert [one.id for one in await services.dashboard.past(user.id, 3, middle)] == [
        one.id for one in everything[MANY + 1 : MANY + 4]
    ]
