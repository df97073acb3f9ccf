"""Close the websockets of pages in a way that makes them connect again.

Reflex offers no way to do so. A page that receives a disconnect packet stays away, so the queue of what engineio writes to the
connection is ended instead: to the page the network has failed, and it connects to whichever copy answers.
"""

from __future__ import annotations

from collections.abc import Collection

import reflex as rx


def tokens(app: rx.App) -> set[str]:
    """Return the keys of the pages that are connected to this process."""
    return set(app.event_namespace.token_to_sid if app.event_namespace else ())


def is_connected(app: rx.App, token: str) -> bool:
    """Tell whether the page with this key is connected to this process."""
    return app.event_namespace is not None and token in app.event_namespace.token_to_sid


async def is_connected_anywhere(app: rx.App, token: str) -> bool:
    """Tell whether the page with this key is connected to any of the processes that share a store."""
    return app.event_namespace is not None and await app.event_namespace._token_manager.is_token_connected(token)


def sids(app: rx.App, only: Collection[str] | None = None) -> list[str]:
    """Return the connections of this process's pages, or of those whose keys are in `only`."""
    pages = app.event_namespace
    return [] if pages is None else [sid for token, sid in pages.token_to_sid.items() if only is None or token in only]


async def drop(app: rx.App, sid: str) -> bool:
    """End one connection without a disconnect packet; return whether it was there."""
    pages, server = app.event_namespace, app.sio
    if pages is None or server is None:
        return False
    connection = server.eio.sockets.get(server.manager.eio_sid_from_sid(sid, pages.namespace))
    if connection is None:
        return False
    # None is how engineio ends the task that writes to the connection.
    await connection.queue.put(None)
    return True
