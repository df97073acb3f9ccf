"""Websockets whose frames are few and whose messages end, counted before the protocol library works on them.

Left alone, uvicorn takes any number of pings, pongs and fragments, of which the application sees nothing, answers each ping also
to a client that reads no answers, and waits for ever for the rest of a message. Whole messages are counted in
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
    Spent,
)
from interviewer.core import metrics
from interviewer.core.logs import Seldom
from interviewer.core.rate_limits import network_of

logger = logging.getLogger(__name__)

# Frames and bytes on one websocket within WITHIN seconds, and on all of a client: twice the messages and characters, because a
# message may have several frames, and a character several bytes.
FRAMES, BYTES = 2 * MESSAGES, 2 * CHARACTERS
CLIENT_FRAMES, CLIENT_BYTES = 2 * CLIENT_MESSAGES, 2 * CLIENT_CHARACTERS
# Seconds for a message to arrive whole, and for a client to read that its websocket is closed.
MESSAGE_WITHIN, CLOSED_WITHIN = 20.0, 10.0

# Of a frame's header, RFC 6455, section 5.2.
_FINAL, _CONTROL, _MASKED, _LENGTH = 0x80, 0x08, 0x80, 0x7F
_LONG = {126: 2, 127: 8}
_MASK = 4

_seldom = Seldom(60)


def closing(status: str) -> bytes:
    """Return a response without a body, after which the connection ends."""
    return f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".encode()


class Frames:
    """Finds where the frames of a websocket begin, in bytes that arrive in pieces; costs far less than parsing them."""

    def __init__(self) -> None:
        self._header = b""
        self._left = 0
        self._in_message = False
        # How many messages have come to their last frame.
        self.messages = 0

    @property
    def unfinished(self) -> bool:
        """Whether a frame or a message has begun whose end is still to come."""
        return self._in_message or self._left > 0 or bool(self._header)

    def begun(self, data: bytes, most: int) -> int:
        """Return how many frames begin in the next piece; past `most` it stops looking, and is of no use any more."""
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
    """Return the bytes of the frame that begins there, or None while its length has not arrived."""
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
    """One websocket; says when it is accepted, or lost, and is closed if it never becomes one, or sends too much."""

    # What the open websockets of a client have sent, by the client's address.
    _clients: ClassVar[WeakValueDictionary[str, Spent]] = WeakValueDictionary()

    def __init__(self, *args: Any, done: Callable[[], None], by_client: bool, **kwargs: Any) -> None:
        """`done` is called at the end of the handshake; more than once does no harm.

        `by_client`: whether there are limits for all websockets of a client together.
        """
        super().__init__(*args, **kwargs)
        self._done = done
        self._by_client = by_client
        self._frames = Frames()
        self._alone = Spent(WITHIN)
        self._together: Spent | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Take the request, which comes in one piece from the HTTP protocol, or what comes after it."""
        if not self.handshake_initiated:
            super().data_received(data)
            self._refuse_odd_request()
        elif self._is_too_much(data):
            metrics.CROWDED.labels("frames").inc()
            if _seldom.lets("frames"):
                logger.warning(
                    "a websocket was closed: more than %d frames within %d seconds, or as much in fewer", FRAMES, WITHIN
                )
            self._fail("too many frames")
        else:
            super().data_received(data)

    def _refuse_odd_request(self) -> None:
        """Refuse a request that the library did not take for one of a websocket."""
        if not self.handshake_initiated and not self.transport.is_closing():
            too_large = isinstance(self.conn.handshake_exc, SecurityError)
            self.transport.write(closing("431 Request Header Fields Too Large" if too_large else "400 Bad Request"))
            self.transport.close()

    def _is_too_much(self, data: bytes) -> bool:
        """Count what has arrived, and wait for the rest of it."""
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

    def _of_client(self) -> Spent | None:
        """Return what all websockets of the client have sent, once it is known whose this is."""
        if self._together is None and self._by_client and self.handshake_complete:
            # Where a proxy is trusted, the application has put the address of the proxy's client here.
            client = network_of((self.scope.get("client") or ("",))[0])
            self._together = self._clients.setdefault(client, Spent(WITHIN))
        return self._together

    def _await_rest(self) -> None:
        self._deadline = self.loop.call_later(MESSAGE_WITHIN, self._give_up)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if self.read_paused:
            # The rest may have arrived, and it is the application that does not get on.
            self._await_rest()
        else:
            self._fail("the message did not arrive")

    def _fail(self, reason: str) -> None:
        """Close the websocket, and cut it off if the client does not read that."""
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
        """End the connection although the client does not read what is left to send: closing alone waits for that."""
        self._forget_deadline()
        self._deadline = self.loop.call_later(CLOSED_WITHIN, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """Close a websocket that answers no ping."""
        super().keepalive_timeout()
        self._cut_off_soon()

    def pause_writing(self) -> None:
        """Read nothing while the client does not read: each of its pings would add an answer to what waits."""
        super().pause_writing()
        if not self.read_paused and not self.transport.is_closing():
            self.read_paused = True
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on, unless the application has yet to take what was read."""
        super().resume_writing()
        if self.read_paused and self.queue.empty() and not self.transport.is_closing():
            self.read_paused = False
            self.transport.resume_reading()

    async def receive(self) -> ASGIReceiveEvent:
        """Return what comes next; reading goes on then, if the client reads too."""
        message = await super().receive()
        if not self.writable.is_set():
            self.pause_writing()
        return message

    async def send(self, message: ASGISendEvent) -> None:
        """Pass on what the application says; with its first word the handshake is over."""
        await super().send(message)
        if self.handshake_complete:
            self._done()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._done()
        self._forget_deadline()
        super().connection_lost(exc)
