"""Measures what reading a streamed reply costs, and how much later its first and last words arrive than the server sent them.

    python -m tests.bench.stream
    make bench PART=stream

The scripted server runs in its own process, so the CPU time is the client's: HTTP, parsing, and publishing to no followers.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from interviewer.interviews import replies
from interviewer.interviews.events import Event, FeedbackPiece
from interviewer.interviews.interviewer import AnswerBrief
from interviewer.interviews.openai_client import OpenAIInterviewer
from tests.support import openai_server
from tests.support.interviewer import RUBRIC
from tests.support.site import free_port

# Tokens per second. A local model writes about 60, a hosted one up to 600; 0 is all at once.
RATES = (60, 600, 0)
FIRST_TOKEN, FEEDBACK_TOKENS = 0.4, 430
REPLIES = 20
ANSWER = AnswerBrief(3, "text", "What first?", RUBRIC, "First I would measure the latency, because guesses mislead.")


@dataclass(frozen=True)
class Reply:
    """One verdict: how many pieces were published, and by how many ms the first and the last text came later than sent."""

    pieces: int
    first: float
    last: float
    seconds: float


@contextmanager
def _server(rate: int) -> Iterator[str]:
    port = free_port()
    given = ["--port", str(port), "--first", str(FIRST_TOKEN), "--rate", str(rate), "--feedback-tokens", str(FEEDBACK_TOKENS)]
    process = subprocess.Popen([sys.executable, "-m", "tests.support.openai_server", *given, "--stamps"])
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def _delay(text: str, at: float, *, newest: bool) -> float | None:
    """Return how many ms before `at` (wall clock) the server sent the oldest or the newest stamped word in `text`."""
    stamps = [int(word[1:]) for word in text.split() if len(word) == len(openai_server.STAMP) and word[1:].isdecimal()]
    if not stamps:
        return None
    return (at * 1000 - stamps[-1 if newest else 0]) % openai_server.STAMPS_END


async def _reply(model: OpenAIInterviewer) -> Reply:
    seen: list[tuple[float, str]] = []
    began = time.perf_counter()

    def publish(event: Event) -> None:
        assert isinstance(event, FeedbackPiece)
        seen.append((time.time(), event.text))

    await replies.judge(model, ANSWER, publish)
    firsts = (_delay(text, at, newest=False) for at, text in seen)
    lasts = (_delay(text, at, newest=False) for at, text in reversed(seen))
    first, last = (next(one for one in delays if one is not None) for delays in (firsts, lasts))
    return Reply(len(seen), first, last, time.perf_counter() - began)


async def _measured(url: str) -> tuple[list[Reply], float]:
    """Return the replies, a few at a time, and the CPU time of one in ms."""
    model = OpenAIInterviewer(model="scripted", api_key=None, base_url=url, options=openai_server.limits(60))
    try:
        await asyncio.gather(*(_reply(model) for _ in range(5)))
        began = time.process_time()
        found = await asyncio.gather(*(_later(model, number * 0.05) for number in range(REPLIES)))
        return found, (time.process_time() - began) * 1000 / REPLIES
    finally:
        await model.close()


async def _later(model: OpenAIInterviewer, seconds: float) -> Reply:
    await asyncio.sleep(seconds)
    return await _reply(model)


def _spread(values: list[float]) -> str:
    return f"median {statistics.median(values):6.1f}  max {max(values):6.1f} ms"


def stream() -> None:
    """Print the CPU time of a verdict and the delays of its text, by tokens per second."""
    print(f"\nA verdict with feedback of {FEEDBACK_TOKENS} tokens, {REPLIES} overlapping ones")
    for rate in RATES:
        with _server(rate) as url, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            time.sleep(3)
            found, cpu = runner.run(_measured(url))
        name = f"{rate} tokens a second" if rate else "all at once"
        print(f"  {name:<20} CPU {cpu:6.1f} ms a reply, {statistics.mean(one.pieces for one in found):5.1f} pieces, ", end="")
        print(f"{statistics.mean(one.seconds for one in found):6.3f} s")
        print(f"  {'':<20} first words: {_spread([one.first for one in found])}")
        print(f"  {'':<20} last words:  {_spread([one.last for one in found])}", flush=True)


def part(_folder: Path, _database_url: str) -> None:
    """Run as a part of the benchmarks."""
    stream()


if __name__ == "__main__":
    stream()
