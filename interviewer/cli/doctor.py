"""`interviewer doctor`: check that the settings, the database, and the external services work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import typer
from sqlalchemy.exc import DBAPIError

from interviewer.cli.opening import captured_logs, database_url, load_settings, open_database, refusal
from interviewer.cli.printing import say, shown
from interviewer.core.database import Database
from interviewer.core.database_address import pool_parameters
from interviewer.core.migrations import refuse_old_schema
from interviewer.errors import (
    AppError,
    IdentityRefused,
    IdentityUnavailable,
    StartupError,
)
from interviewer.operator import health_checks
from interviewer.operator.health_checks import Check, Health
from interviewer.settings import Settings

# Slow imports are inside functions so that other commands start fast.


def doctor() -> None:
    """Check settings, database, balances, deliveries, mails, payments, and servers. Exits with status 1 if a check failed."""
    failed = False
    with captured_logs() as made:
        for check in _checks():
            reasons = [shown(line) for line in made.take()[-1:]] if check.health is Health.FAILED else []
            say(f"{check.health:<8} {check.subject}: {check.message}" + "".join(f" ({reason})" for reason in reasons))
            failed = failed or check.health is Health.FAILED
    if failed:
        raise typer.Exit(1)


def _checks() -> Iterator[Check]:
    try:
        settings = load_settings()
    except StartupError as error:
        yield Check("settings", Health.FAILED, str(error))
        return
    yield _settings(settings)
    yield from _database(settings)
    yield from asyncio.run(_outside(settings))


def _settings(settings: Settings) -> Check:
    if settings.production_gaps:
        return Check("settings", Health.FAILED, "production needs these settings: " + "; ".join(settings.production_gaps))
    if settings.production:
        return Check("settings", Health.OK, "everything a public site needs is set")
    return Check("settings", Health.OK, "development mode; ENV=production checks more")


def _database(settings: Settings) -> Iterator[Check]:
    try:
        with open_database(settings) as opened:
            version = refuse_old_schema(database_url(opened))
            kind = "embedded, " if settings.database_url is None else ""
            yield Check("database", Health.OK, f"{kind}PostgreSQL {version}, at the newest schema")
            yield from _address(database_url(opened))
            yield from asyncio.run(_stored(database_url(opened)))
    except StartupError as error:
        yield Check("database", Health.FAILED, str(error))
    except AppError as error:
        yield Check("database", Health.FAILED, error.user_message)
    except DBAPIError as error:
        yield Check("database", Health.FAILED, refusal(error))


def _address(url: str) -> Iterator[Check]:
    if found := pool_parameters(url):
        message = (
            f"DATABASE_URL sets another driver's pool size ({', '.join(found)}), which is ignored: set DATABASE_POOL_SIZE instead"
        )
        yield Check("address", Health.WARNING, message)


async def _stored(url: str) -> list[Check]:
    database = Database(url, pool_size=1)
    try:
        return [*await health_checks.of_database(database), *await health_checks.of_notifications(database)]
    finally:
        await database.close()


async def _outside(settings: Settings) -> list[Check]:
    checks = [await _payments(settings), await _mail(settings), await _interviewer(settings)]
    if settings.github_client_id:
        checks.append(await _github(settings))
    if settings.redis_url:
        checks.append(await _redis(settings))
    return checks


async def _payments(settings: Settings) -> Check:
    from interviewer import wiring
    from interviewer.billing.lemonsqueezy.client import LemonSqueezy

    gaps = settings.payment_gaps
    payments = wiring.choose_payments(settings)
    if gaps or not isinstance(payments, LemonSqueezy):
        if gaps == Settings.model_construct().payment_gaps:
            return Check("payments", Health.OK, "not configured: nothing is for sale, and pages show no prices or buy buttons")
        message = f"nothing is for sale, and pages show no prices or buy buttons, until you also set {', '.join(gaps)}"
        return Check("payments", Health.WARNING, message)
    try:
        return await health_checks.of_payments(payments, wiring.choose_catalogue(settings), production=settings.production)
    finally:
        await payments.close()


async def _mail(settings: Settings) -> Check:
    from interviewer import wiring
    from interviewer.core.mail_resend import ResendMailer

    try:
        mailer = wiring.choose_mailer(settings)
    except StartupError as error:
        return Check("email", Health.FAILED, str(error))
    if not isinstance(mailer, ResendMailer):
        return Check("email", Health.OK, "not configured: emails are printed, and shown at /outbox")
    try:
        return await health_checks.of_mail(mailer)
    finally:
        await mailer.close()


async def _interviewer(settings: Settings) -> Check:
    from interviewer import wiring
    from interviewer.interviews.openai_client import OpenAIInterviewer
    from interviewer.operator import model_checks

    def elsewhere(base_url: str) -> OpenAIInterviewer:
        chosen = wiring.choose_interviewer(settings.model_copy(update={"openai_base_url": base_url}))
        assert isinstance(chosen, OpenAIInterviewer)
        return chosen

    interviewer = wiring.choose_interviewer(settings)
    if not isinstance(interviewer, OpenAIInterviewer):
        return Check("interviewer", Health.OK, "built in: question bank, no language model")
    try:
        options = wiring.choose_server_options(settings)
        return await model_checks.of_model_server(interviewer, options, settings.openai_base_url, elsewhere)
    finally:
        await interviewer.close()


async def _github(settings: Settings) -> Check:
    """Check the GitHub credentials with an invalid authorization code.

    GitHub gets as far as rejecting the code only if the client ID and secret are valid.
    """
    from interviewer import wiring

    if (github := wiring.choose_oauth(settings)) is None:
        return Check("GitHub", Health.WARNING, "sign-in with GitHub is off until you also set GITHUB_CLIENT_SECRET")
    try:
        await github.identify("made-up-by-doctor", verifier=None, redirect_uri=None)
    except IdentityUnavailable:
        return Check("GitHub", Health.FAILED, "GitHub does not respond, or refuses GITHUB_CLIENT_ID or GITHUB_CLIENT_SECRET")
    except IdentityRefused:
        pass
    finally:
        await github.close()
    return Check("GitHub", Health.OK, "GitHub accepts GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET")


async def _redis(settings: Settings) -> Check:
    from interviewer.core.rate_limit_store import LimitsLimiter

    limiter = LimitsLimiter(settings.redis_url.get_secret_value() if settings.redis_url else None)
    try:
        answers = await limiter.answers()
    finally:
        await limiter.close()
    if answers:
        return Check("redis", Health.OK, "the server at REDIS_URL responds")
    return Check("redis", Health.FAILED, "the server at REDIS_URL does not respond")
