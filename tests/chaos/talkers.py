"""Simulated users who talk: they ask what a question means, ask for the hint, reply to follow-ups, skip, and answer.

Some do so on pages, some with the Python client. Each records what it sends, to compare it with what is stored.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

from interviewer.client import AsyncClient, Conversation, Unreachable
from interviewer.interviews.exchange import Kind
from interviewer.interviews.plan import Preset
from interviewer.state.plan_form import FOLLOW_UPS, LENGTH
from tests.chaos.crowd import Account
from tests.chaos.people import PATIENCE, STATE, TOO_LONG, Pace, Person
from tests.chaos.tabs import Tab, form
from tests.support.newcomers import PASSWORD

# Each has a word by which the fake model marks a key point, except the last one.
_SENTENCES = (
    "First I would measure where the time goes.",
    "I would do that because a guess is usually wrong.",
    "The trade-off is that it takes time.",
    "In my last project we had the same trouble with a table of two hundred million rows.",
)
T = TypeVar("T")
HASTE = Pace(think=(0.0, 1.5))


@dataclass
class Spoken:
    """One message that was sent about the question at `position`. `replied` is set once the reply to it was seen.

    `kind` is what the message has to be in the end: a question typed as an answer is a clarification.
    """

    interview_id: int
    position: int
    kind: Kind
    text: str
    replied: bool = False


@dataclass
class Words:
    """Chooses what a user says, and records it. `declared` tells whether a question is sent as one or typed as an answer."""

    chance: random.Random
    sent: list[Spoken] = field(default_factory=list)

    def choose(self, interview_id: int, position: int, *, may_ask: bool, may_get_hint: bool) -> tuple[Spoken, bool]:
        """Return the next message, and whether a question is declared as one."""
        kinds = [Kind.ANSWER] * 6 + [Kind.SKIP] + [Kind.CLARIFICATION] * 3 * may_ask + [Kind.HINT] * 2 * may_get_hint
        kind = self.chance.choice(kinds)
        mark = f"({self.chance.getrandbits(40):x})"
        text = ""
        if kind is Kind.CLARIFICATION:
            text = f"Number {mark}: is it one region or several, and how many users does it have?"
        elif kind is Kind.ANSWER:
            text = " ".join([*self.chance.sample(_SENTENCES, self.chance.randint(1, 4)), mark])
        self.sent.append(spoken := Spoken(interview_id, position, kind, text))
        return spoken, self.chance.random() < 0.3


class Talker(Person):
    """A user who talks on a page."""

    def __init__(self, account: Account, ports: Sequence[int], pace: Pace = HASTE) -> None:
        super().__init__(account, ports, pace)
        self.words = Words(random.Random(account.id))
        self.talks = False
        self.given_up = 0  # starts that were killed before the first question, and had to be made again

    @property
    def waits(self) -> bool:
        """Whether the reply to the last message has not been seen."""
        return self.talks

    @property
    def start_form(self) -> dict[str, Any]:
        """A short interview, with follow-ups."""
        return form(**{"job": "", LENGTH: Preset.SHORT.value, FOLLOW_UPS: "on"})

    async def ensure_started(self, tab: Tab) -> bool:
        """Start an interview or continue the current one, again if it was given up because its start was killed."""
        deadline = time.monotonic() + 2 * TOO_LONG
        while time.monotonic() < deadline:
            if not await tab.until(lambda: tab.hydrated and self._shown(tab, "phase") != "loading", TOO_LONG):
                return self._broken(tab, "the page did not load")
            if self._shown(tab, "phase") == "finished":
                await tab.send(f"{STATE}.start_another")
                await tab.until(lambda: self._shown(tab, "phase") == "start", PATIENCE)
            if self._shown(tab, "phase") == "start":
                await self._send_until_done(tab, f"{STATE}.start", self.start_form, lambda: self._shown(tab, "interview_id") != 0)
            await tab.until(lambda: self._question(tab) != 0 or self._is_at_start(tab), TOO_LONG)
            if self._question(tab) and self._shown(tab, "phase") != "start":
                if (interview_id := self._shown(tab, "interview_id")) not in self.started:
                    self.started.append(interview_id)
                return True
            self.given_up += 1
        return self._broken(tab, "there was no first question")

    def _is_at_start(self, tab: Tab) -> bool:
        return tab.hydrated and bool(self._shown(tab, "phase") == "start")

    async def answer(self, tab: Tab) -> bool:
        """Say one thing about the current question, and wait for the reply to it. Returns False on failure."""
        if not await tab.until(lambda: tab.hydrated and self._question(tab) != 0 and not self._awaits(tab), TOO_LONG):
            return self._broken(tab, "there was no question left")
        question, interview_id = dict(self._shown(tab, "question")), self._shown(tab, "interview_id")
        spoken, declared = self.words.choose(
            interview_id, question["position"], may_ask=question["may_ask"], may_get_hint=question["may_get_hint"]
        )
        self.talks = True
        taken = await self._send_until_done(
            tab, *self._event(spoken, question["question_id"], declared), self._taken(tab, question)
        )
        if not taken:
            return self._broken(tab, f"the {spoken.kind.value} about question {spoken.position} was not accepted")
        if not await self._wait_for_reply(tab, spoken, question):
            return False
        spoken.replied, self.talks = True, False
        return True

    def _event(self, spoken: Spoken, question_id: int, declared: bool) -> tuple[str, dict[str, Any]]:
        place: dict[str, Any] = {"interview_id": spoken.interview_id, "question_id": question_id}
        match spoken.kind:
            case Kind.SKIP:
                return f"{STATE}.skip", place
            case Kind.HINT:
                return f"{STATE}.get_hint", place
            case Kind.CLARIFICATION if declared:
                return f"{STATE}.ask", form(interview=spoken.interview_id, question=question_id, asked=spoken.text)
        return f"{STATE}.submit_answer", form(interview=spoken.interview_id, question=question_id, answer=spoken.text)

    def _awaits(self, tab: Tab) -> bool:
        return bool(self._shown(tab, "question")["awaits"])

    def _taken(self, tab: Tab, before: dict[str, object]) -> Callable[[], bool]:
        def taken() -> bool:
            page = self._page(tab)
            if not tab.hydrated or page["phase"] != "live":
                return tab.hydrated and page["phase"] in {"finished", "start"}
            now = page["question"]
            if now["question_id"] == before["question_id"]:
                return bool(now["awaits"]) or now["said_count"] != before["said_count"]
            return bool(now["question_id"]) or page["last"]["question_id"] == before["question_id"]

        return taken

    async def _wait_for_reply(self, tab: Tab, spoken: Spoken, before: dict[str, object]) -> bool:
        """Wait until the question is open again or closed, pressing retry where work has stopped. Returns False on timeout."""

        def over() -> bool:
            page = self._page(tab)
            if not tab.hydrated or page["phase"] != "live":
                return tab.hydrated and page["phase"] in {"finished", "start"}
            if page["question"]["question_id"] == before["question_id"]:
                return not page["question"]["awaits"] and page["question"]["said_count"] != before["said_count"]
            return bool(page["question"]["question_id"] and page["last"]["judged"])

        deadline = time.monotonic() + TOO_LONG
        while not over():
            if time.monotonic() > deadline:
                return self._broken(tab, f"the {spoken.kind.value} about question {spoken.position} got no reply")
            await tab.until(lambda: over() or bool(self._error_shown(tab)), max(0.0, deadline - time.monotonic()))
            if not await tab.until(over, PATIENCE) and tab.hydrated and (message := self._error_shown(tab)):
                self.pushed += 1
                self.complaints.append(f"question {spoken.position}: {message}")
                await tab.send(f"{STATE}.retry")
                await tab.until(lambda: not self._error_shown(tab), PATIENCE)
        return True

    def _error_shown(self, tab: Tab) -> str:
        return super()._error_shown(tab) or str(self._page(tab)["reply_error"])


@dataclass
class Program:
    """A program that talks through the Python client, and takes interviews until it is stopped. `started` has their IDs."""

    account: Account
    url: str
    started: list[int] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    waits: bool = False
    again: int = 0  # number of calls repeated because the server did not respond

    def __post_init__(self) -> None:
        self.words = Words(random.Random(self.account.id))

    async def visit(self, stop: asyncio.Event, interviews: int = 1) -> None:
        """Take up to this many interviews of one question a topic, until `stop` is set."""
        async with AsyncClient(self.url, tries=1, timeout=60, turns=True) as client:
            await self._patiently(lambda: client.sign_in(self.account.email, PASSWORD))
            while not stop.is_set() and len(self.started) < interviews:
                key = uuid4().hex
                start = partial(client.start, key=key, questions_per_topic=1, follow_ups=True)
                started = await self._patiently(start)
                self.started.append(started.interview_id)
                await self._talk(client, started.interview_id, stop)

    async def _talk(self, client: AsyncClient, interview_id: int, stop: asyncio.Event) -> None:
        asked, hinted, position, finished = 0, False, 1, False
        while not stop.is_set() and not finished:
            spoken, declared = self.words.choose(interview_id, position, may_ask=asked < 2, may_get_hint=not hinted)
            self.waits = True
            found = await self._patiently(self._saying(client, spoken, declared))
            self.waits, spoken.replied, finished = False, True, found.finished
            asked += spoken.kind is Kind.CLARIFICATION
            hinted |= spoken.kind is Kind.HINT
            if found.follow_up is None:
                position, asked, hinted = position + 1, 0, False
            await asyncio.sleep(self.words.chance.uniform(*HASTE.think))

    def _saying(self, client: AsyncClient, spoken: Spoken, declared: bool) -> Callable[[], Awaitable[Conversation]]:
        id, key = spoken.interview_id, uuid4().hex
        match spoken.kind:
            case Kind.SKIP:
                return lambda: client.skip(id, key=key)
            case Kind.HINT:
                return lambda: client.hint(id, key=key)
            case Kind.CLARIFICATION if declared:
                return lambda: client.ask(id, spoken.text, key=key)
        return lambda: client.answer(id, spoken.text, key=key)

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call, and make it again with the same key while the server does not respond."""
        deadline, repeated = time.monotonic() + 2 * TOO_LONG, False
        while True:
            try:
                return await call()
            except Unreachable:
                if time.monotonic() > deadline:
                    raise
                self.again += not repeated
                repeated = True
                await asyncio.sleep(1)
