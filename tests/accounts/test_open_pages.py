"""Open pages: which state a connection leads to, and what happens when its session or share ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from interviewer.accounts import open_pages
from interviewer.accounts.browser_sessions import hashed
from interviewer.accounts.open_pages import Connection, OpenPages, Standing
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.errors import Unavailable
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.turns import take_all

TOKEN = "a tab"


@dataclass
class Forgotten:
    """Records the states and reports that `OpenPages` asks to drop."""

    states: list[str] = field(default_factory=list)
    reports: list[tuple[str, str]] = field(default_factory=list)

    async def state(self, key: str) -> None:
        self.states.append(key)

    async def report(self, key: str, share: str) -> None:
        self.reports.append((key, share))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Close ended pages without the grace period."""
    monkeypatch.setattr(open_pages, "GRACE", 0.0)


@pytest.fixture
def pages(services: Services) -> OpenPages:
    return services.open_pages


@pytest.fixture
async def user(new_user: NewUser) -> User:
    return await new_user()


def closable(connection: Connection) -> list[str]:
    """Replace a connection's `close`. Returns a list to which the connection's key is added when it is closed."""
    closed: list[str] = []

    async def close() -> None:
        closed.append(connection.key)

    connection.close = close
    return closed


async def looked(pages: OpenPages) -> Forgotten:
    """Check for ended sessions and shares, wait until their cleanup is done, and return what was dropped."""
    forgotten = Forgotten()
    await pages.look(forgotten)
    await pages._closing.settle()
    await pages._closing.settle()
    return forgotten


@pytest.fixture
async def statements(database: Database) -> AsyncIterator[list[str]]:
    """The SQL statements sent to the database, added as they are executed."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    yield asked
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)


# -- which state a connection leads to ---------------------------------------------------------------------------------


async def test_same_token_and_session_lead_to_the_same_state(pages: OpenPages, services: Services, user: User) -> None:
    secret, other = [await services.sessions.open(user) for _ in range(2)]
    connections = [
        await pages.connect(token, cookie)
        for token, cookie in ((TOKEN, secret), (TOKEN, secret), ("another tab", secret), (TOKEN, other), (TOKEN, ""))
    ]
    keys = [connection.key for connection in connections]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4
    assert {connection.standing for connection in connections} == {Standing.LIVE}


@pytest.mark.parametrize("how", ["never was", "signed out", "expired", "account deleted"])
async def test_ended_session_leads_to_another_state(
    how: str, pages: OpenPages, services: Services, database: Database, user: User
) -> None:
    secret = await services.sessions.open(user)
    before = await pages.connect(TOKEN, secret)
    match how:
        case "never was":
            secret = "made up"
        case "signed out":
            await services.sessions.close(secret)
        case "expired":
            async with database.transaction() as session:
                await session.execute(text("UPDATE sessions SET expires_at = :at"), {"at": utcnow() - timedelta(seconds=1)})
        case _:
            await services.personal.erase(user.id, user.email)
    after = await pages.connect(TOKEN, secret)
    assert after.standing is Standing.ENDED
    visitor = await pages.connect(TOKEN, "")
    assert len({before.key, after.key, visitor.key}) == 3


async def test_state_key_does_not_work_as_a_token(pages: OpenPages) -> None:
    connection = await pages.connect(TOKEN, "")
    assert (await pages.connect(connection.key, "")).key != connection.key


async def test_connecting_takes_at_most_one_statement(
    pages: OpenPages, services: Services, user: User, statements: list[str]
) -> None:
    secret = await services.sessions.open(user)
    statements.clear()
    await pages.connect(TOKEN, "")
    assert statements == []
    connection = await pages.connect(TOKEN, secret)
    assert await pages.check(connection.key, secret, "") == (True, True)
    assert len(statements) == 1
    pages.show(connection.key, hashed("a link"))
    statements.clear()
    again = await pages.connect(TOKEN, secret)
    pages.touch(again.key)
    assert len(statements) == 1, "session and share link are checked in one statement"


async def test_unavailable_database_leads_to_empty_states(
    pages: OpenPages, services: Services, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await services.sessions.open(user)
    before = await pages.connect(TOKEN, secret)
    away = Database("postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setattr(pages, "_database", away)
    first, second = await pages.connect(TOKEN, secret), await pages.connect(TOKEN, secret)
    assert first.standing is second.standing is Standing.UNKNOWN
    assert len({before.key, first.key, second.key}) == 3
    with pytest.raises(Unavailable):
        await looked(pages)
    closed = closable(first)
    monkeypatch.setattr(pages, "_database", services.database)
    forgotten = await looked(pages)
    assert closed == [first.key], "the page recovers its state with a new connection"
    assert set(forgotten.states) == {first.key, second.key}
    await away.close()


# -- full sends of a state ---------------------------------------------------------------------------------------------


async def test_second_full_send_is_checked(pages: OpenPages, services: Services, user: User) -> None:
    secret = await services.sessions.open(user)
    connection = await pages.connect(TOKEN, secret)
    for _ in range(3):
        assert await pages.check(connection.key, secret, "") == (True, True)
    await services.sessions.close(secret)
    assert await pages.check(connection.key, secret, "") == (False, True)


async def test_page_without_a_known_connection_is_checked_by_cookie(pages: OpenPages, services: Services, user: User) -> None:
    secret = await services.sessions.open(user)
    assert await pages.check("a key of Reflex's own", secret, "") == (True, True)
    await services.sessions.close(secret)
    assert await pages.check("a key of Reflex's own", secret, "") == (False, True)


async def test_share_is_checked_before_its_report_is_sent(pages: OpenPages, services: Services, user: User) -> None:
    interview_id = (await take_all(services, user)).id
    link, _ = await services.sharing.share(user.id, interview_id)
    share = hashed(link.rpartition("/")[2])
    connection = await pages.connect(TOKEN, "")
    pages.show(connection.key, share)
    assert await pages.check(connection.key, "", share) == (True, True)
    assert await pages.check(connection.key, "", share) == (True, True)
    await services.sharing.stop(user.id, interview_id)
    assert await pages.check(connection.key, "", share) == (True, False)


# -- ended sessions and shares -----------------------------------------------------------------------------------------


async def test_only_ended_sessions_lose_pages_and_states(pages: OpenPages, services: Services, user: User) -> None:
    secret, other = [await services.sessions.open(user) for _ in range(2)]
    open_page, closed_page, bystander, anonymous = [
        await pages.connect(token, cookie) for token, cookie in (("1", secret), ("2", secret), ("3", other), ("4", ""))
    ]
    pages.disconnect(closed_page)
    closed = [closable(connection) for connection in (open_page, bystander, anonymous)]
    assert (await looked(pages)).states == []
    await services.sessions.close(secret)
    forgotten = await looked(pages)
    assert set(forgotten.states) == {open_page.key, closed_page.key}, "the state of a closed page is dropped too"
    assert closed == [[open_page.key], [], []]
    assert open_page.ended
    assert (await looked(pages)).states == []


async def test_ended_share_is_removed_from_its_page(pages: OpenPages, services: Services, user: User) -> None:
    interview_id = (await take_all(services, user)).id
    link, _ = await services.sharing.share(user.id, interview_id)
    share = hashed(link.rpartition("/")[2])
    reader = await pages.connect(TOKEN, "")
    closed = closable(reader)
    pages.show(reader.key, share)
    assert (await looked(pages)).reports == []
    await services.sharing.share(user.id, interview_id)
    assert (await looked(pages)).reports == [(reader.key, share)]
    assert (await looked(pages)).reports == []
    assert closed == []


@pytest.mark.parametrize("how", ["close", "end_all", "end", "erase", "sign out of a share"])
async def test_ended_session_or_share_triggers_a_check_at_once(
    how: str, pages: OpenPages, services: Services, user: User, database_url: str
) -> None:
    secret = await services.sessions.open(user)
    interview_id = (await take_all(services, user)).id
    link, _ = await services.sharing.share(user.id, interview_id)
    page = await pages.connect(TOKEN, secret)
    pages.show(page.key, hashed(link.rpartition("/")[2]))
    [device] = await services.sessions.devices(user.id, secret)
    listening = asyncio.create_task(services.notifier.listen())
    forgotten = Forgotten()
    watching = asyncio.create_task(pages.watch(forgotten))
    await asyncio.sleep(0.3)
    ways: dict[str, Callable[[], Awaitable[None]]] = {
        "close": lambda: services.sessions.close(secret),
        "end_all": lambda: services.sessions.end_all(user.id),
        "end": lambda: services.sessions.end(user.id, device.id),
        "erase": lambda: services.personal.erase(user.id, user.email),
        "sign out of a share": lambda: services.sharing.stop(user.id, interview_id),
    }
    await ways[how]()
    async with asyncio.timeout(5):
        while not forgotten.states and not forgotten.reports:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    for task in (listening, watching):
        task.cancel()
    await asyncio.wait([listening, watching])


async def test_closed_pages_without_session_or_share_are_forgotten(pages: OpenPages, services: Services, user: User) -> None:
    secret = await services.sessions.open(user)
    for number in range(10):
        pages.disconnect(await pages.connect(str(number), ""))
        pages.disconnect(await pages.connect(str(number), f"made up {number}"))
    assert not pages._kept
    assert not pages._connections
    assert not pages._by_key
    signed_in = await pages.connect(TOKEN, secret)
    pages.disconnect(signed_in)
    assert set(pages._kept) == {signed_in.key}


async def test_expired_state_is_not_looked_up(
    pages: OpenPages, services: Services, user: User, monkeypatch: pytest.MonkeyPatch, statements: list[str]
) -> None:
    pages.disconnect(await pages.connect(TOKEN, await services.sessions.open(user)))
    monkeypatch.setattr(open_pages, "STATE_LIFETIME", -1.0)
    statements.clear()
    await looked(pages)
    assert statements == []
    assert not pages._kept
