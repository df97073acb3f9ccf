"""Public links to reports: who can create, open, and revoke them, what they show, and what ends them automatically."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import text

from interviewer.core.database import Database
from interviewer.core.mail_console import Outbox
from interviewer.core.rate_limits import LIMITS, Action
from interviewer.core.users import User
from interviewer.errors import Conflict, NotFound, TooManyRequests
from interviewer.reports.sharing import GONE
from interviewer.settings import Settings
from interviewer.wiring import Services, build
from tests.conftest import NewUser
from tests.support.turns import started, take_all

CLIENT = "203.0.113.7"


def secret_of(link: str) -> str:
    return link.rsplit("/", 1)[1]


async def finished(services: Services, new_user: NewUser) -> tuple[User, int]:
    user = await new_user()
    return user, (await take_all(services, user)).id


async def test_link_opens_the_report_without_private_parts(services: Services, new_user: NewUser) -> None:
    user, interview_id = await finished(services, new_user)
    assert await services.sharing.since(user.id, interview_id) is None
    link, made = await services.sharing.share(user.id, interview_id)
    assert link.startswith(f"{services.settings.site_url}shared/")
    assert len(secret_of(link)) >= 43
    report = await services.sharing.read(secret_of(link), CLIENT)
    assert (report.percent, len(report.turns), report.turns[0].answer) == (100, 12, "The first, the second and the third.")
    assert report.readiness.headline == "Ready for a mid-level interview"
    assert report.lessons.skills
    assert all(one.practice is None for one in report.lessons.focus)
    assert (report.site_url, report.page_url) == ("", "")
    assert (report.coverage, report.suggestions) == ((), ())
    assert user.username not in repr(report)
    assert user.email not in repr(report)
    assert await services.sharing.since(user.id, interview_id) == made


async def test_only_the_hash_of_a_secret_is_stored(services: Services, new_user: NewUser, database: Database) -> None:
    user, interview_id = await finished(services, new_user)
    secret = secret_of((await services.sharing.share(user.id, interview_id))[0])
    async with database.transaction() as session:
        rows = (await session.execute(text("SELECT row_to_json(s)::text FROM report_shares s"))).scalars().all()
    assert len(rows) == 1
    assert secret not in rows[0]
    with pytest.raises(NotFound):
        await services.sharing.read(str(json.loads(rows[0])["token_hash"]), CLIENT)


async def test_revoked_and_unknown_links_get_the_same_error(services: Services, new_user: NewUser) -> None:
    user, interview_id = await finished(services, new_user)
    secret = secret_of((await services.sharing.share(user.id, interview_id))[0])
    await services.sharing.stop(user.id, interview_id)
    await services.sharing.stop(user.id, interview_id)
    for wrong in (secret, secret[:-1], "", "x" * 10_000, "\ud800", "../1", "1"):
        with pytest.raises(NotFound) as caught:
            await services.sharing.read(wrong, CLIENT)
        assert caught.value.user_message == GONE


async def test_new_link_revokes_the_previous_one(services: Services, new_user: NewUser) -> None:
    user, interview_id = await finished(services, new_user)
    links = [link for link, _ in await asyncio.gather(*(services.sharing.share(user.id, interview_id) for _ in range(5)))]
    alive = []
    for link in links:
        try:
            alive.append(await services.sharing.read(secret_of(link), CLIENT))
        except NotFound:
            continue
    assert len(set(links)) == 5
    assert len(alive) == 1


async def test_only_the_owner_can_share_or_revoke(services: Services, new_user: NewUser) -> None:
    user, interview_id = await finished(services, new_user)
    secret = secret_of((await services.sharing.share(user.id, interview_id))[0])
    stranger = await new_user()
    for attempt in (services.sharing.share, services.sharing.stop, services.sharing.since):
        for number in (interview_id, 0, -1, 999_999_999):
            with pytest.raises(NotFound):
                await attempt(stranger.id, number)
    assert await services.sharing.read(secret, CLIENT)


async def test_unfinished_interview_cannot_be_shared(services: Services, new_user: NewUser, database: Database) -> None:
    user = await new_user()
    interview_id, _ = await started(services, user)
    with pytest.raises(Conflict, match="isn't finished"):
        await services.sharing.share(user.id, interview_id)
    async with database.transaction() as session:
        assert (await session.execute(text("SELECT count(*) FROM report_shares"))).scalar_one() == 0


@pytest.mark.parametrize("end", ["account", "interview"])
async def test_deletion_revokes_the_link(services: Services, new_user: NewUser, database: Database, end: str) -> None:
    user, interview_id = await finished(services, new_user)
    secret = secret_of((await services.sharing.share(user.id, interview_id))[0])
    if end == "account":
        await services.personal.erase(user.id, user.email)
    else:
        async with database.transaction() as session:
            await session.execute(text("DELETE FROM interviews WHERE id = :id"), {"id": interview_id})
    with pytest.raises(NotFound, match="doesn't lead"):
        await services.sharing.read(secret, CLIENT)
    async with database.transaction() as session:
        assert (await session.execute(text("SELECT count(*) FROM report_shares"))).scalar_one() == 0


async def test_data_export_includes_the_share(services: Services, new_user: NewUser) -> None:
    user, interview_id = await finished(services, new_user)
    link, made = await services.sharing.share(user.id, interview_id)
    document = await services.personal.export(user.id)
    assert document["interviews"][0]["report_shared_since"] == made.isoformat()
    assert secret_of(link) not in json.dumps(document)


async def test_guessing_links_is_rate_limited(services: Services, database: Database, settings: Settings) -> None:
    limited = build(settings.model_copy(update={"rate_limits": True}), database=database, mailer=Outbox())
    allowed = int(LIMITS[Action.SHARED].client.partition("/")[0])
    for _ in range(allowed):
        with pytest.raises(NotFound):
            await limited.sharing.read("guess", "198.51.100.9")
    with pytest.raises(TooManyRequests):
        await limited.sharing.read("guess", "198.51.100.9")
    for adapter in limited.outside:
        await adapter.close()
