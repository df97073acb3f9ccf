"""Measures a model server through the app's own client: waiting times, and how many questions and verdicts can be used.

    make bench PART=model
    python -m tests.bench.model --url http://localhost:8080/v1 --model NAME --count 12

Without a URL, the OPENAI_* settings count; without those, it is a scripted server that sends its first token after 400 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from interviewer import wiring
from interviewer.core import metrics
from interviewer.errors import InterviewerError
from interviewer.interviews import replies
from interviewer.interviews.events import Event
from interviewer.interviews.interviewer import AnswerBrief, JobBrief, PastTurn, QuestionBrief
from interviewer.interviews.openai_client import OpenAIInterviewer
from interviewer.interviews.topics import TOPICS
from interviewer.settings import Settings
from tests.bench.scripted_interview import CANDIDATE, JOB, MODEL
from tests.support import openai_server

logger = logging.getLogger("tests.bench.model")

COUNT = 12
FIRST_TOKEN, TOKENS_A_SECOND = 0.4, 60.0
REPAIRS = ("repaired", "kept", "failed")


@dataclass
class Series:
    """The results of one kind of call: seconds to the first words and to the end, and how many replies could be used."""

    kind: str
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)

    async def measure(self, call: Callable[[Callable[[Event], None]], Awaitable[object]]) -> None:
        """Make one call, which gets what to do with each event."""
        began, seen, before = perf_counter(), list[float](), self._repairs()
        try:
            await call(lambda _event: seen.append(perf_counter() - began))
        except InterviewerError as error:
            self.outcomes["failed"] += 1
            self.reasons.append(f"{type(error).__name__} after {perf_counter() - began:.1f} s: {error.reason}")
            logger.info("%s: %s", self.kind, self.reasons[-1])
            return
        self.outcomes["usable after one more request" if self._repairs() > before else "usable at once"] += 1
        self.first += seen[:1]
        self.whole.append(perf_counter() - began)
        logger.info("%s: usable after %.1f s", self.kind, self.whole[-1])

    def _repairs(self) -> float:
        return sum(float(metrics.MODEL_REPAIRS.labels(self.kind, outcome)._value.get()) for outcome in REPAIRS)

    def __str__(self) -> str:
        total = self.outcomes.total()
        usable = total - self.outcomes["failed"]
        counts = ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes.items())
        lines = [f"  {self.kind + 's':<10} usable {usable} of {total} ({counts})"]
        for name, values in (("first words", self.first), ("whole reply", self.whole)):
            if values:
                lines.append(f"             {name}: median {statistics.median(values):.2f} s, max {max(values):.2f} s")
        return "\n".join([*lines, *(f"             {reason}" for reason in self.reasons)])


def questions() -> list[QuestionBrief]:
    """Return different requests for a question: each topic, with and without a job description, and with a history."""
    past = [
        PastTurn(topic, "", "mid-level", MODEL["question"][0]["question"], answer=said[-1][1], score=6)
        for topic, said in CANDIDATE.items()
    ]
    return [
        QuestionBrief(
            topic.id,
            1,
            must_be_code=topic.name == "Coding",
            job=JobBrief(JOB) if turn else None,
            history=past[: 2 * turn],
        )
        for turn in range(2)
        for topic in TOPICS
    ]


def answers() -> list[AnswerBrief]:
    """Return different answers to judge, good ones and poor ones, with rubrics of three and four key points."""
    found = []
    for question, (topic, said) in zip(MODEL["question"], CANDIDATE.items(), strict=True):
        names = ("key_points", "model_answer", "follow_up")
        rubric = {name: question[name] for name in names}
        texts = [text for _, text in said if text]
        given = (texts[-1], "\n\n".join(texts), "I'd look at the logs, I think.", "I have not done that yet.")
        found += [AnswerBrief(topic, "text", question["question"], rubric, answer) for answer in given]
    return found


async def measured(model: OpenAIInterviewer, count: int) -> list[Series]:
    """Ask and judge `count` times each, one after the other."""
    asking, judging = Series("question"), Series("verdict")
    try:
        for brief in (questions() * count)[:count]:
            await asking.measure(lambda publish, brief=brief: replies.ask(model, brief, publish))  # type: ignore[misc]
        for answer in (answers() * count)[:count]:
            await judging.measure(lambda publish, answer=answer: replies.judge(model, answer, publish))  # type: ignore[misc]
    finally:
        await model.close()
    return [asking, judging]


def run(url: str, name: str, timeout: float, count: int) -> None:
    """Measure the given server, the one in the settings, or a scripted one, and print the results."""
    settings = Settings()
    with ExitStack() as stack:
        if not url and settings.uses_openai:
            model, server = wiring.choose_interviewer(settings), settings.openai_base_url or "OpenAI"
            assert isinstance(model, OpenAIInterviewer)
        else:
            server = url or "a scripted server"
            behavior = openai_server.Behavior(first=FIRST_TOKEN, rate=TOKENS_A_SECOND, marks_by_keyword=True)
            url = url or stack.enter_context(openai_server.running(behavior))
            model = OpenAIInterviewer(model=name, api_key=None, base_url=url, options=openai_server.limits(timeout))
        print(f"\nThe model {model.model} at {server}, prompts {model.prompt_version}")
        for series in asyncio.run(measured(model, count)):
            print(series, flush=True)


def part(_folder: Path, _database_url: str) -> None:
    """Run as a part of the benchmarks."""
    run("", "scripted", 60.0, COUNT)


def main() -> None:
    """Run alone, with a server of choice."""
    logging.disable(logging.INFO)
    parser = argparse.ArgumentParser(prog="python -m tests.bench.model")
    parser.add_argument("--url", default="", help="base URL of a chat/completions server, such as http://localhost:8078/v1")
    parser.add_argument("--model", default="scripted")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds to the first token, and for a reply")
    parser.add_argument("--count", type=int, default=COUNT, help="questions, and verdicts")
    parser.add_argument("--log", action="store_true", help="show each call, and why replies could not be used")
    given = parser.parse_args()
    if given.log:
        logging.disable(logging.NOTSET)
        logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
        for name in (logger.name, "interviewer.interviews.model_server"):
            logging.getLogger(name).setLevel(logging.INFO)
    run(given.url, given.model, given.timeout, given.count)


if __name__ == "__main__":
    main()
