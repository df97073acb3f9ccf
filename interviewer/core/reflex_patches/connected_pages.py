"""Finds and closes the websockets of pages, so that the pages reconnect.

Reflex has no way to do this, and a page that receives a disconnect packet does not reconnect. Ending engineio's write queue looks
like a network failure to the page, which then reconnects to any available replica.
"""

from __future__ import annotations

from collections.abc import Collection

import reflex as rx


def tokens(app: rx.App) -> set[str]:
    """Return the client tokens of the pages connected to this process."""
    return set(app.event_namespace.token_to_sid if app.event_namespace else ())


def is_connected(app: rx.App, token: str) -> bool:
    """Return whether the page with this client token is connected to this process."""
    return app.event_namespace is not None and token in app.event_namespace.token_to_sid


async def is_connected_anywhere(app: rx.App, token: str) -> bool:
    """Return whether the page with this client token is connected to any process that shares the state store."""
    return app.event_namespace is not None and await app.event_namespace._token_manager.is_token_connected(token)


def sids(app: rx.App, only: Collection[str] | None = None) -> list[str]:
    """Return the Socket.IO session IDs of this process's connections.

    If `only` is given, returns only the connections of pages whose client tokens it contains.
    """
    pages = app.event_namespace
    return [] if pages is None else [sid for token, sid in pages.token_to_sid.items() if only is None or token in only]


async def drop(app: rx.App, sid: str) -> bool:
    """Close a connection without sending a disconnect packet. Returns whether the connection existed."""
    pages, server = app.event_namespace, app.sio
    if pages is None or server is None:
        return False
    connection = server.eio.sockets.get(server.manager.eio_sid_from_sid(sid, pages.namespace))
    if connection is None:
        return False
    # None ends the engineio task that writes to the connection.
    await connection.queue.put(None)
    return True
