"""Rate limits of expensive work. The use cases enforce them, not the routes, so all callers share one limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update
from sqlmodel import col

from interviewer.core.capacity import CapacityQueue
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.fair_queue import Turnstile
from interviewer.core.rate_limits import Action
from interviewer.core.users import User
from interviewer.errors import AllowanceUsed, TooManyRequests, Unauthorized
from interviewer.grading.likeness import ShippedBank
from interviewer.interviews.events import Asked, Event, Failed
from interviewer.interviews.failed_starts import GIVE_UPS_PER_DAY
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.tables import Interview, ModelCall
from interviewer.settings import Settings
from interviewer.wiring import Services, build
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.limits import CLIENT, begun, give_up_all, use_up
from tests.support.turns import GOOD, answered, started

BANK = ShippedBank().all()


USE_CASES: dict[str, tuple[Action, Callable[[Services, int, int, int], Awaitable[object]]]] = {
    "start": (Action.START, lambda services, user, *_: anext(services.interviews.start(user, "", client=CLIENT))),
    "answer": (
        Action.ANSWER,
        lambda services, *ids: anext(services.interviews.answer(*ids, GOOD, uuid4(), client=CLIENT)),
    ),
    "skip": (Action.ANSWER, lambda services, *ids: anext(services.interviews.answer(*ids, None, uuid4(), client=CLIENT))),
    "complete": (Action.ANSWER, lambda services, *ids: anext(services.interviews.complete(*ids, CLIENT))),
    "appeal": (Action.ANSWER, lambda services, *ids: services.appeals.hear(*ids, CLIENT)),
    "practice": (
        Action.ANSWER,
        lambda services, user, *_: services.practice.attempt(user, next(iter(BANK)), GOOD, uuid4(), CLIENT),
    ),
    "job": (Action.JOB, lambda services, user, *_: services.interviews.analyze_job(user, "A job in Python, senior.", CLIENT)),
    "report": (Action.EXPORT, lambda services, user, interview, _: services.reports.full(user, interview, CLIENT)),
    "data": (Action.EXPORT, lambda services, user, *_: services.personal.export(user, CLIENT)),
}


@pytest.mark.parametrize("name", USE_CASES)
async def test_each_expensive_use_case_is_rate_limited(services: Services, new_user: NewUser, name: str) -> None:
    user = await new_user(2)
    interview_id, turn = await started(services, user)
    action, use = USE_CASES[name]
    await use_up(services, action, user)
    with pytest.raises(TooManyRequests):
        await use(services, user.id, interview_id, turn.question_id)
    assert (await services.dashboard.balances(user.id)).usable == 1, "a refused start takes nothing"


# -- starts that are given up ----------------------------------------------------------------------------------------


async def calls_of(database: Database) -> int:
    async with database.transaction() as session:
        return (await session.execute(select(func.count()).select_from(ModelCall))).scalar_one()


async def test_free_give_ups_per_day_are_limited(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, database: Database
) -> None:
    user = await new_user()
    interviewer.gate.clear()
    await give_up_all(services, user)
    interview_id, rest = await begun(services, user)
    with pytest.raises(AllowanceUsed, match="can't cancel this one") as caught:
        await services.interviews.give_up(user.id, interview_id)
    assert caught.value.status == 429
    assert 86_000 < caught.value.retry_after <= 86_400
    interviewer.gate.set()
    assert isinstance((await rest)[-1], Asked)
    assert (await services.dashboard.balances(user.id)).usable == 0, "the start that continued is paid"
    assert await calls_of(database) == GIVE_UPS_PER_DAY + 1, "calls of abandoned starts are recorded too"


async def test_give_up_limit_holds_across_processes_and_expires(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, database: Database, settings: Settings
) -> None:
    user, other = await new_user(), await new_user()
    interviewer.gate.clear()
    await give_up_all(services, user)
    another = build(settings, database=database, interviewer=interviewer)
    interview_id, _ = await begun(another, user)
    with pytest.raises(AllowanceUsed):
        await another.interviews.give_up(user.id, interview_id)
    others, _ = await begun(another, other)
    assert (await another.interviews.give_up(other.id, others)).status is InterviewStatus.FAILED
    async with database.transaction() as session:
        day_ago = utcnow() - timedelta(days=1, seconds=1)
        await session.execute(update(Interview).where(col(Interview.user_id) == user.id).values(given_up_at=day_ago))
    assert (await another.interviews.give_up(user.id, interview_id)).status is InterviewStatus.FAILED
    interviewer.gate.set()
    await another.interviews.close()


async def test_concurrent_give_ups_are_all_counted(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user(GIVE_UPS_PER_DAY * 2)
    interviewer.gate.clear()
    ids = [(await begun(services, user))[0] for _ in range(GIVE_UPS_PER_DAY * 2)]
    outcomes = await asyncio.gather(*(services.interviews.give_up(user.id, id) for id in ids), return_exceptions=True)
    assert sum(isinstance(one, AllowanceUsed) for one in outcomes) == GIVE_UPS_PER_DAY
    assert (await services.dashboard.balances(user.id)).usable == GIVE_UPS_PER_DAY
    interviewer.gate.set()


async def test_give_up_before_the_model_call_is_free(services: Services, new_user: NewUser, database: Database) -> None:
    user = await new_user()
    full = Turnstile(1, 10, patience=0.5)
    services.interviews._calls.capacity = CapacityQueue("model", full)
    async with full.slot("another user"):
        interview_id, rest = await begun(services, user)
        await services.interviews.give_up(user.id, interview_id)
        assert isinstance((await rest)[-1], Failed)
    async with database.transaction() as session:
        assert (await session.execute(select(col(Interview.given_up_at)))).scalars().all() == [None]
    assert await calls_of(database) == 0
    assert (await services.dashboard.balances(user.id)).usable == 1
    assert await answered_after(services, user)


async def answered_after(services: Services, user: User) -> list[Event]:
    """Give the services a new queue, and take a turn of a new interview. Returns the events of the turn."""
    services.interviews._calls.capacity = CapacityQueue("model", Turnstile(5, 10))
    interview_id, turn = await started(services, user)
    return await answered(services, user, interview_id, turn)


async def test_sign_ins_with_invalid_emails_do_not_affect_others(services: Services) -> None:
    async def fail(address: str, client: str) -> None:
        with pytest.raises(Unauthorized):
            await services.accounts.sign_in(address, "wrong", client)

    for number in range(1000):
        try:
            await fail("\0@invalid", f"203.0.113.{number % 250}")
        except TooManyRequests:
            break
    else:
        raise AssertionError("there is no limit")
    await fail("another@invalid\0", "198.51.100.1")
