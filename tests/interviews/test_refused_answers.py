"""Answers that a provider's content filter refuses: written again once, then counted as skipped, so the interview goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from interviewer import wiring
from interviewer.core.database import Database
from interviewer.core.mail_console import Outbox
from interviewer.errors import Conflict
from interviewer.interviews.events import Asked, Event, Failed, Judged, Replied
from interviewer.interviews.exchange import NOT_REPLIED, REWRITE, Kind
from interviewer.interviews.message_api import Sent
from interviewer.interviews.openai_client import OpenAIInterviewer
from interviewer.interviews.plan import STANDARD, Plan
from interviewer.interviews.verdicts import REFUSED_FEEDBACK
from interviewer.interviews.views import TurnView
from interviewer.settings import Settings
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support import openai_server
from tests.support.server_failures import FORBIDDEN, filtering
from tests.support.turns import answered, started

REFUSED = f"First a {FORBIDDEN} thing, because of the trade-off."
ACCEPTED = "First I measure, because guesses mislead; the trade-off is the time it takes."
PLANS = (STANDARD, replace(STANDARD, follow_ups=True))


@pytest.fixture
async def filtered(database: Database, settings: Settings) -> AsyncIterator[Services]:
    """All services with a model server that has a content filter."""
    with openai_server.running(openai_server.Behavior(marks_by_keyword=True, quirk=filtering())) as url:
        model = OpenAIInterviewer(model="m", api_key=None, base_url=url, options=openai_server.limits(5))
        services = wiring.build(settings, database=database, interviewer=model, mailer=Outbox())
        yield services
        await services.interviews.close()
        await services.receipts.close()


def judged(events: list[Event]) -> TurnView:
    return next(event.turn for event in events if isinstance(event, Judged))


@pytest.mark.parametrize("plan", PLANS)
async def test_refused_answer_can_be_rewritten_once(filtered: Services, new_user: NewUser, plan: Plan) -> None:
    user = await new_user()
    interview_id, turn = await started(filtered, user, plan=plan)
    refused = await answered(filtered, user, interview_id, turn, REFUSED)
    assert [event.turn.messages[-1].text for event in refused if isinstance(event, Replied)] == [REWRITE]
    assert not [event for event in refused if isinstance(event, Judged | Asked | Failed)]
    done = await answered(filtered, user, interview_id, turn, ACCEPTED)
    view = judged(done)
    assert view.verdict is not None
    assert (view.answer, view.verdict.score) == (ACCEPTED, 10)
    assert [message.text for message in view.messages] == [REFUSED, REWRITE, ACCEPTED]
    assert any(isinstance(event, Asked) for event in done)


@pytest.mark.parametrize("plan", PLANS)
async def test_answer_refused_twice_counts_as_skipped(filtered: Services, new_user: NewUser, plan: Plan) -> None:
    user = await new_user()
    interview_id, turn = await started(filtered, user, plan=plan)
    await answered(filtered, user, interview_id, turn, REFUSED)
    done = await answered(filtered, user, interview_id, turn, f"{REFUSED} Again.")
    view = judged(done)
    assert view.verdict is not None
    assert (view.verdict.score, view.verdict.feedback) == (0, REFUSED_FEEDBACK)
    assert any(isinstance(event, Asked) for event in done)
    assert (await filtered.interviews.view(user.id, interview_id)).percent == 0, "it is in the denominator"


async def test_question_left_after_a_refusal_says_why(filtered: Services, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, turn = await started(filtered, user)
    await answered(filtered, user, interview_id, turn, REFUSED)
    skip = filtered.interviews.answer(user.id, interview_id, turn.question_id, "", uuid4(), kind=Kind.SKIP)
    view = judged([event async for event in skip])
    assert view.verdict is not None
    assert view.verdict.feedback == REFUSED_FEEDBACK


@pytest.mark.parametrize("plan", PLANS)
async def test_api_client_without_follow_ups_can_rewrite(filtered: Services, new_user: NewUser, plan: Plan) -> None:
    """Such a client gets an error that says what to do, and its next text is the rewritten answer."""
    user = await new_user()
    interview_id, _ = await started(filtered, user, plan=plan)
    first = await filtered.programs.reply(user.id, interview_id, Sent(REFUSED))
    failures = [event.error async for event in first.events if isinstance(event, Failed)]
    assert [(type(error), error.user_message) for error in failures] == [(Conflict, REWRITE)]
    second = await filtered.programs.reply(user.id, interview_id, Sent(ACCEPTED))
    view = judged([event async for event in second.events])
    assert (view.answer, view.verdict and view.verdict.score) == (ACCEPTED, 10)


async def test_refused_clarifying_question_gets_a_reply(filtered: Services, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, turn = await started(filtered, user, plan=PLANS[1])
    asking = filtered.interviews.answer(
        user.id, interview_id, turn.question_id, f"Is it {FORBIDDEN}?", uuid4(), kind=Kind.CLARIFICATION
    )
    events = [event async for event in asking]
    assert [event.turn.messages[-1].text for event in events if isinstance(event, Replied)] == [NOT_REPLIED]


@pytest.mark.parametrize(
    "given",
    [
        {"job": f"A job with a {FORBIDDEN} word in it, for a senior engineer."},
        {"resume": f"Moved the {FORBIDDEN} billing system to Kafka in three months.\nLed a team of four engineers."},
    ],
    ids=lambda given: next(iter(given)),
)
async def test_question_is_asked_without_what_is_refused(filtered: Services, new_user: NewUser, given: dict[str, str]) -> None:
    starting = filtered.interviews.start((await new_user()).id, given.get("job", ""), resume=given.get("resume", ""))
    asked = [event async for event in starting][-1]
    assert isinstance(asked, Asked)
    assert asked.turn.prompt
