"""A report of an interview with a résumé: its owner sees what a question says of the résumé, and others don't."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.interviews.events import Started
from interviewer.interviews.plan import even
from interviewer.interviews.topics import Level
from interviewer.reports.markdown import markdown
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.resumes import LATENCY, RESUME
from tests.support.turns import answered


@pytest.fixture
def interviewer() -> BuiltinInterviewer:
    return BuiltinInterviewer(random.Random(1))


async def test_shared_report_does_not_show_the_resume(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    plan = replace(even([1], 1), level=Level.MID)
    events = [event async for event in services.interviews.start(user.id, "", plan=plan, resume=RESUME)]
    assert isinstance(events[0], Started)
    id = events[0].interview_id
    [turn] = (await services.interviews.view(user.id, id)).turns
    assert turn.prompt.startswith(f"Your résumé says: “{LATENCY}.” ")
    await answered(services, user, id, turn, "I profiled the endpoint first, and an index on two columns fixed the slow query.")
    link, _ = await services.sharing.share(user.id, id)
    shared = await services.sharing.read(link.rsplit("/", 1)[1], "203.0.113.7")
    assert shared.turns[0].prompt == turn.prompt.partition(".” ")[2]
    own = await services.reports.full(user.id, id)
    assert LATENCY in markdown(own)
    for written in (repr(shared), markdown(shared)):
        assert LATENCY not in written
        assert "résumé" not in written
