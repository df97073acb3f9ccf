"""Simulated candidates of four kinds take whole interviews with the built-in interviewer and with a misbehaving model."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from statistics import mean
from uuid import uuid4

import pytest

from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.grading.bank.loader import BankQuestion, load_bank
from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.interviews.events import Asked, Event, Failed, Started
from interviewer.interviews.exchange import REWRITE
from interviewer.interviews.interviewer import Interviewer
from interviewer.interviews.interviewer_calls import InterviewerCalls
from interviewer.interviews.openai_client import OpenAIInterviewer
from interviewer.interviews.plan import STANDARD
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.turns import Interviews
from interviewer.interviews.verdicts import REFUSED_FEEDBACK
from interviewer.interviews.views import InterviewView, TurnView
from tests.conftest import NewUser
from tests.support.candidates import BOASTS, IGNORANCE, first_part
from tests.support.openai_server import Behavior, limits, running

pytestmark = pytest.mark.slow

Candidate = Callable[[TurnView, random.Random], str]
TRIES = 40


def bank_question(turn: TurnView) -> BankQuestion:
    """Return the bank question of a turn, whose prompt may begin with a sentence about the job."""
    return next(asked for asked in load_bank().values() if turn.prompt.endswith(asked.prompt.strip()))


def model_answer(turn: TurnView) -> str:
    return bank_question(turn).model_answer


CANDIDATES: dict[str, Candidate] = {
    "strong": lambda turn, _rng: model_answer(turn),
    "middling": lambda turn, _rng: first_part(model_answer(turn), 0.4),
    "weak": lambda turn, _rng: first_part(model_answer(turn), 0.01),
    "evasive": lambda _turn, rng: rng.choice((*IGNORANCE, *BOASTS)),
}


def interviews_with(database: Database, interviewer: Interviewer) -> Interviews:
    return Interviews(database, InterviewerCalls(database, interviewer))


async def event_of(events: AsyncIterator[Event], kind: type[Event]) -> list[Event]:
    return [event async for event in events if isinstance(event, kind)]


async def interviewed(interviews: Interviews, user: User, candidate: Candidate, rng: random.Random) -> InterviewView:
    """Take a whole interview, retrying failed verdicts and questions as a user would."""
    interview_id = await _started(interviews, user)
    for _ in range(TRIES):
        view = await interviews.view(user.id, interview_id)
        if view.status is InterviewStatus.FINISHED and not view.incomplete_turns:
            return view
        for turn in view.incomplete_turns:
            await event_of(interviews.complete(user.id, interview_id, turn.question_id), Failed)
        if (turn_now := (await interviews.view(user.id, interview_id)).open_turn) is not None:
            answer = candidate(turn_now, rng)
            await event_of(interviews.answer(user.id, interview_id, turn_now.question_id, answer, uuid4()), Failed)
    raise AssertionError("the interview did not finish")


async def _started(interviews: Interviews, user: User) -> int:
    for _ in range(TRIES):
        events = [event async for event in interviews.start(user.id, "")]
        if any(isinstance(event, Asked) for event in events):
            return next(event.interview_id for event in events if isinstance(event, Started))
    raise AssertionError("no interview started")


def check_shape(view: InterviewView) -> None:
    """Check the properties that every finished interview must have."""
    assert [turn.topic_id for turn in view.turns] == [
        STANDARD.place(position).topic.id for position in range(1, STANDARD.total + 1)
    ]
    assert any(turn.kind == "code" for turn in view.turns if turn.topic == "Coding")
    assert view.answers_judged == STANDARD.total
    assert view.score_sum == sum(turn.verdict.score for turn in view.turns if turn.verdict)
    for turn in view.turns:
        assert turn.verdict is not None
        for mark in turn.verdict.marks:
            assert not mark.quote or mark.quote.casefold() in (turn.answer or "").casefold()


async def test_candidates_score_in_order_of_strength(database: Database, new_user: NewUser) -> None:
    means = {}
    for name, candidate in CANDIDATES.items():
        user = await new_user(3)
        views = [
            await interviewed(
                interviews_with(database, BuiltinInterviewer(random.Random(seed))), user, candidate, random.Random(seed)
            )
            for seed in range(2)
        ]
        for view in views:
            check_shape(view)
        means[name] = mean(turn.verdict.score for view in views for turn in view.turns if turn.verdict)
    assert means["strong"] >= 9
    assert means["strong"] > means["middling"] + 1.5
    assert means["middling"] > means["weak"] + 2
    assert means["weak"] > means["evasive"] + 0.5
    assert means["evasive"] < 1


async def test_no_question_repeats_over_five_interviews(database: Database, new_user: NewUser) -> None:
    user = await new_user(5)
    asked: list[str] = []
    for seed in range(5):
        interviews = interviews_with(database, BuiltinInterviewer(random.Random(seed)))
        view = await interviewed(interviews, user, CANDIDATES["evasive"], random.Random(seed))
        asked += [
            next(key for key, one in load_bank().items() if turn.prompt.endswith(one.prompt.strip())) for turn in view.turns
        ]
    assert len(set(asked)) == 5 * STANDARD.total


# -- a misbehaving model -----------------------------------------------------------------------------------------

FAULTS = [
    "",
    "",
    "",
    "broken",
    "empty",
    "prose",
    "cut",
    "garbled",
    "refusal",
    "silent-end",
    "length",
    "few-points",
    "index",
    "topic",
]
# The fake model server looks for one word per key point.
MODEL_CANDIDATES: dict[str, str] = {
    "strong": "First I measure, because guesses mislead; the trade-off is the time it takes.",
    "middling": "First I measure, and then I see what to do about it all.",
    "weak": "I have seen something like it, and there was a trade-off in it somewhere.",
    "evasive": "I don't know.",
}


@pytest.mark.parametrize("seed", range(2))
async def test_interviews_complete_despite_a_misbehaving_model(database: Database, new_user: NewUser, seed: int) -> None:
    rng = random.Random(seed)
    means = {}
    behavior = Behavior(marks_by_keyword=True)
    with running(behavior) as base_url:
        interviewer = OpenAIInterviewer(model="test", api_key=None, base_url=base_url, options=limits(5))
        try:
            for name, answer in MODEL_CANDIDATES.items():
                behavior.faults = [rng.choice(FAULTS) for _ in range(60)]
                view = await interviewed(interviews_with(database, interviewer), await new_user(TRIES), saying(answer), rng)
                check_shape(view)
                verdicts = [turn.verdict for turn in view.turns if turn.verdict]
                means[name] = mean(one.score for one in verdicts if one.feedback != REFUSED_FEEDBACK)
        finally:
            await interviewer.close()
    assert means["strong"] == 10
    assert means["strong"] > means["middling"] + 2
    assert means["middling"] > means["weak"] + 2
    assert means["weak"] > means["evasive"]
    assert means["evasive"] == 0


def saying(answer: str) -> Candidate:
    """Return a candidate who always says the same, in other words if the model refused it."""
    return lambda turn, _rng: f"Again: {answer}" if any(one.text == REWRITE for one in turn.messages) else answer
