"""Tables of the outgoing mail."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlmodel import Field, SQLModel

from interviewer.core.columns import id_column, one_of, time_column


class OutgoingMail(SQLModel, table=True):
    """A mail to be sent, written in the transaction that makes it necessary; its words and links go once it is sent.

    `due_at` is when it is next tried; the worker that takes it moves that ahead, so that no other one takes it meanwhile.
    """

    __tablename__: ClassVar[Any] = "mail_outbox"
    __table_args__ = (
        CheckConstraint(one_of("state", ("waiting", "sent", "failed")), name="state"),
        Index("ix_mail_outbox_due_at", "due_at", postgresql_where=text("state = 'waiting'")),
    )

    id: int = id_column()
    key: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    recipient: str = Field(sa_column=Column(String(320), nullable=False, index=True))
    subject: str = Field(sa_column=Column(String(200), nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    html: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(default="waiting", sa_column=Column(String(10), nullable=False))
    attempts: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default=text("0")))
    created_at: datetime = time_column()
    due_at: datetime = time_column()


class MailPace(SQLModel, table=True):
    """One row: when the next mail may be handed over. Every process takes its turns from it, so together they keep the rate."""

    __tablename__: ClassVar[Any] = "mail_pace"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: int = Field(default=1, sa_column=Column(Integer, primary_key=True, autoincrement=False))
    next_at: datetime = time_column()
