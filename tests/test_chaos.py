"""Workers that are killed during interviews. Short versions of `make chaos`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from interviewer.core.migrations import migrate
from interviewer.interviews.exchange import Kind
from tests.chaos import talks
from tests.chaos.checking import discrepancies
from tests.chaos.crowd import connected, make_accounts
from tests.chaos.load import valkey
from tests.chaos.people import Pace, Person
from tests.chaos.talking import differences
from tests.chaos.watching import log_errors
from tests.support import openai_server
from tests.support.site import Site

pytestmark = pytest.mark.site

PEOPLE, TURNS_AFTER, TOO_LONG = 6, 2, 100.0
QUICK = Pace(think=(0.0, 1.0), sentences=(2, 4))
# Corruptions that the checks must detect.
CORRUPTIONS = (
    "UPDATE messages SET content = 'other words' WHERE id = (SELECT min(id) FROM messages)",
    "DELETE FROM verdicts WHERE message_id = (SELECT min(message_id) FROM verdicts)",
    "DELETE FROM questions WHERE position = 2",
    "UPDATE users SET individual_credits = individual_credits + 1",
)
# The same for conversations, each with a part of the sentence that reports it.
SPOILED = (
    ("UPDATE messages SET content = 'other words.' WHERE id = (SELECT min(id) FROM messages)", "sent were"),
    ("DELETE FROM messages WHERE id = (SELECT min(id) FROM messages WHERE author = 'interviewer')", "has messages by"),
    ("UPDATE verdicts SET score = 10 - score WHERE id IN (SELECT id FROM verdicts WHERE score <> 5 LIMIT 1)", "has the score"),
    (
        "UPDATE messages SET kind = 'answer' WHERE kind = 'clarification' AND author = 'user'",
        "has the message answer with",
    ),
    ("UPDATE users SET individual_credits = individual_credits + 1", "the ledger says"),
)
TALKERS, PROGRAMS, KILLS = 4, 2, 2


@pytest.fixture
def database(make_database: Callable[[str], str]) -> str:
    """URL of a separate, migrated database."""
    url = make_database("chaos")
    migrate(url)
    return url


@pytest.fixture
def workers(built: None, database: str, tmp_path: Path) -> Iterator[list[Site]]:
    """Two workers that share a database and a Valkey server, with a fake model that streams its replies."""
    behavior = openai_server.Behavior(first=0.1, rate=100, feedback_tokens=100)
    with ExitStack() as stack:
        model, store = stack.enter_context(openai_server.running(behavior)), stack.enter_context(valkey())
        sites = []
        for _ in range(2):
            site = Site(tmp_path, database, OPENAI_BASE_URL=model, OPENAI_MODEL="test", REDIS_URL=store.connection_url)
            sites.append(site.start())
            stack.callback(site.stop)
        yield sites


async def until(what: Callable[[], bool]) -> None:
    """Wait until a condition is true. Raises TimeoutError after `TOO_LONG` seconds."""
    async with asyncio.timeout(TOO_LONG):
        while not what():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_interviews_continue_when_one_of_two_workers_is_killed(workers: Sequence[Site], database: str) -> None:
    ports = [site.port for site in workers]
    accounts = make_accounts(database, PEOPLE, credits=2)
    people = [Person(account, ports if account.id % 2 else ports[::-1], QUICK) for account in accounts]
    of_the_first = [person for person in people if person.ports[0] == ports[0]]
    stop = asyncio.Event()
    visits = [asyncio.create_task(person.visit(stop)) for person in people]

    await until(lambda: all(person.turns for person in people) and any(person.waits for person in of_the_first))
    workers[0].kill()
    turns = [len(person.turns) for person in people]
    await until(lambda: all(len(person.turns) >= before + TURNS_AFTER for person, before in zip(people, turns, strict=True)))
    await asyncio.to_thread(workers[0].start)
    stop.set()
    await asyncio.gather(*visits)

    assert all(person.backs for person in of_the_first), "all users of the first worker came back on the other"
    assert not any(person.backs for person in people if person not in of_the_first)
    assert [complaint for person in people for complaint in person.complaints] == []
    assert sum(person.pushed for person in people) == 0
    assert discrepancies(database, people) == []
    assert log_errors(workers) == []

    # The checks detect corrupted data.
    with connected(database) as connection:
        for spoil in CORRUPTIONS:
            connection.execute(text(spoil))
    found = " ".join(discrepancies(database, people))
    for complaint in ("different text", "no verdict", "has the questions", "the ledger says"):
        assert complaint in found


async def test_conversations_continue_when_the_worker_is_killed(built: None, database: str, tmp_path: Path) -> None:
    with openai_server.running(talks.model()) as url:
        site = Site(tmp_path, database, OPENAI_BASE_URL=url, OPENAI_MODEL="test").start()
        people, programs = await asyncio.to_thread(talks.crowd, database, site, TALKERS, PROGRAMS)
        who, stop = talks.everyone(people, programs), asyncio.Event()
        visits = [asyncio.create_task(talks.visit(one, stop)) for one in who]
        for kill in range(1, KILLS + 1):
            wanted = 2 * kill
            await until(lambda: all(len(one.words.sent) >= wanted for one in who) and any(one.waits for one in who))  # noqa: B023
            await asyncio.to_thread(site.kill)
            await asyncio.to_thread(site.start)
        sent = {spoken.kind for one in who for spoken in one.words.sent}
        stop.set()
        await asyncio.gather(*visits)
        site.stop()

    assert sent >= {Kind.ANSWER, Kind.CLARIFICATION, Kind.HINT}
    assert [complaint for one in who for complaint in one.complaints] == []
    assert sum(person.pushed for person in people) == 0
    assert differences(database, who) == []
    assert log_errors([site]) == []

    # The checks detect corrupted data.
    for statement, complaint in SPOILED:
        with connected(database) as connection:
            connection.execute(text(statement))
        assert complaint in " ".join(differences(database, who)), statement
