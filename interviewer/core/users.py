"""The tables of users, site secrets, and erased addresses, and SQL that several packages need."""

from __future__ import annotations

from datetime import datetime
from secrets import token_bytes
from typing import Any, ClassVar

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    String,
    Text,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from interviewer.core.columns import id_column, time_column
from interviewer.errors import BadRequest

# More than the 254 characters of a valid email address. The limit exists because parsing takes longer for longer input.
MAX_EMAIL = 320
NO_EMAIL = "This isn't a valid email address."


class User(SQLModel, table=True):
    """An account. It is created once its email address is verified. Balances change only together with a ledger row.

    A debt is the number of credits that were taken back after being spent. Later credits repay it, so an account never has both
    credits and a debt of the same kind. `github_id` is GitHub's numeric user ID, which stays the same if the user changes name or
    email address there. `password_proven_at` is when the password was set through a mailed link or first used to sign in. It is
    NULL for a password that was submitted at sign-up and never typed again, because someone else may have chosen it.
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


class StoredSecret(SQLModel, table=True):
    """A secret key of the site, generated once and stored here so that all workers and restored backups share it."""

    __tablename__: ClassVar[Any] = "stored_secrets"

    name: str = Field(sa_column=Column(String(40), primary_key=True))
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ErasedAddress(SQLModel, table=True):
    """The keyed hash of a deleted account's email address or GitHub ID, or of a disconnected GitHub ID.

    It can be matched but not reversed.
    """

    __tablename__: ClassVar[Any] = "erased_addresses"

    address_hash: str = Field(sa_column=Column(String(64), primary_key=True))


def normalized_email(raw: str) -> str:
    """Return an email address in the form in which it is stored. Raises BadRequest if it is invalid."""
    if len(raw) > MAX_EMAIL:
        raise BadRequest(NO_EMAIL)
    try:
        return validate_email(raw.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise BadRequest(NO_EMAIL) from error


async def locked_user(session: AsyncSession, user_id: int) -> User | None:
    """Lock the user's row and return it freshly read. Returns None if there is no such user.

    The lock still lets other transactions add rows that refer to the user. With a stronger lock, two transactions that each add
    such a row and then lock the user would deadlock.
    """
    statement = select(User).where(col(User.id) == user_id).with_for_update(key_share=True)
    statement = statement.execution_options(populate_existing=True)
    return (await session.execute(statement)).scalar_one_or_none()


async def secret(session: AsyncSession, name: str) -> bytes:
    """Return the site's secret key with this name, generating and storing it if it is missing."""
    new = insert(StoredSecret).values(name=name, value=token_bytes(32)).on_conflict_do_nothing()
    await session.execute(new)
    return (await session.execute(select(col(StoredSecret.value)).where(col(StoredSecret.name) == name))).scalar_one()


async def remember_erased(session: AsyncSession, address_hash: str) -> None:
    """Store the hash of an email address or GitHub ID whose account was deleted, or of a disconnected GitHub ID.

    No-op if it is already stored.
    """
    await session.execute(insert(ErasedAddress).values(address_hash=address_hash).on_conflict_do_nothing())


async def was_erased(session: AsyncSession, *hashes: str) -> bool:
    """Return whether any of these hashes was stored by `remember_erased`."""
    statement = select(col(ErasedAddress.address_hash)).where(col(ErasedAddress.address_hash).in_(hashes)).limit(1)
    return (await session.execute(statement)).first() is not None
