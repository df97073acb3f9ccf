"""Columns shared by several tables, and the naming convention for constraints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata
# Maximum length of the payment service's IDs, in characters.
VENDOR_ID = 40


def utcnow() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def one_of(column: str, values: Any) -> str:
    """Return a CHECK condition that allows only `values` in a column."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


def id_column() -> Any:
    """Return the primary key column `id`."""
    return Field(default=None, sa_column=Column(Integer, Identity(), primary_key=True))


def time_column(*, nullable: bool = False, index: bool = False) -> Any:
    """Return a timestamp column. It defaults to the current time, or to NULL if nullable."""
    kind = DateTime(timezone=True)
    if nullable:
        return Field(default=None, sa_column=Column(kind, nullable=True, index=index))
    return Field(default_factory=utcnow, sa_column=Column(kind, nullable=False, index=index))


def reference_column(
    target: str, *, nullable: bool = False, ondelete: str = "CASCADE", unique: bool = False, index: bool = True
) -> Any:
    """Return a foreign key column to `target`, such as "users.id"."""
    column = Column(Integer, ForeignKey(target, ondelete=ondelete), nullable=nullable, index=index and not unique, unique=unique)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


def vendor_id_column(*, unique: bool = False, nullable: bool = False, index: bool = False) -> Any:
    """Return a column for an ID from the payment service. It is text, because the app does no arithmetic with it."""
    column = Column(String(VENDOR_ID), nullable=nullable, unique=unique, index=index)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


def flag_column() -> Any:
    """Return a boolean column that defaults to false."""
    return Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false")))


def table_of(model: type[SQLModel]) -> Table:
    """Return a model's table. Statements on it skip the ORM and its overhead."""
    return cast("Table", inspect(model).local_table)


def insert_of(model: type[SQLModel]) -> Insert:
    """Return a one-row INSERT for the model's table, which must have an identity column `id`.

    Execute it with `values_of(row)`.
    """
    table = table_of(model)
    given: dict[str, Any] = {
        column.name: bindparam(f"{table.name}_{column.name}") for column in table.columns if column.name != "id"
    }
    return insert(table).values(given)


def insert_unless(model: type[SQLModel], unwanted: ColumnElement[bool]) -> Insert:
    """Return a one-row INSERT as from `insert_of` that inserts nothing where a condition holds."""
    table = table_of(model)
    names = [column.name for column in table.columns if column.name != "id"]
    given = select(*(bindparam(f"{table.name}_{name}", type_=table.columns[name].type) for name in names))
    return insert(table).from_select(names, given.where(~unwanted))


def values_of(row: SQLModel) -> dict[str, Any]:
    """Return the row's values as parameters for the statement from `insert_of`."""
    table = table_of(type(row))
    return {f"{table.name}_{name}": value for name, value in row.model_dump(exclude={"id"}).items()}
