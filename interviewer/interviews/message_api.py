"""Interviews for API clients. A client sends messages, and the server works out which question each one is about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from interviewer.core.columns import utcnow
from interviewer.errors import BadRequest, Conflict, NotFound
from interviewer.interviews.code_run import NO_CODE, Code
from interviewer.interviews.events import Asked, Event, Failed, Replied
from interviewer.interviews.exchange import REWRITE, Author, Kind
from interviewer.interviews.load import is_incomplete
from interviewer.interviews.receipts import Receipts
from interviewer.interviews.tables import Message
from interviewer.interviews.turns import Interviews
from interviewer.interviews.user_text import clean_answer, cleaned
from interviewer.interviews.views import Loaded, TurnRow, is_answer, turn_view

# How long a repeated Idempotency-Key replays the stored reply.
REPLAYED_FOR = timedelta(hours=24)
# What is sent without a text.
WORDLESS = frozenset({Kind.SKIP, Kind.HINT})
# A message's ID is derived from its Idempotency-Key (a version 5 UUID, RFC 9562), so keys need no table of their own.
_KEYS = UUID("6f1b7f0e-5a53-4a39-9d0e-3f6a0b9c4d21")
ALREADY_BEGUN = "The interview has already started with a different first answer."
OTHER_ANSWER = "The last answer hasn't been scored yet. To retry, send its text again, or an empty message."
OTHER_MESSAGE = "The interviewer hasn't replied to your last message yet. To retry, send it again, or an empty message."
ANOTHER_QUESTION = "The question identified by topic_id and question_id isn't open, and this isn't the text of its answer."
INCOMPLETE_QUESTION_REFERENCE = "topic_id and question_id identify a question together. Send both or neither."


@dataclass(frozen=True, slots=True)
class Sent:
    """A client's message.

    `key` is its Idempotency-Key, and `conversation_id` is the conversation it names, if any. `first` is set if the client means
    to answer the first question. `topic_id` and `question_id` (the number within the topic) optionally name the question. Raises
    BadRequest if only one of these two is given. `kind` says what the message is; a skip and a hint need no text, and a text sent
    with them is ignored. `is_sure` is set if the client names the kind itself, and `turns` if it knows follow-ups, which are
    else not asked. `code` is what comes with an answer that is code.
    """

    message: str
    key: str = ""
    conversation_id: object = None
    topic_id: int | None = None
    question_id: int | None = None
    first: bool = False
    kind: Kind = Kind.ANSWER
    turns: bool = False
    is_sure: bool = False
    code: Code = NO_CODE

    def __post_init__(self) -> None:
        if (self.topic_id is None) != (self.question_id is None):
            raise BadRequest(INCOMPLETE_QUESTION_REFERENCE)

    @property
    def names_question(self) -> bool:
        """Whether the message says which question it is about."""
        return self.topic_id is not None

    def named(self, loaded: Loaded) -> TurnRow:
        """Return the turn of the question that the message names. Raises Conflict if that question has not been asked."""
        for row in loaded.rows:
            if (row.question.topic_id, loaded.plan.place(row.question.position).number) == (self.topic_id, self.question_id):
                return row
        raise Conflict(ANOTHER_QUESTION)

    def text(self) -> str:
        """Return the text as it would be stored, or empty if there is none. Raises BadRequest or TooLarge if it is unusable."""
        if self.kind in WORDLESS or not self.message.strip():
            return ""
        return cleaned(clean_answer, self.message)

    def has_content(self, text: str) -> bool:
        """Return whether the message says something, rather than only asking for what is missing. `text` is its text."""
        return bool(text) or self.kind in WORDLESS

    def repeats(self, stored: Message, text: str) -> bool:
        """Return whether a stored message is the same. `text` is this message's text."""
        if text:
            return stored.content == text
        return stored.kind == (Kind.HINT if self.kind is Kind.HINT else Kind.SKIP)


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to the user's message `number` about a question: its events, and whether the client is shown follow-ups."""

    question_id: int
    number: int
    events: AsyncIterator[Event]
    turns: bool


class ApiInterviews:
    """The interview use cases for API clients."""

    def __init__(self, interviews: Interviews, receipts: Receipts) -> None:
        self._interviews = interviews
        self._receipts = receipts

    async def reply(self, user_id: int, interview_id: int, sent: Sent, client: str = "") -> Reply:
        """Handle a message as a new one or as a repeat of an earlier one, and return its reply.

        `client` is the caller's IP address. Raises NotFound if the user has no such interview, if it has no question yet, or if
        the message names another conversation. Raises BadRequest if the message is missing or unusable, and TooLarge if it is too
        long. Raises Conflict if the interview is not active, if the last message is a different one and still has no reply, or if
        the named question is neither the current one nor answered with this text. Raises Unprocessable if the test results of a
        new message do not fit the question. Iterating the events raises TooManyRequests if
        a rate limit is reached, and Conflict if the user has used up the clarifications or hints of this question.
        """
        loaded = await self._interviews.load(user_id, interview_id)
        if not loaded.rows or (sent.conversation_id is not None and str(sent.conversation_id) != str(loaded.conversation_id)):
            raise NotFound
        text, asks = sent.text(), sent.turns or loaded.interview.shows_turns
        # A client that asks for a clarification or a hint understands the reply.
        shows = asks or sent.kind in (Kind.CLARIFICATION, Kind.HINT)
        final = loaded.plan.follow_ups and not asks
        stored = repeated(loaded, sent, text) or await self._undelivered(loaded, sent, text)
        if stored is not None:
            row = loaded.row(stored.question_id)
            if final and row.answer is stored and row.verdict is None and stored.kind == Kind.ANSWER:
                await self._interviews.make_final(stored)
            events = self._interviews.complete(
                user_id, interview_id, row.question.id, client, number=stored.number, is_sure=sent.is_sure
            )
            events = _with_next(events, loaded, row.until(stored.number))
            return Reply(row.question.id, stored.number, events if shows else _with_refusal(events), shows)
        row = loaded.rows[-1]
        if row.answer is not None:
            raise Conflict("Interview is not active")
        if not sent.has_content(text):
            raise BadRequest("Missing message")
        kind = Kind.FINAL_ANSWER if sent.kind is Kind.ANSWER and final else sent.kind
        client_id = message_id(interview_id, row.question.id, row.next_number, sent.key) if sent.key else uuid4()
        events = self._interviews.answer(
            user_id,
            interview_id,
            row.question.id,
            text,
            client_id,
            loaded,
            client=client,
            reply_owed=True,
            kind=kind,
            is_new=True,
            is_sure=sent.is_sure,
            code=sent.code.checked(row.exercise),
        )
        return Reply(row.question.id, row.next_number, events if shows else _with_refusal(events), shows)

    async def _undelivered(self, loaded: Loaded, sent: Sent, text: str) -> Message | None:
        """Return the user's last message if it is sent again and its reply was never delivered, else None.

        Messages that have a key or name another question are never matched. The reply is marked as delivered, so it is replayed
        only once.
        """
        row = _last_spoken(loaded)
        last = row.last if row else None
        if row is None or last is None or not last.reply_owed or sent.key or not sent.repeats(last, text):
            return None
        if sent.names_question and sent.named(loaded) is not row:
            return None
        return last if await self._receipts.take(row.question.id, last.number) else None


def message_id(interview_id: int, question_id: int, number: int, key: str) -> UUID:
    """Return the UUID under which the user's message `number` about a question is stored if it has this Idempotency-Key.

    The question and the number are part of the UUID, so that a client can reuse an expired key for another message. The first
    message has the ID that it had when there was one message for each question.
    """
    return uuid5(_KEYS, f"{interview_id}/{question_id}/{number}/{key}" if number else f"{interview_id}/{question_id}/{key}")


def repeated(loaded: Loaded, sent: Sent, text: str) -> Message | None:
    """Return the user's message that a client sends again, or None if the client's message is a new one.

    `text` is the message as it would be stored, or empty if there is none. Raises Conflict if the message contradicts what is
    stored: the last message differs and has no reply yet, or the question that the client means has another answer.
    """
    named = sent.named(loaded) if sent.names_question else None
    row = _last_spoken(loaded)
    if row is None or row.last is None:
        return None
    if is_incomplete(loaded, row) and not (named and named.question.position < row.question.position):
        if (sent.has_content(text) and not sent.repeats(row.last, text)) or named not in (None, row):
            raise Conflict(_waiting(loaded, sent, text, row.last))
        return row.last
    if sent.key and (found := _with_key(loaded, sent.key)) is not None:
        return found
    if named is not None and named.verdict is not None:
        same = next((one for one in reversed(named.messages) if one.author == Author.USER and sent.repeats(one, text)), None)
        if same is None:
            raise Conflict(ANOTHER_QUESTION)
        return same
    if sent.first and (first := _first_answer(loaded)) is not None:
        if named not in (None, loaded.rows[0]) or (sent.has_content(text) and not sent.repeats(first, text)):
            raise Conflict(ALREADY_BEGUN)
        return first
    return None


def _waiting(loaded: Loaded, sent: Sent, text: str, last: Message) -> str:
    """Return the error message for a message that differs from the last one or names another question.

    The last message has no reply yet.
    """
    first = _first_answer(loaded)
    if sent.first and first is not None and not sent.repeats(first, text):
        return ALREADY_BEGUN
    return OTHER_MESSAGE if last.kind in (Kind.CLARIFICATION, Kind.HINT) else OTHER_ANSWER


def _last_spoken(loaded: Loaded) -> TurnRow | None:
    """Return the turn with the user's last message, or None if there is no message yet."""
    return next((row for row in reversed(loaded.rows) if row.last is not None), None)


def _first_answer(loaded: Loaded) -> Message | None:
    """Return the first answer to the first question, which may be a skip, or None."""
    return next((message for message in loaded.rows[0].messages if is_answer(message)), None)


def _with_key(loaded: Loaded, key: str) -> Message | None:
    """Return the message that was sent with this key within REPLAYED_FOR, or None."""
    interview_id, since = loaded.interview.id, utcnow() - REPLAYED_FOR
    # Answers stored before the question became part of the ID have this form.
    old = uuid5(_KEYS, f"{interview_id}/{key}")
    for row in loaded.rows:
        for message in row.messages:
            ids = (message_id(interview_id, row.question.id, message.number, key), old)
            if message.client_id in ids and message.created_at >= since:
                return message
    return None


async def _with_next(events: AsyncIterator[Event], loaded: Loaded, row: TurnRow) -> AsyncIterator[Event]:
    """Yield the events of a repeated message, then the next question even if it has been answered since."""
    async with aclosing(events) as opened:  # type: ignore[type-var]
        async for event in opened:
            yield event
    following = next((other for other in loaded.rows if other.question.position == row.question.position + 1), None)
    if row.answer is not None and following is not None and following.answer is not None:
        yield Asked(turn_view(following, loaded.plan, asked=len(loaded.rows)))


async def _with_refusal(events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """Yield the events, and the request to write an answer again as an error, for clients that are not shown follow-ups."""
    async with aclosing(events) as opened:  # type: ignore[type-var]
        async for event in opened:
            if isinstance(event, Replied) and event.turn.messages[-1].text == REWRITE:
                yield Failed("verdict", Conflict(REWRITE))
            else:
                yield event
