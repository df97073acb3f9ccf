"""Tables of sessions, refresh tokens, and the one-time tokens in mailed links."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    String,
    Text,
)
from sqlmodel import Field, SQLModel

from interviewer.core.columns import id_column, one_of, reference_column, time_column


class Session(SQLModel, table=True):
    """A signed-in browser or API client.

    A browser's cookie holds a secret, and `token_hash` is its hash. An API client has no cookie: its access tokens contain the ID
    of this row, and its refresh tokens are rows of their own. Deleting the row ends the session and invalidates its tokens.
    """

    __tablename__: ClassVar[Any] = "sessions"

    id: int = id_column()
    user_id: int = reference_column("users.id")
    token_hash: str | None = Field(default=None, sa_column=Column(String(64), nullable=True, unique=True))
    user_agent: str = Field(default="", sa_column=Column(String(300), nullable=False, server_default=""))
    created_at: datetime = time_column()
    last_seen_at: datetime = time_column()
    expires_at: datetime = time_column(index=True)


class RefreshToken(SQLModel, table=True):
    """The hash of an API client's refresh token, which works once. Used tokens are kept until they expire, to detect reuse."""

    __tablename__: ClassVar[Any] = "refresh_tokens"

    id: int = id_column()
    session_id: int = reference_column("sessions.id")
    token_hash: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    created_at: datetime = time_column()
    expires_at: datetime = time_column(index=True)
    rotated_at: datetime | None = time_column(nullable=True)


class OneTimeToken(SQLModel, table=True):
    """The hashed secret of a mailed link, with the form data that was submitted when the link was requested."""

    __tablename__: ClassVar[Any] = "one_time_tokens"
    __table_args__ = (
        CheckConstraint(one_of("purpose", ("verification", "reset")), name="purpose"),
        Index("ix_one_time_tokens_email_purpose", "email", "purpose"),
    )

    id: int = id_column()
    purpose: str = Field(sa_column=Column(String(20), nullable=False))
    token_hash: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    user_id: int | None = reference_column("users.id", nullable=True)
    email: str = Field(sa_column=Column(String(320), nullable=False))
    username: str = Field(default="", sa_column=Column(String(80), nullable=False, server_default=""))
    password_hash: str | None = Field(default=None, sa_column=Column(Text))
    created_at: datetime = time_column()
    expires_at: datetime = time_column(index=True)
    used_at: datetime | None = time_column(nullable=True)
