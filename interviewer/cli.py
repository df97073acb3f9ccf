"""The `interviewer` command."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import SecretStr, ValidationError

from interviewer import frontend
from interviewer.db.embedded import EmbeddedPostgres
from interviewer.db.migrations import migrate as migrate_database
from interviewer.errors import StartupError
from interviewer.settings import ROOT, Settings, explain, get_settings

app = typer.Typer(help="Practise backend interviews.", no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)

# Seconds that open connections get at the end before they are cut.
GRACE_SECONDS = 5


@app.callback()
def main() -> None:
    """Practise backend interviews."""


@app.command()
def run(*, build_only: Annotated[bool, typer.Option(help="Build the frontend, then stop.")] = False) -> None:
    """Start the site: database, migrations, frontend, server."""
    with _one_sentence_errors():
        settings = _settings()
        if not build_only:
            if settings.production_gaps:
                raise StartupError("Production needs these settings: " + "; ".join(settings.production_gaps))
            _refuse_taken_port(settings)
        _build_frontend(settings)
        if build_only:
            return
        with _database(settings) as settings:
            migrate_database(_url(settings))
            _announce(settings)
            _serve(settings)


@app.command()
def migrate(revision: Annotated[str, typer.Argument(help="`head`, or an older revision to go back to.")] = "head") -> None:
    """Bring the database to the newest schema."""
    with _one_sentence_errors(), _database(_settings()) as settings:
        migrate_database(_url(settings), revision)
        typer.echo(f"The database is at {revision}.")


@contextlib.contextmanager
def _one_sentence_errors() -> Iterator[None]:
    """Say what prevents a start in one sentence, without a traceback, and end with status 1."""
    try:
        yield
    except StartupError as error:
        typer.echo(f"interviewer: {error}", err=True)
        raise typer.Exit(1) from None


def _settings() -> Settings:
    os.chdir(ROOT)
    try:
        return get_settings()
    except ValidationError as error:
        raise StartupError(explain(error)) from error


def _url(settings: Settings) -> str:
    if settings.database_url is None:
        raise StartupError("No database is configured.")
    return settings.database_url.get_secret_value()


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[Settings]:
    """Yield settings whose DATABASE_URL is set, starting the embedded server if none is configured, and stop it at the end."""
    if settings.database_url is not None:
        yield settings
        return
    server = EmbeddedPostgres(settings.data_dir)
    with _stopping_on_signals() as signals:
        url = server.start()
        try:
            signals.release()
            os.environ["DATABASE_URL"] = url
            get_settings.cache_clear()
            yield settings.model_copy(update={"database_url": SecretStr(url)})
        finally:
            os.environ.pop("DATABASE_URL", None)
            get_settings.cache_clear()
            server.stop()


class _Signals:
    """Turns signals into an orderly exit. Until released it only notes them: a half-started server cannot be stopped."""

    def __init__(self) -> None:
        self._held = True
        self._noted: int | None = None

    def __call__(self, number: int, _frame: object) -> None:
        self._noted = number
        if not self._held:
            self._leave(number)

    def release(self) -> None:
        """From now on leave at once, and now if a signal has come already."""
        self._held = False
        if self._noted is not None:
            self._leave(self._noted)

    def _leave(self, number: int) -> NoReturn:
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


@contextlib.contextmanager
def _stopping_on_signals() -> Iterator[_Signals]:
    """Handle the signals that end a program, so that what was started is stopped."""
    signals = _Signals()
    before = {number: signal.signal(number, signals) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _refuse_taken_port(settings: Settings) -> None:
    """Find out before anything is built or started whether the server will be able to listen."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise StartupError(f"Nothing can listen on {settings.host}, port {settings.port}: {error.strerror}.") from error
            raise StartupError(
                f"Port {settings.port} is taken by another program. Stop it, or choose another port: PORT=3100 make run"
            ) from error


def _build_frontend(settings: Settings) -> None:
    if frontend.is_fresh(settings):
        return
    typer.echo("Building the frontend; the first time this takes about half a minute …")
    frontend.build(settings)


def _announce(settings: Settings) -> None:
    """Print where the site is and which parts run in their embedded form."""
    typer.echo(f"\n  Interviewer: {settings.site_url}\n")
    if "host=" in _url(settings) and str(settings.data_dir) in _url(settings):
        typer.echo(f"  database     embedded PostgreSQL, data in {_shown(settings.data_dir)} (DATABASE_URL is not set)")
    if not settings.uses_openai:
        typer.echo("  interviewer  built in: question bank, no AI (neither OPENAI_API_KEY nor OPENAI_BASE_URL is set)")
    if settings.resend_api_key is None and not settings.production:
        typer.echo(f"  mail         printed here and on {settings.site_url}outbox (no mail service is configured)")
    typer.echo("\n  Ctrl-C stops everything.\n")
    sys.stdout.flush()


def _shown(path: Path) -> str:
    return path.name + "/" if path.parent == ROOT else str(path)


def _serve(settings: Settings) -> None:
    """Serve pages, API and websocket in this process until it is told to stop."""
    import uvicorn

    os.environ.update(
        REFLEX_ENV_MODE="prod",
        REFLEX_TELEMETRY_ENABLED="false",
        REFLEX_USE_NPM="1",
        __REFLEX_SKIP_COMPILE="true",
        __REFLEX_MOUNT_FRONTEND_COMPILED_APP="true",
    )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    config = uvicorn.Config(
        "interviewer.app:app",
        factory=True,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
    )
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run()


if __name__ == "__main__":
    app()
