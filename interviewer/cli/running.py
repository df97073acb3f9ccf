"""Starting the site, and what comes before it: `interviewer run` and `interviewer migrate`."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from interviewer import frontend, logs
from interviewer.cli.opening import database_url, load_settings, one_sentence_errors, open_database
from interviewer.db.migrations import migrate as migrate_database
from interviewer.errors import StartupError
from interviewer.settings import ROOT, Settings

# Seconds that open connections get at the end before they are cut.
GRACE_SECONDS = 5
# Bytes of one message on a websocket; the longest answer with all its code is a fifth of it.
LONGEST_MESSAGE = 1024 * 1024
# Seconds that an idle connection stays open: longer than a load balancer in front keeps it, or it would now and then send a
# request into one that is just being closed, which its visitor would see as an error.
KEEP_ALIVE_SECONDS = 130


def run(*, build_only: Annotated[bool, typer.Option(help="Build the frontend, then stop.")] = False) -> None:
    """Start the site: database, migrations, frontend, server."""
    with one_sentence_errors():
        settings = load_settings()
        if not build_only:
            if settings.production_gaps:
                raise StartupError("Production needs these settings: " + "; ".join(settings.production_gaps))
            _refuse_taken_port(settings)
        _build_frontend(settings)
        if build_only:
            return
        with open_database(settings) as settings:
            migrate_database(database_url(settings))
            _announce(settings)
            _serve(settings)


def migrate(revision: Annotated[str, typer.Argument(help="`head`, or an older revision to go back to.")] = "head") -> None:
    """Bring the database to the newest schema."""
    with one_sentence_errors(), open_database(load_settings()) as settings:
        migrate_database(database_url(settings), revision)
        typer.echo(f"The database is at {revision}.")


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
    if "host=" in database_url(settings) and str(settings.data_dir) in database_url(settings):
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
    # These take a second, which `--help` must not.
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
        from interviewer.adapters.sentry import start as report_errors

        report_errors(settings)
    config = uvicorn.Config(
        "interviewer.app:app",
        factory=True,
        host=settings.host,
        port=settings.port,
        # Ours say it all: its access log has addresses and whole paths, its own format is none of ours.
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        http=bounded_http(by_client=settings.rate_limits and not settings.trusted_proxies),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws_max_size=LONGEST_MESSAGE,
        server_header=False,
    )
    with contextlib.suppress(KeyboardInterrupt):
        Server(config, settings.stop_delay).run()
