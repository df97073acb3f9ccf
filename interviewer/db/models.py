"""The tables. Every rule that must never break is a constraint here, not only a check in code."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from interviewer.domain.credits import SubscriptionStatus
from interviewer.domain.progress import InterviewStatus
from interviewer.domain.rubric import MAX_SCORE
from interviewer.domain.topics import TOPICS, TOTAL_QUESTIONS, AnswerKind, Level

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata


def utcnow() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


def _one_of(column: str, values: Any) -> str:
    """Return a CHECK condition that allows only `values`."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


def _id() -> Any:
    return Field(default=None, sa_column=Column(Integer, Identity(), primary_key=True))


def _time(*, nullable: bool = False, index: bool = False) -> Any:
    kind = DateTime(timezone=True)
    if nullable:
        return Field(default=None, sa_column=Column(kind, nullable=True, index=index))
    return Field(default_factory=utcnow, sa_column=Column(kind, nullable=False, index=index))


def _reference(
    target: str, *, nullable: bool = False, ondelete: str = "CASCADE", unique: bool = False, index: bool = True
) -> Any:
    column = Column(Integer, ForeignKey(target, ondelete=ondelete), nullable=nullable, index=index and not unique, unique=unique)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


class User(SQLModel, table=True):
    """An account. It exists from the moment its address is verified; balances change only with a ledger row.

    `github_id` is GitHub's numeric id of the person, which stays when name and address change there.
    """

    __tablename__: ClassVar[Any] = "users"
    __table_args__ = (
        CheckConstraint("individual_credits >= 0", name="individual_credits"),
        CheckConstraint("subscription_credits >= 0", name="subscription_credits"),
    )

    id: int = _id()
    email: str = Field(sa_column=Column(String(320), nullable=False, unique=True))
    username: str = Field(sa_column=Column(String(80), nullable=False))
    password_hash: str | None = Field(default=None, sa_column=Column(Text))
    github_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True, unique=True))
    individual_credits: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    subscription_credits: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    created_at: datetime = _time()
    updated_at: datetime = _time()


class Session(SQLModel, table=True):
    """A browser or a program that is signed in.

    A browser's cookie holds the secret, this row its hash. A program has no cookie: its access tokens name this row, and its
    refresh tokens are rows of their own. Deleting the row ends it all.
    """

    __tablename__: ClassVar[Any] = "sessions"

    id: int = _id()
    user_id: int = _reference("users.id")
    token_hash: str | None = Field(default=None, sa_column=Column(String(64), nullable=True, unique=True))
    user_agent: str = Field(default="", sa_column=Column(String(300), nullable=False, server_default=""))
    created_at: datetime = _time()
    last_seen_at: datetime = _time()
    expires_at: datetime = _time(index=True)


class RefreshToken(SQLModel, table=True):
    """A program's refresh token, hashed. Each works once; a used one is kept until it expires, to know it again."""

    __tablename__: ClassVar[Any] = "refresh_tokens"

    id: int = _id()
    session_id: int = _reference("sessions.id")
    token_hash: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    created_at: datetime = _time()
    expires_at: datetime = _time(index=True)
    rotated_at: datetime | None = _time(nullable=True)


class OneTimeToken(SQLModel, table=True):
    """A mailed link's secret, hashed, with what was typed when it was asked for."""

    __tablename__: ClassVar[Any] = "one_time_tokens"
    __table_args__ = (
        CheckConstraint(_one_of("purpose", ("verification", "reset")), name="purpose"),
        Index("ix_one_time_tokens_email_purpose", "email", "purpose"),
    )

    id: int = _id()
    purpose: str = Field(sa_column=Column(String(20), nullable=False))
    token_hash: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    user_id: int | None = _reference("users.id", nullable=True)
    email: str = Field(sa_column=Column(String(320), nullable=False))
    username: str = Field(default="", sa_column=Column(String(80), nullable=False, server_default=""))
    password_hash: str | None = Field(default=None, sa_column=Column(Text))
    created_at: datetime = _time()
    expires_at: datetime = _time(index=True)
    used_at: datetime | None = _time(nullable=True)


class StoredSecret(SQLModel, table=True):
    """A key of the site's own, made once at random and kept here, so that every worker and every restore has the same."""

    __tablename__: ClassVar[Any] = "stored_secrets"

    name: str = Field(sa_column=Column(String(40), primary_key=True))
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ErasedAddress(SQLModel, table=True):
    """The keyed hash of a deleted account's address: enough to know it again, useless to learn it."""

    __tablename__: ClassVar[Any] = "erased_addresses"

    address_hash: str = Field(sa_column=Column(String(64), primary_key=True))


class OutgoingMail(SQLModel, table=True):
    """A mail to be sent, written in the transaction that makes it necessary; its words and links go once it is sent.

    `due_at` is when it is next tried; whoever takes it moves that ahead, so that nobody else does meanwhile.
    """

    __tablename__: ClassVar[Any] = "mail_outbox"
    __table_args__ = (
        CheckConstraint(_one_of("state", ("waiting", "sent", "failed")), name="state"),
        Index("ix_mail_outbox_due_at", "due_at", postgresql_where=text("state = 'waiting'")),
    )

    id: int = _id()
    key: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    recipient: str = Field(sa_column=Column(String(320), nullable=False, index=True))
    subject: str = Field(sa_column=Column(String(200), nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    html: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(default="waiting", sa_column=Column(String(10), nullable=False))
    attempts: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default=text("0")))
    created_at: datetime = _time()
    due_at: datetime = _time()


class Subscription(SQLModel, table=True):
    """A subscription as the payment service tells of it; `lemon_id` is its id there. It outlives its user's account."""

    __tablename__: ClassVar[Any] = "subscriptions"
    __table_args__ = (CheckConstraint(_one_of("status", SubscriptionStatus), name="status"),)

    id: int = _id()
    user_id: int | None = _reference("users.id", nullable=True, ondelete="SET NULL")
    lemon_id: str = Field(sa_column=Column(String(40), nullable=False, unique=True))
    status: str = Field(sa_column=Column(String(10), nullable=False))
    created_at: datetime = _time()
    updated_at: datetime = _time()


class JobProfile(SQLModel, table=True):
    """A job description and what was found in it; `profile` is empty until it has been analysed."""

    __tablename__: ClassVar[Any] = "job_profiles"
    __table_args__ = (UniqueConstraint("user_id", "text_hash"),)

    id: int = _id()
    user_id: int = _reference("users.id", index=False)
    text_hash: str = Field(sa_column=Column(String(64), nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    profile: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    created_at: datetime = _time()


class Interview(SQLModel, table=True):
    """One interview. Its credit is reserved while it is `starting`; `lease_until` is how long that start may live."""

    __tablename__: ClassVar[Any] = "interviews"
    __table_args__ = (
        CheckConstraint(_one_of("status", InterviewStatus), name="status"),
        CheckConstraint(f"answers_judged BETWEEN 0 AND {TOTAL_QUESTIONS}", name="answers_judged"),
        CheckConstraint(f"score_sum BETWEEN 0 AND answers_judged * {MAX_SCORE}", name="score_sum"),
        CheckConstraint("(status = 'starting') = (lease_until IS NOT NULL)", name="lease"),
        Index("ix_interviews_user_id_updated_at", "user_id", "updated_at"),
        Index("ix_interviews_lease_until", "lease_until", postgresql_where=text("status = 'starting'")),
    )

    id: int = _id()
    user_id: int = _reference("users.id", index=False)
    job_profile_id: int | None = _reference("job_profiles.id", nullable=True, ondelete="SET NULL")
    status: str = Field(sa_column=Column(String(10), nullable=False))
    lease_until: datetime | None = _time(nullable=True)
    interviewer: str = Field(sa_column=Column(String(20), nullable=False))
    model: str = Field(sa_column=Column(String(120), nullable=False))
    seen_before: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False, server_default=text("'[]'")))
    answers_judged: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default=text("0")))
    score_sum: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default=text("0")))
    created_at: datetime = _time()
    updated_at: datetime = _time()
    finished_at: datetime | None = _time(nullable=True)


class Conversation(SQLModel, table=True):
    """The thread of questions and answers of one interview."""

    __tablename__: ClassVar[Any] = "conversations"

    id: int = _id()
    interview_id: int = _reference("interviews.id", unique=True)
    created_at: datetime = _time()


class Question(SQLModel, table=True):
    """A question that was asked, with the rubric that was fixed with it."""

    __tablename__: ClassVar[Any] = "questions"
    __table_args__ = (
        UniqueConstraint("conversation_id", "position"),
        CheckConstraint(f"position BETWEEN 1 AND {TOTAL_QUESTIONS}", name="position"),
        CheckConstraint(f"topic_id BETWEEN 1 AND {len(TOPICS)}", name="topic_id"),
        CheckConstraint(_one_of("kind", AnswerKind), name="kind"),
        CheckConstraint(_one_of("level", Level), name="level"),
    )

    id: int = _id()
    conversation_id: int = _reference("conversations.id", index=False)
    position: int = Field(sa_column=Column(SmallInteger, nullable=False))
    topic_id: int = Field(sa_column=Column(SmallInteger, nullable=False))
    subtopic: str = Field(sa_column=Column(String(120), nullable=False))
    level: str = Field(sa_column=Column(String(10), nullable=False))
    kind: str = Field(sa_column=Column(String(10), nullable=False))
    prompt: str = Field(sa_column=Column(Text, nullable=False))
    rubric: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    bank_id: str | None = Field(default=None, sa_column=Column(String(80)))
    created_at: datetime = _time()


class Message(SQLModel, table=True):
    """Something said about a question. A user's message is the answer: one a question, with the id its client made.

    `judging_until` is the claim of the worker that judges it; past it, anyone may take over.
    """

    __tablename__: ClassVar[Any] = "messages"
    __table_args__ = (
        CheckConstraint(_one_of("author", ("system", "interviewer", "user")), name="author"),
        Index("uq_messages_answer", "question_id", unique=True, postgresql_where=text("author = 'user'")),
        Index("ix_messages_question_id", "question_id"),
    )

    id: int = _id()
    question_id: int = _reference("questions.id", index=False)
    author: str = Field(sa_column=Column(String(12), nullable=False))
    content: str = Field(sa_column=Column(Text, nullable=False))
    client_id: UUID = Field(unique=True)
    judging_until: datetime | None = _time(nullable=True)
    created_at: datetime = _time()


class Verdict(SQLModel, table=True):
    """The judgement of one answer; written once, never changed."""

    __tablename__: ClassVar[Any] = "verdicts"
    __table_args__ = (
        CheckConstraint(f"score BETWEEN 0 AND {MAX_SCORE}", name="score"),
        CheckConstraint(_one_of("nature", ("answer", "off_topic", "non_answer")), name="nature"),
    )

    id: int = _id()
    message_id: int = _reference("messages.id", unique=True)
    score: int = Field(sa_column=Column(SmallInteger, nullable=False))
    nature: str = Field(sa_column=Column(String(12), nullable=False))
    feedback: str = Field(sa_column=Column(Text, nullable=False))
    marks: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    interviewer: str = Field(sa_column=Column(String(20), nullable=False))
    model: str = Field(sa_column=Column(String(120), nullable=False))
    created_at: datetime = _time()


class CreditTransaction(SQLModel, table=True):
    """One change of one balance; rows are only ever added. `business_key` makes each change happen once."""

    __tablename__: ClassVar[Any] = "credit_transactions"
    __table_args__ = (
        CheckConstraint(_one_of("type", ("individual", "subscription")), name="type"),
        CheckConstraint("amount <> 0", name="amount"),
    )

    id: int = _id()
    user_id: int | None = _reference("users.id", nullable=True, ondelete="SET NULL")
    interview_id: int | None = _reference("interviews.id", nullable=True, ondelete="SET NULL")
    type: str = Field(sa_column=Column(String(12), nullable=False))
    amount: int = Field(sa_column=Column(Integer, nullable=False))
    reason: str = Field(sa_column=Column(String(40), nullable=False))
    source: str = Field(sa_column=Column(String(40), nullable=False))
    business_key: str = Field(sa_column=Column(String(200), nullable=False, unique=True))
    created_at: datetime = _time()
