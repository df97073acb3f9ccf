"""Runs migrations over a connection that the caller provides, or over a new connection to DATABASE_URL."""

from sqlalchemy.engine import Connection

from alembic import context
from interviewer import tables
from interviewer.core.database_address import synchronous_engine
from interviewer.settings import get_settings

# The ID of the advisory lock that makes concurrent migrations run one after the other. The number is arbitrary.
MIGRATION_LOCK = 7_112_026


def migrate(connection: Connection) -> None:
    """Run the requested migrations in one transaction. If another process is migrating, wait until it has finished."""
    context.configure(connection=connection, target_metadata=tables.metadata, compare_type=True)
    with context.begin_transaction():
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        context.run_migrations()


def run() -> None:
    """Migrate over the caller's connection, or else over a new connection to the configured database.

    Raises SystemExit if there is no connection and DATABASE_URL is not set.
    """
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
