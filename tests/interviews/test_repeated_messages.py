"""Messages that fail, are repeated, race, or are taken over, on a real database."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.errors import BadRequest, Conflict, InterviewerBadOutput, InterviewerTimeout
from interviewer.interviews.events import (
    Asked,
    Completed,
    Failed,
    FollowUpPiece,
    Judged,
    Replied,
    Stored,
)
from interviewer.interviews.exchange import Kind
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.tables import Message, Verdict
from interviewer.interviews.turns import NOT_ANSWERABLE, SENT_MEANWHILE
from interviewer.wiring import Services, build
from tests.conftest import NewUser
from tests.support.conversations import ASKS, FIRST, SECOND, TALK, completed, contents, judged, replied, say, talking
from tests.support.interviewer import ScriptedInterviewer
from tests.support.turns import GOOD, next_turn

# -- failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.ANSWER, Kind.CLARIFICATION, Kind.HINT])
async def test_failed_reply_stores_nothing_and_is_made_up_for(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, kind: Kind
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?"]
    interviewer.judge_errors, interviewer.reply_errors = [InterviewerTimeout()], [InterviewerBadOutput()]
    events = await say(services, user, interview_id, turn, kind=kind)
    assert [event.part for event in events if isinstance(event, Failed)] == ["verdict" if kind is Kind.ANSWER else "reply"]
    assert not any(isinstance(event, Replied | Judged | Asked | Completed) for event in events)
    [shown] = (await services.interviews.view(user.id, interview_id)).turns
    assert (len(shown.messages), shown.leased, shown.undecided) == (1, False, True)
    reply = replied(await completed(services, user, interview_id, turn))
    assert reply.kind is (Kind.FOLLOW_UP if kind is Kind.ANSWER else kind)


async def test_no_follow_up_once_the_next_question_is_asked(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    """A verdict that fails after its first words has let the next question begin."""
    user, interview_id, turn = await talking(services, new_user)
    interviewer.judge_errors = [InterviewerTimeout()]
    events = await say(services, user, interview_id, turn)
    assert next_turn(events).position == 2
    interviewer.follow_ups = ["And the second?"]
    assert (await services.interviews.view(user.id, interview_id)).turns[0].undecided is False
    judged(await completed(services, user, interview_id, turn))


async def test_complete_needs_a_message(services: Services, new_user: NewUser) -> None:
    user, interview_id, turn = await talking(services, new_user)
    with pytest.raises(BadRequest):
        await completed(services, user, interview_id, turn)


# -- repetition and concurrency --------------------------------------------------------------------------------------


async def test_repeated_messages_change_nothing(services: Services, new_user: NewUser, interviewer: ScriptedInterviewer) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?", "And the third?"]
    steps = [(ASKS, Kind.ANSWER), ("", Kind.HINT), (FIRST, Kind.ANSWER), (SECOND, Kind.ANSWER), (GOOD * 2, Kind.ANSWER)]
    sent: list[tuple[str, Kind, UUID]] = []
    for text, kind in steps:
        sent.append((text, kind, uuid4()))
        once = await say(services, user, interview_id, turn, *sent[-1])
        before = await services.interviews.view(user.id, interview_id)
        for again in (text, kind, uuid4()), *sent:
            events = await say(services, user, interview_id, turn, *again)
            last = Judged if any(isinstance(event, Judged) for event in once) else Replied
            assert any(isinstance(event, last) for event in events)
            assert not any(isinstance(event, Completed) for event in events)
        assert await services.interviews.view(user.id, interview_id) == before
    assert before.answers_judged == 1
    assert len(interviewer.answer_briefs) == 3
    assert len(interviewer.reply_briefs) == 2


async def test_concurrent_equal_messages_are_replied_to_once(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?", "And the third?"]
    for text, kind in ((ASKS, Kind.ANSWER), ("", Kind.HINT), (FIRST, Kind.ANSWER)):
        together = await asyncio.gather(*(say(services, user, interview_id, turn, text, kind) for _ in range(5)))
        for events in together:
            assert any(isinstance(event, Replied) for event in events)
    assert len(contents(await services.interviews.view(user.id, interview_id))) == 6
    assert (len(interviewer.answer_briefs), len(interviewer.reply_briefs)) == (1, 2)


@pytest.mark.parametrize("other", [SECOND, ASKS])
async def test_different_messages_at_once_conflict(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, other: str
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?"]
    loaded = await services.interviews.load(user.id, interview_id)

    async def send(text: str) -> list[object]:
        events = services.interviews.answer(user.id, interview_id, turn.question_id, text, uuid4(), loaded)
        return [event async for event in events]

    both = await asyncio.gather(send(FIRST), send(other), return_exceptions=True)
    [refused] = [result for result in both if isinstance(result, BaseException)]
    assert isinstance(refused, Conflict)
    assert str(refused) in (NOT_ANSWERABLE, SENT_MEANWHILE)
    assert len(contents(await services.interviews.view(user.id, interview_id))) == 2


async def test_stale_tab_learns_that_something_was_sent(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    stale = await services.interviews.load(user.id, interview_id)
    interviewer.follow_ups = ["And the second?"]
    await say(services, user, interview_id, turn)
    events = services.interviews.answer(user.id, interview_id, turn.question_id, SECOND, uuid4(), stale)
    with pytest.raises(Conflict, match="in the meantime"):
        [event async for event in events]


@pytest.mark.parametrize(("pending", "sent"), [(Kind.HINT, Kind.SKIP), (Kind.SKIP, Kind.HINT)])
async def test_skip_and_hint_are_not_taken_for_each_other(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, pending: Kind, sent: Kind
) -> None:
    """Neither has a text."""
    user, interview_id, turn = await talking(services, new_user)
    interviewer.gate.clear()
    stream = services.interviews.answer(user.id, interview_id, turn.question_id, "", uuid4(), kind=pending)
    assert isinstance(await anext(stream), Stored)
    with pytest.raises(Conflict):
        await say(services, user, interview_id, turn, "", sent)
    interviewer.gate.set()
    assert isinstance([event async for event in stream][-1], Completed)


async def test_reopened_tab_sees_the_running_reply_from_the_start(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?"]
    interviewer.gate.clear()
    stream = services.interviews.answer(user.id, interview_id, turn.question_id, FIRST, uuid4())
    await anext(stream)
    assert isinstance(stream, AsyncGenerator)
    await stream.aclose()
    follower = asyncio.create_task(completed(services, user, interview_id, turn))
    await asyncio.sleep(0.05)
    interviewer.gate.set()
    events = await follower
    assert "".join(event.text for event in events if isinstance(event, FollowUpPiece)) == "And the second?"
    assert len(interviewer.answer_briefs) == 1


async def test_message_sent_upon_the_reply_is_not_lost(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    """The work on the message before may not have ended yet."""
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?"]
    stream = services.interviews.answer(user.id, interview_id, turn.question_id, FIRST, uuid4())
    async for event in stream:
        if isinstance(event, Replied):
            break
    judged(await say(services, user, interview_id, turn, SECOND))


# -- takeover --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.ANSWER, Kind.CLARIFICATION, Kind.HINT, Kind.SKIP])
async def test_message_of_a_dead_worker_is_replied_to_by_another(
    services: Services, database: Database, new_user: NewUser, interviewer: ScriptedInterviewer, kind: Kind
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?"]
    replied(await say(services, user, interview_id, turn))
    async with database.transaction() as session:
        content = "" if kind in (Kind.HINT, Kind.SKIP) else SECOND
        session.add(
            Message(
                question_id=turn.question_id,
                author="user",
                kind=kind.value,
                number=1,
                content=content,
                client_id=uuid4(),
                judging_until=utcnow() + timedelta(seconds=0.2),
            )
        )
    other = build(services.settings, database=database, interviewer=interviewer)
    events = await completed(other, user, interview_id, turn)
    if kind in (Kind.ANSWER, Kind.SKIP):
        assert judged(events).answer == (f"{FIRST}\n\n{SECOND}" if kind is Kind.ANSWER else FIRST)
        assert next_turn(events).position == 2
    else:
        assert replied(events).kind is kind
    await other.interviews.close()


@pytest.mark.parametrize("kind", [Kind.ANSWER, Kind.CLARIFICATION])
async def test_two_workers_at_once_store_one_reply(
    services: Services, database: Database, new_user: NewUser, interviewer: ScriptedInterviewer, kind: Kind
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    second = ScriptedInterviewer()
    other = build(services.settings, database=database, interviewer=second)
    interviewer.follow_ups, second.follow_ups = ["Mine?"], ["Theirs?"]
    interviewer.gate.clear()
    mine = asyncio.create_task(say(services, user, interview_id, turn, kind=kind))
    await interviewer.called.wait()
    async with database.transaction() as session:  # the first worker's lease is lost
        await session.execute(update(Message).values(judging_until=None).where(col(Message.question_id) == turn.question_id))
    theirs = await completed(other, user, interview_id, turn)
    interviewer.gate.set()
    shown = [replied(events).turn.messages[-1].text for events in (await mine, theirs)]
    assert len(set(shown)) == 1
    if kind is Kind.ANSWER:
        assert shown[0] == "Theirs?"
    assert len(contents(await services.interviews.view(user.id, interview_id))) == 2
    await other.interviews.close()


@pytest.mark.parametrize("follow_up_first", [True, False])
async def test_message_gets_either_a_follow_up_or_a_verdict(
    services: Services, database: Database, new_user: NewUser, interviewer: ScriptedInterviewer, follow_up_first: bool
) -> None:
    """Of two workers that decide differently, the first one counts."""
    user, interview_id, turn = await talking(services, new_user)
    second = ScriptedInterviewer()
    other = build(services.settings, database=database, interviewer=second)
    (second if follow_up_first else interviewer).follow_ups = ["And the second?"]
    interviewer.gate.clear()
    mine = asyncio.create_task(say(services, user, interview_id, turn))
    await interviewer.called.wait()
    async with database.transaction() as session:  # the first worker's lease is lost
        await session.execute(update(Message).values(judging_until=None).where(col(Message.question_id) == turn.question_id))
    theirs = await completed(other, user, interview_id, turn)
    interviewer.gate.set()
    expected = Replied if follow_up_first else Judged
    for events in (await mine, theirs):
        assert {type(event) for event in events} & {Replied, Judged, Failed} == {expected}
    view = await services.interviews.view(user.id, interview_id)
    assert (len(view.turns[0].messages), view.answers_judged) == ((2, 0) if follow_up_first else (1, 1))
    if follow_up_first:
        judged(await say(services, user, interview_id, turn, SECOND))
    await other.interviews.close()


# -- whole interviews ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
async def test_interview_of_random_messages_ends_with_all_verdicts(
    services: Services, database: Database, new_user: NewUser, interviewer: ScriptedInterviewer, seed: int
) -> None:
    chance = random.Random(seed)
    user, interview_id, turn = await talking(services, new_user)
    for position in range(1, TALK.total + 1):
        interviewer.follow_ups = ["And more?"] * chance.randint(0, 3)
        for number in range(8):
            kind = chance.choice([*(kind for kind in Kind if kind is not Kind.FOLLOW_UP), Kind.ANSWER])
            if number == 7:
                kind = Kind.FINAL_ANSWER
            if chance.random() < 0.1:
                interviewer.judge_errors, interviewer.reply_errors = [InterviewerTimeout()], [InterviewerTimeout()]
            try:
                events = await say(services, user, interview_id, turn, chance.choice([FIRST, SECOND, ASKS]), kind)
            except Conflict:
                continue
            interviewer.judge_errors.clear()
            interviewer.reply_errors.clear()
            if any(isinstance(event, Failed) for event in events):
                events += await completed(services, user, interview_id, turn)
            if any(isinstance(event, Judged) for event in events):
                break
        judged(events)
        if position < TALK.total:
            turn = next_turn(events)
    view = await services.interviews.view(user.id, interview_id)
    assert view.status is InterviewStatus.FINISHED
    assert len(view.turns) == view.answers_judged == TALK.total
    assert view.score_sum == sum(turn.verdict.score for turn in view.turns if turn.verdict)
    assert not view.incomplete_turns
    await _check_numbers(database)


async def _check_numbers(database: Database) -> None:
    """Check that the messages about each question are numbered without gaps, alternate, and have one verdict, on the last."""
    async with database.autocommit() as session:
        messages = (await session.execute(select(Message).order_by(col(Message.id)))).scalars().all()
        verdicts = (await session.execute(select(Verdict.message_id))).scalars().all()  # type: ignore[call-overload]
    for question_id in {message.question_id for message in messages}:
        about = [message for message in messages if message.question_id == question_id]
        users = [message for message in about if message.author == "user"]
        assert [message.number for message in users] == list(range(len(users)))
        assert [message.number for message in about if message.author == "interviewer"] == list(range(len(users) - 1))
        assert [message.id for message in about if message.id in verdicts] == [users[-1].id]
