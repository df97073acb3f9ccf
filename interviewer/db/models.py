"""The tables. Every rule that must never break is a constraint here, not only a check in code."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from interviewer.db.billing_models import CheckoutReference as CheckoutReference
from interviewer.db.billing_models import CreditTransaction as CreditTransaction
from interviewer.db.billing_models import Invoice as Invoice
from interviewer.db.billing_models import Order as Order
from interviewer.db.billing_models import ProcessedWebhook as ProcessedWebhook
from interviewer.db.billing_models import Subscription as Subscription
from interviewer.db.billing_models import VariantSighting as VariantSighting
from interviewer.db.columns import id_column, metadata, one_of, reference_column, time_column
from interviewer.db.columns import utcnow as utcnow
from interviewer.db.practice_models import PracticeTry as PracticeTry
from interviewer.db.sharing_models import ReportShare as ReportShare
from interviewer.domain.progress import InterviewStatus
from interviewer.domain.rubric import MAX_SCORE, AnswerNature
from interviewer.domain.topics import TOPICS, TOTAL_QUESTIONS, AnswerKind, Level

__all__ = ["metadata"]

NATURES = tuple(AnswerNature)
SPREAD = f"num_nonnulls(score_low, score_high) <> 1 AND 0 <= score_low AND score_low <= score_high AND score_high <= {MAX_SCORE}"


class User(SQLModel, table=True):
    """An account. It exists from the moment its address is verified; balances change only with a ledger row.

    A debt is what was taken back after it had been spent; the next credits repay it, so nobody has credits and a debt at once.
    `github_id` is GitHub's numeric id of the person, which stays when name and address change there.
    `password_proven_at` is when a person with this mailbox, or with this password, first used it: a password that a program
    confirmed by the mailed link alone may be another person's until then.
    """

    __tablename__: ClassVar[Any] = "users"
    __table_args__ = (
        CheckConstraint("individual_credits >= 0", name="individual_credits"),
        CheckConstraint("subscription_credits >= 0", name="subscription_credits"),
        CheckConstraint("individual_debt >= 0 AND (individual_debt = 0 OR individual_credits = 0)", name="individual_debt"),
        CheckConstraint(
            "subscription_debt >= 0 AND (subscription_debt = 0 OR subscription_credits = 0)", name="subscription_debt"
        ),
        CheckConstraint("password_hash IS NOT NULL OR password_proven_at IS NULL", name="password_proven_at"),
    )

    id: int = id_column()
    email: str = Field(sa_column=Column(String(320), nullable=False, unique=True))
    username: str = Field(sa_column=Column(String(80), nullable=False))
    password_hash: str | None = Field(default=None, sa_column=Column(Text))
    password_proven_at: datetime | None = time_column(nullable=True)
    github_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True, unique=True))
    individual_credits: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    subscription_credits: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    individual_debt: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    subscription_debt: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    created_at: datetime = time_column()
    updated_at: datetime = time_column()


class Session(SQLModel, table=True):
    """A browser or a program that is signed in.

    A browser's cookie holds the secret, this row its hash. A program has no cookie: its access tokens name this row, and its
    refresh tokens are rows of their own. Deleting the row ends it all.
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
    """A program's refresh token, hashed. Each works once; a used one is kept until it expires, to know it again."""

    __tablename__: ClassVar[Any] = "refresh_tokens"

    id: int = id_column()
    session_id: int = reference_column("sessions.id")
    token_hash: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    created_at: datetime = time_column()
    expires_at: datetime = time_column(index=True)
    rotated_at: datetime | None = time_column(nullable=True)


class OneTimeToken(SQLModel, table=True):
    """A mailed link's secret, hashed, with what was typed when it was asked for."""

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


class StoredSecret(SQLModel, table=True):
    """A key of the site's own, made once at random and kept here, so that every worker and every restore has the same."""

    __tablename__: ClassVar[Any] = "stored_secrets"

    name: str = Field(sa_column=Column(String(40), primary_key=True))
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ErasedAddress(SQLModel, table=True):
    """The keyed hash of a deleted account's address or GitHub id, or of an id that was disconnected.

    It is enough to recognize it, and useless to learn it.
    """

    __tablename__: ClassVar[Any] = "erased_addresses"

    address_hash: str = Field(sa_column=Column(String(64), primary_key=True))


class OutgoingMail(SQLModel, table=True):
    """A mail to be sent, written in the transaction that makes it necessary; its words and links go once it is sent.

    `due_at` is when it is next tried; whoever takes it moves that ahead, so that nobody else does meanwhile.
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


class JobProfile(SQLModel, table=True):
    """A job description and what was found in it; `profile` is empty until it has been analysed."""

    __tablename__: ClassVar[Any] = "job_profiles"
    __table_args__ = (UniqueConstraint("user_id", "text_hash"),)

    id: int = id_column()
    user_id: int = reference_column("users.id", index=False)
    text_hash: str = Field(sa_column=Column(String(64), nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    profile: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    created_at: datetime = time_column()


class Interview(SQLModel, table=True):
    """One interview. Its credit is reserved while it is `starting`; `lease_until` is how long that start may live.

    `idempotency_key` is what the program that started it calls it, so that asking twice starts it once. `given_up_at` is set when
    its user gave up the start after the interviewer had been asked: that many a day are free.
    """

    __tablename__: ClassVar[Any] = "interviews"
    __table_args__ = (
        CheckConstraint(one_of("status", InterviewStatus), name="status"),
        CheckConstraint(f"answers_judged BETWEEN 0 AND {TOTAL_QUESTIONS}", name="answers_judged"),
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
    answers_judged: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default=text("0")))
    score_sum: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default=text("0")))
    created_at: datetime = time_column()
    updated_at: datetime = time_column()
    finished_at: datetime | None = time_column(nullable=True)


class Conversation(SQLModel, table=True):
    """The thread of questions and answers of one interview."""

    __tablename__: ClassVar[Any] = "conversations"

    id: int = id_column()
    interview_id: int = reference_column("interviews.id", unique=True)
    created_at: datetime = time_column()


class Question(SQLModel, table=True):
    """A question that was asked, with the rubric that was fixed with it."""

    __tablename__: ClassVar[Any] = "questions"
    __table_args__ = (
        UniqueConstraint("conversation_id", "position"),
        CheckConstraint(f"position BETWEEN 1 AND {TOTAL_QUESTIONS}", name="position"),
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
    """Something said about a question. A user's message is the answer: one a question, with the id its client made.

    `judging_until` is the claim of the worker that judges it; past it, anyone may take over. `reply_owed` is true from the moment
    a program's answer is stored until its reply has been handed over: the same text again then asks for that reply.
    """

    __tablename__: ClassVar[Any] = "messages"
    __table_args__ = (
        CheckConstraint(one_of("author", ("system", "interviewer", "user")), name="author"),
        Index("uq_messages_answer", "question_id", unique=True, postgresql_where=text("author = 'user'")),
        Index("ix_messages_question_id", "question_id"),
    )

    id: int = id_column()
    question_id: int = reference_column("questions.id", index=False)
    author: str = Field(sa_column=Column(String(12), nullable=False))
    content: str = Field(sa_column=Column(Text, nullable=False))
    client_id: UUID = Field(unique=True)
    judging_until: datetime | None = time_column(nullable=True)
    reply_owed: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    created_at: datetime = time_column()


class Verdict(SQLModel, table=True):
    """The judgement of one answer; written once, never changed.

    `score_low` and `score_high` are the extremes when it was graded several times, else empty.
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
    created_at: datetime = time_column()


class Appeal(SQLModel, table=True):
    """A second, blind judgement of an answer, at most one; the first stays as it was. `counted` is the score that both make."""

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
    created_at: datetime = time_column()


class ModelCall(SQLModel, table=True):
    """One call of the interviewer's model and what it took. It outlives its interview, and then says no more whose it was.

    Tokens are empty where the model's server told none; `cached_tokens` are part of `prompt_tokens`.
    """

    __tablename__: ClassVar[Any] = "model_calls"
    __table_args__ = (
        CheckConstraint(one_of("kind", ("ask", "judge", "analyse")), name="kind"),
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
