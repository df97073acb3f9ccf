"""Interviews for API clients. A client sends messages, and the server works out which question each one answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from interviewer.core.columns import utcnow
from interviewer.errors import BadRequest, Conflict, NotFound
from interviewer.interviews.events import Asked, Event
from interviewer.interviews.exchange import Kind
from interviewer.interviews.load import is_incomplete
from interviewer.interviews.receipts import Receipts
from interviewer.interviews.turns import Interviews
from interviewer.interviews.user_text import clean_answer, cleaned
from interviewer.interviews.views import Loaded, TurnRow, turn_view

# How long a repeated Idempotency-Key replays the stored reply.
REPLAYED_FOR = timedelta(hours=24)
# An answer's ID is derived from its Idempotency-Key (a version 5 UUID, RFC 9562), so keys need no table of their own.
_KEYS = UUID("6f1b7f0e-5a53-4a39-9d0e-3f6a0b9c4d21")
ALREADY_BEGUN = "The interview has already started with a different first answer."
OTHER_ANSWER = "The last answer hasn't been scored yet. To retry, send its text again, or an empty message."
ANOTHER_QUESTION = "The question identified by topic_id and question_id isn't open, and this isn't the text of its answer."
INCOMPLETE_QUESTION_REFERENCE = "topic_id and question_id identify a question together. Send both or neither."


@dataclass(frozen=True, slots=True)
class Sent:
    """A client's message.

    `key` is its Idempotency-Key, and `conversation_id` is the conversation it names, if any. `first` is set if the client means
    to answer the first question. `topic_id` and `question_id` (the number within the topic) optionally name the question. Raises
    BadRequest if only one of these two is given. `kind` says what the message is; a skip and a hint need no text. `turns` is set
    if the client understands follow-ups, which are else not asked.
    """

    message: str
    key: str = ""
    conversation_id: object = None
    topic_id: int | None = None
    question_id: int | None = None
    first: bool = False
    kind: Kind = Kind.ANSWER
    turns: bool = False

    def __post_init__(self) -> None:
        if (self.topic_id is None) != (self.question_id is None):
            raise BadRequest(INCOMPLETE_QUESTION_REFERENCE)

    @property
    def names_question(self) -> bool:
        """Whether the message says which question it answers."""
        return self.topic_id is not None

    def named(self, loaded: Loaded) -> TurnRow:
        """Return the turn of the question that the message names. Raises Conflict if that question has not been asked."""
        for row in loaded.rows:
            if (row.question.topic_id, loaded.plan.place(row.question.position).number) == (self.topic_id, self.question_id):
                return row
        raise Conflict(ANOTHER_QUESTION)


@dataclass(frozen=True, slots=True)
class Reply:
    """The ID of the question that a message answers, and the events of its turn."""

    question_id: int
    events: AsyncIterator[Event]


class ApiInterviews:
    """The interview use cases for API clients."""

    def __init__(self, interviews: Interviews, receipts: Receipts) -> None:
        self._interviews = interviews
        self._receipts = receipts

    async def reply(self, user_id: int, interview_id: int, sent: Sent, client: str = "") -> Reply:
        """Handle a message as a new answer or as a repeat of an earlier one, and return its reply.

        `client` is the caller's IP address. Raises NotFound if the user has no such interview, if it has no question yet, or if
        the message names another conversation. Raises BadRequest if the message is missing or unusable, and TooLarge if it is too
        long. Raises Conflict if the interview is not active, if the last answer has a different text and is still missing its
        verdict or the next question, or if the named question is neither the current one nor answered with this text. Iterating
        the events raises TooManyRequests if a rate limit is reached.
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
        if not text and sent.kind not in (Kind.SKIP, Kind.HINT):
            raise BadRequest("Missing message")
        kind = Kind.FINAL_ANSWER if sent.kind is Kind.ANSWER and not sent.turns else sent.kind
        client_id = answer_id(interview_id, row.question.id, sent.key) if sent.key else uuid4()
        events = self._interviews.answer(
            user_id, interview_id, row.question.id, text, client_id, loaded, client=client, reply_owed=True, kind=kind
        )
        return Reply(row.question.id, events)

    async def _undelivered(self, loaded: Loaded, sent: Sent, text: str) -> TurnRow | None:
        """Return the last answered turn if the message repeats its text and its reply was never delivered, else None.

        Messages that have a key or name a question are never matched. The reply is marked as delivered, so it is replayed only
        once.
        """
        last = next((row for row in reversed(loaded.rows) if row.last is not None), None)
        if last is None or last.last is None or text != last.last.content or not last.last.reply_owed:
            return None
        if sent.key or sent.names_question:
            return None
        return last if await self._receipts.take(last.question.id) else None


def answer_id(interview_id: int, question_id: int, key: str) -> UUID:
    """Return the UUID under which the answer to a question with this Idempotency-Key is stored.

    The question is part of the UUID, so that a client can reuse an expired key for another question.
    """
    return uuid5(_KEYS, f"{interview_id}/{question_id}/{key}")


def repeated(loaded: Loaded, sent: Sent, text: str) -> TurnRow | None:
    """Return the answered turn that a message repeats, or None if the message is a new answer.

    `text` is the message as it would be stored, or empty if there is none. Raises Conflict if the message contradicts what is
    stored: the last answer differs and is missing its verdict or the next question, or the question that the message means has
    another answer.
    """
    named = sent.named(loaded) if sent.names_question else None
    answered = [row for row in loaded.rows if row.last is not None]
    if not answered:
        return None
    first, last = answered[0], answered[-1]
    if is_incomplete(loaded, last) and not (named and named.question.position < last.question.position):
        if (text and not _has_text(last, text)) or named not in (None, last):
            raise Conflict(ALREADY_BEGUN if sent.first and not _has_text(first, text) else OTHER_ANSWER)
        return last
    if sent.key and (row := next((row for row in answered if _has_key(row, loaded, sent.key)), None)) is not None:
        return row
    if named is not None and named.answer is not None and named.verdict is not None:
        if not _has_text(named, text):
            raise Conflict(ANOTHER_QUESTION)
        return named
    if sent.first:
        if named is not None or (text and not _has_text(first, text)):
            raise Conflict(ALREADY_BEGUN)
        return first
    return None


def _has_text(row: TurnRow, text: str) -> bool:
    return row.last is not None and row.last.content == text


def _has_key(row: TurnRow, loaded: Loaded, key: str) -> bool:
    """Return whether the turn's answer was sent with this key within REPLAYED_FOR."""
    interview_id = loaded.interview.id
    # Answers stored before the question became part of the ID have the second form.
    ids = (answer_id(interview_id, row.question.id, key), uuid5(_KEYS, f"{interview_id}/{key}"))
    return any(message.client_id in ids and utcnow() - message.created_at <= REPLAYED_FOR for message in row.messages)


async def _with_next(events: AsyncIterator[Event], loaded: Loaded, row: TurnRow) -> AsyncIterator[Event]:
    """Yield the events of a repeated answer, then the next question even if it has been answered since."""
    async with aclosing(events) as opened:  # type: ignore[type-var]
        async for event in opened:
            yield event
    following = next((other for other in loaded.rows if other.question.position == row.question.position + 1), None)
    if following is not None and following.answer is not None:
        yield Asked(turn_view(following, loaded.plan, asked=len(loaded.rows)))
