"""`interviewer run` and `interviewer migrate`."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

import typer

from interviewer import frontend
from interviewer.cli.opening import database_url, load_settings, one_sentence_errors, open_database
from interviewer.core import logs
from interviewer.core.migrations import migrate as migrate_database
from interviewer.errors import StartupError
from interviewer.settings import ROOT, Settings

# Seconds that open connections have to finish at shutdown before they are closed.
GRACE_SECONDS = 5
# Maximum websocket message size in bytes: the largest form that `state/bounds.py` accepts, at three bytes per character.
MAX_MESSAGE = 640 * 1024
# Seconds before an idle connection is closed. Must exceed the load balancer's idle timeout. Otherwise the balancer may send a
# request on a connection that is being closed, and the visitor sees an error.
KEEP_ALIVE_SECONDS = 130
# Signals that ask the process to exit.
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The OpenAI SDK's default base URL.
OPENAI_URL = "https://api.openai.com/v1"


def run(*, build_only: Annotated[bool, typer.Option(help="Build the frontend, then exit.")] = False) -> None:
    """Start the site: build the frontend, start and migrate the database, run the server."""
    with one_sentence_errors():
        settings = load_settings()
        if not build_only:
            if settings.production_gaps:
                raise StartupError("Production needs these settings: " + "; ".join(settings.production_gaps))
            _refuse_taken_port(settings)
        _build_frontend(settings)
        if not build_only:
            with _exit_with_zero_on_signal():
                typer.echo("Starting...")
                settings, decided = _with_local_model(settings)
                with open_database(settings) as opened:
                    migrate_database(database_url(opened))
                    _serve(opened, embedded=settings.database_url is None, decided=decided)


def migrate(revision: Annotated[str, typer.Argument(help="`head`, or an older revision to go back to.")] = "head") -> None:
    """Migrate the database to the newest schema, or to an older revision."""
    with one_sentence_errors(), open_database(load_settings()) as settings:
        migrate_database(database_url(settings), revision)
        typer.echo(f"The database is now at {revision}.")


@contextlib.contextmanager
def _leaving_on_signals() -> Iterator[None]:
    """Raise SystemExit on SIGINT, SIGTERM, or SIGHUP during the block so that cleanup code runs."""
    before = {number: signal.signal(number, _leave) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _exit_with_zero_on_signal() -> Iterator[None]:
    """Exit with status 0 if a signal ends the block, because that is the normal way to stop the site."""
    try:
        with _leaving_on_signals():
            yield
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    except SystemExit as end:
        if end.code in {128 + number for number in STOPPING}:
            raise typer.Exit(0) from None
        raise


def _leave(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _refuse_taken_port(settings: Settings) -> None:
    """Raise StartupError if the port cannot be bound, before anything is built or started."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise StartupError(
                    f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror}. Check HOST and PORT."
                ) from error
            raise StartupError(
                f"Port {settings.port} is in use by another program. Stop it, or choose another port: PORT=3100 make run"
            ) from error


def _build_frontend(settings: Settings) -> None:
    if frontend.is_fresh(settings):
        return
    typer.echo("Building the frontend. The first time, this takes about half a minute...")
    try:
        with _leaving_on_signals():
            frontend.build(settings)
    except SystemExit:
        raise StartupError("The build was interrupted. Run the command again to start over.") from None


def _with_local_model(settings: Settings) -> tuple[Settings, str]:
    """Look for a language model on this machine if none is configured, and choose it if INTERVIEWER is "auto".

    Returns the settings to start with, and what the banner says about the interviewer. Does nothing in production.
    """
    from interviewer.cli.local_models import choose_local_model, find_local_model

    if settings.production or settings.uses_openai or settings.interviewer == "builtin":
        return settings, ""
    model = find_local_model()
    if model is None:
        return settings, "" if settings.interviewer != "auto" else "built in, because no local model was found (INTERVIEWER=auto)"
    if settings.interviewer != "auto":
        hint = f"{model.server} on this machine has {model.name}; to use it: {model.command}"
        return settings, f"{interviewer_in_use(settings)}\n               {hint}"
    typer.echo(f"Trying {model.name} ({model.server})...")
    return choose_local_model(settings, model)


def _announce(settings: Settings, *, embedded: bool, decided: str) -> None:
    """Print the site's URL, the interviewer in use, and the parts that run without an external service."""
    typer.echo(f"\n  Interviewer: {settings.site_url}\n")
    if embedded:
        typer.echo(f"  database     embedded PostgreSQL, data in {_shown(settings.data_dir)} (DATABASE_URL is not set)")
    typer.echo(f"  interviewer  {decided or interviewer_in_use(settings)}")
    if settings.resend_api_key is None and not settings.production:
        typer.echo(f"  email        printed here and at {settings.site_url}outbox (RESEND_API_KEY is not set)")
    if gaps := settings.payment_gaps:
        missing = ", ".join(gaps) if settings.lemon_api_key else gaps[0]
        typer.echo(f"  payments     off: nothing is for sale, and pages show no prices (not set: {missing})")
    typer.echo("\n  Press Ctrl-C to stop.\n")
    sys.stdout.flush()


def interviewer_in_use(settings: Settings) -> str:
    """Return a description of the interviewer in use: the built-in one, or the model and its server's URL without credentials."""
    if settings.interviewer == "builtin":
        return "built in: question bank, no language model (INTERVIEWER=builtin)"
    if not settings.uses_openai:
        return "built in: question bank, no language model (neither OPENAI_API_KEY nor OPENAI_BASE_URL is set)"
    parts = urlsplit(settings.openai_base_url or OPENAI_URL)
    return f"{settings.openai_model} at {parts._replace(netloc=parts.netloc.rpartition('@')[2], query='').geturl()}"


def _shown(path: Path) -> str:
    return path.name + "/" if path.parent == ROOT else str(path)


def _serve(settings: Settings, *, embedded: bool, decided: str) -> None:
    """Serve pages, the API, and websockets in this process until it is stopped."""
    # These imports take about a second, too long for `--help`.
    from interviewer.cli.bounded_http import bounded_http
    from interviewer.cli.serving import Server, uvicorn

    os.environ.update(
        REFLEX_ENV_MODE="prod",
        REFLEX_TELEMETRY_ENABLED="false",
        REFLEX_USE_NPM="1",
        __REFLEX_SKIP_COMPILE="true",
        __REFLEX_MOUNT_FRONTEND_COMPILED_APP="true",
    )
    logs.configure(settings)
    if settings.sentry_dsn is not None:
        from interviewer.core.sentry import start as report_errors

        report_errors(settings)
    config = uvicorn.Config(
        "interviewer.app:app",
        factory=True,
        host=settings.host,
        port=settings.port,
        # The app writes its own log lines. uvicorn's access log would contain IP addresses and full paths.
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        http=bounded_http(
            by_client=settings.rate_limits and not settings.trusted_proxies, websockets_by_client=settings.rate_limits
        ),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws_max_size=MAX_MESSAGE,
        # Compression shrinks a page's first 10 KB to 8 KB, but would let a thousand bytes from a client expand to a megabyte in
        # memory.
        ws_per_message_deflate=False,
        server_header=False,
    )
    Server(config, settings.stop_delay, lambda: _announce(settings, embedded=embedded, decided=decided)).run()
