"""Websockets with limits on frames and on the arrival time of messages, enforced before the protocol library parses anything.

By default uvicorn accepts any number of pings, pongs, and fragments, which the application never sees. It answers every ping even
if the client reads nothing, and waits forever for the rest of a message. Limits on whole messages are in
`interviewer.api.websockets`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import SecurityError

from interviewer.api.websockets import (
    CHARACTERS,
    CLIENT_CHARACTERS,
    CLIENT_MESSAGES,
    MESSAGES,
    TOO_MUCH,
    WITHIN,
    WindowCounter,
)
from interviewer.core import metrics
from interviewer.core.logs import LogThrottle
from interviewer.core.rate_limits import network_of

logger = logging.getLogger(__name__)

# Maximum number of frames and of bytes in WITHIN seconds, per websocket and per client. These are twice the limits on messages
# and characters, because a message may have several frames, and a character may have several bytes.
FRAMES, BYTES = 2 * MESSAGES, 2 * CHARACTERS
CLIENT_FRAMES, CLIENT_BYTES = 2 * CLIENT_MESSAGES, 2 * CLIENT_CHARACTERS
# Seconds for a message to arrive in full, and for a client to read the close frame.
MESSAGE_WITHIN, CLOSED_WITHIN = 20.0, 10.0

# Bits of the frame header, RFC 6455, section 5.2.
_FINAL, _CONTROL, _MASKED, _LENGTH = 0x80, 0x08, 0x80, 0x7F
_LONG = {126: 2, 127: 8}
_MASK = 4

_throttle = LogThrottle(60)


def closing(status: str) -> bytes:
    """Return an HTTP response with this status, no body, and the header `connection: close`."""
    return f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".encode()


class Frames:
    """Counts the websocket frames in a byte stream, at a fraction of the cost of parsing them."""

    def __init__(self) -> None:
        self._header = b""
        self._left = 0
        self._in_message = False
        # Number of messages whose last frame has begun.
        self.messages = 0

    @property
    def unfinished(self) -> bool:
        """Whether a frame or message is incomplete."""
        return self._in_message or self._left > 0 or bool(self._header)

    def begun(self, data: bytes, most: int) -> int:
        """Process the next piece of the stream, and return the number of frames that begin in it.

        If there are more than `most`, stops counting and returns `most` + 1. This object must not be used after that.
        """
        data, self._header = self._header + data, b""
        frames, at = 0, self._left
        while at < len(data) and frames <= most:
            if (size := _size(data, at)) is None:
                self._header = data[at:]
                break
            frames += 1
            if not data[at] & _CONTROL:
                self._in_message = not data[at] & _FINAL
                self.messages += not self._in_message
            at += size
        self._left = 0 if self._header else max(0, at - len(data))
        return frames


def _size(data: bytes, at: int) -> int | None:
    """Return the size in bytes of the frame that begins at `at`.

    Returns None if the length field in the frame's header has not arrived in full.
    """
    if len(data) < at + 2:
        return None
    length, extended = data[at + 1] & _LENGTH, 0
    if length in _LONG:
        extended = _LONG[length]
        if len(data) < at + 2 + extended:
            return None
        length = int.from_bytes(data[at + 2 : at + 2 + extended])
    return 2 + extended + (_MASK if data[at + 1] & _MASKED else 0) + length


class BoundedWebsocket(WebSocketsSansIOProtocol):
    """A websocket that reports the end of its handshake and is closed if it exceeds the limits."""

    # The frames and bytes received from all open websockets of each client, by client IP address.
    _clients: ClassVar[WeakValueDictionary[str, WindowCounter]] = WeakValueDictionary()

    def __init__(self, *args: Any, done: Callable[[], None], by_client: bool, **kwargs: Any) -> None:
        """`done` is called when the handshake ends, possibly more than once.

        If `by_client` is set, limits also apply to all websockets of a client together.
        """
        super().__init__(*args, **kwargs)
        self._done = done
        self._by_client = by_client
        self._frames = Frames()
        self._alone = WindowCounter(WITHIN)
        self._together: WindowCounter | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Process the upgrade request or later data. Closes the websocket if the data exceeds a limit.

        The HTTP protocol passes on the upgrade request in one piece.
        """
        if not self.handshake_initiated:
            super().data_received(data)
            self._refuse_odd_request()
        elif self._is_too_much(data):
            metrics.CROWDED.labels("frames").inc()
            if _throttle.lets("frames"):
                logger.warning(
                    "a websocket was closed: it sent more than %d frames in %d seconds, or too many bytes", FRAMES, WITHIN
                )
            self._fail("too many frames")
        else:
            super().data_received(data)

    def _refuse_odd_request(self) -> None:
        """Respond with 431 or 400, and close the connection, if the library could not read the websocket handshake.

        Otherwise, do nothing.
        """
        if not self.handshake_initiated and not self.transport.is_closing():
            too_large = isinstance(self.conn.handshake_exc, SecurityError)
            self.transport.write(closing("431 Request Header Fields Too Large" if too_large else "400 Bad Request"))
            self.transport.close()

    def _is_too_much(self, data: bytes) -> bool:
        """Count the received data and update the deadline for incomplete messages. Returns whether a limit is exceeded."""
        messages = self._frames.messages
        counted = {"frames": self._frames.begun(data, FRAMES), "bytes": len(data)}
        own = self._alone.add(**counted)
        whole = together.add(**counted) if (together := self._of_client()) is not None else {"frames": 0, "bytes": 0}
        if self._frames.messages != messages or not self._frames.unfinished:
            self._forget_deadline()
        if self._frames.unfinished and self._deadline is None:
            self._await_rest()
        return (
            own["frames"] > FRAMES or own["bytes"] > BYTES or (whole["frames"] > CLIENT_FRAMES or whole["bytes"] > CLIENT_BYTES)
        )

    def _of_client(self) -> WindowCounter | None:
        """Return the counter shared by all websockets of the client.

        Returns None if `by_client` is off or the handshake is not complete yet.
        """
        if self._together is None and self._by_client and self.handshake_complete:
            # Behind a trusted proxy, the application has already replaced the proxy's address with the client's.
            client = network_of((self.scope.get("client") or ("",))[0])
            self._together = self._clients.setdefault(client, WindowCounter(WITHIN))
        return self._together

    def _await_rest(self) -> None:
        self._deadline = self.loop.call_later(MESSAGE_WITHIN, self._give_up)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if self.read_paused:
            # Reading is paused, so the application is slow, and the rest of the message may already have arrived.
            self._await_rest()
        else:
            self._fail("the message did not arrive in time")

    def _fail(self, reason: str) -> None:
        """Close the websocket and notify the application.

        Aborts the connection if the client does not read the close frame in time.
        """
        if self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": TOO_MUCH, "reason": reason})
        self.conn.fail(TOO_MUCH, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = self.disconnected = True
        self.writable.set()
        self.transport.close()
        self._cut_off_soon()

    def _cut_off_soon(self) -> None:
        """Abort the connection after CLOSED_WITHIN seconds. A plain close would wait until the client reads the unsent data."""
        self._forget_deadline()
        self._deadline = self.loop.call_later(CLOSED_WITHIN, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """Close a websocket whose client does not respond to pings."""
        super().keepalive_timeout()
        self._cut_off_soon()

    def pause_writing(self) -> None:
        """Stop reading while the client does not read. Otherwise, each of its pings would add a pong to the write buffer."""
        super().pause_writing()
        if not self.read_paused and not self.transport.is_closing():
            self.read_paused = True
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Resume reading, unless the application has not yet received the queued messages."""
        super().resume_writing()
        if self.read_paused and self.queue.empty() and not self.transport.is_closing():
            self.read_paused = False
            self.transport.resume_reading()

    async def receive(self) -> ASGIReceiveEvent:
        """Return the next message for the application. Reading stays paused while the client does not read."""
        message = await super().receive()
        if not self.writable.is_set():
            self.pause_writing()
        return message

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message from the application. The first one completes the handshake."""
        await super().send(message)
        if self.handshake_complete:
            self._done()

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the end of the handshake and clean up."""
        self._done()
        self._forget_deadline()
        super().connection_lost(exc)
