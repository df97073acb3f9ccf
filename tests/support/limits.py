"""Reaching the rate limits and daily allowances of interviews."""

from __future__ import annotations

import asyncio

from interviewer.core.rate_limits import Action
from interviewer.core.users import User
from interviewer.errors import TooManyRequests
from interviewer.interviews.events import Event, Started
from interviewer.interviews.failed_starts import GIVE_UPS_PER_DAY
from interviewer.wiring import Services

CLIENT = "203.0.113.7"


async def use_up(services: Services, action: Action, user: User) -> None:
    """Use up the account's rate limit for an action. Raises AssertionError if there is no limit."""
    for _ in range(1000):
        try:
            await services.guard.check(action, CLIENT, str(user.id))
        except TooManyRequests:
            return
    raise AssertionError("there is no limit")


async def begun(services: Services, user: User) -> tuple[int, asyncio.Task[list[Event]]]:
    """Start an interview. Returns its ID and a task that collects the remaining events."""
    events = services.interviews.start(user.id, "")
    first = await anext(events)
    assert isinstance(first, Started)

    async def rest() -> list[Event]:
        return [event async for event in events]

    return first.interview_id, asyncio.create_task(rest())


async def give_up_all(services: Services, user: User) -> None:
    """Start and give up as many interviews as a user may give up per day."""
    for _ in range(GIVE_UPS_PER_DAY):
        interview_id, _rest = await begun(services, user)
        await services.interviews.give_up(user.id, interview_id)
