"""Helpers for the conversation about a question: send messages, and check what they lead to."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

from interviewer.core.users import User
from interviewer.interviews.events import (
    Asked,
    Event,
    Judged,
    Replied,
)
from interviewer.interviews.exchange import Kind
from interviewer.interviews.plan import STANDARD, Plan
from interviewer.interviews.views import InterviewView, TurnView
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.turns import started

TALK = replace(STANDARD, follow_ups=True)
FIRST = "The first thing, which I would always look at before anything else."
SECOND = "And the second thing as well, which I had left out of my answer before."
ASKS = "Is it one region or several?"


async def say(
    services: Services,
    user: User,
    interview_id: int,
    turn: TurnView,
    text: str = FIRST,
    kind: Kind = Kind.ANSWER,
    client_id: UUID | None = None,
) -> list[Event]:
    """Send a message about a question and return the events of the reply."""
    events = services.interviews.answer(user.id, interview_id, turn.question_id, text, client_id or uuid4(), client="", kind=kind)
    return [event async for event in events]


async def completed(services: Services, user: User, interview_id: int, turn: TurnView) -> list[Event]:
    return [event async for event in services.interviews.complete(user.id, interview_id, turn.question_id)]


async def talking(services: Services, new_user: NewUser, plan: Plan = TALK) -> tuple[User, int, TurnView]:
    """Start an interview with follow-ups and return its user, its ID, and the first question."""
    user = await new_user()
    return user, *await started(services, user, plan=plan)


def replied(events: list[Event]) -> Replied:
    """Return the only reply among the events, after checking that the question is still open."""
    [reply] = [event for event in events if isinstance(event, Replied)]
    assert reply.turn.answer is None
    assert reply.turn.verdict is None
    assert not any(isinstance(event, Judged | Asked) for event in events)
    return reply


def judged(events: list[Event]) -> TurnView:
    [turn] = [event.turn for event in events if isinstance(event, Judged)]
    assert turn.verdict is not None
    return turn


def contents(view: InterviewView, position: int = 1) -> list[tuple[str, str, str]]:
    return [(one.author.value, one.kind.value, one.text) for one in view.turns[position - 1].messages]
