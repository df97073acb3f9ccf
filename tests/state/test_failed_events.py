"""Logging of failed page events, which anyone can cause in any number."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from redis.exceptions import ConnectionError as StoreAway
from reflex.istate.manager.memory import StateManagerMemory
from reflex_base.event import Event
from reflex_base.event.context import EmitDeltaProtocol, EventContext

from interviewer.core.logs import Failures, LogThrottle
from interviewer.errors import AppError
from interviewer.state import shared_store

EVERY = 60.0


async def _nothing(token: str, *events: Event) -> None:
    return


def _page(show: EmitDeltaProtocol | None = None) -> EventContext:
    manager = StateManagerMemory()  # type: ignore[abstract]  # Reflex defines them a second time
    return EventContext(token="page", state_manager=manager, enqueue_impl=_nothing, emit_delta_impl=show)


def _fail(number: int) -> None:
    try:
        raise ValueError(f"what client {number} wrote")
    except ValueError as error:
        shared_store.explain(error)


async def test_equal_failures_are_logged_once_then_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    monkeypatch.setattr(shared_store, "_failures", Failures(shared_store.logger, "a page event failed", EVERY, clock=lambda: now))
    shown: list[Mapping[str, Mapping[str, Any]]] = []

    async def show(token: str, delta: Mapping[str, Mapping[str, Any]]) -> None:
        shown.append(delta)

    with caplog.at_level(logging.WARNING), _page(show):
        for number in range(100):
            _fail(number)
        now += EVERY
        _fail(100)
        try:
            raise ValueError("of another place")
        except ValueError as error:
            shared_store.explain(error)
        await asyncio.sleep(0)
    first, again, other = caplog.records
    assert first.exc_info
    assert "what client 0 wrote" in str(first.exc_info[1])
    assert not again.exc_info
    assert "(ValueError at test_failed_events.py:" in again.getMessage()
    assert again.getMessage().endswith("100 times since the last message")
    assert other.exc_info
    assert len(shown) == 102, "each page gets a response"
    assert AppError.user_message in str(shown[-1])


async def test_store_outage_is_logged_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(shared_store, "_throttle", LogThrottle(60))
    monkeypatch.setattr(shared_store, "_stranded", set())
    with caplog.at_level(logging.WARNING), _page():
        for _ in range(100):
            shared_store.explain(StoreAway("away"))
        await asyncio.sleep(0)
    assert len(caplog.records) == 1
    assert "ConnectionError" in caplog.records[0].getMessage()
    assert shared_store._stranded == {"page"}
