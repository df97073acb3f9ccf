"""Interviews for API clients: a client sends messages, and the server works out which question each one answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from interviewer.core.columns import utcnow
from interviewer.errors import BadRequest, Conflict, NotFound
from interviewer.interviews.events import Asked, Event
from interviewer.interviews.load import lacks_something
from interviewer.interviews.receipts import Receipts
from interviewer.interviews.turns import Interviews
from interviewer.interviews.user_text import clean_answer, cleaned
from interviewer.interviews.views import Loaded, TurnRow, turn_view

# How long an Idempotency-Key replays the reply to its answer.
REPLAYED_FOR = timedelta(hours=24)
# The id of an answer is derived from its Idempotency-Key (RFC 9562, version 5), so keys need no table of their own.
_KEYS = UUID("6f1b7f0e-5a53-4a39-9d0e-3f6a0b9c4d21")
ALREADY_BEGUN = "The interview has already started with a different first answer."
OTHER_ANSWER = "The last answer hasn't been scored yet. To retry, send its text again, or an empty message."
ANOTHER_QUESTION = "The question identified by topic_id and question_id isn't open, and this isn't the text of its answer."
HALF_NAMED = "topic_id and question_id identify a question together. Send both or neither."


@dataclass(frozen=True, slots=True)
class Sent:
    """A client's message: `key` is its Idempotency-Key; `conversation_id` the conversation it names, if any.

    `first`: the client means to answer the first question. `topic_id` and `question_id` (the number within the topic), if given,
    name the question.
    """

    message: str
    key: str = ""
    conversation_id: object = None
    topic_id: int | None = None
    question_id: int | None = None
    first: bool = False

    def __post_init__(self) -> None:
        if (self.topic_id is None) != (self.question_id is None):
            raise BadRequest(HALF_NAMED)

    @property
    def names_a_question(self) -> bool:
        """Whether the message names its question."""
        return self.topic_id is not None

    def named(self, loaded: Loaded) -> TurnRow:
        """Return the turn that the message names; raises Conflict if that question has not been asked."""
        for row in loaded.rows:
            if (row.question.topic_id, loaded.plan.place(row.question.position).number) == (self.topic_id, self.question_id):
                return row
        raise Conflict(ANOTHER_QUESTION)


@dataclass(frozen=True, slots=True)
class Reply:
    """The question that a message answers, and the events of its turn."""

    question_id: int
    events: AsyncIterator[Event]


class Programs:
    """The use cases of API clients that take an interview."""

    def __init__(self, interviews: Interviews, receipts: Receipts) -> None:
        self._interviews = interviews
        self._receipts = receipts

    async def reply(self, user_id: int, interview_id: int, sent: Sent, client: str = "") -> Reply:
        """Take a message as a new or a repeated answer and return its reply.

        `client` is the caller's network address. Raises NotFound, also for a conversation that is another interview's or has not
        begun; BadRequest without a message; TooLarge; and Conflict when the interview is not active, when an answer that is not
        judged yet has another text, or when the named question is not the open one. Iterating the events raises TooManyRequests.
        """
        loaded = await self._interviews.load(user_id, interview_id)
        if not loaded.rows or (sent.conversation_id is not None and str(sent.conversation_id) != str(loaded.conversation_id)):
            raise NotFound
        text = sent.message.strip() and cleaned(clean_answer, sent.message)
        row = repeated(loaded, sent, text) or await self._undelivered(loaded, sent, text)
        if row is not None:
            events = self._interviews.complete(user_id, interview_id, row.question.id, client)
            return Reply(row.question.id, _with_next(events, loaded, row))
        row = loaded.rows[-1]
        if row.answer is not None:
            raise Conflict("Interview is not active")
        if not text:
            raise BadRequest("Missing message")
        client_id = answer_id(interview_id, row.question.id, sent.key) if sent.key else uuid4()
        events = self._interviews.answer(
            user_id, interview_id, row.question.id, text, client_id, loaded, client=client, reply_owed=True
        )
        return Reply(row.question.id, events)

    async def _undelivered(self, loaded: Loaded, sent: Sent, text: str) -> TurnRow | None:
        """Return the last answered turn if only its text is repeated (no key, no question) and its reply was not delivered."""
        last = next((row for row in reversed(loaded.rows) if row.answer is not None), None)
        if last is None or last.answer is None or text != last.answer.content or not last.answer.reply_owed:
            return None
        if sent.key or sent.names_a_question:
            return None
        return last if await self._receipts.take(last.question.id) else None


def answer_id(interview_id: int, question_id: int, key: str) -> UUID:
    """Return the id under which the answer to a question with this Idempotency-Key is stored.

    The question is part of it, so that an expired key can be used again for another question.
    """
    return uuid5(_KEYS, f"{interview_id}/{question_id}/{key}")


def repeated(loaded: Loaded, sent: Sent, text: str) -> TurnRow | None:
    """Return the answered turn that a message repeats, or None for a new answer; raises Conflict when it is neither.

    `text` is the message as it would be stored, empty if there is none.
    """
    named = sent.named(loaded) if sent.names_a_question else None
    answered = [row for row in loaded.rows if row.answer is not None]
    if not answered:
        return None
    first, last = answered[0], answered[-1]
    if lacks_something(loaded, last) and not (named and named.question.position < last.question.position):
        if (text and not _says(last, text)) or named not in (None, last):
            raise Conflict(ALREADY_BEGUN if sent.first and not _says(first, text) else OTHER_ANSWER)
        return last
    if sent.key and (row := next((row for row in answered if _has_key(row, loaded, sent.key)), None)) is not None:
        return row
    if named is not None and named.answer is not None:
        if not _says(named, text):
            raise Conflict(ANOTHER_QUESTION)
        return named
    if sent.first:
        if named is not None or (text and not _says(first, text)):
            raise Conflict(ALREADY_BEGUN)
        return first
    return None


def _says(row: TurnRow, text: str) -> bool:
    return row.answer is not None and row.answer.content == text


def _has_key(row: TurnRow, loaded: Loaded, key: str) -> bool:
    """Return whether an answer was sent with this key within REPLAYED_FOR."""
    interview_id = loaded.interview.id
    # The second form is that of answers stored before the question became part of the id.
    ids = (answer_id(interview_id, row.question.id, key), uuid5(_KEYS, f"{interview_id}/{key}"))
    return row.answer is not None and row.answer.client_id in ids and utcnow() - row.answer.created_at <= REPLAYED_FOR


async def _with_next(events: AsyncIterator[Event], loaded: Loaded, row: TurnRow) -> AsyncIterator[Event]:
    """Yield the events of a repeated answer, and the next question even if that has been answered since."""
    async with aclosing(events) as opened:  # type: ignore[type-var]
        async for event in opened:
            yield event
    following = next((other for other in loaded.rows if other.question.position == row.question.position + 1), None)
    if following is not None and following.answer is not None:
        yield Asked(turn_view(following, loaded.plan, asked=len(loaded.rows)))
