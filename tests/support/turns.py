"""Helpers that start interviews, answer questions, and finish interviews through the services."""

from __future__ import annotations

from uuid import uuid4

from interviewer.core.users import User
from interviewer.interviews.events import Asked, Event, Started
from interviewer.interviews.plan import STANDARD, Plan
from interviewer.interviews.views import InterviewView, TurnView
from interviewer.wiring import Services

# The scripted interviewer marks every key point as made in this answer.
GOOD = "The first, the second and the third."


async def started(services: Services, user: User, job: str = "", plan: Plan = STANDARD) -> tuple[int, TurnView]:
    """Start an interview and return its ID and first question."""
    events = [event async for event in services.interviews.start(user.id, job, plan=plan)]
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Asked), events
    return events[0].interview_id, events[-1].turn


async def answered(services: Services, user: User, interview_id: int, turn: TurnView, answer: str = GOOD) -> list[Event]:
    """Answer a question and return the events of the turn."""
    return [event async for event in services.interviews.answer(user.id, interview_id, turn.question_id, answer, uuid4())]


def next_turn(events: list[Event]) -> TurnView:
    """Return the turn whose question these events ask."""
    return next(event.turn for event in events if isinstance(event, Asked))


async def take_all(services: Services, user: User) -> InterviewView:
    """Complete a standard interview with good answers and return its view."""
    interview_id, turn = await started(services, user)
    for _ in range(STANDARD.total - 1):
        turn = next_turn(await answered(services, user, interview_id, turn))
    await answered(services, user, interview_id, turn)
    return await services.interviews.view(user.id, interview_id)
