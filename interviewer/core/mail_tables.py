"""Tables of the mail outbox."""

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
    """An outgoing mail, written in the transaction that causes it.

    Its recipient and content are erased once it is sent or has failed. `due_at` is the time of the next attempt. A worker leases
    the mail by moving `due_at` into the future.
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
    """A single row with the time of the next send slot.

    All processes share it to keep to the mail service's rate limit together.
    """

    __tablename__: ClassVar[Any] = "mail_pace"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: int = Field(default=1, sa_column=Column(Integer, primary_key=True, autoincrement=False))
    next_at: datetime = time_column()
