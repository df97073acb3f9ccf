"""The table of reports that may be read without signing in."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Column, String
from sqlmodel import Field, SQLModel

from interviewer.db.columns import id_column, reference_column, time_column


class ReportShare(SQLModel, table=True):
    """A link to the report of an interview, at most one; the row holds the hash of its secret. No row, no link."""

    __tablename__: ClassVar[Any] = "report_shares"

    id: int = id_column()
    interview_id: int = reference_column("interviews.id", unique=True)
    token_hash: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    created_at: datetime = time_column()
