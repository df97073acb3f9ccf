"""The tables of interviews: questions, messages, verdicts, and model calls."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from interviewer.core.columns import id_column, one_of, reference_column, time_column
from interviewer.interviews.code_run import MAX_LANGUAGE, Code, stored_run
from interviewer.interviews.exchange import Kind
from interviewer.interviews.plan import STANDARD
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.rubric import MAX_SCORE, AnswerNature
from interviewer.interviews.topics import TOPICS, AnswerKind, Level

# More than any plan allows, so that the plan limits can change without a migration.
MOST_ANSWERS = 100
NATURES = tuple(AnswerNature)
SPREAD = f"num_nonnulls(score_low, score_high) <> 1 AND 0 <= score_low AND score_low <= score_high AND score_high <= {MAX_SCORE}"


class JobProfile(SQLModel, table=True):
    """A job description and its profile, which is null until the text has been analyzed."""

    __tablename__: ClassVar[Any] = "job_profiles"
    __table_args__ = (UniqueConstraint("user_id", "text_hash"),)

    id: int = id_column()
    user_id: int = reference_column("users.id", index=False)
    text_hash: str = Field(sa_column=Column(String(64), nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    profile: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    created_at: datetime = time_column()


class Interview(SQLModel, table=True):
    """One interview.

    While it is `starting`, its credit is reserved and `lease_until` is the end of the start's lease. `idempotency_key` comes from
    the client and ensures that a repeated request starts only one interview. `given_up_at` is set when the user gives up a start
    that counts toward the daily limit. `plan` is a `Plan.document`. `shows_turns` is set if an API client started it with
    follow-ups: then API clients are shown follow-ups, clarifications, and hints without asking for them in each request.
    """

    __tablename__: ClassVar[Any] = "interviews"
    __table_args__ = (
        CheckConstraint(one_of("status", InterviewStatus), name="status"),
        CheckConstraint(f"answers_judged BETWEEN 0 AND {MOST_ANSWERS}", name="answers_judged"),
        CheckConstraint(f"score_sum BETWEEN 0 AND answers_judged * {MAX_SCORE}", name="score_sum"),
        CheckConstraint("(status = 'starting') = (lease_until IS NOT NULL)", name="lease"),
        Index("ix_interviews_user_id_updated_at", "user_id", "updated_at"),
        Index("ix_interviews_lease_until", "lease_until", postgresql_where=text("status = 'starting'")),
        Index("uq_interviews_key", "user_id", "idempotency_key", unique=True, postgresql_where=text("status <> 'failed'")),
    )

    id: int = id_column()
    user_id: int = reference_column("users.id", index=False)
    job_profile_id: int | None = reference_column("job_profiles.id", nullable=True, ondelete="SET NULL")
    status: str = Field(sa_column=Column(String(10), nullable=False))
    lease_until: datetime | None = time_column(nullable=True)
    given_up_at: datetime | None = time_column(nullable=True)
    idempotency_key: str | None = Field(default=None, sa_column=Column(String(200)))
    interviewer: str = Field(sa_column=Column(String(20), nullable=False))
    model: str = Field(sa_column=Column(String(120), nullable=False))
    seen_before: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False, server_default=text("'[]'")))
    # The server default is for rows that a replica of the previous version inserts during an upgrade.
    plan: dict[str, Any] = Field(
        default_factory=STANDARD.document,
        sa_column=Column(JSONB, nullable=False, server_default=text(f"'{json.dumps(STANDARD.document())}'")),
    )
    shows_turns: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    answers_judged: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default=text("0")))
    score_sum: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default=text("0")))
    created_at: datetime = time_column()
    updated_at: datetime = time_column()
    finished_at: datetime | None = time_column(nullable=True)


class Resume(SQLModel, table=True):
    """The résumé that the user gave for one interview. Only that interview's questions and the user's data export use it."""

    __tablename__: ClassVar[Any] = "resumes"

    id: int = id_column()
    interview_id: int = reference_column("interviews.id", unique=True)
    text: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = time_column()


class PlanChoice(SQLModel, table=True):
    """The plan that a user last chose in the start form, as a `Plan.document`. The form preselects it next time."""

    __tablename__: ClassVar[Any] = "plan_choices"

    id: int = id_column()
    user_id: int = reference_column("users.id", unique=True)
    plan: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    updated_at: datetime = time_column()


class Conversation(SQLModel, table=True):
    """The thread of questions and answers of one interview."""

    __tablename__: ClassVar[Any] = "conversations"

    id: int = id_column()
    interview_id: int = reference_column("interviews.id", unique=True)
    created_at: datetime = time_column()


class Question(SQLModel, table=True):
    """A question that was asked, with the rubric that was fixed at the same time."""

    __tablename__: ClassVar[Any] = "questions"
    __table_args__ = (
        UniqueConstraint("conversation_id", "position"),
        CheckConstraint("position >= 1", name="position"),
        CheckConstraint(f"topic_id BETWEEN 1 AND {len(TOPICS)}", name="topic_id"),
        CheckConstraint(one_of("kind", AnswerKind), name="kind"),
        CheckConstraint(one_of("level", Level), name="level"),
    )

    id: int = id_column()
    conversation_id: int = reference_column("conversations.id", index=False)
    position: int = Field(sa_column=Column(SmallInteger, nullable=False))
    topic_id: int = Field(sa_column=Column(SmallInteger, nullable=False))
    subtopic: str = Field(sa_column=Column(String(120), nullable=False))
    level: str = Field(sa_column=Column(String(10), nullable=False))
    kind: str = Field(sa_column=Column(String(10), nullable=False))
    prompt: str = Field(sa_column=Column(Text, nullable=False))
    rubric: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    bank_id: str | None = Field(default=None, sa_column=Column(String(80)))
    created_at: datetime = time_column()


class Message(SQLModel, table=True):
    """A message about a question: an answer, a follow-up, a clarification, or a hint.

    `number` counts the user's messages about a question from 0; the interviewer's reply to one has the same number. A message's
    `client_id` is a UUID chosen by the client. `judging_until` is the end of the lease held by the worker that replies to the
    user's message; after that, any worker may take over. `reply_owed` is true from when an API client's message is stored until
    its reply is delivered. During that time, sending the same text again requests that reply. `language` and `test_results` come
    with an answer that is code; see `code_run.Code`.
    """

    __tablename__: ClassVar[Any] = "messages"
    __table_args__ = (
        CheckConstraint(one_of("author", ("system", "interviewer", "user")), name="author"),
        CheckConstraint(one_of("kind", Kind), name="kind"),
        CheckConstraint(f"number BETWEEN 0 AND {MOST_ANSWERS}", name="number"),
        Index("uq_messages_number", "question_id", "number", "author", unique=True),
        Index("ix_messages_question_id", "question_id"),
    )

    id: int = id_column()
    question_id: int = reference_column("questions.id", index=False)
    author: str = Field(sa_column=Column(String(12), nullable=False))
    kind: str = Field(default=Kind.ANSWER.value, sa_column=Column(String(14), nullable=False, server_default=text("'answer'")))
    number: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default=text("0")))
    content: str = Field(sa_column=Column(Text, nullable=False))
    client_id: UUID = Field(unique=True)
    judging_until: datetime | None = time_column(nullable=True)
    reply_owed: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    language: str | None = Field(default=None, sa_column=Column(String(MAX_LANGUAGE)))
    test_results: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    created_at: datetime = time_column()

    @property
    def code(self) -> Code:
        """What came with the message if it is code."""
        return Code(self.language or "", stored_run(self.language, self.test_results))


class Verdict(SQLModel, table=True):
    """The verdict on everything that was said about one question. `message_id` is the last message that counts for it.

    It is written once and never changed. `score_low` and `score_high` are defined as in `Judgement`, and null if the
    score is sure. `prompt_version` is null if the interviewer has no prompts.
    """

    __tablename__: ClassVar[Any] = "verdicts"
    __table_args__ = (
        CheckConstraint(f"score BETWEEN 0 AND {MAX_SCORE}", name="score"),
        CheckConstraint(one_of("nature", NATURES), name="nature"),
        CheckConstraint(SPREAD, name="spread"),
    )

    id: int = id_column()
    message_id: int = reference_column("messages.id", unique=True)
    score: int = Field(sa_column=Column(SmallInteger, nullable=False))
    score_low: int | None = Field(default=None, sa_column=Column(SmallInteger))
    score_high: int | None = Field(default=None, sa_column=Column(SmallInteger))
    nature: str = Field(sa_column=Column(String(12), nullable=False))
    feedback: str = Field(sa_column=Column(Text, nullable=False))
    marks: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    interviewer: str = Field(sa_column=Column(String(20), nullable=False))
    model: str = Field(sa_column=Column(String(120), nullable=False))
    prompt_version: str | None = Field(default=None, sa_column=Column(String(20)))
    created_at: datetime = time_column()


class Appeal(SQLModel, table=True):
    """A second, blind verdict on an answer.

    Each answer has at most one, and the first verdict stays unchanged. `counted` is the score computed from both verdicts.
    """

    __tablename__: ClassVar[Any] = "appeals"
    __table_args__ = (
        CheckConstraint(f"score BETWEEN 0 AND {MAX_SCORE} AND counted BETWEEN 0 AND {MAX_SCORE}", name="score"),
        CheckConstraint(one_of("nature", NATURES), name="nature"),
        CheckConstraint(SPREAD, name="spread"),
    )

    id: int = id_column()
    message_id: int = reference_column("messages.id", unique=True)
    score: int = Field(sa_column=Column(SmallInteger, nullable=False))
    score_low: int | None = Field(default=None, sa_column=Column(SmallInteger))
    score_high: int | None = Field(default=None, sa_column=Column(SmallInteger))
    counted: int = Field(sa_column=Column(SmallInteger, nullable=False))
    nature: str = Field(sa_column=Column(String(12), nullable=False))
    feedback: str = Field(sa_column=Column(Text, nullable=False))
    marks: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    interviewer: str = Field(sa_column=Column(String(20), nullable=False))
    model: str = Field(sa_column=Column(String(120), nullable=False))
    prompt_version: str | None = Field(default=None, sa_column=Column(String(20)))
    created_at: datetime = time_column()


class ModelCall(SQLModel, table=True):
    """One model call with its duration, token counts, and outcome.

    The row outlives its interview, but then no longer refers to it. The token counts are null if the model's server sent none.
    `cached_tokens` is part of `prompt_tokens`.
    """

    __tablename__: ClassVar[Any] = "model_calls"
    __table_args__ = (
        CheckConstraint(one_of("kind", ("ask", "judge", "analyse", "reply")), name="kind"),
        CheckConstraint("cached_tokens BETWEEN 0 AND prompt_tokens AND completion_tokens >= 0", name="tokens"),
        CheckConstraint("milliseconds >= 0", name="milliseconds"),
    )

    id: int = id_column()
    interview_id: int | None = reference_column("interviews.id", nullable=True, ondelete="SET NULL")
    kind: str = Field(sa_column=Column(String(10), nullable=False))
    model: str = Field(sa_column=Column(String(120), nullable=False))
    prompt_tokens: int | None = Field(default=None, sa_column=Column(Integer))
    cached_tokens: int | None = Field(default=None, sa_column=Column(Integer))
    completion_tokens: int | None = Field(default=None, sa_column=Column(Integer))
    milliseconds: int = Field(sa_column=Column(Integer, nullable=False))
    outcome: str = Field(sa_column=Column(String(20), nullable=False))
    created_at: datetime = time_column(index=True)


class ReportShare(SQLModel, table=True):
    """A public link to an interview's report, with the hash of its secret. Each interview has at most one."""

    __tablename__: ClassVar[Any] = "report_shares"

    id: int = id_column()
    interview_id: int = reference_column("interviews.id", unique=True)
    token_hash: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    created_at: datetime = time_column()
