"""`interviewer doctor`: check that the settings, the database and the external services work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import typer
from sqlalchemy.exc import DBAPIError

from interviewer.cli.opening import database_url, load_settings, open_database, refusal, remarks
from interviewer.cli.printing import say, shown
from interviewer.core.database import Database
from interviewer.core.database_address import pool_parameters
from interviewer.core.migrations import refuse_old_schema
from interviewer.errors import (
    AppError,
    IdentityRefused,
    IdentityUnavailable,
    InterviewerError,
    InterviewerMisconfigured,
    StartupError,
)
from interviewer.operator import health_checks
from interviewer.operator.health_checks import Check, Health
from interviewer.settings import Settings

# Slow imports are inside functions so that other commands start fast.

# Maximum timeout in seconds for requests to the model server.
PATIENCE = 10.0


def doctor() -> None:
    """Check settings, database, balances, deliveries, mails, payments and servers. Exits with status 1 if a check failed."""
    failed = False
    with remarks() as made:
        for check in _checks():
            reasons = [shown(line) for line in made.take()[-1:]] if check.health is Health.FAILED else []
            say(f"{check.health:<8} {check.subject}: {check.words}" + "".join(f" ({reason})" for reason in reasons))
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
        return Check("settings", Health.FAILED, "production needs these: " + "; ".join(settings.production_gaps))
    if settings.production:
        return Check("settings", Health.OK, "all that a public site needs is set")
    return Check("settings", Health.OK, "development; with ENV=production more is checked")


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
        words = (
            f"DATABASE_URL sizes another driver's pool ({', '.join(found)}), which does not count here: set DATABASE_POOL_SIZE"
        )
        yield Check("address", Health.WARNING, words)


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
            return Check("payments", Health.OK, "not configured: nothing is sold, and pages show no prices and no buy buttons")
        words = f"nothing is sold, and pages show no prices and no buy buttons, until these are set, too: {', '.join(gaps)}"
        return Check("payments", Health.WARNING, words)
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
        return Check("mail", Health.FAILED, f"{error} Check RESEND_API_KEY")
    if not isinstance(mailer, ResendMailer):
        return Check("mail", Health.OK, "not configured: mails are printed, and shown at /outbox")
    try:
        return await health_checks.of_mail(mailer)
    finally:
        await mailer.close()


async def _interviewer(settings: Settings) -> Check:
    from interviewer import wiring
    from interviewer.interviews.openai_client import OpenAIInterviewer

    patient = settings.model_copy(update={"openai_timeout": min(settings.openai_timeout, PATIENCE)})
    interviewer = wiring.choose_interviewer(patient)
    if not isinstance(interviewer, OpenAIInterviewer):
        return Check("interviewer", Health.OK, "built in: question bank, no AI")
    try:
        models = await interviewer.models()
    except InterviewerMisconfigured:
        return Check("interviewer", Health.FAILED, "the model's server refuses us: check OPENAI_API_KEY and OPENAI_BASE_URL")
    except InterviewerError:
        return Check("interviewer", Health.FAILED, "the model's server does not answer: check OPENAI_BASE_URL")
    finally:
        await interviewer.close()
    wanted = settings.openai_model
    if not any(model == wanted or model.startswith(f"{wanted}:") for model in models):
        return Check("interviewer", Health.WARNING, f"its server answers, but does not list {wanted}: check OPENAI_MODEL")
    return Check("interviewer", Health.OK, f"its server answers and has {wanted}")


async def _github(settings: Settings) -> Check:
    """Check GitHub with an invalid authorization code.

    GitHub rejects the code itself only if the client ID and secret are valid.
    """
    from interviewer import wiring

    if (github := wiring.choose_oauth(settings)) is None:
        return Check("GitHub", Health.WARNING, "signing in with it is off until GITHUB_CLIENT_SECRET is set, too")
    try:
        await github.identify("made-up-by-doctor", verifier=None, redirect_uri=None)
    except IdentityUnavailable:
        return Check("GitHub", Health.FAILED, "it does not answer, or refuses GITHUB_CLIENT_ID or GITHUB_CLIENT_SECRET")
    except IdentityRefused:
        pass
    finally:
        await github.close()
    return Check("GitHub", Health.OK, "it knows GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET")


async def _redis(settings: Settings) -> Check:
    from interviewer.core.rate_limit_store import LimitsLimiter

    limiter = LimitsLimiter(settings.redis_url.get_secret_value() if settings.redis_url else None)
    try:
        answers = await limiter.answers()
    finally:
        await limiter.close()
    if answers:
        return Check("redis", Health.OK, "the server at REDIS_URL answers")
    return Check("redis", Health.FAILED, "the server at REDIS_URL does not answer")
