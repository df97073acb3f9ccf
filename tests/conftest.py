"""Fixtures shared by all tests: a migrated PostgreSQL database, services that use it, and users with credits."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import create_engine, make_url, text

from interviewer import frontend, wiring
from interviewer.accounts.oauth import OAuth
from interviewer.billing.lemonsqueezy.client import LemonSqueezy
from interviewer.core.database import Database, driver_url
from interviewer.core.embedded_postgres.server import EmbeddedPostgres
from interviewer.core.mail_console import Outbox
from interviewer.core.migrations import migrate
from interviewer.core.users import User
from interviewer.credits import ledger
from interviewer.credits.rules import CreditType
from interviewer.settings import Settings
from tests.support import lemonsqueezy_server
from tests.support.billing import shop
from tests.support.browser import CHROMIUM_ARGUMENTS, chromium
from tests.support.cleaning import delete_every_row
from tests.support.interviewer import ScriptedInterviewer
from tests.support.lemonsqueezy_server import Behavior
from tests.support.site import Site

# Ignore the configuration of the machine that runs the tests.
os.environ["ENV_FILE"] = os.devnull

# A busy machine is no failure.
hypothesis.settings.register_profile(
    "tests", hypothesis.settings(), deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tests")


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """URL of a PostgreSQL server: DATABASE_URL, or an embedded server started for the tests."""
    if given := os.environ.get("DATABASE_URL"):
        yield driver_url(given)
        return
    with tempfile.TemporaryDirectory(prefix="interviewer-test-") as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        url = driver_url(server.start())
        _disable_disk_syncs(url)
        yield url
        server.stop()


def _disable_disk_syncs(url: str) -> None:
    """Disable disk syncs on the embedded server, because its data does not need to survive a crash."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


@pytest.fixture(scope="session")
def make_database(server_url: str) -> Iterator[Callable[[str], str]]:
    """Return a factory for empty databases on the server. They are dropped at the end."""
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    made = []

    def make(suffix: str) -> str:
        name = f"interviewer_test_{os.getpid()}_{suffix}"
        with admin.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        made.append(name)
        return make_url(server_url).set(database=name).render_as_string(hide_password=False)

    yield make
    with admin.connect() as connection:
        for name in made:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    admin.dispose()


@pytest.fixture(scope="session")
def database_url(make_database: Callable[[str], str]) -> str:
    """URL of a fully migrated database. Each test process has its own."""
    url = make_database("main")
    migrate(url)
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A connection pool on a migrated database that is emptied after each test.

    Tests really commit, so locks and constraints are real.
    """
    database = Database(database_url, pool_size=20)
    yield database
    await delete_every_row(database)
    await database.close()


@pytest.fixture
def settings() -> Settings:
    """Settings independent of the environment and `.env` of the machine."""
    return Settings(_env_file=None, port=3999, database_url=None, openai_api_key=None, openai_base_url=None, frontend_url="")


@pytest.fixture
def interviewer() -> ScriptedInterviewer:
    """An interviewer with responses that the test defines."""
    return ScriptedInterviewer()


@pytest.fixture
def oauth() -> OAuth | None:
    """The OAuth provider, which is None unless a test module overrides this fixture."""
    return None


@pytest.fixture
def payments() -> LemonSqueezy | None:
    """The payment service, which is None unless a test module overrides this fixture."""
    return None


@pytest.fixture(scope="session")
def lemon_server() -> Iterator[tuple[str, Behavior]]:
    """URL and behavior of a fake Lemon Squeezy. Each test process has only one, because it is slow to stop."""
    behavior = Behavior()
    with lemonsqueezy_server.running(behavior) as url:
        yield url, behavior


@pytest.fixture
def lemon(lemon_server: tuple[str, Behavior]) -> Behavior:
    """The behavior of the fake Lemon Squeezy, reset for each test. Its store sells our products."""
    vars(lemon_server[1]).update(vars(Behavior(store=shop())))
    return lemon_server[1]


@pytest.fixture
async def services(
    database: Database, interviewer: ScriptedInterviewer, settings: Settings, oauth: OAuth | None, payments: LemonSqueezy | None
) -> AsyncIterator[wiring.Services]:
    """All services on the test database, with the scripted interviewer and an in-memory outbox."""
    services = wiring.build(settings, database=database, interviewer=interviewer, mailer=Outbox(), oauth=oauth, payments=payments)
    wiring.use(services)
    yield services
    await services.interviews.close()
    await services.receipts.close()
    await services.mail_sender.settle()
    wiring.use(None)


NewUser = Callable[..., Awaitable[User]]


@pytest.fixture
def new_user(database: Database) -> NewUser:
    """Return a factory for accounts with the given number of individual credits."""
    count = 0

    async def make(credits: int = 1) -> User:
        nonlocal count
        count += 1
        async with database.transaction() as session:
            user = User(email=f"user{count}@example.com", username=f"User {count}")
            session.add(user)
            await session.flush()
            for number in range(credits):
                await ledger.change(
                    session,
                    user,
                    CreditType.INDIVIDUAL,
                    1,
                    reason="test",
                    source="test",
                    business_key=f"test:{user.id}:{number}",
                )
        return user

    return make


# -- running sites and the browser ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def built() -> None:
    """Build the frontend from the current sources unless the build is up to date."""
    settings = Settings(_env_file=None)
    if not frontend.is_fresh(settings):
        frontend.build(settings)


@pytest.fixture(scope="session")
def make_site(
    built: None, make_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Site]]:
    """Return a factory that starts sites, each on its own database. They are stopped at the end."""
    sites: list[Site] = []

    def make(**environment: str) -> Site:
        number = len(sites)
        site = Site(tmp_path_factory.mktemp(f"site{number}"), make_database(f"site{number}"), **environment)
        sites.append(site)
        return site.start()

    yield make
    for site in sites:
        site.stop()


@pytest.fixture(scope="session")
def site(make_site: Callable[..., Site]) -> Site:
    """A site with the built-in interviewer, shared by the tests that do not stop it."""
    return make_site()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the Chromium that `chromium()` finds, because Playwright's own is not available everywhere."""
    return {**browser_type_launch_args, "executable_path": chromium(), "args": CHROMIUM_ARGUMENTS}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need a running site, keep them in one process per file, and run browser tests last.

    Playwright keeps its event loop running, so no other event loop can run in that process afterward.
    """
    for item in items:
        if {"site", "make_site"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("site")
        # Starting a site takes longer than most tests of a file together, so the tests of a file share a process. All other
        # tests are distributed freely.
        if item.get_closest_marker("site") or _in_browser(item):
            item.add_marker(pytest.mark.xdist_group(item.path.name))
    items.sort(key=_in_browser)


def _in_browser(item: pytest.Item) -> bool:
    return item.get_closest_marker("browser") is not None
