"""Join the HTTP chunks that were received together, which replaces an undocumented part of h11.

Model servers send each token as an HTTP chunk, and h11 makes an event of each, which passes through seven layers of httpcore and
httpx: half of the CPU time of a reply that was read in few blocks. Relies on h11 taking its readers from `READERS`, and on a
reader being a callable that returns the next event in a buffer, or None. `tests/interviews/test_pacing.py` fails if a new
version changes that. Without it, replies are still read correctly.
"""

from __future__ import annotations

from h11 import Data, EndOfMessage
from h11._readers import READERS, ChunkedReader
from h11._receivebuffer import ReceiveBuffer
from h11._state import SEND_BODY
from h11._util import LocalProtocolError


class JoinedChunks:
    """Reads a chunked body like h11's reader, but returns all data in the buffer as one event."""

    def __init__(self) -> None:
        self._reader = ChunkedReader()
        self._end: EndOfMessage | LocalProtocolError | None = None

    def __call__(self, buffer: ReceiveBuffer) -> Data | EndOfMessage | None:
        """Return the data in the buffer, or the end once there is no more data. Raises LocalProtocolError for invalid chunks."""
        if isinstance(self._end, LocalProtocolError):
            raise self._end
        if self._end is not None:
            return self._end
        event = self._reader(buffer)
        if not isinstance(event, Data):
            return event
        found = [event.data]
        while self._end is None and isinstance(event := self._following(buffer), Data):
            found.append(event.data)
        return Data(data=b"".join(found))

    def _following(self, buffer: ReceiveBuffer) -> Data | EndOfMessage | None:
        """Return the next event, and keep the end or an error for the next call, so that the data before it is not lost."""
        try:
            event = self._reader(buffer)
        except LocalProtocolError as error:
            self._end = error
            return None
        if isinstance(event, EndOfMessage):
            self._end = event
        return event

    def read_eof(self) -> None:
        """Raise RemoteProtocolError, because the connection was closed within the body."""
        self._reader.read_eof()


def join_chunks() -> None:
    """Use JoinedChunks for all chunked bodies that h11 reads in this process."""
    readers = READERS[SEND_BODY]
    if isinstance(readers, dict):
        readers["chunked"] = JoinedChunks
