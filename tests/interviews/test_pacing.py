"""Streams are read as often as they are displayed: the first words at once, the rest in ticks, the end without a pause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import h11
import pytest
from h11._receivebuffer import ReceiveBuffer
from h11._util import LocalProtocolError

from interviewer.errors import InterviewerBadOutput, InterviewerUnreachable
from interviewer.interviews.interviewer import AnswerBrief, Piece, VerdictDraft
from interviewer.interviews.model_server import pacing
from interviewer.interviews.model_server.http_chunks import JoinedChunks, join_chunks
from interviewer.interviews.model_server.pacing import SHARE, TICK, PacedBlocks
from interviewer.interviews.model_server.reading import MAX_CHATTER, GrowingReply
from interviewer.interviews.openai_client import OpenAIInterviewer
from tests.support import openai_server
from tests.support.interviewer import RUBRIC

ANSWER = AnswerBrief(3, "text", "What first?", RUBRIC, "I would measure the latency first, because guesses mislead.")
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n"


class Socket:
    """A fake connection: what arrives is buffered, and a read returns all of it or waits."""

    def __init__(self) -> None:
        self.reads = 0
        self._buffer = b""
        self._end: BaseException | None = None
        self._arrived = asyncio.Event()

    def receive(self, data: bytes) -> None:
        self._buffer += data
        self._arrived.set()

    def end(self, error: BaseException | None = None) -> None:
        self._end = error or StopAsyncIteration()
        self._arrived.set()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await self._arrived.wait()
        await asyncio.sleep(0)
        self.reads += 1
        if not self._buffer and self._end is not None:
            raise self._end
        data, self._buffer = self._buffer, b""
        if self._end is None:
            self._arrived.clear()
        return data


async def written(socket: Socket, count: int, rate: float) -> None:
    for _ in range(count):
        socket.receive(b"x")
        await asyncio.sleep(1 / rate)
    socket.end()


async def paced(blocks: PacedBlocks) -> list[bytes]:
    found = []
    async for block in blocks:
        found.append(block)
        blocks.pause()
    return found


async def seconds_of(work: Callable[[], object]) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    result = work()
    if asyncio.iscoroutine(result):
        await result
    return loop.time() - began


@pytest.mark.parametrize("rate", [100, 600])
async def test_reads_follow_the_display_not_the_tokens(rate: int) -> None:
    socket = Socket()
    writing = asyncio.create_task(written(socket, rate, rate))
    found = await paced(PacedBlocks(socket))
    await writing
    assert b"".join(found) == b"x" * rate
    assert found[0] == b"x"
    assert len(found) < 60, "a second is 20 ticks, plus the faster ones at the beginning"


async def test_blocks_come_at_once_without_a_pause() -> None:
    socket = Socket()
    blocks = PacedBlocks(socket)
    for _ in range(3):
        socket.receive(b"x")
        assert await anext(blocks) == b"x"
    assert await seconds_of(lambda: blocks.pause()) < TICK / 2


async def test_pauses_grow_up_to_one_tick() -> None:
    blocks = PacedBlocks(Socket())
    pauses = [blocks.pause()]
    for _ in range(2):
        await asyncio.sleep(TICK)
        pauses.append(blocks.pause())
    await asyncio.sleep(TICK / SHARE)
    pauses.append(blocks.pause())
    assert pauses[0] == 0
    assert 0 < pauses[1] < pauses[2] <= pauses[3] == TICK


async def test_end_and_error_pass_through() -> None:
    for error, expected in ((None, StopAsyncIteration), (ConnectionResetError("gone"), ConnectionResetError)):
        socket = Socket()
        socket.receive(b"last words")
        socket.end(error)
        blocks = PacedBlocks(socket)
        assert await anext(blocks) == b"last words"
        blocks.pause()
        with pytest.raises(expected):
            await anext(blocks)


async def test_pause_can_be_cancelled() -> None:
    socket = Socket()
    blocks = PacedBlocks(socket)
    blocks.pause()
    await asyncio.sleep(TICK / SHARE)
    assert blocks.pause() == TICK
    reading = asyncio.create_task(anext(blocks))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert socket.reads == 0


async def test_block_that_is_there_already_needs_no_pause() -> None:
    """Such as the second of two chunks in one read, if chunks are not joined."""

    async def ready() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x"

    blocks = PacedBlocks(ready())
    blocks.pause()
    await asyncio.sleep(TICK / SHARE)
    assert await seconds_of(lambda: paced(blocks)) < 3 * TICK


def test_first_words_are_never_waited_with() -> None:
    growing = GrowingReply(("feedback", "marks"), ("feedback",))
    for text, may_wait in (('{"feed', False), ('back": "', False), ("You", True), (' said."', True)):
        growing.feed(text)
        assert growing.may_wait is may_wait
    reasoning = GrowingReply(("feedback",), ("feedback",))
    reasoning.feed("<think>" + "well, " * MAX_CHATTER)
    assert reasoning.may_wait
    assert GrowingReply(("title",)).may_wait, "nothing is shown"


async def test_fast_reply_is_shown_at_once_and_in_few_pieces() -> None:
    behavior = openai_server.Behavior(rate=300, feedback_tokens=300)
    with openai_server.running(behavior) as url:
        model = OpenAIInterviewer(model="m", api_key=None, base_url=url, options=openai_server.limits(10))
        items = [item async for item in model.judge(ANSWER)]
        await model.close()
    pieces, draft = [item.text for item in items if isinstance(item, Piece)], items[-1]
    assert isinstance(draft, VerdictDraft)
    assert "".join(pieces).strip() == draft.feedback.strip()
    assert len(pieces[0]) < len(pieces[-2])
    assert len(pieces) < 100


async def test_pause_does_not_count_as_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "TICK", 0.8)
    monkeypatch.setattr(pacing, "SHARE", 1.0)
    behavior = openai_server.Behavior(rate=100, feedback_tokens=200)
    with openai_server.running(behavior) as url:
        options = replace(openai_server.limits(10), idle_seconds=0.5)
        model = OpenAIInterviewer(model="m", api_key=None, base_url=url, options=options)
        assert isinstance([item async for item in model.judge(ANSWER)][-1], VerdictDraft)
        await model.close()


async def test_connection_that_breaks_in_a_pause_is_an_error() -> None:
    behavior = openai_server.Behavior(rate=100, fault_for={"verdict": "cut"}, feedback_tokens=60)
    with openai_server.running(behavior) as url:
        model = OpenAIInterviewer(model="m", api_key=None, base_url=url, options=openai_server.limits(10))
        with pytest.raises(InterviewerUnreachable):
            [item async for item in model.judge(ANSWER)]
        await model.close()


def response(*blocks: bytes) -> list[object]:
    """Return the events of h11 for a response that is received in blocks."""
    join_chunks()
    connection = h11.Connection(our_role=h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "localhost")]))
    connection.send(h11.EndOfMessage())
    found: list[object] = []
    for block in blocks:
        connection.receive_data(block)
        while (event := connection.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
            found.append(bytes(event.data) if isinstance(event, h11.Data) else type(event))
            if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                break
    return found


def test_chunks_in_one_block_are_one_event() -> None:
    assert response(HEAD, CHUNKS, b"0\r\n\r\n") == [h11.Response, b"hello world", h11.EndOfMessage]
    assert response(HEAD + CHUNKS + b"0\r\n\r\n") == [h11.Response, b"hello world", h11.EndOfMessage]


def test_chunks_are_read_from_blocks_of_any_size() -> None:
    body = CHUNKS + b"0\r\n\r\n"
    for size in range(1, len(body)):
        first, *found, last = response(HEAD, *(body[at : at + size] for at in range(0, len(body), size)))
        assert (first, last) == (h11.Response, h11.EndOfMessage)
        assert b"".join(one for one in found if isinstance(one, bytes)) == b"hello world"


def test_invalid_chunk_is_an_error_after_the_data() -> None:
    read, buffer = JoinedChunks(), ReceiveBuffer()
    buffer += CHUNKS + b"no size\r\n"
    event = read(buffer)
    assert isinstance(event, h11.Data)
    assert event.data == b"hello world"
    with pytest.raises(LocalProtocolError, match="illegal chunk header"):
        read(buffer)
    with pytest.raises(h11.RemoteProtocolError):
        response(HEAD, CHUNKS + b"no size\r\n")


def test_connection_closed_within_a_body_is_an_error() -> None:
    with pytest.raises(h11.RemoteProtocolError, match="incomplete chunked read"):
        response(HEAD, CHUNKS, b"")


def test_h11_uses_the_reader_of_joined_chunks() -> None:
    join_chunks()
    connection = h11.Connection(our_role=h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "localhost")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(HEAD)
    connection.next_event()
    assert isinstance(connection._reader, JoinedChunks)


async def test_stuck_model_is_stopped_between_ticks() -> None:
    behavior = openai_server.Behavior(rate=400)
    behavior.given = [{"feedback": "no " * 3_000, "nature": "answer", "marks": []}] * 2
    with openai_server.running(behavior) as url:
        model = OpenAIInterviewer(model="m", api_key=None, base_url=url, options=openai_server.limits(20))
        took = await seconds_of(lambda: _ended(model))
        await model.close()
    assert took < 5, "it would have written for 15 s"


async def _ended(model: OpenAIInterviewer) -> None:
    with pytest.raises(InterviewerBadOutput) as raised:
        [item async for item in model.judge(ANSWER)]
    assert "repeated itself" in raised.value.reason
