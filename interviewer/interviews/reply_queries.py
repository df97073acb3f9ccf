"""Queries for the interviewer's replies to messages: follow-ups, clarifications, and hints."""

from __future__ import annotations

from sqlalchemy import Integer, bindparam, exists, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.core.columns import insert_unless, table_of, values_of
from interviewer.interviews.exchange import Author, Kind
from interviewer.interviews.tables import Message, ModelCall, Verdict
from interviewer.interviews.usage_queries import along

# A message has either a reply or a verdict, even if a worker that lost its lease comes late with the other.
_LAST = table_of(Message).alias("last")
_JUDGED = exists().where(
    _LAST.c.question_id == bindparam("messages_question_id", type_=Integer),
    _LAST.c.number == bindparam("messages_number", type_=Integer),
    col(Verdict.message_id) == _LAST.c.id,
)
_ADD_UNCALLED_REPLY = (
    insert_unless(Message, _JUDGED)
    .on_conflict_do_nothing(index_elements=["question_id", "number", "author"])
    .returning(col(Message.id))
)
_ADD_REPLY = along(_ADD_UNCALLED_REPLY)
# One statement, so that a message counts either as an answer without a reply or as a clarifying question with one.
_NEW_CLARIFICATION = _ADD_UNCALLED_REPLY.returning(col(Message.question_id), col(Message.number)).cte("reply")
_ADD_CLARIFICATION = along(
    update(table_of(Message))
    .where(
        col(Message.question_id) == _NEW_CLARIFICATION.c.question_id,
        col(Message.number) == _NEW_CLARIFICATION.c.number,
        col(Message.author) == Author.USER.value,
    )
    .values(kind=Kind.CLARIFICATION.value)
    .returning(_NEW_CLARIFICATION.c.id)
)


async def add_reply(session: AsyncSession, reply: Message, call: ModelCall | None) -> int | None:
    """Store the interviewer's reply to a message and return its ID, or None if the message already has a reply or a verdict.

    With a clarification, the message becomes a clarifying question. The model call, if any, is stored either way.
    """
    if call is None:
        return (await session.execute(_ADD_UNCALLED_REPLY, values_of(reply))).scalar_one_or_none()
    statement = _ADD_CLARIFICATION if reply.kind == Kind.CLARIFICATION else _ADD_REPLY
    reply_id: int | None = (await session.execute(statement, values_of(reply) | values_of(call))).scalar_one_or_none()
    return reply_id


async def take_reply(session: AsyncSession, question_id: int, number: int) -> bool:
    """Mark the reply to one of the user's messages about a question as no longer owed. Returns whether it was owed."""
    meant = (col(Message.question_id) == question_id) & (col(Message.number) == number)
    owed = meant & (col(Message.author) == Author.USER.value) & col(Message.reply_owed)
    statement = update(Message).where(owed).values(reply_owed=False).returning(col(Message.id))
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def make_final(session: AsyncSession, message_id: int) -> None:
    """Change an answer to a final one, so that no follow-up is asked about it."""
    is_answer = (col(Message.id) == message_id) & (col(Message.kind) == Kind.ANSWER.value)
    await session.execute(update(Message).where(is_answer).values(kind=Kind.FINAL_ANSWER.value))
