"""Runs migrations over one connection that the caller hands in, or over DATABASE_URL."""

from sqlalchemy.engine import Connection

from alembic import context
from interviewer import tables
from interviewer.core.database_address import synchronous_engine
from interviewer.settings import get_settings

# Two processes that migrate at once take turns; the number is only a name.
MIGRATION_LOCK = 7_112_026


def migrate(connection: Connection) -> None:
    """Run the wanted migrations in one transaction, alone."""
    context.configure(connection=connection, target_metadata=tables.metadata, compare_type=True)
    with context.begin_transaction():
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        context.run_migrations()


def run() -> None:
    """Use the caller's connection, else connect to the configured database."""
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        migrate(given)
        return
    secret = get_settings().database_url
    if secret is None:
        raise SystemExit("Set DATABASE_URL, or use `interviewer migrate`, which knows the embedded database too.")
    engine = synchronous_engine(secret.get_secret_value())
    with engine.connect() as connection:
        migrate(connection)
        connection.commit()
    engine.dispose()


run()
