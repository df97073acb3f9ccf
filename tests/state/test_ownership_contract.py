"""The undocumented behavior of Reflex that `state/ownership.py` relies on. A Reflex version that changes it fails here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import reflex as rx
from reflex.app import EventNamespace
from reflex.app_mixins.middleware import MiddlewareMixin
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.event import Event
from reflex_base.event.context import EventContext
from reflex_base.event.processor import BaseStateEventProcessor

from interviewer.app import app
from interviewer.core.reflex_patches import event_tasks
from interviewer.core.reflex_patches.hydrate_events import NAMES as HYDRATES
from interviewer.state.ownership import CANCEL_WAIT, Ownership, _States
from interviewer.wiring import Services

COOKIES = "interviewer_session=confidential"


class Witness(rx.State):
    """A state with content, and a handler that takes long."""

    text: str = ""
    _hidden: str = ""

    @rx.event
    async def write(self) -> None:
        self.text, self._hidden = "confidential", "confidential too"

    @rx.event(background=True)
    async def take_long(self) -> None:
        async with self:
            self.text = "begun"
        await asyncio.sleep(60)


@dataclass
class Sent:
    """A fake namespace that records the updates it is asked to send, with their recipients."""

    updates: list[tuple[str, StateUpdate]] = field(default_factory=list)

    async def emit_update(self, update: StateUpdate, token: str) -> None:
        self.updates.append((token, update))

    def __contains__(self, text: str) -> bool:
        return text in str([update.delta for _, update in self.updates])


class Gate(Middleware):
    """Middleware that refuses the hydrate events while it is closed, and records the states it was asked about."""

    def __init__(self) -> None:
        self.closed = False
        self.asked: list[tuple[str, type]] = []

    async def preprocess(self, app: Any, state: BaseState, event: Event) -> StateUpdate | None:
        self.asked.append((EventContext.get().token, type(state)))
        return StateUpdate() if self.closed and event.name in HYDRATES else None


@dataclass
class Running:
    """Reflex's event processor behind a gate."""

    processor: BaseStateEventProcessor
    sent: Sent
    gate: Gate
    key: str

    async def do(self, name: str) -> None:
        router = {"pathname": "/terms/", "asPath": "/terms/", "headers": {"cookie": COOKIES}, "token": self.key}
        await (await self.processor.enqueue(self.key, Event(name=name, payload={}, router_data=router)))


@pytest.fixture
async def running(services: Services) -> AsyncIterator[Running]:
    sent, gate, mixin = Sent(), Gate(), MiddlewareMixin()
    mixin.add_middleware(gate)
    processor = BaseStateEventProcessor(middleware=mixin)
    processor.configure(event_namespace=sent)  # type: ignore[arg-type]  # only this is called
    async with processor:
        running = Running(processor, sent, gate, uuid4().hex)
        await running.do(f"{rx.State.get_full_name()}.hydrate")
        yield running


def test_only_hydrate_events_send_the_full_state() -> None:
    assert {f"{rx.State.get_full_name()}.{name}" for name in rx.State.event_handlers if "hydrate" in name} == {
        *HYDRATES,
        f"{rx.State.get_full_name()}.set_is_hydrated",
    }


@pytest.mark.parametrize("name", sorted(HYDRATES))
async def test_refused_event_sends_nothing(running: Running, name: str) -> None:
    await running.do(f"{Witness.get_full_name()}.write")
    running.sent.updates.clear()
    running.gate.closed = True
    await running.do(name)
    assert running.sent.updates == []
    running.gate.closed = False
    await running.do(name)
    assert "confidential" in running.sent
    assert {token for token, _ in running.sent.updates} == {running.key}
    assert set(running.gate.asked) == {(running.key, rx.State)}


async def test_dropped_state_is_empty(running: Running) -> None:
    await running.do(f"{Witness.get_full_name()}.write")
    manager = EventContext.get().state_manager
    token = rx.BaseStateToken(ident=running.key, cls=rx.State)

    class App:
        state_manager = manager

    await _States(App()).state(running.key)  # type: ignore[arg-type]
    async with manager.modify_state(token) as root:
        witness = await root.get_state(Witness)
        assert (witness.text, witness._hidden, root.router_data) == ("", "", {})
        assert "confidential" not in str(root.dict())


async def test_handlers_of_a_dropped_page_are_canceled(running: Running) -> None:
    working = asyncio.create_task(running.do(f"{Witness.get_full_name()}.take_long"))
    async with asyncio.timeout(10):
        while "begun" not in running.sent:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await event_tasks.cancel("another page", CANCEL_WAIT)
        assert not working.done()
        await event_tasks.cancel(running.key, CANCEL_WAIT)
        await asyncio.wait([working])
    assert working.cancelled()


def test_ownership_runs_before_reflexs_own_middleware() -> None:
    assert isinstance(app._middlewares[0], Ownership)


async def test_token_in_the_query_is_the_key_of_the_state() -> None:
    """Reflex takes the state's key from the `token` parameter in the websocket URL's query string.

    `api/open_pages.py` puts the key there.
    """
    linked: list[tuple[str, str]] = []

    class Namespace(EventNamespace):
        async def link_token_to_sid(self, sid: str, token: str, *, update_state: bool = True) -> None:
            linked.append((sid, token))

    class App:
        _state = None

    namespace = Namespace("/_event", App())  # type: ignore[arg-type]
    await namespace.on_connect("a connection", {"QUERY_STRING": "EIO=4&token=the+key", "asgi.scope": {"headers": []}})
    assert linked == [("a connection", "the key")]
