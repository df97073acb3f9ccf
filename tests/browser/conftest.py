"""A site with users, and browser pages that record their errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from playwright.sync_api import Browser
from sqlalchemy import NullPool, create_engine, make_url, text

from tests.support.pages import Visitors, Watched
from tests.support.people import seed
from tests.support.site import Site, ready


@pytest.fixture(scope="session")
def people_url(make_database: Callable[[str], str]) -> str:
    """URL of the database of the site with users."""
    return make_database("people")


@pytest.fixture(scope="session")
def visitors(make_site: Callable[..., Site], people_url: str, browser: Browser) -> Visitors:
    """A site with two users, one of whom has past interviews. Its outbox contains a mail."""
    site = make_site(DATABASE_URL=people_url)
    visitors = Visitors(site.url, *seed(people_url, history=2))
    page = browser.new_page()
    page.goto(f"{site.url}/reset-request")
    ready(page)
    page.get_by_label("Email").fill(visitors.veteran.email)
    page.get_by_role("button", name="Email me a link").click()
    page.get_by_role("status").filter(has_text=visitors.veteran.email).wait_for()
    page.close()
    return visitors


@pytest.fixture(scope="module")
def watched(visitors: Visitors, browser: Browser) -> Iterator[Watched]:
    """One page shared by the tests of a module. Its session cookie decides which user is signed in."""
    page = browser.new_page()
    yield Watched(page)
    page.close()


@pytest.fixture
def database_unavailable(visitors: Visitors, people_url: str, server_url: str) -> Callable[[], AbstractContextManager[None]]:
    """Return a context manager that refuses all connections to the database of the site with users."""
    name = make_url(people_url).database

    @contextmanager
    def away() -> Iterator[None]:
        admin = create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with admin.connect() as connection:
            connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
            connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :n"), {"n": name})
            try:
                yield
            finally:
                connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))

    return away
