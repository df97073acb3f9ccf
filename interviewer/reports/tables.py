"""The table of practice tries."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from interviewer.core.columns import id_column, one_of, reference_column, time_column
from interviewer.interviews.code_run import MAX_LANGUAGE
from interviewer.interviews.rubric import MAX_SCORE, AnswerNature
from interviewer.interviews.topics import TOPICS


class PracticeTry(SQLModel, table=True):
    """One judged answer to a bank question.

    It belongs to no interview and does not change any interview's score. `marks` include the text of their key points, and the
    `note` of those that rest on tests, so that a try stays readable when the bank changes. The page generates `client_id`, so
    that a try that is sent twice is stored once. `language` and `test_results` are as in `Message`.
    """

    __tablename__: ClassVar[Any] = "practice_tries"
    __table_args__ = (
        UniqueConstraint("user_id", "client_id"),
        CheckConstraint(f"topic_id BETWEEN 1 AND {len(TOPICS)}", name="topic_id"),
        CheckConstraint(f"score BETWEEN 0 AND {MAX_SCORE}", name="score"),
        CheckConstraint(one_of("nature", AnswerNature), name="nature"),
        Index("ix_practice_tries_user_id_bank_id", "user_id", "bank_id"),
    )

    id: int = id_column()
    user_id: int = reference_column("users.id", index=False)
    client_id: UUID
    bank_id: str = Field(sa_column=Column(String(80), nullable=False))
    topic_id: int = Field(sa_column=Column(SmallInteger, nullable=False))
    subtopic: str = Field(sa_column=Column(String(120), nullable=False))
    answer: str = Field(sa_column=Column(Text, nullable=False))
    score: int = Field(sa_column=Column(SmallInteger, nullable=False))
    nature: str = Field(sa_column=Column(String(12), nullable=False))
    feedback: str = Field(sa_column=Column(Text, nullable=False))
    marks: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    language: str | None = Field(default=None, sa_column=Column(String(MAX_LANGUAGE)))
    test_results: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    created_at: datetime = time_column()
