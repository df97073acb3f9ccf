"""Token usage of the model: reported by its server, stored with the results, and summed up and priced for the operator."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, select, text, update
from sqlmodel import col
from typer.testing import CliRunner

from interviewer.cli import app
from interviewer.core import metrics
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.errors import InterviewerBadOutput, InterviewerError
from interviewer.interviews.briefs import answer_brief
from interviewer.interviews.events import Failed
from interviewer.interviews.exchange import Kind
from interviewer.interviews.interviewer import QuestionBrief
from interviewer.interviews.interviewer_calls import Caller, InterviewerCalls
from interviewer.interviews.openai_client import OpenAIInterviewer
from interviewer.interviews.replying import Closing
from interviewer.interviews.tables import ModelCall
from interviewer.interviews.verdicts import unseen
from interviewer.operator.usage import By, Prices, Spending
from interviewer.settings import Settings, get_settings
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support import openai_server
from tests.support.conversations import ASKS, replied, say, talking
from tests.support.interviewer import ScriptedInterviewer
from tests.support.openai_server import Behavior
from tests.support.pressure import until
from tests.support.turns import answered, next_turn, started

REPORTED = (1500, 1024, 200)
TWICE = tuple(2 * count for count in REPORTED)
UNREPORTED = (None, None, None)
FIRST = QuestionBrief(topic_id=1, number=1, must_be_code=False)
PRICES = Prices(Decimal("0.75"), Decimal("0.075"), Decimal("4.5"))
# The cost of one call: 476 tokens at 0.75, 1024 at 0.075, and 200 at 4.5 per million.
COST = Decimal("0.0013338")


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, Behavior]]:
    behavior = Behavior()
    with openai_server.running(behavior) as url:
        yield url, behavior


@pytest.fixture
def model(served: tuple[str, Behavior]) -> Behavior:
    """The behavior of the model server, reset for each test."""
    vars(served[1]).update(vars(Behavior()))
    return served[1]


@pytest.fixture
def interviewer(served: tuple[str, Behavior], model: Behavior) -> OpenAIInterviewer:
    return OpenAIInterviewer(model="some-model", api_key=None, base_url=served[0], options=openai_server.limits(5.0))


@pytest.fixture
async def closing(interviewer: OpenAIInterviewer) -> AsyncIterator[OpenAIInterviewer]:
    yield interviewer
    await interviewer.close()


async def calls(database: Database) -> list[ModelCall]:
    async with database.transaction() as session:
        return list((await session.execute(select(ModelCall).order_by(col(ModelCall.id)))).scalars())


def tokens(call: ModelCall) -> tuple[int | None, int | None, int | None]:
    return call.prompt_tokens, call.cached_tokens, call.completion_tokens


def counted(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0


async def test_every_call_is_stored_with_its_tokens(
    services: Services, database: Database, new_user: NewUser, model: Behavior
) -> None:
    before = counted("interviewer_model_tokens_total", direction="prompt")
    user = await new_user()
    interview_id, turn = await started(services, user, "Senior backend engineer with Python and PostgreSQL")
    await answered(services, user, interview_id, turn)
    await services.interviews.close()
    stored = await calls(database)
    assert sorted(call.kind for call in stored) == ["analyse", "ask", "ask", "judge"]
    for call in stored:
        assert (call.interview_id, call.model, call.outcome) == (interview_id, "some-model", "ok")
        assert tokens(call) == REPORTED
        assert call.milliseconds >= 0
    assert counted("interviewer_model_tokens_total", direction="prompt") == before + 4 * 1500
    assert all(request["stream_options"] == {"include_usage": True} for request in model.requests)


async def test_clarification_is_stored_as_a_reply_call(services: Services, database: Database, new_user: NewUser) -> None:
    before = counted("interviewer_model_calls_total", kind="reply", outcome="ok")
    user, interview_id, turn = await talking(services, new_user)
    assert (
        replied(await say(services, user, interview_id, turn, ASKS, Kind.CLARIFICATION))
        .turn.messages[-1]
        .text.endswith(openai_server.REPLY)
    )
    stored = await calls(database)
    [call] = [call for call in stored if call.kind == "reply"]
    assert (call.interview_id, call.model, call.outcome, tokens(call)) == (interview_id, "some-model", "ok", REPORTED)
    assert counted("interviewer_model_calls_total", kind="reply", outcome="ok") == before + 1
    assert (await Spending(database, PRICES).total(1)).sum.calls == len(stored)


async def test_storing_calls_takes_no_extra_statement(services: Services, database: Database, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    issued: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *given: issued.append(given[2]))
    await answered(services, user, interview_id, turn)
    assert len([statement for statement in issued if "model_calls" in statement]) == 2
    assert not [statement for statement in issued if statement.startswith("INSERT INTO model_calls")]
    assert len(issued) == 5
    assert len(await calls(database)) == 3


async def test_call_for_superseded_verdict_is_stored_too(services: Services, database: Database, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    await answered(services, user, interview_id, turn)
    loaded = await services.interviews.load(user.id, interview_id)
    row = loaded.row(turn.question_id)
    assert row.answer is not None
    closing = Closing(probably=True)
    await services.interviews._replying._judge(loaded, row, row.answer, answer_brief(row, None), lambda _event: None, closing)
    assert [call.kind for call in await calls(database)].count("judge") == 2
    assert (await services.interviews.view(user.id, interview_id)).turns[0].verdict is not None


async def test_usage_is_not_requested_again_after_refusal(
    services: Services, database: Database, new_user: NewUser, model: Behavior
) -> None:
    model.supports_usage = False
    user = await new_user()
    interview_id, turn = await started(services, user)
    next_turn(await answered(services, user, interview_id, turn))
    assert [tokens(call) for call in await calls(database)] == [UNREPORTED] * 3
    assert [bool(request.get("stream_options")) for request in model.requests] == [True, False, False, False]


async def test_other_400_does_not_disable_usage_request(services: Services, closing: OpenAIInterviewer, model: Behavior) -> None:
    model.faults = ["400", "400"]  # the second request has no options
    with pytest.raises(InterviewerError):
        [item async for item in closing.analyse_job("A job")]
    assert len(model.requests) == 2
    assert [item async for item in closing.analyse_job("A job")]
    assert model.requests[-1]["stream_options"]


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"prompt_tokens": -1, "completion_tokens": 3},
        {"prompt_tokens": "many", "completion_tokens": 3},
        {"prompt_tokens": 10**12, "completion_tokens": 3},
        {"completion_tokens": 3},
    ],
)
async def test_missing_or_invalid_usage_is_stored_as_unknown(
    services: Services, database: Database, new_user: NewUser, model: Behavior, usage: dict[str, Any]
) -> None:
    model.usage = usage
    user = await new_user()
    await started(services, user)
    assert [(tokens(call), call.outcome) for call in await calls(database)] == [(UNREPORTED, "ok")]


async def test_cached_tokens_are_capped_at_prompt_tokens(
    services: Services, database: Database, new_user: NewUser, model: Behavior
) -> None:
    model.usage = {"prompt_tokens": 10, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 11}}
    await started(services, await new_user())
    assert [tokens(call) for call in await calls(database)] == [(10, 10, 3)]


@pytest.mark.parametrize(
    ("fault", "outcome", "reported"),
    [
        ("broken", "bad output", REPORTED),
        ("length", "bad output", REPORTED),
        ("401", "misconfigured", UNREPORTED),
        ("cut", "unreachable", UNREPORTED),
    ],
)
async def test_failed_call_is_stored_with_known_usage(
    services: Services,
    database: Database,
    new_user: NewUser,
    model: Behavior,
    fault: str,
    outcome: str,
    reported: tuple[int | None, ...],
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    before = counted("interviewer_model_calls_total", kind="judge", outcome=outcome)
    model.fault_for = {"verdict": fault, "question": fault}
    failures = [one for one in await answered(services, user, interview_id, turn) if isinstance(one, Failed)]
    assert len(failures) == 2
    failed = [call for call in await calls(database) if call.outcome != "ok"]
    assert sorted(call.kind for call in failed) == ["ask", "judge"]
    for call in failed:
        # A verdict that reached its limit in the middle of the feedback would reach it again. All others are asked for twice.
        spent = TWICE if reported == REPORTED and (call.kind, fault) != ("judge", "length") else reported
        assert (call.outcome, call.interview_id, tokens(call)) == (outcome, interview_id, spent)
    assert counted("interviewer_model_calls_total", kind="judge", outcome=outcome) == before + 1


async def test_failure_to_store_call_hides_no_error(database: Database) -> None:
    scripted = ScriptedInterviewer()
    scripted.ask_errors = [InterviewerBadOutput()]
    with pytest.raises(InterviewerBadOutput):
        await InterviewerCalls(database, scripted).ask(Caller(1, 4711), FIRST, unseen)
    assert await calls(database) == []


async def test_cancelled_call_is_counted(database: Database) -> None:
    before = counted("interviewer_model_calls_total", kind="ask", outcome="cancelled")
    scripted = ScriptedInterviewer()
    scripted.gate.clear()
    waiting = asyncio.create_task(InterviewerCalls(database, scripted).ask(Caller(1), FIRST, unseen))
    await until(lambda: bool(scripted.question_briefs))
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert counted("interviewer_model_calls_total", kind="ask", outcome="cancelled") == before + 1


async def test_calls_remain_after_erasure_without_user(services: Services, database: Database, new_user: NewUser) -> None:
    user = await new_user()
    await started(services, user)
    await services.personal.erase(user.id, user.email)
    [call] = await calls(database)
    assert call.interview_id is None
    [line] = await Spending(database, PRICES).lines(1, By.USER, 10)
    assert (line.sum.label, line.cost) == (None, COST)


# -- sums ------------------------------------------------------------------------------------------------------------


async def noted(database: Database, *, days: int = 0, **given: Any) -> None:
    values: dict[str, Any] = {
        "kind": "ask",
        "model": "a",
        "milliseconds": 100,
        "outcome": "ok",
        "created_at": utcnow() - timedelta(days=days),
    }
    async with database.transaction() as session:
        session.add(ModelCall(**values | given))


async def test_calls_are_summed_by_day_model_user_and_interview(
    services: Services, database: Database, new_user: NewUser, model: Behavior
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    await answered(services, user, interview_id, turn)
    await noted(database, days=2, model="other", outcome="timeout", milliseconds=5000)
    await noted(database, days=2, model="other", prompt_tokens=9000, cached_tokens=0, completion_tokens=0, milliseconds=300)
    await noted(database, days=9, prompt_tokens=1, cached_tokens=0, completion_tokens=1)
    found = {by: await Spending(database, PRICES).lines(7, by, 10) for by in By}
    today = (await calls(database))[0].created_at.strftime("%Y-%m-%d")
    assert found[By.DAY][0].sum.label == today
    assert [line.sum.label for line in found[By.MODEL]] == ["other", "some-model"], "the largest comes first"
    assert [line.sum.label for line in found[By.USER]] == [None, user.email]
    assert [line.sum.label for line in found[By.INTERVIEW]] == [None, str(interview_id)]
    other, ours = found[By.MODEL]
    assert (other.sum.calls, other.sum.failures, other.sum.uncounted, other.sum.median) == (2, 1, 0, 300)
    assert ours.sum[1:7] == (3, 0, 0, 4500, 3072, 600)
    assert ours.cost == 3 * COST
    assert len(await Spending(database, PRICES).lines(7, By.MODEL, 1)) == 1


async def test_cost_is_unknown_without_prices_or_tokens(database: Database) -> None:
    await noted(database)
    assert [(line.cost, line.sum.uncounted) for line in await Spending(database, PRICES).lines(1, By.DAY, 1)] == [(None, 1)]
    await noted(database, prompt_tokens=10, cached_tokens=0, completion_tokens=1)
    assert [line.cost for line in await Spending(database, Prices()).lines(1, By.DAY, 1)] == [None]
    assert [line.cost for line in await Spending(database, PRICES).lines(1, By.DAY, 1)] == [Decimal("0.000012")]
    assert Prices(Decimal(1), None, Decimal(1)).cost(2_000_000, 1_000_000, 0) == 2, "cached tokens cost the same as other input"


async def usage(database_url: str, *arguments: str, **settings: str) -> list[str]:
    """Run `interviewer usage` and return the lines of its output.

    Runs in a thread, because the command has its own event loop.
    """
    names = {name.upper() for name in Settings.model_fields} - {"DATABASE_URL"}
    environment = dict.fromkeys(names) | {"DATABASE_URL": database_url, "ENV_FILE": os.devnull} | settings
    get_settings.cache_clear()
    try:
        result = await asyncio.to_thread(CliRunner().invoke, app, ["usage", *arguments], env=environment)
    finally:
        get_settings.cache_clear()
    assert result.exit_code == 0, result.output
    return str(result.stdout).splitlines()


async def test_command_prints_usage_table(services: Services, database: Database, database_url: str, new_user: NewUser) -> None:
    assert await usage(database_url) == ["There were no model calls in this period."]
    user = await new_user()
    await started(services, user)
    async with database.transaction() as session:
        await session.execute(update(ModelCall).values(milliseconds=1234))
        await session.execute(
            text("INSERT INTO users (email, username, created_at, updated_at) VALUES ('x@y.z', 'X', now(), now())")
        )
    prices = {"OPENAI_PRICE_INPUT": "0.75", "OPENAI_PRICE_CACHED": "0.075", "OPENAI_PRICE_OUTPUT": "4.5"}
    head, row, _, total = await usage(database_url, "--by", "user", "--days", "1", **prices)
    assert head.split()[:2] == ["user", "calls"]
    assert row.split() == [user.email, "1", "0", "0", "1500", "1024", "200", "0.0013", "1234"]
    assert total == "Total: 1 call, 1700 tokens, cost 0.0013."
    assert (await usage(database_url, "--by", "model", "--limit", "5"))[1].split()[-2:] == ["-", "1234"]
