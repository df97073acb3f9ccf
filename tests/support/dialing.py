"""A test server with the connection limits of the production server, and raw connections to it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from interviewer.cli import bounded_http
from interviewer.cli.bounded_http import BoundedHttp

Dial = Callable[[bytes], socket.socket]


@contextlib.contextmanager
def dialing(app: ASGIApp, **options: Any) -> Iterator[Dial]:
    """Serve `app` while the block runs, and yield a function that opens a connection and sends bytes.

    `options` are passed to uvicorn. Checks at the end that no connection is still counted.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    http = bounded_http.bounded_http(by_client=True)
    config = uvicorn.Config(app, http=http, log_level="critical", lifespan="off", **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    made: list[socket.socket] = []

    def connect(sent: bytes) -> socket.socket:
        made.append(one := socket.create_connection(listener.getsockname(), timeout=10))
        one.sendall(sent)
        return one

    try:
        yield connect
    finally:
        for one in made:
            one.close()
        server.should_exit = True
        thread.join(10)
    assert not BoundedHttp._open
    assert not BoundedHttp._arriving


def answered(one: socket.socket) -> bytes:
    """Return all bytes that arrive until the server closes the connection. A reset also counts as closed."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := one.recv(65536):
            found += piece
    return found
