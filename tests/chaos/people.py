"""People in interviews: what they do, what they see, and how long what they see was under way."""

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
# Seconds that people put up with before they press a button again, and that this program does before it calls something broken.
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
    """One answer that somebody sent: when the page showed it as given, and when verdict and next question were there.

    Both by the wall clock, 0 while it is not so.
    """

    question_id: int
    position: int
    text: str
    taken: float = 0.0
    over: float = 0.0


@dataclass
class Seen:
    """What a page showed at the end."""

    phase: str
    interview_id: int
    question_id: int
    last_question_id: int
    last_score: int | None
    dots: list[str]


@dataclass(frozen=True)
class Pace:
    """Seconds that somebody thinks between a verdict and the next answer, and how many sentences an answer has."""

    think: tuple[float, float] = (20.0, 40.0)
    sentences: tuple[int, int] = (5, 14)


@dataclass
class Person:
    """Somebody who takes interviews with one account."""

    account: Account
    ports: Sequence[int]
    pace: Pace
    answers: list[Answer] = field(default_factory=list)
    started: list[int] = field(default_factory=list)  # ids of interviews
    delays: list[tuple[float, float]] = field(default_factory=list)  # (wall clock, ms) of each stamp when it first came
    backs: list[float] = field(default_factory=list)  # seconds that the page was away, each time
    again: int = 0  # answers that were lost on the way and sent a second time
    pushed: int = 0  # times that work went on only after a button was pressed
    complaints: list[str] = field(default_factory=list)
    seen: Seen | None = None

    def __post_init__(self) -> None:
        self._chance = random.Random(self.account.id)
        self._stamps: set[str] = set()

    @property
    def turns(self) -> list[float]:
        """When each turn was over, wall clock."""
        return [answer.over for answer in self.answers if answer.over]

    @property
    def waits(self) -> bool:
        """Whether an answer is taken and its verdict not there yet."""
        return any(answer.taken and not answer.over for answer in self.answers[-1:])

    # -- what the page shows ------------------------------------------------------------------------------------

    def _page(self, tab: Tab) -> dict[str, Any]:
        return {name.removesuffix("_rx_state_"): value for name, value in tab.state.get(STATE, {}).items()}

    def _shown(self, tab: Tab, name: str) -> Any:
        return tab.state[STATE][f"{name}_rx_state_"]

    def received(self, frame: str, now: float) -> None:
        """Note how long each stamp that comes for the first time was under way."""
        for stamp in _STAMP.findall(frame):
            if stamp not in self._stamps:
                self._stamps.add(stamp)
                self.delays.append((now, (int(now * 1000) - int(stamp)) % STAMPS_END))

    # -- what somebody does -------------------------------------------------------------------------------------

    async def visit(self, stop: asyncio.Event, interviews: int = 1) -> None:
        """Open the page and take so many interviews, until they are over or `stop` is set; then wait until the page is quiet."""
        await self._load()
        async with self.tab() as tab:
            while not stop.is_set() and len(self.started) < interviews and await self._take(tab, stop):
                pass
            await self.finish(tab)

    def tab(self) -> Tab:
        """Return a new page, not yet open."""
        return Tab(self.ports, PAGE, self.account.cookie, self.received)

    async def _load(self) -> None:
        """Load the page's HTML."""
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
        """Take an interview; False when there is no going on."""
        if not await self.started_one(tab):
            return False
        while not stop.is_set() and self._shown(tab, "phase") == "live":
            if await self.think(stop):
                break
            if not await self.answer(tab):
                return False
        return True

    async def think(self, stop: asyncio.Event) -> bool:
        """Think about an answer; True when it is time to stop."""
        try:
            await asyncio.wait_for(stop.wait(), self._chance.uniform(*self.pace.think))
        except TimeoutError:
            return False
        return True

    async def started_one(self, tab: Tab) -> bool:
        """Start an interview, or find the one that runs; False when that fails."""
        if not await tab.until(lambda: tab.hydrated and self._shown(tab, "phase") != "loading", TOO_LONG):
            return self._broken(tab, "the page did not load")
        if self._shown(tab, "phase") == "finished":
            await tab.send(f"{STATE}.start_another")
            await tab.until(lambda: self._shown(tab, "phase") == "start", PATIENCE)
        if self._shown(tab, "phase") == "start":
            await self._insist(tab, f"{STATE}.start", form(job=""), lambda: self._shown(tab, "interview_id") != 0)
        if not await tab.until(lambda: self._question(tab) != 0, TOO_LONG):
            return self._broken(tab, "there was no first question")
        if (id := self._shown(tab, "interview_id")) not in self.started:
            self.started.append(id)
        return True

    def _question(self, tab: Tab) -> int:
        return int(self._shown(tab, "question")["question_id"])

    async def answer(self, tab: Tab) -> bool:
        """Answer the question on the page and wait for verdict and next question; False when that fails."""
        given = await self.send_answer(tab)
        return given is not None and await self.see_through(tab, given)

    async def see_through(self, tab: Tab, given: Answer) -> bool:
        """Wait for the verdict on an answer and the question after it; False when they do not come."""

        def over() -> bool:
            page = self._page(tab)
            judged = page["last"]["question_id"] == given.question_id and page["last"]["judged"]
            # Whoever comes back to an interview that is over meanwhile finds the form that starts another one.
            gone = page["phase"] == "start" and given.position == STANDARD.total
            return bool(gone or (judged and (page["question"]["question_id"] or page["phase"] == "finished")))

        deadline = time.monotonic() + TOO_LONG
        while not over():
            if time.monotonic() > deadline:
                return self._broken(tab, f"question {given.position} did not finish")
            await tab.until(lambda: over() or bool(self._stopped(tab)), max(0.0, deadline - time.monotonic()))
            # Whoever comes back after a loss may still see what was: that gets a moment to mend itself.
            if not await tab.until(over, PATIENCE) and tab.hydrated and (words := self._stopped(tab)):
                self.pushed += 1
                self.complaints.append(f"question {given.position}: {words}")
                await tab.send(f"{STATE}.retry")
                await tab.until(lambda: not self._stopped(tab), PATIENCE)
        given.over = time.time()
        return True

    async def send_answer(self, tab: Tab) -> Answer | None:
        """Send an answer to the question on the page until it is taken; None when it is not."""
        # Somebody whose page is just coming back has no box to write into.
        if not await tab.until(lambda: tab.hydrated and self._question(tab) != 0, TOO_LONG):
            self._broken(tab, "there was no question left")
            return None
        question = self._shown(tab, "question")
        given = Answer(question["question_id"], question["position"], self._words(question["question_id"]))
        self.answers.append(given)
        payload = form(interview=self._shown(tab, "interview_id"), question=given.question_id, answer=given.text)
        taken = await self._insist(
            tab, f"{STATE}.submit_answer", payload, lambda: self._shown(tab, "last")["question_id"] == given.question_id
        )
        given.taken = time.time() if taken else 0.0
        if not taken:
            self._broken(tab, f"the answer to question {given.position} was not accepted")
        return given if taken else None

    async def _insist(self, tab: Tab, name: str, payload: dict[str, Any], done: Callable[[], bool]) -> bool:
        """Send a form and, where the connection broke meanwhile and the page came back without it, once more."""
        deadline = time.monotonic() + TOO_LONG
        while time.monotonic() < deadline:
            lost = tab.lost
            sent = await tab.send(name, payload)

            def settled(lost: int = lost, sent: bool = sent) -> bool:
                return done() or not sent or tab.lost > lost or bool(self._page(tab)["error"])

            await tab.until(settled, max(0.0, deadline - time.monotonic()))
            # If the connection broke, the page loads anew and shows whether it was taken.
            await tab.until(lambda: done() or tab.hydrated, max(0.0, deadline - time.monotonic()))
            if await tab.until(done, PATIENCE):
                return True
            if words := self._page(tab)["error"]:
                self.complaints.append(words)
            self.again += 1
        return False

    def _stopped(self, tab: Tab) -> str:
        """Return what the page says where work has stopped, or an empty string."""
        page = self._page(tab)
        return str(page["error"] or page["verdict_error"] or page["question_error"])

    def _words(self, question_id: int) -> str:
        sentences = self._chance.sample(_SENTENCES, min(self._chance.randint(*self.pace.sentences), len(_SENTENCES)))
        return " ".join([*sentences, f"({self.account.id}/{question_id})"])

    def _broken(self, tab: Tab, words: str) -> bool:
        page = self._page(tab)
        self.complaints.append(
            f"{words} (phase {page['phase']}, sending {page['sending']}, judging {page['judging']}, asking {page['asking']}, "
            f"error {page['error']!r}, worker {tab.port}, connected {tab.connected}, hydrated {tab.hydrated})"
        )
        return False

    async def finish(self, tab: Tab) -> None:
        """Wait until nothing is being written any more, and note what the page shows."""

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
