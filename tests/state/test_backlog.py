"""Limits on unfinished events per page, session, and client, and dropped events of disconnected pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import reflex as rx
from reflex.app_mixins.middleware import MiddlewareMixin
from reflex.state import StateUpdate
from reflex_base.event import Event
from reflex_base.event.processor import BaseStateEventProcessor, EventFuture

from interviewer.app import app as site
from interviewer.core.reflex_patches import event_queues
from interviewer.state import backlog
from interviewer.state.backlog import (
    BUSY,
    GONE,
    MAX_PER_CLIENT,
    MAX_PER_PAGE,
    MAX_PER_SESSION,
    PAGE_LOAD_MARGIN,
    Backlog,
    PageEvents,
)
from interviewer.state.bounds import BOOT
from interviewer.state.event_gate import MAX_REFUSED
from interviewer.wiring import Services

LOAD = "reflex___state____state.reflex___state____on_load_internal_state.on_load_internal"
CHAINED = 3 * MAX_PER_PAGE


class Slow(rx.State):
    """A state whose handlers wait until the test releases them."""

    done: int = 0

    @rx.event
    async def work(self) -> None:
        await Held.gate.wait()
        self.done += 1

    @rx.event(background=True)
    async def stream(self) -> None:
        await Held.gate.wait()

    @rx.event
    async def chain(self) -> Any:
        return [Slow.work] * CHAINED


class Held:
    """The event that all handlers of `Slow` wait for."""

    gate = asyncio.Event()


WORK, STREAM, CHAIN = (f"{Slow.get_full_name()}.{name}" for name in ("work", "stream", "chain"))


@dataclass
class Pages:
    """A fake of Reflex's websocket namespace: which pages are connected here or elsewhere, and the updates sent to them."""

    token_to_sid: dict[str, str] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    sent: list[tuple[str, StateUpdate]] = field(default_factory=list)
    namespace: str = "/_event"

    @property
    def _token_manager(self) -> Pages:
        return self

    async def is_token_connected(self, token: str) -> bool:
        return token in self.token_to_sid or token in self.elsewhere

    async def emit_update(self, update: StateUpdate, token: str) -> None:
        self.sent.append((token, update))

    def message_count(self, key: str) -> int:
        """Return how many busy notices a page was sent."""
        return sum(BUSY in str(update.delta) for token, update in self.sent if token == key)


@dataclass
class Running:
    """An event processor behind a backlog."""

    backlog: Backlog
    processor: BaseStateEventProcessor
    pages: Pages
    # Connections that were closed.
    ended: list[str]

    @property
    def app(self) -> Any:
        async def end(packet: None) -> None:
            self.ended.append(str(packet))

        sockets = dict.fromkeys(self.pages.token_to_sid.values(), SimpleNamespace(queue=SimpleNamespace(put=end)))
        server = SimpleNamespace(
            eio=SimpleNamespace(sockets=sockets), manager=SimpleNamespace(eio_sid_from_sid=lambda sid, _: sid)
        )
        return SimpleNamespace(event_namespace=self.pages, sio=server)

    def page(self) -> str:
        """Connect a new page and return the key of its state."""
        key = uuid4().hex
        self.pages.token_to_sid[key] = f"sid of {key}"
        return key

    async def send(self, key: str, name: str, times: int = 1, ip: str = "192.0.2.1") -> list[EventFuture]:
        router = {"pathname": "/terms/", "asPath": "/terms/", "headers": {}, "token": key, "ip": ip, "sid": f"sid of {key}"}
        events = PageEvents(self.app, self.processor, self.backlog)
        return [await events.enqueue(key, Event(name=name, payload={}, router_data=dict(router))) for _ in range(times)]

    async def look(self) -> None:
        await asyncio.sleep(0.05)
        await self.backlog.look(self.app, self.processor)


@pytest.fixture
async def running(services: Services) -> AsyncIterator[Running]:
    Held.gate = asyncio.Event()
    pages, processor = Pages(), BaseStateEventProcessor(middleware=MiddlewareMixin())
    processor.configure(event_namespace=pages)  # type: ignore[arg-type]  # only this is called
    async with processor:
        yield Running(Backlog(), processor, pages, [])
        Held.gate.set()


def accepted(futures: list[EventFuture]) -> int:
    return sum(not future.cancelled() for future in futures)


@pytest.mark.parametrize("name", [WORK, STREAM])
async def test_unfinished_events_of_a_page_are_limited(running: Running, name: str) -> None:
    page = running.page()
    assert accepted(await running.send(page, name, MAX_PER_PAGE)) == MAX_PER_PAGE
    assert accepted(await running.send(page, name, 3)) == 0
    assert running.pages.message_count(page) == 3
    assert accepted(await running.send(running.page(), name)) == 1, "another page is not affected"


async def test_finished_events_make_room_for_new_ones(running: Running) -> None:
    page = running.page()
    futures = await running.send(page, WORK, MAX_PER_PAGE)
    Held.gate.set()
    await asyncio.gather(*futures)
    assert accepted(await running.send(page, WORK, MAX_PER_PAGE)) == MAX_PER_PAGE
    assert running.pages.message_count(page) == 0


async def test_chained_events_are_not_counted(running: Running) -> None:
    page = running.page()
    await running.send(page, CHAIN)
    await asyncio.sleep(0.05)
    assert event_queues.length(running.processor, page) == CHAINED
    assert accepted(await running.send(page, WORK, MAX_PER_PAGE)) == MAX_PER_PAGE


async def test_page_load_events_may_exceed_the_limit(running: Running) -> None:
    page, more = running.page(), int(MAX_PER_PAGE * PAGE_LOAD_MARGIN)
    await running.send(page, WORK, MAX_PER_PAGE)
    assert accepted(await running.send(page, BOOT, more + 3)) == more
    assert accepted(await running.send(page, WORK)) == 0


async def test_navigating_back_and_forth_is_never_refused(running: Running) -> None:
    page = running.page()
    await running.send(page, WORK)
    futures: list[EventFuture] = []
    for _ in range(50 * MAX_PER_PAGE):
        futures += await running.send(page, LOAD)
        await asyncio.sleep(0)
        assert event_queues.length(running.processor, page) <= MAX_PER_PAGE + 2, "canceled ones stay"
    assert running.pages.message_count(page) == 0
    assert not futures[-1].cancelled()


async def test_pages_of_a_session_share_a_limit(running: Running, services: Services) -> None:
    pages = [running.page() for _ in range(MAX_PER_SESSION // MAX_PER_PAGE + 1)]
    for page in pages:
        services.open_pages.fill(page, "of one session")
    taken = [accepted(await running.send(page, WORK, MAX_PER_PAGE)) for page in pages]
    assert taken == [MAX_PER_PAGE] * (len(pages) - 1) + [0]
    assert accepted(await running.send(running.page(), WORK)) == 1


async def test_pages_of_a_client_share_a_limit(running: Running, services: Services) -> None:
    for _ in range(MAX_PER_CLIENT // MAX_PER_PAGE):
        assert accepted(await running.send(running.page(), WORK, MAX_PER_PAGE, ip="198.51.100.7")) == MAX_PER_PAGE
    assert accepted(await running.send(running.page(), WORK, ip="198.51.100.7")) == 0
    assert accepted(await running.send(running.page(), WORK, ip="198.51.100.8")) == 1


async def test_websocket_is_closed_after_many_refusals(running: Running) -> None:
    page = running.page()
    await running.send(page, WORK, MAX_PER_PAGE + MAX_REFUSED)
    assert running.ended == []
    await running.send(page, WORK, 5)
    assert running.ended == ["None"]
    assert running.pages.message_count(page) == MAX_REFUSED
    del running.pages.token_to_sid[page]
    await running.look()
    assert not running.backlog._refused


async def test_queued_events_of_a_disconnected_page_are_dropped(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    page, other = running.page(), running.page()
    [running_one, *waiting] = await running.send(page, WORK, MAX_PER_PAGE - 1)
    [streaming] = await running.send(page, STREAM)
    others = await running.send(other, WORK, MAX_PER_PAGE)
    del running.pages.token_to_sid[page]
    await running.look()
    assert accepted(waiting) == len(waiting), "it may come back"
    monkeypatch.setattr(backlog, "GONE", 0.01)
    await running.look()
    assert accepted(waiting) == 0
    assert accepted([running_one, streaming, *others]) == 2 + MAX_PER_PAGE
    Held.gate.set()
    await asyncio.gather(running_one, streaming, *others)
    assert event_queues.length(running.processor, page) == 0
    await asyncio.sleep(0)
    assert not running.backlog._unfinished


async def test_reconnecting_page_loses_nothing(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    page, moved = running.page(), running.page()
    futures = [*await running.send(page, WORK, MAX_PER_PAGE), *await running.send(moved, WORK, MAX_PER_PAGE)]
    sid = running.pages.token_to_sid.pop(page)
    del running.pages.token_to_sid[moved]
    running.pages.elsewhere.add(moved)
    await running.look()
    running.pages.token_to_sid[page] = sid
    monkeypatch.setattr(backlog, "GONE", 0.01)
    await running.look()
    assert accepted(futures) == len(futures)
    Held.gate.set()
    await asyncio.gather(*futures)


async def test_watch_continues_after_a_failure(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "_backlog", running.backlog)
    monkeypatch.setattr(backlog, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(backlog, "GONE", 0.0)
    page, app = running.page(), running.app
    app._event_processor = "a processor that fails"
    watching = asyncio.create_task(backlog.watch(app))
    [first, *waiting] = await running.send(page, WORK, MAX_PER_PAGE)
    await asyncio.sleep(0.05)
    app._event_processor = running.processor
    await asyncio.sleep(0.05)
    assert accepted([first, *waiting]) == MAX_PER_PAGE
    del running.pages.token_to_sid[page]
    async with asyncio.timeout(10):
        await asyncio.wait(waiting)
    assert (accepted(waiting), accepted([first])) == (0, 1)
    watching.cancel()


def test_disconnected_page_has_time_to_reconnect() -> None:
    """Reflex's client reconnects at once, then at intervals of at most two seconds."""
    assert GONE >= 5


def test_app_limits_and_watches_page_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "_event_processor", BaseStateEventProcessor())
    assert isinstance(site.event_processor, PageEvents)
    assert backlog.watch in site.get_lifespan_tasks()
