"""Skipping a question, and giving up a start."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from interviewer.core.database import Database
from interviewer.errors import BadRequest, Conflict, NotFound
from interviewer.interviews.events import Asked, Event, Failed, FeedbackPiece, Judged, Started
from interviewer.interviews.exchange import Kind
from interviewer.interviews.plan import STANDARD
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.tables import ModelCall
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.turns import answered, next_turn, started


async def skipped(services: Services, user_id: int, interview_id: int, question_id: int) -> list[Event]:
    events = services.interviews.answer(user_id, interview_id, question_id, "", uuid4(), kind=Kind.SKIP)
    return [event async for event in events]


async def test_skipped_question_scores_0_without_a_model_call(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, database: Database
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    events = await skipped(services, user.id, interview_id, turn.question_id)
    assert next_turn(events).position == 2
    judged = next(event.turn for event in events if isinstance(event, Judged))
    assert judged.skipped
    assert judged.verdict is not None
    assert (judged.verdict.score, judged.verdict.passed, judged.verdict.final) == (0, False, True)
    assert [mark.mark for mark in judged.verdict.marks] == ["missed"] * 3
    assert judged.verdict.model_answer
    assert interviewer.answer_briefs == []
    assert not [event for event in events if isinstance(event, FeedbackPiece)]
    view = await services.interviews.view(user.id, interview_id)
    assert (view.answers_judged, view.score_sum, view.percent) == (1, 0, 0)
    async with database.transaction() as session:
        kinds = select(ModelCall.kind, func.count()).group_by(ModelCall.kind)  # type: ignore[call-overload]
        assert dict((await session.execute(kinds)).all()) == {"ask": 2}


async def test_repeated_skip_counts_once(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    await asyncio.gather(*[skipped(services, user.id, interview_id, turn.question_id) for _ in range(3)])
    view = await services.interviews.view(user.id, interview_id)
    assert view.answers_judged == 1
    assert [one.position for one in view.turns] == [1, 2]


async def test_question_is_either_answered_or_skipped(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    following = next_turn(await answered(services, user, interview_id, turn))
    with pytest.raises(Conflict):
        await skipped(services, user.id, interview_id, turn.question_id)
    await skipped(services, user.id, interview_id, following.question_id)
    with pytest.raises(Conflict):
        await answered(services, user, interview_id, following)


async def test_skip_requires_own_active_interview(services: Services, new_user: NewUser) -> None:
    user, stranger = await new_user(), await new_user()
    interview_id, turn = await started(services, user)
    with pytest.raises(NotFound):
        await skipped(services, stranger.id, interview_id, turn.question_id)
    await services.interviews.set_status(user.id, interview_id, InterviewStatus.PAUSED)
    with pytest.raises(Conflict):
        await skipped(services, user.id, interview_id, turn.question_id)


async def test_every_question_of_an_interview_can_be_skipped(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    for _ in range(STANDARD.total - 1):
        turn = next_turn(await skipped(services, user.id, interview_id, turn.question_id))
    await skipped(services, user.id, interview_id, turn.question_id)
    view = await services.interviews.view(user.id, interview_id)
    assert (view.status, view.percent) == (InterviewStatus.FINISHED, 0)


async def test_skip_cannot_be_appealed(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    await skipped(services, user.id, interview_id, turn.question_id)
    with pytest.raises(BadRequest, match="no answer to score"):
        await services.appeals.hear(user.id, interview_id, turn.question_id)


async def test_given_up_start_returns_its_credit_once(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    interviewer.gate.clear()
    events = services.interviews.start(user.id, "")
    begun = await anext(events)
    assert isinstance(begun, Started)
    views = [await services.interviews.give_up(user.id, begun.interview_id) for _ in range(2)]
    assert [view.status for view in views] == [InterviewStatus.FAILED] * 2
    assert (await services.dashboard.balances(user.id)).usable == 1
    interviewer.gate.set()
    rest = [event async for event in events]
    assert isinstance(rest[-1], Failed), "a question that arrives too late is dropped"
    assert (await services.dashboard.balances(user.id)).usable == 1
    await started(services, user)


async def test_active_interview_cannot_be_given_up(services: Services, new_user: NewUser) -> None:
    user, stranger = await new_user(), await new_user()
    interview_id, _ = await started(services, user)
    assert (await services.interviews.give_up(user.id, interview_id)).status is InterviewStatus.ACTIVE
    assert (await services.dashboard.balances(user.id)).usable == 0
    with pytest.raises(NotFound):
        await services.interviews.give_up(stranger.id, interview_id)


async def test_race_of_give_up_and_first_question_has_one_outcome(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    for _ in range(5):
        user = await new_user()
        events = services.interviews.start(user.id, "")
        begun = await anext(events)
        assert isinstance(begun, Started)
        view = await services.interviews.give_up(user.id, begun.interview_id)
        rest = [event async for event in events]
        given_up = view.status is InterviewStatus.FAILED
        assert isinstance(rest[-1], Failed if given_up else Asked)
        assert (await services.dashboard.balances(user.id)).usable == int(given_up)
