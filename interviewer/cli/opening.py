"""Helpers shared by the commands: settings, database, services, and error messages of one sentence."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, NoReturn, TypeVar

import typer
from pydantic import SecretStr, ValidationError
from sqlalchemy.exc import DBAPIError

from interviewer.cli.printing import shown
from interviewer.core.embedded_postgres.server import EmbeddedPostgres
from interviewer.core.migrations import refuse_old_schema
from interviewer.errors import AppError, StartupError
from interviewer.settings import ROOT, Settings, explain, get_settings

if TYPE_CHECKING:
    from interviewer.wiring import Services

Result = TypeVar("Result")

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@contextlib.contextmanager
def one_sentence_errors() -> Iterator[None]:
    """Print a StartupError as one sentence without a traceback and exit with status 1."""
    try:
        yield
    except StartupError as error:
        typer.echo(f"interviewer: {error}", err=True)
        raise typer.Exit(1) from None


def load_settings() -> Settings:
    """Change to the project folder and return the settings. From then on, requests to this machine bypass any proxy.

    Raises StartupError if a setting is invalid.
    """
    os.chdir(ROOT)
    _bypass_proxy_for_loopback()
    try:
        return get_settings()
    except ValidationError as error:
        raise StartupError(explain(error)) from error


def _bypass_proxy_for_loopback() -> None:
    """Add the loopback addresses to NO_PROXY so that requests to this machine, such as to a local model server, bypass the proxy.

    No-op if 127.0.0.1 is already listed.
    """
    listed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if "127.0.0.1" not in listed:
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(filter(None, [listed, *LOOPBACK]))


def database_url(settings: Settings) -> str:
    """Return the database URL in the settings.

    Raises StartupError if there is none. `open_database` sets it for the embedded server.
    """
    if settings.database_url is None:
        raise StartupError("No database is configured. Set DATABASE_URL.")
    return settings.database_url.get_secret_value()


@contextlib.contextmanager
def open_database(settings: Settings) -> Iterator[Settings]:
    """Yield settings that have a database URL.

    If no database is configured, the embedded server runs during the block. Raises StartupError if it does not start.
    """
    if settings.database_url is not None:
        yield settings
        return
    server = EmbeddedPostgres(settings.data_dir)
    with _stopping_on_signals() as signals:
        try:
            url = server.start(signals.came)
        except StartupError:
            signals.release()  # exits if a signal aborted the startup
            raise
        try:
            signals.release()
            os.environ["DATABASE_URL"] = url
            get_settings.cache_clear()
            with server.restarted_on_exit():
                yield settings.model_copy(update={"database_url": SecretStr(url)})
        finally:
            os.environ.pop("DATABASE_URL", None)
            get_settings.cache_clear()
            signals.hold()
            server.stop()


class _Signals:
    """A signal handler that exits with an exception, so that cleanup code runs.

    While on hold, it only records signals, because exiting in the middle of starting or stopping the server would leave the
    server running.
    """

    def __init__(self) -> None:
        self._held = True
        self._noted: int | None = None

    def __call__(self, number: int, _frame: object) -> None:
        self._noted = number
        if not self._held:
            self._leave(number)

    def came(self) -> bool:
        """Return whether a signal has been received."""
        return self._noted is not None

    def hold(self) -> None:
        """From now on, record signals instead of exiting."""
        self._held = True

    def release(self) -> None:
        """From now on, exit on signals. Exits immediately if one has been recorded."""
        self._held = False
        if self._noted is not None:
            self._leave(self._noted)

    def _leave(self, number: int) -> NoReturn:
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


@contextlib.contextmanager
def _stopping_on_signals() -> Iterator[_Signals]:
    """Handle SIGINT, SIGTERM, and SIGHUP during the block so that the embedded server is stopped on exit."""
    signals = _Signals()
    before = {number: signal.signal(number, signals) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class CapturedLogs(logging.Handler):
    """Collects warnings and errors logged by the app, so that commands can print them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message without its traceback, which belongs in the server's log."""
        self._lines.append(record.getMessage())

    def take(self) -> list[str]:
        """Return the messages captured since the last call."""
        taken, self._lines = self._lines, []
        return taken


@contextlib.contextmanager
def captured_logs() -> Iterator[CapturedLogs]:
    """Capture the app's warnings and errors during the block instead of printing them."""
    handler, logger = CapturedLogs(), logging.getLogger("interviewer")
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated


def operate(work: Callable[[Services], Awaitable[Result]]) -> Result:
    """Open the database, run `work` with the services, and return its result.

    Expected errors, such as an outdated schema, are printed as one sentence, and the command exits with status 1. Warnings that
    were logged are printed to standard error.
    """
    with one_sentence_errors(), captured_logs() as made:
        try:
            with open_database(load_settings()) as settings:
                refuse_old_schema(database_url(settings))
                result = asyncio.run(_with_services(settings, work))
        except AppError as error:
            reason = made.take()[-1:] if error.status >= 500 else []
            raise StartupError(error.user_message + "".join(f" ({shown(line)})" for line in reason)) from error
        except DBAPIError as error:
            raise StartupError(refusal(error)) from error
        for line in made.take():
            typer.echo(f"interviewer: {shown(line)}", err=True)
    return result


def refusal(error: DBAPIError) -> str:
    """Format a database error as one sentence."""
    return f"The database reported an error: {shown(next(iter(str(error.orig).strip().splitlines()), 'no reason given'))}"


async def _with_services(settings: Settings, work: Callable[[Services], Awaitable[Result]]) -> Result:
    from interviewer import wiring  # takes about a second, too long for `--help`

    services = wiring.build(settings)
    try:
        return await work(services)
    finally:
        await services.close()
