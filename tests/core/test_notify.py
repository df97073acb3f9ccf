"""Notifications of changed credits through PostgreSQL: which users are notified, when, and recovery from broken connections."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from interviewer.billing.apply_events import Settlement
from interviewer.billing.lemonsqueezy.bodies import read, understand
from interviewer.billing.webhooks import Webhooks
from interviewer.core import notify
from interviewer.core.database import Database
from interviewer.core.notify import Notifier
from interviewer.core.users import User
from tests.conftest import NewUser
from tests.support.billing import CATALOGUE, PRO, SECRET, send, shop

# Timeout in seconds, which is only reached if a test fails.
LONG = 30.0
NO_USER = 0


@asynccontextmanager
async def listening(database: Database) -> AsyncIterator[Notifier]:
    """Listen for notifications while the block runs. The block starts once PostgreSQL has registered the listener."""
    notifier = Notifier(database, retry=0.05)
    ready = asyncio.create_task(notifier.wait(NO_USER, LONG))
    await asyncio.sleep(0)
    task = asyncio.create_task(notifier.listen())
    assert await ready
    try:
        yield notifier
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


@pytest.fixture
async def notifier(database: Database) -> AsyncIterator[Notifier]:
    async with listening(database) as notifier:
        yield notifier


@pytest.fixture
async def elsewhere(database_url: str) -> AsyncIterator[Database]:
    """A second connection pool, which acts as another process."""
    other = Database(database_url, pool_size=5)
    yield other
    await other.close()


@pytest.fixture
async def user(new_user: NewUser) -> User:
    return await new_user(credits=0)


async def waiting(notifier: Notifier, user_id: int) -> asyncio.Task[bool]:
    """Start waiting for a notification, and return the task once the wait has begun."""
    task = asyncio.create_task(notifier.wait(user_id, LONG))
    await asyncio.sleep(0)
    return task


async def tell(database: Database, payload: str) -> None:
    async with database.transaction() as session:
        await session.execute(text("SELECT pg_notify(:channel, :payload)"), {"channel": notify.USERS_CHANNEL, "payload": payload})


async def listeners(database: Database) -> list[int]:
    """Return the backend PIDs of the connections that listen on this database."""
    async with database.transaction() as session:
        statement = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        return list((await session.execute(text(statement))).scalars())


# -- which users are notified ----------------------------------------------------------------------------------------


async def test_delivery_applied_elsewhere_wakes_only_its_user(notifier: Notifier, elsewhere: Database, new_user: NewUser) -> None:
    buyer, other = await new_user(), await new_user()
    tabs = [await waiting(notifier, buyer.id) for _ in range(2)]
    bystander = await waiting(notifier, other.id)
    await send(Webhooks(elsewhere, CATALOGUE, SECRET), *shop().buy(buyer.email, custom=None)[1])
    assert [await tab for tab in tabs] == [True, True]
    assert not bystander.done()
    # The next delivery wakes the other user, so a wrong wake-up would have been noticed by now.
    await send(Webhooks(elsewhere, CATALOGUE, SECRET), *shop(first_id=2_000_000).buy(other.email, custom=None)[1])
    assert await bystander


async def test_user_is_not_woken_before_commit(notifier: Notifier, database: Database, elsewhere: Database, user: User) -> None:
    [delivery] = shop().buy(user.email, custom=None)[1]
    tab = await waiting(notifier, user.id)
    async with database.transaction() as session:
        await Settlement(CATALOGUE).apply(session, understand(read(delivery.body)))
        # Other notifications arrive in the meantime, but this one is only sent when its transaction commits.
        marker = await waiting(notifier, NO_USER)
        await tell(elsewhere, str(NO_USER))
        assert await marker
        assert not tab.done()
    assert await tab


async def test_rolled_back_change_wakes_no_user(notifier: Notifier, database: Database, elsewhere: Database, user: User) -> None:
    [delivery] = shop().buy(user.email, custom=None)[1]
    tab = await waiting(notifier, user.id)
    async with database.transaction() as session:
        await Settlement(CATALOGUE).apply(session, understand(read(delivery.body)))
        await session.rollback()
    marker = await waiting(notifier, NO_USER)
    await tell(elsewhere, str(NO_USER))
    assert await marker
    assert not tab.done()
    tab.cancel()


async def test_subscription_changes_wake_user(notifier: Notifier, elsewhere: Database, user: User) -> None:
    store = shop()
    id, deliveries = store.subscribe(user.email, PRO, custom=None)
    await send(Webhooks(elsewhere, CATALOGUE, SECRET), *deliveries)
    for step in (store.cancel, store.resume, store.renew, store.fail):
        for delivery in step(id):
            tab = await waiting(notifier, user.id)
            await send(Webhooks(elsewhere, CATALOGUE, SECRET), delivery)
            assert await tab, delivery.event


async def test_finished_wait_leaves_nothing_behind(notifier: Notifier, user: User) -> None:
    assert not await notifier.wait(user.id, 0)
    assert not await notifier.wait(user.id, 0.01)
    tab = await waiting(notifier, user.id)
    tab.cancel()
    await asyncio.wait([tab])
    assert notifier._waiting == {}


# -- failures --------------------------------------------------------------------------------------------------------


async def test_broken_connection_is_reopened_and_wakes_all_once(
    notifier: Notifier, database: Database, elsewhere: Database, new_user: NewUser, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = await new_user(), await new_user()
    tabs = [await waiting(notifier, user.id) for user in (one, two)]
    [pid] = await listeners(database)
    async with database.transaction() as session:
        await session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    assert [await tab for tab in tabs] == [True, True]
    assert set(await listeners(database)) - {pid}
    # Users are woken once; from now on, only notifications wake them.
    tabs = [await waiting(notifier, user.id) for user in (one, two)]
    await send(Webhooks(elsewhere, CATALOGUE, SECRET), *shop().buy(two.email, custom=None)[1])
    assert await tabs[1]
    assert not tabs[0].done()
    tabs[0].cancel()
    messages = [record.message for record in caplog.records if record.name == "interviewer.core.notify"]
    assert ["broke" in messages[0], "is back" in messages[1], len(messages)] == [True, True, 2]


@pytest.mark.parametrize("payload", ["", "x", "-1", "1.5", "9" * 5000, "1; DROP TABLE users", "\N{ARABIC-INDIC DIGIT ONE}"])
async def test_invalid_payload_is_ignored(
    notifier: Notifier, database: Database, elsewhere: Database, user: User, payload: str
) -> None:
    [pid] = await listeners(database)
    tab = await waiting(notifier, user.id)
    await tell(elsewhere, payload)
    assert not tab.done()
    await tell(elsewhere, str(user.id))
    assert await tab
    assert await listeners(database) == [pid]


@pytest.mark.parametrize("option", ["sslmode=confidential", "no_such_option=confidential"])
async def test_unusable_address_does_not_end_listener(
    option: str, database: Database, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    odd = Database(f"postgresql://nobody:confidential@127.0.0.1:1/nothing?{option}")
    task = asyncio.create_task(Notifier(odd, retry=0).listen())
    while "broke" not in caplog.text and not task.done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    for _ in range(100):
        await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert caplog.text.count("broke") == 1, "logged once, however often it is retried"
    assert "confidential" not in caplog.text
    await odd.close()


async def test_dropped_connections_are_reopened_repeatedly(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    calls = 0

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        database = Database(f"postgresql://nobody:confidential@127.0.0.1:{port}/nothing?sslmode=disable")
        task = asyncio.create_task(Notifier(database, retry=0).listen())
        while calls < 5 and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        await database.close()
    assert task.cancelled()
    assert caplog.text.count("broke") == 1
    assert "confidential" not in caplog.text


# -- database URLs ---------------------------------------------------------------------------------------------------

NAME, PASSWORD = "odd @:/?&=%20+' ☃", "confidential @:/?&=%20+'\\ ☃"


@pytest.fixture
def odd_url(make_database: Callable[[str], str], server_url: str) -> Iterator[str]:
    """A database URL with special characters in the database name, user, and password."""
    url = make_url(make_database(NAME))
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    quoted = PASSWORD.replace("'", "''")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE ROLE \"{NAME}\" LOGIN PASSWORD '{quoted}'".replace(":", "\\:")))
    yield url.set(username=NAME, password=PASSWORD).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f'DROP ROLE "{NAME}"'.replace(":", "\\:")))
    engine.dispose()


async def woken(url: str) -> bool:
    """Return whether notifications arrive over a connection to this URL. Returns False on timeout."""
    database = Database(url, pool_size=1)
    async with listening(database) as notifier:
        tab = await waiting(notifier, 7)
        await tell(database, "7")
        happened = await tab
    await database.close()
    return happened


async def test_special_characters_in_address_work(odd_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert await woken(odd_url)
    assert "confidential" not in caplog.text


async def test_special_characters_in_socket_folder_work(server_url: str) -> None:
    url = make_url(server_url)
    folder = str(url.query.get("host", ""))
    if not folder.startswith("/"):
        pytest.skip("this server has no socket")
    with tempfile.TemporaryDirectory() as parent:
        (Path(parent) / NAME.replace("/", "")).symlink_to(folder)
        odd = url.update_query_dict({"host": f"{parent}/{NAME.replace('/', '')}"})
        assert await woken(odd.render_as_string(hide_password=False))
