"""The interview use cases on a real database: progress, idempotency, failures, takeover, and credits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, select, text, update
from sqlmodel import col

from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.credits import ledger
from interviewer.credits.rules import CreditType
from interviewer.credits.tables import CreditTransaction
from interviewer.errors import (
    BadRequest,
    Conflict,
    InterviewerBadOutput,
    InterviewerTimeout,
    NotFound,
    PaymentRequired,
    TooLarge,
    Unavailable,
)
from interviewer.interviews.events import Asked, Completed, Event, Failed, FeedbackPiece, Judged, QuestionPiece, Started, Stored
from interviewer.interviews.failed_starts import return_expired_credits
from interviewer.interviews.plan import STANDARD
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.tables import Interview, Message, Verdict
from interviewer.interviews.user_text import MAX_ANSWER
from interviewer.interviews.views import TurnView
from interviewer.wiring import Services, build
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.turns import GOOD, answered, next_turn, started, take_all


async def test_interview_has_two_questions_on_each_of_six_topics(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    view = await take_all(services, user)
    assert view.status is InterviewStatus.FINISHED
    assert [turn.topic_id for turn in view.turns] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    assert view.percent == 100
    assert view.score_sum == 120
    assert [topic.percent for topic in view.topic_scores] == [100] * 6
    assert view.finished_at is not None
    assert view.open_turn is None
    assert not view.incomplete_turns


async def test_at_least_one_coding_question_asks_for_code(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    view = await take_all(services, await new_user())
    assert [turn.kind for turn in view.turns if turn.topic_id == 2] == ["text", "code"]


async def test_question_and_feedback_stream_concurrently(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    interviewer.gate.clear()
    stream = services.interviews.answer(user.id, interview_id, turn.question_id, GOOD, uuid4())
    assert isinstance(await anext(stream), Stored)
    early = [await anext(stream), await anext(stream)]
    assert {type(event) for event in early} == {FeedbackPiece, QuestionPiece}
    interviewer.gate.set()
    rest = [event async for event in stream]
    assert {type(event) for event in rest} >= {Judged, Asked}


async def test_next_question_sees_the_answer_just_given(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    await answered(services, user, interview_id, turn)
    assert interviewer.question_briefs[-1].history[-1].answer == GOOD


async def test_score_ignores_marks_with_invented_quotes(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    interviewer.marks = [
        {"key_point": 0, "mark": "hit", "quote": "never said"},
        {"key_point": 1, "mark": "partial", "quote": "THE   second"},
        {"key_point": 2, "mark": "hit", "quote": "third"},
    ]
    events = await answered(services, user, interview_id, turn)
    verdict = next(event.turn.verdict for event in events if isinstance(event, Judged))
    assert verdict is not None
    assert [mark.mark for mark in verdict.marks] == ["missed", "partial", "hit"]
    assert verdict.score == 3  # (2 x 0.5 + 1) / 6 of 10, half up


@pytest.mark.parametrize("text", ["I don't know.", "Question 1.1?", "no idea, sorry: first second third"])
async def test_non_answer_never_scores_more_than_three(services: Services, new_user: NewUser, text: str) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    events = await answered(services, user, interview_id, turn, text)
    verdict = next(event.turn.verdict for event in events if isinstance(event, Judged))
    assert verdict is not None
    assert verdict.score <= 3


async def test_rubric_is_not_shown_before_the_verdict(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    view = await services.interviews.view(user.id, interview_id)
    assert "Names the first thing" not in repr(view)
    events = await answered(services, user, interview_id, turn)
    assert "Names the first thing" in repr(events)


# -- bad input -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error"), [("", BadRequest), (" \n\t", BadRequest), ("\x00\x01", BadRequest), ("x" * (MAX_ANSWER + 1), TooLarge)]
)
async def test_interview_continues_after_an_unusable_answer(
    services: Services, new_user: NewUser, text: str, error: type[Exception]
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    with pytest.raises(error):
        await answered(services, user, interview_id, turn, text)
    assert isinstance((await answered(services, user, interview_id, turn))[-1], Completed)


async def test_nul_characters_are_removed_from_an_answer(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    await answered(services, user, interview_id, turn, "the \x00first\ud800 thing")
    assert (await services.interviews.view(user.id, interview_id)).turns[0].answer == "the first thing"


@pytest.mark.parametrize(
    "job", ["\x7fELF\x02\x01\x01" + "\x00\x03\ufffd" * 40, "%PDF-1.7 \ufffd\ufffd\ufffd\ufffd 3 0 obj", "1234567890 " * 20]
)
async def test_invalid_job_description_costs_nothing(services: Services, new_user: NewUser, job: str) -> None:
    user = await new_user()
    with pytest.raises(BadRequest):
        await started(services, user, job)
    assert (await services.dashboard.balances(user.id)).individual == 1


@pytest.mark.parametrize("error", [InterviewerBadOutput(), InterviewerTimeout(), RuntimeError("bug")])
async def test_failed_verdict_is_completed_by_one_retry(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, error: Exception
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    interviewer.judge_errors = [error]
    events = await answered(services, user, interview_id, turn)
    failure = next(event for event in events if isinstance(event, Failed))
    assert failure.part == "verdict"
    assert "bug" not in failure.error.user_message
    view = await services.interviews.view(user.id, interview_id)
    assert view.turns[0].answer == GOOD
    assert view.turns[0].lacks_verdict
    assert not view.turns[0].lacks_next
    assert view.percent is None
    again = [event async for event in services.interviews.complete(user.id, interview_id, turn.question_id)]
    assert any(isinstance(event, Judged) for event in again)
    assert len(interviewer.question_briefs) == 2, "the existing question is not asked again"


async def test_failed_question_keeps_the_verdict_and_is_retried(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    interviewer.ask_errors = [InterviewerBadOutput()]
    events = await answered(services, user, interview_id, turn)
    assert {type(event) for event in events} >= {Judged, Failed}
    again = [event async for event in services.interviews.complete(user.id, interview_id, turn.question_id)]
    assert next_turn(again).position == 2
    assert len(interviewer.answer_briefs) == 1, "the existing verdict is not made again"


async def test_interview_continues_while_a_verdict_is_missing(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    interviewer.judge_errors = [InterviewerTimeout()]
    second = next_turn(await answered(services, user, interview_id, turn))
    events = await answered(services, user, interview_id, second)
    assert any(isinstance(event, Judged) for event in events)
    assert (await services.interviews.view(user.id, interview_id)).answers_judged == 1


# -- repetition and concurrency ---------------------------------------------------------------------------------


async def test_concurrent_equal_answers_are_judged_once(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    both = await asyncio.gather(*(answered(services, user, interview_id, turn) for _ in range(5)))
    for events in both:
        assert {type(event) for event in events} >= {Judged, Asked}
    assert len(interviewer.answer_briefs) == 1


async def test_second_answer_to_a_question_is_refused(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    results = await asyncio.gather(
        answered(services, user, interview_id, turn, "the first"),
        answered(services, user, interview_id, turn, "the second"),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert sum(isinstance(result, list) for result in results) == 1


async def test_reopened_tab_sees_the_running_turn_from_the_start(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    interviewer.gate.clear()
    stream = services.interviews.answer(user.id, interview_id, turn.question_id, GOOD, uuid4())
    await anext(stream)
    assert isinstance(stream, AsyncGenerator)
    await stream.aclose()
    follower = asyncio.create_task(_collected(services, user, interview_id, turn))
    await asyncio.sleep(0.05)
    interviewer.gate.set()
    events = await follower
    assert "".join(event.text for event in events if isinstance(event, FeedbackPiece)) == "Well said."
    assert len(interviewer.answer_briefs) == 1


async def _collected(services: Services, user: User, interview_id: int, turn: TurnView) -> list[Event]:
    return [event async for event in services.interviews.complete(user.id, interview_id, turn.question_id)]


async def test_other_process_waits_for_a_running_turn(
    services: Services, database: Database, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    other = build(services.settings, database=database, interviewer=interviewer)
    interview_id, turn = await started(services, user)
    interviewer.gate.clear()
    mine = asyncio.create_task(answered(services, user, interview_id, turn))
    await asyncio.sleep(0.05)
    theirs = asyncio.create_task(answered(other, user, interview_id, turn))
    await asyncio.sleep(0.05)
    interviewer.gate.set()
    await mine
    assert {type(event) for event in await theirs} == {Stored, Judged, Asked}
    assert len(interviewer.answer_briefs) == 1


async def test_turn_of_a_dead_worker_is_taken_over(
    services: Services, database: Database, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    async with database.transaction() as session:
        dead = Message(
            question_id=turn.question_id,
            author="user",
            content=GOOD,
            client_id=uuid4(),
            judging_until=utcnow() + timedelta(seconds=1),
        )
        session.add(dead)
    view = await services.interviews.view(user.id, interview_id)
    assert view.incomplete_turns[0].lacks_verdict
    events = await _collected(services, user, interview_id, turn)
    assert {type(event) for event in events} >= {Judged, Asked}


async def test_interview_of_another_user_is_not_found(services: Services, new_user: NewUser) -> None:
    owner, stranger = await new_user(), await new_user()
    interview_id, turn = await started(services, owner)
    with pytest.raises(NotFound):
        await services.interviews.view(stranger.id, interview_id)
    with pytest.raises(NotFound):
        await answered(services, stranger, interview_id, turn)
    with pytest.raises(NotFound):
        await services.interviews.set_status(stranger.id, interview_id, InterviewStatus.PAUSED)


async def test_question_of_another_interview_cannot_be_answered(services: Services, new_user: NewUser) -> None:
    user = await new_user(2)
    first, turn = await started(services, user)
    second, _ = await started(services, user)
    with pytest.raises(NotFound):
        await answered(services, user, second, turn)
    assert first != second


async def test_paused_interview_takes_no_answer_until_resumed(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    await services.interviews.set_status(user.id, interview_id, InterviewStatus.PAUSED)
    assert await services.interviews.current(user.id) is None
    with pytest.raises(Conflict):
        await answered(services, user, interview_id, turn)
    await services.interviews.set_status(user.id, interview_id, InterviewStatus.ACTIVE)
    assert isinstance((await answered(services, user, interview_id, turn))[-1], Completed)


async def test_finished_interview_cannot_be_paused(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    view = await take_all(services, user)
    with pytest.raises(BadRequest):
        await services.interviews.set_status(user.id, view.id, InterviewStatus.PAUSED)


# -- credits ----------------------------------------------------------------------------------------------------


async def _ledger_balances(database: Database, user: User) -> tuple[int, int]:
    """Return the user's stored individual balance and the sum of the corresponding ledger rows."""
    async with database.transaction() as session:
        fresh = await session.get(User, user.id)
        assert fresh is not None
        return fresh.individual_credits, await ledger.ledger_sum(session, user.id, CreditType.INDIVIDUAL)


async def test_start_costs_one_credit_and_needs_one(services: Services, database: Database, new_user: NewUser) -> None:
    user = await new_user(1)
    await started(services, user)
    assert await _ledger_balances(database, user) == (0, 0)
    with pytest.raises(PaymentRequired):
        await started(services, user)


async def test_fifty_concurrent_starts_with_one_credit_start_one(
    services: Services, database: Database, new_user: NewUser
) -> None:
    user = await new_user(1)
    results = await asyncio.gather(*(started(services, user) for _ in range(50)), return_exceptions=True)
    assert sum(isinstance(result, PaymentRequired) for result in results) == 49
    assert await _ledger_balances(database, user) == (0, 0)


async def test_failed_start_returns_its_credit(
    services: Services, database: Database, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user(1)
    interviewer.ask_errors = [InterviewerTimeout()]
    events = [event async for event in services.interviews.start(user.id, "")]
    assert isinstance(events[-1], Failed)
    assert await _ledger_balances(database, user) == (1, 1)
    assert await services.interviews.current(user.id) is None


async def test_start_of_a_dead_process_returns_its_credit_once(
    services: Services, database: Database, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user(1)
    interviewer.gate.clear()
    stream = services.interviews.start(user.id, "")
    assert isinstance(await anext(stream), Started)
    assert await return_expired_credits(database) == 0, "a live start keeps its credit"
    async with database.transaction() as session:
        await session.execute(update(Interview).values(lease_until=utcnow() - timedelta(seconds=1)))
    counts = await asyncio.gather(*(return_expired_credits(database) for _ in range(5)))
    assert sum(counts) == 1
    assert await _ledger_balances(database, user) == (1, 1)
    interviewer.gate.set()
    rest = [event async for event in stream]
    assert isinstance(rest[-1], Failed), "the late question does not bring the interview back"
    assert await _ledger_balances(database, user) == (1, 1)


async def test_balance_cannot_become_negative(database: Database, new_user: NewUser) -> None:
    user = await new_user(0)
    with pytest.raises(Exception, match="ck_users_individual_credits"):
        async with database.transaction() as session:
            await session.execute(text("UPDATE users SET individual_credits = -1 WHERE id = :id"), {"id": user.id})


# -- job descriptions --------------------------------------------------------------------------------------------


async def test_first_question_does_not_wait_for_job_analysis(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await new_user()
    analyzed = asyncio.Event()

    async def slow(text: str) -> AsyncIterator[dict[str, str]]:
        await analyzed.wait()
        yield {"title": "Senior engineer"}

    monkeypatch.setattr(interviewer, "analyse_job", slow)
    interview_id, turn = await started(services, user, "Senior backend engineer with Python and PostgreSQL")
    assert turn.position == 1
    analyzed.set()
    for _ in range(100):
        if (await services.interviews.view(user.id, interview_id)).job_profile:
            break
        await asyncio.sleep(0.01)
    events = await answered(services, user, interview_id, turn)
    assert next_turn(events).position == 2
    job = interviewer.question_briefs[-1].job
    assert job is not None
    assert job.profile == {**(job.profile or {}), "title": "Senior engineer"}


async def test_interview_continues_after_a_failed_job_analysis(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    interviewer.job_errors = [InterviewerBadOutput()]
    interview_id, turn = await started(services, user, "Senior backend engineer with Python and PostgreSQL")
    assert next_turn(await answered(services, user, interview_id, turn)).position == 2
    assert interviewer.question_briefs[-1].job is not None


async def test_same_job_description_is_stored_once(services: Services, new_user: NewUser, database: Database) -> None:
    user = await new_user(2)
    await started(services, user, "Senior backend engineer with Python and PostgreSQL")
    await started(services, user, "Senior backend engineer with Python and PostgreSQL")
    async with database.transaction() as session:
        assert (await session.execute(text("SELECT count(*) FROM job_profiles"))).scalar_one() == 1


# -- cost --------------------------------------------------------------------------------------------------------


async def test_statements_per_turn_do_not_grow_with_the_interview(
    services: Services, database: Database, new_user: NewUser
) -> None:
    user = await new_user()
    secret = await services.sessions.open(user)
    counts = []
    statements: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    interview_id, turn = await started(services, user)
    for position in range(1, STANDARD.total + 1):
        statements.clear()
        await services.sessions.authenticate(secret)
        events = await answered(services, user, interview_id, turn)
        counts.append(len(statements))
        if position < STANDARD.total:
            turn = next_turn(events)
    # After the last answer, no question is stored, which saves one statement.
    assert set(counts[:-1]) == {counts[0]} == {counts[-1] + 1}
    assert counts[0] <= 6, statements


async def test_completed_event_equals_the_stored_interview(services: Services, new_user: NewUser) -> None:
    """The event's interview is built in memory, without reading the database again."""
    user = await new_user()
    interview_id, turn = await started(services, user)
    for position in range(1, STANDARD.total + 1):
        events = await answered(services, user, interview_id, turn, f"Answer number {position}, because I measure first.")
        completed = events[-1]
        assert isinstance(completed, Completed)
        assert completed.loaded.view() == await services.interviews.view(user.id, interview_id)
        if position < STANDARD.total:
            turn = next_turn(events)


async def test_topics_follow_the_position_not_the_interviewer(services: Services, new_user: NewUser) -> None:
    view = await take_all(services, await new_user())
    assert [turn.topic for turn in view.turns] == [
        STANDARD.place(position).topic.name for position in range(1, STANDARD.total + 1)
    ]


async def test_everything_is_stored_under_its_interview(services: Services, database: Database, new_user: NewUser) -> None:
    user = await new_user()
    await take_all(services, user)
    async with database.transaction() as session:
        assert len((await session.execute(select(Verdict))).all()) == STANDARD.total
        rows = (
            await session.execute(select(col(CreditTransaction.amount)).where(col(CreditTransaction.user_id) == user.id))
        ).scalars()
        assert sorted(rows) == [-1, 1]


async def test_stored_verdict_wins_over_a_late_one(
    services: Services, database: Database, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    """A worker that was presumed dead finishes late. Nothing is counted twice, and both callers see the same score."""
    user = await new_user()
    interview_id, turn = await started(services, user)
    interviewer.gate.clear()
    slow = asyncio.create_task(answered(services, user, interview_id, turn))
    await asyncio.sleep(0.1)
    async with database.transaction() as session:
        await session.execute(update(Message).values(judging_until=utcnow() - timedelta(seconds=1)))
    other_interviewer = ScriptedInterviewer()
    other_interviewer.marks = []
    other = build(services.settings, database=database, interviewer=other_interviewer)
    first = await _collected(other, user, interview_id, turn)
    interviewer.gate.set()
    for events in (first, await slow):
        verdict = next(event.turn.verdict for event in events if isinstance(event, Judged))
        assert verdict is not None
        assert verdict.score == 0
    view = await services.interviews.view(user.id, interview_id)
    assert (view.answers_judged, view.score_sum, len(view.turns)) == (1, 0, 2)


@pytest.mark.parametrize("text_of_the_model", ["a \x00 b", "a \ud800 b"])
async def test_unstorable_text_from_the_model_is_bad_output(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, text_of_the_model: str
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    interviewer.marks = [{"key_point": 0, "mark": "hit", "quote": text_of_the_model}]
    failure = next(event for event in await answered(services, user, interview_id, turn) if isinstance(event, Failed))
    assert isinstance(failure.error, InterviewerBadOutput)


@pytest.mark.parametrize("spelled", ["\\u0000", "\\\\u0000", "\\ud800", "C:\\users\\u0000.txt"])
async def test_escape_that_the_model_spells_out_is_stored(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, spelled: str
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    interviewer.marks = [{"key_point": 0, "mark": "hit", "quote": spelled}]
    answer = f"PostgreSQL refuses {spelled} in JSON."
    judged = [event for event in await answered(services, user, interview_id, turn, answer) if isinstance(event, Judged)]
    assert len(judged) == 1
    verdict = (await services.interviews.view(user.id, interview_id)).turns[0].verdict
    assert verdict is not None
    assert spelled in verdict.marks[0].quote


async def test_failed_lease_renewal_is_retried(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interviewer.interviews.turns.LEASE", timedelta(seconds=1.5))
    monkeypatch.setattr("interviewer.core.lease.RENEW", 0.5)
    monkeypatch.setattr("interviewer.core.lease.RETRY", 0.1)
    user = await new_user()
    interview_id, turn = await started(services, user)
    interviewer.gate.clear()
    fails = [Unavailable(), Unavailable()]
    renew = services.interviews._renew_lease

    async def sometimes(message_id: int, held: list[Any]) -> bool:
        if fails:
            raise fails.pop()
        return await renew(message_id, held)

    monkeypatch.setattr(services.interviews, "_renew_lease", sometimes)
    working = asyncio.create_task(answered(services, user, interview_id, turn))
    await asyncio.sleep(2.2)
    async with services.database.transaction() as session:
        held = (await session.execute(text("SELECT judging_until > now() FROM messages"))).scalar_one()
    assert held
    interviewer.gate.set()
    assert any(isinstance(event, Judged) for event in await working)
