"""One's own data: devices, name, export, erasure."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from interviewer.db.engine import Database
from interviewer.errors import BadRequest, NotFound, Unauthorized
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.services.test_accounts import PASSWORD, link_token, signed_up
from tests.services.test_interviews import answered, started


async def count(database: Database, table: str) -> int:
    async with database.transaction() as session:
        return int((await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def test_devices_are_listed_and_ended_one_by_one_or_all_at_once(services: Services, new_user: NewUser) -> None:
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


async def test_a_name_can_be_changed_to_another_good_one(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    assert await services.personal.rename(user.id, "  Grace   Hopper ") == "Grace Hopper"
    with pytest.raises(BadRequest):
        await services.personal.rename(user.id, "<b>")


async def test_an_export_holds_everything_of_the_person_and_no_rubric_before_its_verdict(
    services: Services, new_user: NewUser
) -> None:
    user, stranger = await new_user(), await new_user()
    interview_id, turn = await started(services, user, "Backend engineer with Python and SQL")
    await answered(services, user, interview_id, turn, "The first thing, from me.")
    document = json.dumps(await services.personal.export(user.id))
    for part in (user.email, "Backend engineer with Python", "The first thing, from me.", "Well said.", "interview started"):
        assert part in document
    assert document.count("Names the first thing") == 1, "the open question's rubric is not in it"
    assert stranger.email not in document
    assert "argon2" not in document


async def test_erasing_needs_the_typed_address_and_leaves_nothing_of_the_person(services: Services, database: Database) -> None:
    user = await signed_up(services)
    secret = await services.sessions.open(user)
    interview_id, turn = await started(services, user, "Backend engineer with Python and SQL")
    await answered(services, user, interview_id, turn)
    await services.accounts.request_reset(user.email)
    await services.post.settle()
    for wrong in ("", "other@example.com", "ada@example.co"):
        with pytest.raises(BadRequest):
            await services.personal.erase(user.id, wrong)
    await services.personal.erase(user.id, " Ada@Example.com ")
    await services.post.settle()
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
    assert services.outbox.mails[0].mail.subject == "Your account is deleted"


async def test_coming_back_after_a_deletion_gives_no_second_free_credit(services: Services) -> None:
    user = await signed_up(services)
    await services.personal.erase(user.id, user.email)
    await services.accounts.request_verification("ADA@example.com", "Ada again", PASSWORD)
    again = await services.accounts.verify(await link_token(services))
    assert again.individual_credits == 0
    assert (await signed_up(services, "bob@example.com", "Bob")).individual_credits == 1
