"""Clarifying questions that the interviewer itself tells from answers, as a language model does, on a real database."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col

from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.errors import Conflict, InterviewerTimeout
from interviewer.interviews.events import Asked, Completed, Event, Failed, FollowUpPiece, Judged, Replied, Stored
from interviewer.interviews.exchange import MAX_CLARIFICATIONS, Kind
from interviewer.interviews.openai_client import OpenAIInterviewer
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.tables import Message
from interviewer.wiring import Services, build
from tests.conftest import NewUser
from tests.support import openai_server
from tests.support.conversations import ASKS, FIRST, SECOND, TALK, completed, contents, judged, replied, say, talking
from tests.support.interviewer import ScriptedInterviewer
from tests.support.turns import GOOD, next_turn

# The rules take it for an answer, because it guesses.
UNRULED = "Would that be the first of them, perhaps?"
CLARIFIED = [("user", "clarification", ASKS), ("interviewer", "clarification", "Assume one region.")]


@pytest.fixture(autouse=True)
def detecting(interviewer: ScriptedInterviewer) -> None:
    interviewer.detects_questions = True


async def test_detected_question_costs_nothing_and_leaves_the_question_open(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    stream = services.interviews.answer(user.id, interview_id, turn.question_id, ASKS, uuid4())
    stored = await anext(stream)
    assert isinstance(stored, Stored)
    assert [one.kind for one in stored.turn.messages] == [Kind.ANSWER], "nothing has been asked of the interviewer yet"
    reply = replied(events := [event async for event in stream])
    assert reply.kind is Kind.CLARIFICATION
    assert "".join(event.text for event in events if isinstance(event, FollowUpPiece)) == "Assume one region."
    assert isinstance(events[-1], Completed)
    view = await services.interviews.view(user.id, interview_id)
    assert events[-1].loaded.view() == view
    assert contents(view) == CLARIFIED
    assert (len(interviewer.answer_briefs), len(interviewer.reply_briefs)) == (1, 0), "one call"
    done = judged(await say(services, user, interview_id, turn, GOOD))
    assert (done.answer, done.verdict and done.verdict.score) == (GOOD, 10)


async def test_interviewer_decides_instead_of_the_rules(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    assert replied(await say(services, user, interview_id, turn, UNRULED)).kind is Kind.CLARIFICATION
    named = "Tell me whether it is one region or several."
    assert judged(await say(services, user, interview_id, turn, named)).answer == named


async def test_question_after_the_budget_is_judged(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    for number in range(MAX_CLARIFICATIONS):
        replied(await say(services, user, interview_id, turn, f"Number {number}, or which?"))
    assert judged(await say(services, user, interview_id, turn, ASKS)).answer == ASKS
    assert [brief.may_clarify for brief in interviewer.answer_briefs] == [True, True, False]


async def test_declared_and_detected_questions_share_the_budget(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    replied(await say(services, user, interview_id, turn, "How many users?", Kind.CLARIFICATION))
    replied(await say(services, user, interview_id, turn, ASKS))
    view = await services.interviews.view(user.id, interview_id)
    assert not view.turns[0].may_ask
    with pytest.raises(Conflict):
        await say(services, user, interview_id, turn, "How many servers?", Kind.CLARIFICATION)


async def test_question_in_reply_to_a_follow_up_is_detected(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?"]
    replied(await say(services, user, interview_id, turn))
    assert replied(await say(services, user, interview_id, turn, ASKS)).kind is Kind.CLARIFICATION
    assert judged(await say(services, user, interview_id, turn, SECOND)).answer == f"{FIRST}\n\n{SECOND}"


@pytest.mark.parametrize("kind", [Kind.FINAL_ANSWER, Kind.ANSWER])
async def test_declared_answer_is_no_question(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, kind: Kind
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    events = services.interviews.answer(user.id, interview_id, turn.question_id, ASKS, uuid4(), kind=kind, is_sure=True)
    assert judged([event async for event in events]).answer == ASKS
    assert [brief.may_clarify for brief in interviewer.answer_briefs] == [False]


async def test_answer_taken_for_a_question_can_be_sent_as_final(services: Services, new_user: NewUser) -> None:
    user, interview_id, turn = await talking(services, new_user)
    replied(await say(services, user, interview_id, turn, ASKS))
    assert judged(await say(services, user, interview_id, turn, ASKS, Kind.FINAL_ANSWER)).answer == ASKS


async def test_repeated_question_changes_nothing(services: Services, new_user: NewUser, interviewer: ScriptedInterviewer) -> None:
    user, interview_id, turn = await talking(services, new_user)
    together = await asyncio.gather(*(say(services, user, interview_id, turn, ASKS) for _ in range(5)))
    again = await say(services, user, interview_id, turn, ASKS)
    for events in (*together, again):
        assert {event.kind for event in events if isinstance(event, Replied)} == {Kind.CLARIFICATION}
        assert not any(isinstance(event, Judged | Failed) for event in events)
    assert contents(await services.interviews.view(user.id, interview_id)) == CLARIFIED
    assert len(interviewer.answer_briefs) == 1


async def test_failed_clarification_is_made_up_for(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.judge_errors = [InterviewerTimeout()]
    events = await say(services, user, interview_id, turn, ASKS)
    assert [event.part for event in events if isinstance(event, Failed)] == ["verdict"]
    assert contents(view := await services.interviews.view(user.id, interview_id)) == [("user", "answer", ASKS)]
    assert (view.turns[0].leased, view.turns[0].undecided) == (False, True)
    replied(await completed(services, user, interview_id, turn))
    assert contents(await services.interviews.view(user.id, interview_id)) == CLARIFIED


async def test_question_of_a_dead_worker_is_clarified_by_another(
    services: Services, database: Database, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    lease = utcnow() + timedelta(seconds=0.2)
    async with database.transaction() as session:
        session.add(Message(question_id=turn.question_id, author="user", content=ASKS, client_id=uuid4(), judging_until=lease))
    other = build(services.settings, database=database, interviewer=interviewer)
    replied(await completed(other, user, interview_id, turn))
    assert contents(await services.interviews.view(user.id, interview_id)) == CLARIFIED
    await other.interviews.close()


@pytest.mark.parametrize("clarified_first", [True, False])
async def test_message_gets_either_a_clarification_or_a_verdict(
    services: Services, database: Database, new_user: NewUser, interviewer: ScriptedInterviewer, clarified_first: bool
) -> None:
    """Of two workers that decide differently, the first one counts, and the message stays what it was for that one."""
    user, interview_id, turn = await talking(services, new_user)
    second = ScriptedInterviewer()
    second.detects_questions = clarified_first
    interviewer.detects_questions = not clarified_first
    other = build(services.settings, database=database, interviewer=second)
    interviewer.gate.clear()
    mine = asyncio.create_task(say(services, user, interview_id, turn, UNRULED))
    await interviewer.called.wait()
    async with database.transaction() as session:  # the first worker's lease is lost
        await session.execute(update(Message).values(judging_until=None).where(col(Message.question_id) == turn.question_id))
    theirs = await completed(other, user, interview_id, turn)
    interviewer.gate.set()
    expected = Replied if clarified_first else Judged
    for events in (await mine, theirs):
        assert {type(event) for event in events} & {Replied, Judged, Failed} == {expected}
    view = await services.interviews.view(user.id, interview_id)
    assert [kind for _, kind, _ in contents(view)] == (["clarification"] * 2 if clarified_first else ["answer"])
    assert view.answers_judged == int(not clarified_first)
    await other.interviews.close()


@pytest.mark.parametrize("seed", range(3))
async def test_interview_of_random_messages_ends_with_all_verdicts(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, seed: int
) -> None:
    chance = random.Random(seed)
    user, interview_id, turn = await talking(services, new_user)
    for _ in range(TALK.total):
        interviewer.follow_ups = ["And more?"] * chance.randint(0, 3)
        events: list[Event] = []
        while not any(isinstance(event, Judged) for event in events):
            if chance.random() < 0.2:
                interviewer.judge_errors = [InterviewerTimeout()]
            events = await say(services, user, interview_id, turn, f"{chance.choice([FIRST, ASKS])} {chance.random()}?")
            interviewer.judge_errors.clear()
            if any(isinstance(event, Failed) for event in events):
                events = await completed(services, user, interview_id, turn)
        judged(events)
        if any(isinstance(event, Asked) for event in events):
            turn = next_turn(events)
    view = await services.interviews.view(user.id, interview_id)
    assert view.status is InterviewStatus.FINISHED
    assert len(view.turns) == view.answers_judged == TALK.total
    for one in view.turns:
        asked = [message for message in one.messages if message.kind is Kind.CLARIFICATION]
        assert len(asked) <= 2 * MAX_CLARIFICATIONS
        assert not any(message.text in (one.answer or "") for message in asked)


# -- with a scripted model -------------------------------------------------------------------------------------------


@pytest.fixture
async def talks(services: Services, database: Database) -> AsyncIterator[tuple[Services, openai_server.Behavior]]:
    """Services with a language model, and its behavior."""
    behavior = openai_server.Behavior()
    with openai_server.running(behavior) as url:
        model = OpenAIInterviewer(model="some-model", api_key=None, base_url=url, options=openai_server.limits(5.0))
        yield (built := build(services.settings, database=database, interviewer=model)), behavior
        await built.interviews.close()


async def test_answer_that_is_no_question_is_judged_whatever_a_model_says(
    talks: tuple[Services, openai_server.Behavior], new_user: NewUser
) -> None:
    services, behavior = talks
    user, interview_id, turn = await talking(services, new_user)
    answer = f"{FIRST} {SECOND} {FIRST} Why? Because it is the first."
    confused = {"decision": "clarification", "text": "Assume that they are.", "feedback": "Well said.", "nature": "answer"}
    missed = [{"key_point": index, "mark": "missed", "quote": ""} for index in (1, 2)]
    behavior.given = [{**confused, "marks": [{"key_point": 0, "mark": "hit", "quote": "first thing"}, *missed]}]
    view = judged(await say(services, user, interview_id, turn, answer))
    assert (view.answer, view.verdict and view.verdict.score) == (answer, 5)
    [request] = [one for one in behavior.requests if one["response_format"]["json_schema"]["name"] == "verdict"]
    assert openai_server.allowed(request) == ["follow_up"]


async def test_model_clarifies_twice_then_judges(talks: tuple[Services, openai_server.Behavior], new_user: NewUser) -> None:
    services, behavior = talks
    user, interview_id, turn = await talking(services, new_user)
    for text in (ASKS, "And how many users are there?"):
        assert replied(await say(services, user, interview_id, turn, text)).kind is Kind.CLARIFICATION
    judged(await say(services, user, interview_id, turn, "Is it the first thing then?"))
    verdicts = [one for one in behavior.requests if one["response_format"]["json_schema"]["name"] == "verdict"]
    assert [openai_server.allowed(request) for request in verdicts] == [["follow_up", "clarification"]] * 2 + [["follow_up"]]
