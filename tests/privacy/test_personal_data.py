"""A user's own data: devices, name, export, and erasure."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import datetime
from uuid import uuid4

import pytest
from sqlalchemy import text

from interviewer.billing import purchase_queries
from interviewer.billing.apply_events import STILL_CHARGED
from interviewer.billing.lemonsqueezy.bodies import order_subject, subscription_subject
from interviewer.billing.webhook_outcomes import Outcome
from interviewer.billing.webhooks import Webhooks
from interviewer.core import users
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.errors import BadRequest, NotFound, Unauthorized
from interviewer.interviews.exchange import Kind
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.billing import CATALOGUE, PREMIUM, PRO, SECRET, balances, changed, issue_reference, nets, send, shop
from tests.support.conversations import ASKS, FIRST, TALK, say, talking
from tests.support.interviewer import ScriptedInterviewer
from tests.support.lemon_store import Delivery, Store
from tests.support.signup import PASSWORD, link_token, signed_up, welcome_text
from tests.support.turns import answered, next_turn, started

PRACTICED = "databases-lost-update-stock"


async def count(database: Database, table: str) -> int:
    async with database.transaction() as session:
        return int((await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def test_devices_are_listed_and_signed_out_one_by_one_or_all(services: Services, new_user: NewUser) -> None:
    user, stranger = await new_user(), await new_user()
    here, there = [await services.sessions.open(user, agent) for agent in ("Firefox", "Phone")]
    theirs = await services.sessions.open(stranger, "Theirs")
    devices = await services.sessions.devices(user.id, here)
    assert [(device.user_agent, device.current) for device in devices] == [("Phone", False), ("Firefox", True)]
    [foreign] = await services.sessions.devices(stranger.id, theirs)
    await services.sessions.end(user.id, foreign.id)
    await services.sessions.authenticate(theirs)
    await services.sessions.end(user.id, devices[0].id)
    with pytest.raises(Unauthorized):
        await services.sessions.authenticate(there)
    await services.sessions.end_all(user.id)
    with pytest.raises(Unauthorized):
        await services.sessions.authenticate(here)
    await services.sessions.authenticate(theirs)


async def test_name_can_be_changed_to_a_valid_one(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    assert await services.personal.rename(user.id, "  Grace   Hopper ") == "Grace Hopper"
    with pytest.raises(BadRequest):
        await services.personal.rename(user.id, "<b>")
    with pytest.raises(BadRequest):
        await services.personal.rename(user.id, "see www.evil.example")


async def test_export_has_all_data_and_no_rubric_before_its_verdict(services: Services, new_user: NewUser) -> None:
    user, stranger = await new_user(), await new_user()
    interview_id, turn = await started(services, user, "Backend engineer with Python and SQL")
    await answered(services, user, interview_id, turn, "The first thing, from me.")
    await services.practice.attempt(user.id, PRACTICED, "An index on both columns, for practice.", uuid4())
    await services.practice.attempt(stranger.id, PRACTICED, "Another user's practice.", uuid4())
    document = json.dumps(await services.personal.export(user.id))
    assert json.loads(document)["interviews"][0]["report_shared_since"] is None
    for part in (
        user.email,
        "Backend engineer with Python",
        "The first thing, from me.",
        "Well said.",
        "interview started",
        PRACTICED,
        "An index on both columns, for practice.",
    ):
        assert part in document
    assert document.count("Names the first thing") == 1, "the open question's rubric is not in it"
    [tried] = json.loads(document)["practice"]
    assert (tried["topic"], len(tried["marks"])) == ("Databases and Data Management", 6)
    assert 0 <= tried["score"] <= 10
    assert stranger.email not in document
    assert "Another user" not in document
    assert "argon2" not in document
    judged, open_question = json.loads(document)["interviews"][0]["questions"]
    assert judged["judged_by"] == {"interviewer": "scripted", "model": "test", "prompt_version": "test-prompts"}
    assert open_question["judged_by"] is None


async def test_export_has_every_message_of_a_conversation(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user)
    interviewer.follow_ups = ["And the second?"]
    await say(services, user, interview_id, turn, ASKS, Kind.CLARIFICATION)
    await say(services, user, interview_id, turn, kind=Kind.HINT)
    await say(services, user, interview_id, turn)
    question = json.loads(json.dumps(await services.personal.export(user.id)))["interviews"][0]["questions"][0]
    assert [(one["author"], one["kind"], one["text"]) for one in question["messages"]] == [
        ("user", "clarification", ASKS),
        ("interviewer", "clarification", "Assume the usual clarification."),
        ("user", "hint", ""),
        ("interviewer", "hint", "Assume the usual hint."),
        ("user", "answer", FIRST),
        ("interviewer", "follow_up", "And the second?"),
    ]
    times = [datetime.fromisoformat(one["at"]) for one in question["messages"]]
    assert times == sorted(times)
    assert (question["answer"], question["marks"]) == (None, [])


async def test_erasing_needs_the_typed_address_and_leaves_nothing(
    services: Services, database: Database, interviewer: ScriptedInterviewer
) -> None:
    user = await signed_up(services)
    secret = await services.sessions.open(user)
    interview_id, turn = await started(services, user, "Backend engineer with Python and SQL", TALK)
    turn = next_turn(await answered(services, user, interview_id, turn))
    interviewer.follow_ups = ["And the second?"]
    await say(services, user, interview_id, turn, ASKS)
    await say(services, user, interview_id, turn)
    assert await count(database, "messages") == 5
    await services.practice.attempt(user.id, PRACTICED, "An index on both columns, for practice.", uuid4())
    await services.accounts.request_reset(user.email)
    await services.mail_sender.settle()
    for wrong in ("", "other@example.com", "ada@example.co"):
        with pytest.raises(BadRequest):
            await services.personal.erase(user.id, wrong)
    await services.personal.erase(user.id, " Ada@Example.com ")
    await services.mail_sender.settle()
    with pytest.raises(Unauthorized):
        await services.sessions.authenticate(secret)
    with pytest.raises(NotFound):
        await services.interviews.view(user.id, interview_id)
    for table in (
        "users",
        "sessions",
        "one_time_tokens",
        "interviews",
        "conversations",
        "questions",
        "messages",
        "verdicts",
        "job_profiles",
        "practice_tries",
    ):
        assert await count(database, table) == 0, table
    async with database.transaction() as session:
        everything = (
            await session.execute(
                text("SELECT row_to_json(t)::text FROM mail_outbox t UNION SELECT row_to_json(e)::text FROM erased_addresses e")
            )
        ).scalars()
        assert "ada@example.com" not in " ".join(everything)
        rows = await session.execute(text("SELECT amount, user_id, interview_id FROM credit_transactions ORDER BY id"))
        assert [tuple(row) for row in rows] == [(1, None, None), (-1, None, None)]
    assert services.outbox is not None
    assert services.outbox.mails[0].mail.subject == "Your account has been deleted"


async def test_recreated_account_gets_no_second_free_credit(services: Services) -> None:
    user = await signed_up(services)
    await services.personal.erase(user.id, user.email)
    await services.accounts.request_verification("ADA@example.com", "Ada again", PASSWORD)
    again = await services.accounts.verify(await link_token(services))
    assert again.individual_credits == 0
    welcome = await welcome_text(services)
    assert welcome.startswith("Welcome, Ada again!")
    assert "starts without credits" in welcome
    assert "comes with one free interview" not in welcome
    assert (await signed_up(services, "bob@example.com", "Bob")).individual_credits == 1
    assert "comes with one free interview" in await welcome_text(services)


# -- purchases ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def webhooks(database: Database) -> Webhooks:
    return Webhooks(database, CATALOGUE, SECRET)


async def test_export_includes_purchases_and_debts(
    services: Services, database: Database, webhooks: Webhooks, new_user: NewUser
) -> None:
    user, stranger = await new_user(credits=0), await new_user(credits=0)
    await issue_reference(database, user)
    store = shop()
    order, deliveries = store.buy(user.email, custom=None)
    await send(webhooks, *deliveries)
    await started(services, user)
    id, more = store.subscribe(user.email, PREMIUM, custom=None)
    theirs, others = store.subscribe(stranger.email, PRO, custom=None)
    await send(webhooks, *store.refund_order(order), *more, *store.fail(id), *others)
    document = json.loads(json.dumps(await services.personal.export(user.id)))
    assert document["credits"] == {"individual": 0, "subscription": 20, "individual_debt": 1, "subscription_debt": 0}
    assert [(row["amount"], row["debt"]) for row in document["ledger"]] == [(1, 0), (-1, 0), (0, 1), (20, 0)]
    assert document["plan"] == {"name": "premium", "status": "past_due"}
    [subscription] = document["subscriptions"]
    assert (subscription["lemon_id"], subscription["plan"], subscription["processor"]) == (id, "premium", "stripe")
    assert [(one["billing_reason"], one["total_cents"], one["paid"], one["failed"]) for one in subscription["invoices"]] == [
        ("initial", 2999, True, False),
        ("renewal", 2999, False, True),
    ]
    bought = [(one["product"], one["quantity"], one["paid"], one["refunded"]) for one in document["orders"]]
    assert bought == [("individual", 1, True, True), ("premium", 1, True, False)]
    assert [one["product"] for one in document["checkouts"]] == ["pro"]
    assert theirs not in json.dumps(document)
    assert "signature=" not in json.dumps(document)


async def test_export_without_purchases_shows_the_free_plan(services: Services, new_user: NewUser) -> None:
    document = await services.personal.export((await new_user()).id)
    assert document["plan"] == {"name": "free", "status": "inactive"}
    assert (document["subscriptions"], document["orders"], document["checkouts"]) == ([], [], [])


async def customer(
    database: Database, webhooks: Webhooks, user: User, store: Store, *, known_by: str = "reference"
) -> tuple[str, str, list[Delivery]]:
    """Have a user buy a credit and a plan, and then cancel the plan.

    Returns the IDs of the order and the subscription, and the deliveries.
    """
    custom = await issue_reference(database, user) if known_by == "reference" else None
    order, deliveries = store.buy(user.email, custom=custom)
    id, more = store.subscribe(user.email, PRO, custom=custom)
    deliveries += more + store.cancel(id)
    await send(webhooks, *deliveries)
    assert await nets(database, user) == (1, 10)
    return order, id, deliveries


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("known_by", ["reference", "address"])
async def test_late_deliveries_of_an_erased_account_give_no_credits(
    services: Services, database: Database, webhooks: Webhooks, new_user: NewUser, known_by: str, seed: int
) -> None:
    user, store = await new_user(credits=0), shop()
    order, id, deliveries = await customer(database, webhooks, user, store, known_by=known_by)
    await services.personal.erase(user.id, user.email)
    async with database.transaction() as session:
        newcomer = User(email=user.email, username="Another user with this address")
        session.add(newcomer)
    late = [
        *store.resume(id),
        *store.change_variant(id, PREMIUM),
        *store.renew(id),
        *store.fail(id),
        *store.recover(id),
        *store.refund_invoice(store.invoices_of(id)[-1]),
        *store.refund_order(order),
        *(changed(one, meta={"webhook_id": f"again {number}"}) for number, one in enumerate(deliveries)),
    ]
    if known_by == "reference":  # paid only now, on checkout pages opened by the erased account
        custom = {"checkout_ref": "chk_1"}
        late += [*store.buy(user.email, custom=custom)[1], store.subscribe(user.email, PRO, custom=custom)[1][1]]
    random.Random(seed).shuffle(late)
    assert set(await send(webhooks, *late)) == {Outcome.IGNORED, Outcome.UNRESOLVED}
    assert await nets(database, newcomer) == (0, 0)
    assert not (await balances(database, newcomer)).subscription_usable
    async with database.transaction() as session:
        rows = await session.execute(text("SELECT amount, user_id FROM credit_transactions ORDER BY id"))
        assert [tuple(row) for row in rows] == [(1, None), (10, None)], "without the person, and nothing after it"
    assert {one.detail for one in await webhooks.listed(everything=True)} <= {"", "its account was deleted", STILL_CHARGED}
    assert {one.detail for one in await webhooks.listed()} == {STILL_CHARGED}, "for the operator, because the plan was resumed"
    await send(
        webhooks,
        *[deliveries for running in store.subscriptions for deliveries in [*store.cancel(running), *store.expire(running)]],
    )
    assert await webhooks.listed() == []
    # The new owner of the email address can still buy.
    await send(webhooks, *store.buy(newcomer.email, custom=None)[1])
    assert await nets(database, newcomer) == (1, 0)


async def test_erasing_clears_the_bodies_of_deliveries(
    services: Services, database: Database, webhooks: Webhooks, new_user: NewUser
) -> None:
    user, other = await new_user(credits=0), await new_user(credits=0)
    await customer(database, webhooks, user, shop())
    _, kept = shop(first_id=2_000_000).buy(other.email, custom=None)
    await send(webhooks, *kept)
    await services.personal.erase(user.id, user.email)
    *rest, newest = reversed(await webhooks.listed(everything=True))
    assert {one.body for one in rest} == {b""}
    assert {one.outcome for one in rest} == {Outcome.APPLIED}
    assert newest.body == kept[0].body
    with pytest.raises(BadRequest, match="account was deleted"):
        await webhooks.replay(rest[0].id)


@pytest.mark.parametrize("kind", ["order", "subscription"])
async def test_erasing_waits_for_a_booking_without_deadlock(
    services: Services, database: Database, webhooks: Webhooks, new_user: NewUser, kind: str
) -> None:
    user = await new_user(credits=0)
    order, id, _ = await customer(database, webhooks, user, shop())
    subject, table, lemon_id = {
        "order": (order_subject(order), "orders", order),
        "subscription": (subscription_subject(id), "subscriptions", id),
    }[kind]
    async with database.transaction() as session:
        await purchase_queries.lock(session, subject)
        await session.execute(text(f"SELECT 1 FROM {table} WHERE lemon_id = :id FOR UPDATE"), {"id": lemon_id})
        erasing = asyncio.create_task(services.personal.erase(user.id, user.email))
        await until_it_waits(database, erasing)
        assert await users.locked_user(session, user.id), "what is owed can be booked"
    await erasing
    assert await count(database, "users") == 0


async def until_it_waits(database: Database, task: asyncio.Task[None]) -> None:
    """Wait until a connection to this database waits for a lock. Fails if the task finishes first."""
    statement = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while not await asyncio.sleep(0.01, task.done()):
        async with database.transaction() as session:
            if (await session.execute(text(statement))).scalar_one():
                return
    raise AssertionError("it did not wait")
