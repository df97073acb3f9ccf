"""Simulated users in interviews: what they do, what they see, and how long text takes to reach them."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from interviewer.accounts.browser_sessions import COOKIE
from interviewer.interviews.plan import STANDARD
from tests.chaos.crowd import Account
from tests.chaos.tabs import Tab, form
from tests.support.openai_server import STAMPS_END

PAGE = "/interview"
STATE = "reflex___state____state.interviewer___state___interview____interview_state"
# Seconds after which users press a button again, and after which the simulation considers the page broken.
PATIENCE = 5.0
TOO_LONG = 90.0
_STAMP = re.compile(r"\bt(\d{7})\b")
_SENTENCES = (
    "First I would measure where the time goes, because a guess is usually wrong.",
    "In my last project we had the same trouble with a table of two hundred million rows.",
    "I put an index on customer and date, in that order, because every query names the customer.",
    "The trade-off is slower writes and more memory, which we could afford.",
    "Every write carries an idempotency key, so a retry after a timeout does no harm.",
    "I would keep the transaction short and take the lock on the row, not on the table.",
    "Reads go to a replica; what has just been written is read from the primary for a minute.",
    "We watched p95 and the error rate for a week before we turned the old path off.",
    "If that is not enough, I would cut the work into a queue and answer with 202.",
    "Backoff with jitter keeps a thousand clients from coming back in the same second.",
)


@dataclass
class Answer:
    """An answer that was sent.

    `taken` is when the page showed the answer as accepted, and `over` is when the verdict and the next question were there. Both
    are wall-clock times, and 0 until then.
    """

    question_id: int
    position: int
    text: str
    taken: float = 0.0
    over: float = 0.0


@dataclass
class Seen:
    """What a page showed at the end of a visit."""

    phase: str
    interview_id: int
    question_id: int
    last_question_id: int
    last_score: int | None
    dots: list[str]


@dataclass(frozen=True)
class Pace:
    """The range of seconds that a user thinks before an answer, and the range of sentences in an answer."""

    think: tuple[float, float] = (20.0, 40.0)
    sentences: tuple[int, int] = (5, 14)


@dataclass
class Person:
    """A simulated user who takes interviews with one account. `ports` are the workers', starting with the preferred one."""

    account: Account
    ports: Sequence[int]
    pace: Pace
    answers: list[Answer] = field(default_factory=list)
    started: list[int] = field(default_factory=list)  # interview IDs
    delays: list[tuple[float, float]] = field(default_factory=list)  # (wall-clock time, delay in ms) of each new stamp
    backs: list[float] = field(default_factory=list)  # seconds that each visit took to reconnect, if its connection was lost
    again: int = 0  # number of failed attempts to send a form
    pushed: int = 0  # number of times that work continued only after a button was pressed
    complaints: list[str] = field(default_factory=list)
    seen: Seen | None = None

    def __post_init__(self) -> None:
        self._chance = random.Random(self.account.id)
        self._stamps: set[str] = set()

    @property
    def turns(self) -> list[float]:
        """The wall-clock times at which turns were completed."""
        return [answer.over for answer in self.answers if answer.over]

    @property
    def waits(self) -> bool:
        """Whether the last answer was accepted and its verdict or next question is still missing."""
        return any(answer.taken and not answer.over for answer in self.answers[-1:])

    @property
    def start_form(self) -> dict[str, Any]:
        """The form that starts an interview: a standard one, without a job."""
        return form(job="")

    # -- what the page shows ------------------------------------------------------------------------------------

    def _page(self, tab: Tab) -> dict[str, Any]:
        return {name.removesuffix("_rx_state_"): value for name, value in tab.state.get(STATE, {}).items()}

    def _shown(self, tab: Tab, name: str) -> Any:
        return tab.state[STATE][f"{name}_rx_state_"]

    def received(self, frame: str, now: float) -> None:
        """Record the delay of each stamp that is received for the first time."""
        for stamp in _STAMP.findall(frame):
            if stamp not in self._stamps:
                self._stamps.add(stamp)
                self.delays.append((now, (int(now * 1000) - int(stamp)) % STAMPS_END))

    # -- what a user does ---------------------------------------------------------------------------------------

    async def visit(self, stop: asyncio.Event, interviews: int = 1) -> None:
        """Open the page and take up to this many interviews, until `stop` is set or an interview cannot continue.

        Then wait until the page is idle.
        """
        await self._load()
        async with self.tab() as tab:
            while not stop.is_set() and len(self.started) < interviews and await self._take(tab, stop):
                pass
            await self.finish(tab)

    def tab(self) -> Tab:
        """Return a new page that is not open yet."""
        return Tab(self.ports, PAGE, self.account.cookie, self.received)

    async def _load(self) -> None:
        """Load the page's HTML from the first worker that responds."""
        async with httpx2.AsyncClient(cookies={COOKIE: self.account.cookie}, timeout=30) as client:
            for port in self.ports:
                try:
                    status = (await client.get(f"http://localhost:{port}{PAGE}", follow_redirects=True)).status_code
                except httpx2.TransportError:
                    continue
                if status != 200:
                    self.complaints.append(f"the page returned {status}")
                return

    async def _take(self, tab: Tab, stop: asyncio.Event) -> bool:
        """Take an interview until it ends or `stop` is set. Returns False if it cannot continue."""
        if not await self.ensure_started(tab):
            return False
        while not stop.is_set() and self._shown(tab, "phase") == "live":
            if await self.think(stop):
                break
            if not await self.answer(tab):
                return False
        return True

    async def think(self, stop: asyncio.Event) -> bool:
        """Wait for a random thinking time. Returns True if `stop` was set in the meantime."""
        try:
            await asyncio.wait_for(stop.wait(), self._chance.uniform(*self.pace.think))
        except TimeoutError:
            return False
        return True

    async def ensure_started(self, tab: Tab) -> bool:
        """Start an interview or continue the current one. Returns False if the page or the question does not load in time."""
        if not await tab.until(lambda: tab.hydrated and self._shown(tab, "phase") != "loading", TOO_LONG):
            return self._broken(tab, "the page did not load")
        if self._shown(tab, "phase") == "finished":
            await tab.send(f"{STATE}.start_another")
            await tab.until(lambda: self._shown(tab, "phase") == "start", PATIENCE)
        if self._shown(tab, "phase") == "start":
            await self._send_until_done(tab, f"{STATE}.start", self.start_form, lambda: self._shown(tab, "interview_id") != 0)
        if not await tab.until(lambda: self._question(tab) != 0, TOO_LONG):
            return self._broken(tab, "there was no first question")
        if (id := self._shown(tab, "interview_id")) not in self.started:
            self.started.append(id)
        return True

    def _question(self, tab: Tab) -> int:
        return int(self._shown(tab, "question")["question_id"])

    async def answer(self, tab: Tab) -> bool:
        """Answer the current question, and wait for the verdict and the next question. Returns False on failure."""
        given = await self.send_answer(tab)
        return given is not None and await self.wait_for_verdict(tab, given)

    async def wait_for_verdict(self, tab: Tab, given: Answer) -> bool:
        """Wait for the verdict on an answer and for the next question, pressing retry where work has stopped.

        Returns False on timeout.
        """

        def over() -> bool:
            page = self._page(tab)
            judged = page["last"]["question_id"] == given.question_id and page["last"]["judged"]
            # A user who returns to an interview that has finished in the meantime finds the form to start another one.
            gone = page["phase"] == "start" and given.position == STANDARD.total
            return bool(gone or (judged and (page["question"]["question_id"] or page["phase"] == "finished")))

        deadline = time.monotonic() + TOO_LONG
        while not over():
            if time.monotonic() > deadline:
                return self._broken(tab, f"question {given.position} did not finish")
            await tab.until(lambda: over() or bool(self._error_shown(tab)), max(0.0, deadline - time.monotonic()))
            # After a reconnect, the page may still show the old error; give it a moment to recover.
            if not await tab.until(over, PATIENCE) and tab.hydrated and (message := self._error_shown(tab)):
                self.pushed += 1
                self.complaints.append(f"question {given.position}: {message}")
                await tab.send(f"{STATE}.retry")
                await tab.until(lambda: not self._error_shown(tab), PATIENCE)
        given.over = time.time()
        return True

    async def send_answer(self, tab: Tab) -> Answer | None:
        """Send an answer to the current question until it is accepted. Returns None on failure."""
        # While the page is reconnecting, there is no box to write in.
        if not await tab.until(lambda: tab.hydrated and self._question(tab) != 0, TOO_LONG):
            self._broken(tab, "there was no question left")
            return None
        question = self._shown(tab, "question")
        given = Answer(question["question_id"], question["position"], self._answer_to(question["question_id"]))
        self.answers.append(given)
        payload = form(interview=self._shown(tab, "interview_id"), question=given.question_id, answer=given.text)
        taken = await self._send_until_done(
            tab, f"{STATE}.submit_answer", payload, lambda: self._shown(tab, "last")["question_id"] == given.question_id
        )
        given.taken = time.time() if taken else 0.0
        if not taken:
            self._broken(tab, f"the answer to question {given.position} was not accepted")
        return given if taken else None

    async def _send_until_done(self, tab: Tab, name: str, payload: dict[str, Any], done: Callable[[], bool]) -> bool:
        """Send a form, and send it again if the connection is lost or the page shows an error. Returns False on timeout."""
        deadline = time.monotonic() + TOO_LONG
        while time.monotonic() < deadline:
            lost = tab.lost
            sent = await tab.send(name, payload)

            def settled(lost: int = lost, sent: bool = sent) -> bool:
                return done() or not sent or tab.lost > lost or bool(self._page(tab)["error"])

            await tab.until(settled, max(0.0, deadline - time.monotonic()))
            # If the connection was lost, the page reloads its state and shows whether the form was accepted.
            await tab.until(lambda: done() or tab.hydrated, max(0.0, deadline - time.monotonic()))
            if await tab.until(done, PATIENCE):
                return True
            if message := self._page(tab)["error"]:
                self.complaints.append(message)
            self.again += 1
        return False

    def _error_shown(self, tab: Tab) -> str:
        """Return the error that the page shows where work has stopped, or ""."""
        page = self._page(tab)
        return str(page["error"] or page["verdict_error"] or page["question_error"])

    def _answer_to(self, question_id: int) -> str:
        sentences = self._chance.sample(_SENTENCES, min(self._chance.randint(*self.pace.sentences), len(_SENTENCES)))
        return " ".join([*sentences, f"({self.account.id}/{question_id})"])

    def _broken(self, tab: Tab, message: str) -> bool:
        page = self._page(tab)
        self.complaints.append(
            f"{message} (phase {page['phase']}, sending {page['sending']}, judging {page['judging']}, asking {page['asking']}, "
            f"error {page['error']!r}, worker {tab.port}, connected {tab.connected}, hydrated {tab.hydrated})"
        )
        return False

    async def finish(self, tab: Tab) -> None:
        """Wait until the page is idle, and record what it shows."""

        def quiet() -> bool:
            page = self._page(tab)
            return tab.hydrated and not (page["sending"] or page["judging"] or page["asking"])

        if not await tab.until(quiet, TOO_LONG):
            self._broken(tab, "the page did not become idle")
        page = self._page(tab)
        last = page["last"]
        self.seen = Seen(
            phase=page["phase"],
            interview_id=page["interview_id"],
            question_id=page["question"]["question_id"],
            last_question_id=last["question_id"],
            last_score=last["score"] if last["judged"] else None,
            dots=[dot for item in page["rail_items"] for dot in item["dots"]],
        )
        self.complaints += tab.complaints + [f"sent to {path}" for path in tab.redirects]
        if tab.lost:
            self.backs.append(tab.back)
