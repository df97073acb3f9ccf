"""Database URLs as hosting providers issue them: parameters that are dropped or converted, and errors for the rest."""

from __future__ import annotations

import pytest

from interviewer.core.database import Database
from interviewer.core.database_address import (
    INVALID_DATABASE_URL,
    NO_OPTIONS,
    address_of,
    connect_arguments,
    driver_url,
    pool_parameters,
    shown,
)
from interviewer.core.migrations import migrate, refuse_old_schema
from interviewer.errors import StartupError
from interviewer.settings import Settings

BASE = "postgresql+psycopg://u:hidden@h/x"


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("?pgbouncer=true", ""),
        ("?pgbouncer=true&connection_limit=1&pool_timeout=20", ""),
        ("?supa=base-pooler.x", ""),
        ("?workaround=supabase-pooler.vercel", ""),
        ("?prepare_threshold=0", ""),
        ("?statement_cache_size=0&prepared_statement_cache_size=0", ""),
        ("?schema=public", ""),
        ("?ssl=true", "?sslmode=require"),
        ("?ssl=no-verify", "?sslmode=require"),
        ("?ssl=false", "?sslmode=disable"),
        ("?ssl=verify-full", "?sslmode=verify-full"),
        ("?ssl=true&sslmode=verify-full", "?sslmode=verify-full"),
        ("?sslmode=no-verify&uselibpqcompat=true", "?sslmode=require"),
        ("?sslmode=require&channel_binding=require", "?channel_binding=require&sslmode=require"),
        ("?sslaccept=accept_invalid_certs&sslmode=require", "?sslmode=require"),
        ("?options=-csearch_path%3Down", "?options=-csearch_path%3Down"),
        ("?connect_timeout=30", "?connect_timeout=30"),
    ],
)
def test_parameters_of_other_drivers_are_dropped(query: str, kept: str) -> None:
    found = address_of(f"postgres://u:hidden@h/x{query}")
    wanted = address_of(f"{BASE}{kept}")
    assert (found, dict(found.query)) == (wanted, dict(wanted.query))
    assert driver_url(driver_url(f"postgres://u:hidden@h/x{query}")) == driver_url(f"{BASE}{kept}")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg2", "  postgresql"])
def test_address_for_any_driver_is_accepted(scheme: str) -> None:
    url = f"{scheme}://u:hidden@h/x\n"
    settings = Settings(_env_file=None, database_url=url)
    assert settings.database_url is not None
    assert driver_url(settings.database_url.get_secret_value()) == BASE


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://u:hidden@h/x?schema=own", "ALTER ROLE"),
        ("postgresql://u:hidden@h/x?currentSchema=own", "ALTER ROLE"),
        ("postgresql://u:hidden@h/x?ssl=hidden", "sslmode=require"),
        ("postgresql://u:hidden@h/x?sslaccept=strict", "sslmode=verify-full"),
        ("postgresql://u:hidden@h/x?autocommit=true", "autocommit"),
        ("postgresql://u:hidden@h/x?row_factory=x", "row_factory"),
        ("postgresql://u:[YOUR-PASSWORD]@h/x", "Replace it with the database password"),
        ("postgresql://u:hid@den@h/x", INVALID_DATABASE_URL),
        ("postgresql://u:hidden@h:many/x", INVALID_DATABASE_URL),
        ("postgresql:///x?host=/tmp&port=hidden", INVALID_DATABASE_URL),
    ],
)
def test_unusable_address_is_one_sentence_error_everywhere(url: str, message: str) -> None:
    for use in (migrate, refuse_old_schema, Database):
        with pytest.raises(StartupError) as caught:
            use(url)
        assert message in str(caught.value)
        assert "hid" not in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("query", ["sslmode=nonsense", "no_such_parameter=1", "sslmode=require&sslmode=disable"])
def test_parameter_refused_by_libpq_is_one_sentence_error(query: str) -> None:
    with pytest.raises(StartupError, match="invalid") as caught:
        migrate(f"postgresql://u:hidden@127.0.0.1:1/x?{query}")
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_shown_address_hides_every_password() -> None:
    shown_address = shown(address_of("postgresql://u:hidden@h:1/x?sslpassword=hidden&password=hidden&sslmode=require"))
    assert shown_address == "postgresql+psycopg://u:***@h:1/x"


def test_timeouts_in_address_take_precedence() -> None:
    assert connect_arguments(address_of(BASE))["connect_timeout"] == 5
    assert "connect_timeout" not in connect_arguments(address_of(f"{BASE}?connect_timeout=30"))
    assert connect_arguments(address_of(BASE))["prepare_threshold"] is None


def test_pool_parameters_of_other_drivers_are_named() -> None:
    assert pool_parameters(f"{BASE}?pool_timeout=1&connection_limit=5&pgbouncer=true") == ["connection_limit", "pool_timeout"]
    assert pool_parameters(BASE) == []


def test_options_hint_names_address_and_environment() -> None:
    assert "DATABASE_URL" in NO_OPTIONS
    assert "PGOPTIONS" in NO_OPTIONS
