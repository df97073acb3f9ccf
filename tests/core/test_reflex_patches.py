"""The internals that each module of `core/reflex_patches` relies on.

If a new version of Reflex or engineio changes them, these tests fail.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from pathlib import Path

import engineio
import pytest
import reflex as rx
import socketio
from engineio.async_socket import AsyncSocket
from redis.asyncio import Redis
from reflex.app import EventNamespace
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.redis import StateManagerRedis
from reflex.utils.token_manager import RedisTokenManager, TokenManager
from reflex_base.event import Event
from reflex_base.event.processor import BaseStateEventProcessor

from interviewer.app import app
from interviewer.core.reflex_patches import built_pages, connected_pages, event_queues, memory_states, shared_states
from interviewer.errors import StartupError

PATCHES = Path(built_pages.__file__).parent
ENTRY = (
    b'<html><head><link rel="modulepreload" href="/a.js"></head>'
    b'<body><p>Text</p><script type="module">import "/a.js"</script></body></html>'
)


@pytest.mark.parametrize("module", sorted(PATCHES.glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_each_patch_explains_its_reason(module: Path) -> None:
    first = module.read_text().split('"""')[1]
    assert "Reflex" in first
    assert len(first.splitlines()) >= 3


async def test_connections_are_found_by_token_and_ended_by_queue() -> None:
    server = engineio.AsyncServer(async_mode="asgi")
    assert isinstance(server.sockets, dict)
    connection = AsyncSocket(server, "sid")
    assert isinstance(connection.queue, asyncio.Queue)
    assert "None" in inspect.getsource(AsyncSocket.poll), "None ends what is written to a connection"
    assert callable(socketio.AsyncManager.eio_sid_from_sid)
    assert isinstance(inspect.getattr_static(EventNamespace, "token_to_sid"), property)
    assert connected_pages.tokens(app) == set()
    assert not connected_pages.is_connected(app, "key")
    assert not await connected_pages.drop(app, "sid")


async def test_page_of_another_process_counts_as_connected() -> None:
    assert inspect.iscoroutinefunction(TokenManager.is_token_connected)
    assert not await connected_pages.is_connected_anywhere(app, "key")


async def test_waiting_events_are_counted_and_dropped() -> None:
    """The first event of a queue is running. Cancelled events stay in the queue until it is their turn."""
    assert event_queues.processor_of(app) is app._event_processor
    processor = BaseStateEventProcessor().configure()
    async with processor:
        futures = [await processor.enqueue("page", Event(name=f"{rx.State.get_full_name()}.hydrate")) for _ in range(6)]
        later = [await processor.enqueue("other", Event(name=f"{rx.State.get_full_name()}.hydrate")) for _ in range(2)]
        while event_queues.length(processor, "other") < len(later):  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert (event_queues.length(processor, "page"), event_queues.length(processor, "unknown")) == (6, 0)
        assert event_queues.with_waiting(processor) == {"page", "other"}
        futures[3].cancel()
        assert event_queues.length(processor, "page") == 6, "no longer needed if Reflex removes it"
        event_queues.drop_cancelled(processor, "page")
        assert event_queues.length(processor, "page") == 5
        assert event_queues.drop(processor, "page") == 4
        assert event_queues.drop(processor, "unknown") == 0
        assert event_queues.length(processor, "page") == 1
        await asyncio.gather(futures[0], *later)
        assert [future.cancelled() for future in futures] == [False] + [True] * 5
        assert event_queues.with_waiting(processor) == set()


async def test_page_events_go_through_app_event_processor() -> None:
    """Only the websockets use `App.event_processor`. Events chained by handlers go directly to the processor."""
    assert "await self.app.event_processor.enqueue(token, event)" in inspect.getsource(EventNamespace.on_event)
    assert isinstance(inspect.getattr_static(rx.App, "event_processor"), property)
    processor = BaseStateEventProcessor().configure()
    assert processor._root_context is not None
    assert processor._root_context.enqueue_impl == processor.enqueue_many


async def test_memory_states_are_listed_and_dropped() -> None:
    manager = StateManagerMemory()  # type: ignore[abstract]  # Reflex redefines the abstract methods
    token = rx.BaseStateToken(ident="page", cls=rx.State)
    before = time.time()
    async with manager.modify_state(token):
        assert list(memory_states.idle(manager)) == [], "a handler is holding it"
    [kept] = memory_states.idle(manager)
    assert kept.token.ident == "page"
    assert isinstance(kept.root, rx.State)
    assert before - 1 <= kept.used <= time.time() + 1
    memory_states.drop(manager, kept.token)
    assert list(memory_states.idle(manager)) == []
    assert manager.states == {}
    await manager.close()


async def test_shared_states_are_dropped_with_their_leases() -> None:
    manager = StateManagerRedis(redis=Redis())  # type: ignore[abstract]  # Reflex redefines the abstract methods
    lease = manager._local_leases["page"] = asyncio.create_task(asyncio.sleep(60))
    manager._cached_states["page"] = object()
    shared_states.forget_leases(manager)
    await asyncio.gather(lease, return_exceptions=True)
    assert (lease.cancelled(), dict(manager._cached_states)) == (True, {})
    manager._lock_task = asyncio.create_task(asyncio.sleep(0))
    shared_states.forget_ended_lock_task(manager)
    assert vars(manager)["_lock_task"] is not None
    await asyncio.sleep(0.01)
    shared_states.forget_ended_lock_task(manager)
    assert vars(manager)["_lock_task"] is None
    assert RedisTokenManager(redis=Redis()).redis is not None


def test_pages_connect_to_their_own_origin(tmp_path: Path) -> None:
    script = tmp_path / "env.js"
    script.write_bytes(b"const a={PING:`http://localhost:3000/ping`,EVENT:`ws://localhost:3000/_event`}")
    built_pages.connect_to_own_origin(tmp_path)
    changed = script.read_text()
    assert "localhost" not in changed
    assert changed.count("location.origin") == 2
    assert (tmp_path / "env.js.gz").exists()
    with pytest.raises(StartupError, match="server's address"):
        built_pages.connect_to_own_origin(tmp_path)


def test_pages_show_text_before_scripts_start(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_bytes(ENTRY)
    built_pages.defer_scripts(tmp_path)
    changed = page.read_text()
    assert '<link rel="modulepreload"' not in changed
    assert '<script type="later">import' in changed
    assert "requestAnimationFrame" in changed
    assert "prerendered" not in changed, "its comments stay here"
    page.write_bytes(ENTRY.replace(b"import", b"export"))
    with pytest.raises(StartupError, match=r"not found in index\.html"):
        built_pages.defer_scripts(tmp_path)
