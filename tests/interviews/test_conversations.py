"""The conversation about a question on a real database: follow-ups, clarifying questions, hints, skips, and pauses."""

from __future__ import annotations

import random
from dataclasses import replace
from uuid import uuid4

import pytest

from interviewer.core.database import Database
from interviewer.errors import Conflict
from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.interviews.events import (
    Asked,
    Completed,
    FeedbackPiece,
    FollowUpPiece,
    Judged,
    QuestionPiece,
    Stored,
)
from interviewer.interviews.exchange import MAX_FOLLOW_UPS, NO_MORE_CLARIFICATIONS, NO_MORE_HINTS, Kind
from interviewer.interviews.plan import STANDARD
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.tables import Question
from interviewer.wiring import Services, build
from tests.conftest import NewUser
from tests.support.conversations import ASKS, FIRST, SECOND, TALK, contents, judged, replied, say, talking
from tests.support.interviewer import ScriptedInterviewer
from tests.support.turns import GOOD, next_turn

# -- follow-ups ------------------------------------------------------------------------------------------------------


async def test_verdict_after_a_follow_up_is_over_both_answers(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?"]
    reply = replied(events := await say(services, user, interview_id, turn))
    assert reply.kind is Kind.FOLLOW_UP
    assert "".join(event.text for event in events if isinstance(event, FollowUpPiece)) == "And the second?"
    assert isinstance(events[-1], Completed)
    assert events[-1].loaded.view() == await services.interviews.view(user.id, interview_id)
    view = judged(events := await say(services, user, interview_id, turn, SECOND))
    assert view.answer == f"{FIRST}\n\n{SECOND}"
    assert view.verdict is not None
    assert [mark.mark for mark in view.verdict.marks] == ["hit", "hit", "missed"]
    assert next_turn(events).position == 2
    assert events[-1].loaded.view() == (after := await services.interviews.view(user.id, interview_id))  # type: ignore[union-attr]
    assert (after.answers_judged, after.score_sum) == (1, 8)
    assert contents(after) == [
        ("user", "answer", FIRST),
        ("interviewer", "follow_up", "And the second?"),
        ("user", "answer", SECOND),
    ]


async def test_next_question_waits_for_the_decision_against_a_follow_up(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?"]
    await say(services, user, interview_id, turn)
    assert len(interviewer.question_briefs) == 1
    interviewer.gate.clear()
    stream = services.interviews.answer(user.id, interview_id, turn.question_id, SECOND, uuid4())
    early = [await anext(stream) for _ in range(3)]
    assert [type(event) for event in early] == [Stored, FeedbackPiece, QuestionPiece], "both stream side by side"
    interviewer.gate.set()
    assert {type(event) for event in [event async for event in stream]} >= {Judged, Asked}
    assert len(interviewer.question_briefs) == 2
    assert interviewer.question_briefs[-1].history[-1].answer == f"{FIRST}\n\n{SECOND}"


async def test_interview_without_follow_ups_gets_none(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user, STANDARD)
    interviewer.follow_ups = ["And the second?"]
    judged(await say(services, user, interview_id, turn))
    assert [brief.may_follow_up for brief in interviewer.answer_briefs] == [False]


async def test_clarifying_questions_are_not_detected_without_follow_ups(services: Services, new_user: NewUser) -> None:
    user, interview_id, turn = await talking(services, new_user, STANDARD)
    assert judged(await say(services, user, interview_id, turn, ASKS)).answer == ASKS


async def test_final_answer_gets_no_follow_up(services: Services, new_user: NewUser, interviewer: ScriptedInterviewer) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?"]
    judged(await say(services, user, interview_id, turn, kind=Kind.FINAL_ANSWER))


async def test_a_model_follows_up_twice_at_most(services: Services, new_user: NewUser, interviewer: ScriptedInterviewer) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = [f"Follow-up {number}?" for number in range(5)]
    for number in range(MAX_FOLLOW_UPS):
        assert replied(await say(services, user, interview_id, turn, f"{FIRST} {number}")).kind is Kind.FOLLOW_UP
    judged(await say(services, user, interview_id, turn, SECOND))
    assert [brief.may_follow_up for brief in interviewer.answer_briefs] == [True, True, False]


async def test_same_short_reply_to_two_follow_ups_counts(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?", "And the third?"]
    await say(services, user, interview_id, turn)
    replied(await say(services, user, interview_id, turn, "I don't know."))
    judged(await say(services, user, interview_id, turn, "I don't know."))


async def test_admission_after_an_answer_does_not_cap_the_score(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?"]
    await say(services, user, interview_id, turn, "The first, the third.")
    verdict = judged(await say(services, user, interview_id, turn, "No idea.")).verdict
    assert verdict is not None
    assert verdict.score == 7


async def test_built_in_interviewer_follows_up_once(services: Services, database: Database, new_user: NewUser) -> None:
    built_in = build(services.settings, database=database, interviewer=BuiltinInterviewer(random.Random(7)))
    user, interview_id, turn = await talking(built_in, new_user, replace(TALK, topics=STANDARD.topics[3:4]))
    [row] = (await built_in.interviews.load(user.id, interview_id)).rows
    begins = " ".join(row.question.rubric["model_answer"].split()[:30])
    events = await say(built_in, user, interview_id, turn, begins)
    assert replied(events).kind is Kind.FOLLOW_UP
    view = judged(await say(built_in, user, interview_id, turn, "I would add an index and read the query plan of it."))
    assert len(view.messages) == 3
    await built_in.interviews.close()


# -- clarifying questions and hints ----------------------------------------------------------------------------------


async def test_clarifying_question_leaves_the_question_open(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    reply = replied(events := await say(services, user, interview_id, turn, ASKS))
    assert reply.kind is Kind.CLARIFICATION
    assert isinstance(events[-1], Completed)
    assert [event.text for event in events if isinstance(event, FollowUpPiece)] == ["Assume ", "the usual clarification."]
    assert (reply.turn.may_ask, reply.turn.may_get_hint, reply.turn.undecided) == (True, True, False)
    assert interviewer.reply_briefs[0].said[-1].text == ASKS
    assert not interviewer.answer_briefs
    view = judged(await say(services, user, interview_id, turn, GOOD))
    assert view.answer == GOOD, "the clarifying question is not judged"


async def test_question_after_the_budget_is_an_answer_unless_declared(services: Services, new_user: NewUser) -> None:
    user, interview_id, turn = await talking(services, new_user)
    replied(await say(services, user, interview_id, turn, ASKS))
    replied(await say(services, user, interview_id, turn, "How many users are there?", Kind.CLARIFICATION))
    with pytest.raises(Conflict, match=NO_MORE_CLARIFICATIONS[:20]):
        await say(services, user, interview_id, turn, "Is it online?", Kind.CLARIFICATION)
    assert judged(await say(services, user, interview_id, turn, "Is it online?")).answer == "Is it online?"


async def test_answer_taken_for_a_question_can_be_sent_as_final(services: Services, new_user: NewUser) -> None:
    user, interview_id, turn = await talking(services, new_user)
    replied(await say(services, user, interview_id, turn, ASKS))
    assert judged(await say(services, user, interview_id, turn, ASKS, Kind.FINAL_ANSWER)).answer == ASKS


async def test_question_in_reply_to_a_follow_up_is_an_answer(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?"]
    await say(services, user, interview_id, turn)
    assert judged(await say(services, user, interview_id, turn, ASKS)).answer == f"{FIRST}\n\n{ASKS}"


async def test_declared_question_after_a_follow_up_is_replied_to(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?"]
    await say(services, user, interview_id, turn)
    assert replied(await say(services, user, interview_id, turn, ASKS, Kind.CLARIFICATION)).kind is Kind.CLARIFICATION
    assert judged(await say(services, user, interview_id, turn, SECOND)).answer == f"{FIRST}\n\n{SECOND}"


async def test_user_cannot_send_a_follow_up(services: Services, new_user: NewUser) -> None:
    user, interview_id, turn = await talking(services, new_user)
    with pytest.raises(Conflict):
        await say(services, user, interview_id, turn, FIRST, Kind.FOLLOW_UP)
    assert contents(await services.interviews.view(user.id, interview_id)) == []


async def test_there_is_one_hint(services: Services, new_user: NewUser) -> None:
    user, interview_id, turn = await talking(services, new_user)
    assert replied(await say(services, user, interview_id, turn, "", Kind.HINT)).kind is Kind.HINT
    replied(await say(services, user, interview_id, turn, ASKS))
    with pytest.raises(Conflict, match=NO_MORE_HINTS[:20]):
        await say(services, user, interview_id, turn, "", Kind.HINT)
    view = await services.interviews.view(user.id, interview_id)
    assert (view.turns[0].may_ask, view.turns[0].may_get_hint) == (True, False)


async def test_only_marks_made_after_the_hint_count_half(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?"]
    await say(services, user, interview_id, turn, FIRST)
    await say(services, user, interview_id, turn, "", Kind.HINT)
    verdict = judged(await say(services, user, interview_id, turn, "The second and the third, and the first.")).verdict
    assert verdict is not None
    assert verdict.score == 8  # (3 + 2 x 0.5 + 1 x 0.5) / 6 of 10 is 7.5
    assert [mark.mark for mark in verdict.marks] == ["hit"] * 3


async def test_hint_of_the_rubric_needs_no_call(
    services: Services, database: Database, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    async with database.transaction() as session:
        question = await session.get(Question, turn.question_id)
        assert question is not None
        question.rubric = question.rubric | {"hint": "Count them."}
    reply = replied(await say(services, user, interview_id, turn, "", Kind.HINT))
    assert reply.turn.messages[-1].text == "Count them."
    assert not interviewer.reply_briefs


# -- skipping and pausing --------------------------------------------------------------------------------------------


async def test_skip_before_any_answer_scores_0(services: Services, new_user: NewUser, interviewer: ScriptedInterviewer) -> None:
    user, interview_id, turn = await talking(services, new_user)
    await say(services, user, interview_id, turn, ASKS)
    await say(services, user, interview_id, turn, "", Kind.HINT)
    view = judged(await say(services, user, interview_id, turn, "", Kind.SKIP))
    assert (view.skipped, view.verdict and view.verdict.score) == (True, 0)
    assert not interviewer.answer_briefs


async def test_skip_after_a_follow_up_keeps_the_answer(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?", "And the third?"]
    await say(services, user, interview_id, turn)
    view = judged(events := await say(services, user, interview_id, turn, "", Kind.SKIP))
    assert (view.skipped, view.answer, view.verdict and view.verdict.score) == (False, FIRST, 5)
    assert next_turn(events).position == 2


async def test_open_follow_up_survives_a_pause(services: Services, new_user: NewUser, interviewer: ScriptedInterviewer) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?"]
    await say(services, user, interview_id, turn)
    paused = await services.interviews.set_status(user.id, interview_id, InterviewStatus.PAUSED)
    assert paused.open_turn is not None
    with pytest.raises(Conflict, match="not active"):
        await say(services, user, interview_id, turn, SECOND)
    with pytest.raises(Conflict, match="not active"):
        await say(services, user, interview_id, turn, "", Kind.HINT)
    await services.interviews.set_status(user.id, interview_id, InterviewStatus.ACTIVE)
    assert judged(await say(services, user, interview_id, turn, SECOND)).answer == f"{FIRST}\n\n{SECOND}"
