"""Taking an interview as a program does: it sends messages, and the server finds out which question each one answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from interviewer.db.models import utcnow
from interviewer.domain.progress import missing_after
from interviewer.domain.text import clean_answer
from interviewer.errors import BadRequest, Conflict, NotFound
from interviewer.services.events import Event
from interviewer.services.interviews import Interviews, cleaned
from interviewer.services.views import Loaded, TurnRow

# How long the text of the last judged answer, sent again, is taken for a repetition.
REPLAYED_FOR = timedelta(minutes=10)
# Answers that came with an Idempotency-Key are stored under an id made from it (RFC 9562, version 5), so the key is their memory.
_KEYS = UUID("6f1b7f0e-5a53-4a39-9d0e-3f6a0b9c4d21")
ALREADY_BEGUN = "The interview has already begun with another answer."
OTHER_ANSWER = "The last answer is not judged yet. Send its text again, or an empty message, to try once more."


@dataclass(frozen=True, slots=True)
class Sent:
    """What a program sends: `key` is its Idempotency-Key, `conversation_id` the conversation it means, if it says so.

    `first`: it means to answer the first question.
    """

    message: str
    key: str = ""
    conversation_id: object = None
    first: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What comes of it: the question it answers, and everything that happens to that."""

    question_id: int
    events: AsyncIterator[Event]


class Programs:
    """The use cases of a program that takes an interview."""

    def __init__(self, interviews: Interviews) -> None:
        self._interviews = interviews

    async def reply(self, user_id: int, interview_id: int, sent: Sent) -> Reply:
        """Take a message as the answer that it is, new or repeated, and return what comes of it.

        Raises NotFound, also for another conversation than this interview's or one that has not begun; BadRequest without a
        message; TooLarge; and Conflict when the interview is not active, or while an answer that is not judged yet waits for
        its own text.
        """
        loaded = await self._interviews.load(user_id, interview_id)
        if not loaded.rows or (sent.conversation_id is not None and str(sent.conversation_id) != str(loaded.conversation_id)):
            raise NotFound
        client_id = answer_id(interview_id, sent.key) if sent.key else uuid4()
        row = repeated(loaded, sent, client_id)
        if row is not None:
            return Reply(row.question.id, self._interviews.complete(user_id, interview_id, row.question.id))
        row = loaded.rows[-1]
        if row.answer is not None:
            raise Conflict("Interview is not active")
        if not sent.message.strip():
            raise BadRequest("Missing message")
        events = self._interviews.answer(user_id, interview_id, row.question.id, sent.message, client_id, loaded)
        return Reply(row.question.id, events)


def answer_id(interview_id: int, key: str) -> UUID:
    """Return the id under which the answer with an Idempotency-Key is stored."""
    return uuid5(_KEYS, f"{interview_id}/{key}")


def repeated(loaded: Loaded, sent: Sent, client_id: UUID) -> TurnRow | None:
    """Return the answered turn that a message means again, None when it is a new answer; raises Conflict when it is neither."""
    answered = [row for row in loaded.rows if row.answer is not None]
    for row in answered:
        if row.answer and row.answer.client_id == client_id:
            return row
    if not answered:
        return None
    last, text = answered[-1], sent.message.strip() and cleaned(clean_answer, sent.message)
    if sent.first:
        first = answered[0]
        if text and (first.answer is None or first.answer.content != text):
            raise Conflict(ALREADY_BEGUN)
        return first
    if lacks_something(loaded, last):
        if text and (last.answer is None or last.answer.content != text):
            raise Conflict(OTHER_ANSWER)
        return last
    judged_at = last.verdict.created_at if last.verdict else None
    if text and last.answer and last.answer.content == text and judged_at and utcnow() - judged_at <= REPLAYED_FOR:
        return last
    return None


def lacks_something(loaded: Loaded, row: TurnRow) -> bool:
    """Tell whether an answer still lacks its verdict or the question after it."""
    missing = missing_after(row.question.position, judged=row.verdict is not None, asked=len(loaded.rows))
    return missing.verdict or missing.next_question
