"""Hold an interview with a language model and print it as Markdown: python -m tests.bench.transcript [--url URL --model NAME]

Without a URL, the model is a scripted one. It goes through the same HTTP, prompts, schemas and checks as any other, but its words
were written beforehand. With the URL of a real server, the candidate says the same, whatever the model asks.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from interviewer import wiring
from interviewer.core.database import Database
from interviewer.core.embedded_postgres.server import EmbeddedPostgres
from interviewer.core.mail_console import Outbox
from interviewer.core.migrations import migrate
from interviewer.core.users import User
from interviewer.interviews.events import Asked, Event, Failed, Replied, Started
from interviewer.interviews.exchange import Author, Kind
from interviewer.interviews.openai_client import OpenAIInterviewer
from interviewer.interviews.plan import even
from interviewer.interviews.views import InterviewView, MessageView, TurnView
from interviewer.settings import Settings
from tests.bench.scripted_interview import CANDIDATE, JOB, MODEL, TOPICS
from tests.support import openai_server
from tests.support.newcomers import add_user

# How often a failed reply is requested again, as a user would press "Try again".
TRIES = 3
_HEADS = {
    (Author.USER, Kind.CLARIFICATION): "**Candidate** (asks):",
    (Author.USER, Kind.HINT): "**Candidate** asks for the hint.",
    (Author.USER, Kind.SKIP): "**Candidate** skips the question.",
    (Author.INTERVIEWER, Kind.FOLLOW_UP): "**Interviewer** (follow-up):",
    (Author.INTERVIEWER, Kind.CLARIFICATION): "**Interviewer** (clarification):",
    (Author.INTERVIEWER, Kind.HINT): "**Interviewer** (hint):",
}


def main() -> None:
    """Print the transcript, and on standard error the replies that failed."""
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser(prog="python -m tests.bench.transcript")
    parser.add_argument("--url", help="base URL of a chat/completions server, such as http://localhost:8078/v1")
    parser.add_argument("--model", default="scripted")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for one reply")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interviewer-transcript-")))
        url = given.url or stack.enter_context(openai_server.running(openai_server.Behavior(script=MODEL)))
        model = OpenAIInterviewer(model=given.model, api_key=None, base_url=url, options=openai_server.limits(given.timeout))
        print(transcript(asyncio.run(held(stack.enter_context(_database(folder)), model))))


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    server = EmbeddedPostgres(folder / "database")
    url = server.start()
    try:
        migrate(url)
        yield url
    finally:
        server.stop()


async def held(database_url: str, model: OpenAIInterviewer) -> InterviewView:
    """Hold the interview, as far as the model gets with it, and return its view."""
    services = wiring.build(
        Settings(_env_file=None), database=Database(database_url), interviewer=model, mailer=Outbox(), payments=None
    )
    try:
        user = await add_user(services.database, "candidate@example.com", "Candidate", 1)
        plan = replace(even(TOPICS, 1), follow_ups=True)
        started = [event async for event in services.interviews.start(user.id, JOB, plan=plan)]
        asked = [event.turn for event in started if isinstance(event, Asked)]
        if not asked:
            raise SystemExit(f"The model asked no question: {_failures(started)}")
        [interview_id] = [event.interview_id for event in started if isinstance(event, Started)]
        turn: TurnView | None = asked[0]
        while turn is not None:
            turn = await _talk(services, user, interview_id, turn)
        return await services.interviews.view(user.id, interview_id)
    finally:
        await services.interviews.close()
        await services.close()


async def _talk(services: wiring.Services, user: User, interview_id: int, turn: TurnView) -> TurnView | None:
    """Say what the candidate says to a question until it is closed, and return the next question, or None at the end."""
    for kind, text in [*CANDIDATE[turn.topic_id], (Kind.SKIP, "")]:
        answering = services.interviews.answer(user.id, interview_id, turn.question_id, text, uuid4(), kind=kind)
        events = [event async for event in answering]
        for _ in range(TRIES):
            if not (failures := _failures(events)):
                break
            print(f"question {turn.position}: {failures}", file=sys.stderr)
            completing = services.interviews.complete(user.id, interview_id, turn.question_id)
            events = [event async for event in completing]
        if not any(isinstance(event, Replied) for event in events):
            return next((event.turn for event in events if isinstance(event, Asked)), None)
    return None


def _failures(events: Sequence[Event]) -> str:
    return ", ".join(f"{event.part}: {event.error}" for event in events if isinstance(event, Failed))


def transcript(view: InterviewView) -> str:
    """Return an interview as Markdown, without a title."""
    parts = [f"**The job:** {view.job_text}"]
    for turn in view.turns:
        parts += [f"### {turn.position}", f"**Interviewer:** {turn.prompt}", *(_message(one) for one in turn.messages)]
        if turn.verdict is not None:
            feedback = turn.verdict.feedback.replace("\n", "\n> ")
            parts += [f"**Verdict: {turn.verdict.score}/10**", f"> {feedback}"]
        elif turn.answer is not None:
            parts.append("*No verdict: the model's reply could not be used.*")
    return "\n\n".join(parts)


def _message(message: MessageView) -> str:
    head = _HEADS.get((message.author, message.kind), "**Candidate:**")
    return f"{head} {message.text}".strip()


if __name__ == "__main__":
    main()
