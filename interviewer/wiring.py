"""Builds the services of this process and chooses their adapters, such as the mailer and the interviewer."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr

from interviewer.accounts.api_tokens import Tokens
from interviewer.accounts.browser_sessions import Sessions
from interviewer.accounts.github_client import GitHub
from interviewer.accounts.github_signin import GitHubSignIn
from interviewer.accounts.oauth import OAuth
from interviewer.accounts.open_pages import OpenPages
from interviewer.accounts.signup import Accounts
from interviewer.billing.account_view import Plans
from interviewer.billing.catalogue import Catalogue, FormerVariant, Product
from interviewer.billing.lemonsqueezy.client import LemonSqueezy
from interviewer.billing.purchases import Purchases
from interviewer.billing.reconcile import Reconciliation
from interviewer.billing.webhook_metrics import CountedMailer, CountedWebhooks
from interviewer.billing.webhooks import Webhooks
from interviewer.core import metrics
from interviewer.core.capacity import CapacityQueue, Following, cpu_capacity, files_capacity, model_capacity
from interviewer.core.database import Database
from interviewer.core.mail import Mailer
from interviewer.core.mail_console import Outbox
from interviewer.core.mail_outbox import MailSender
from interviewer.core.mail_resend import ResendMailer
from interviewer.core.notify import Notifier
from interviewer.core.rate_limit_store import LimitsLimiter
from interviewer.core.rate_limits import Guard, RateLimiter
from interviewer.core.readiness import Readiness
from interviewer.errors import AppError, StartupError
from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.grading.likeness import ShippedBank, TextLikeness
from interviewer.interviews.appeals import Appeals
from interviewer.interviews.failed_starts import return_expired_credits
from interviewer.interviews.interviewer import Interviewer
from interviewer.interviews.interviewer_calls import InterviewerCalls
from interviewer.interviews.message_api import ApiInterviews
from interviewer.interviews.model_server.options import Format, ServerOptions, first_token_seconds
from interviewer.interviews.openai_client import OpenAIInterviewer
from interviewer.interviews.receipts import Receipts
from interviewer.interviews.turns import Interviews
from interviewer.operator.usage import Prices, Spending
from interviewer.operator.users import Operations
from interviewer.privacy.personal_data import Personal
from interviewer.reports.dashboard import Dashboard
from interviewer.reports.practice import Practice
from interviewer.reports.reports import Reports
from interviewer.reports.sharing import Sharing
from interviewer.reports.skills import Skills
from interviewer.settings import Settings, get_settings

logger = logging.getLogger(__name__)

# Seconds between sweeps. See `_sweep`.
SWEEP_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class Services:
    """The services of this process."""

    settings: Settings
    database: Database
    mail_sender: MailSender
    accounts: Accounts
    github: GitHubSignIn
    tokens: Tokens
    personal: Personal
    sessions: Sessions
    guard: Guard
    interviews: Interviews
    appeals: Appeals
    programs: ApiInterviews
    receipts: Receipts
    dashboard: Dashboard
    skills: Skills
    reports: Reports
    sharing: Sharing
    practice: Practice
    plans: Plans
    purchases: Purchases
    reconciliation: Reconciliation
    webhooks: Webhooks
    operations: Operations
    spending: Spending
    notifier: Notifier
    open_pages: OpenPages
    readiness: Readiness
    processor: CapacityQueue
    files: CapacityQueue
    following: Following
    queues: tuple[CapacityQueue, ...]
    outbox: Outbox | None
    outside: tuple[OAuth | LemonSqueezy | RateLimiter | ResendMailer, ...]

    def stop_accepting_work(self) -> None:
        """Mark this process as not ready, stop sending mail, and refuse all work that is new or waiting in a queue.

        A refused turn releases its lease, so that another process can complete the turn. A refused start returns its credit.
        """
        self.readiness.stop()
        self.mail_sender.stop()
        for queue in self.queues:
            queue.close()

    async def close(self) -> None:
        """Refuse new work, give running work time to finish, then close all connections."""
        self.stop_accepting_work()
        # Concurrently, because each may take as long as one reply from the language model.
        await asyncio.gather(self.appeals.close(), self.interviews.close(), self.receipts.close())
        await self.mail_sender.settle()
        for adapter in self.outside:
            await adapter.close()
        await self.database.close()


def build(
    settings: Settings,
    *,
    database: Database | None = None,
    interviewer: Interviewer | None = None,
    mailer: Mailer | None = None,
    oauth: OAuth | None = None,
    payments: LemonSqueezy | None = None,
) -> Services:
    """Build the services from `settings`. Adapters passed as arguments replace the configured ones.

    Raises StartupError if DATABASE_URL is not set and `database` is not given, or if DATABASE_URL or RESEND_API_KEY is unusable.
    """
    database = database or Database(_database_url(settings), pool_size=settings.database_pool_size)
    mailer = mailer or choose_mailer(settings)
    metrics.CONNECTIONS_IN_USE.set_function(database.in_use)
    metrics.CONNECTIONS_WAITING.set_function(database.waiting)
    # The development outbox accepts any number of mails. A mail service has a rate limit.
    mail_sender = MailSender(database, CountedMailer(mailer), None if isinstance(mailer, Outbox) else settings.mail_rate)
    oauth = oauth or choose_oauth(settings)
    payments = payments or choose_payments(settings)
    limiter = choose_limiter(settings)
    catalogue = choose_catalogue(settings)
    guard = Guard(limiter)
    bank = ShippedBank()
    interviewer = interviewer or choose_interviewer(settings)
    (queue, processor), files = choose_capacities(settings, interviewer), files_capacity()
    calls = InterviewerCalls(database, interviewer, queue, settings.grade_repeats)
    interviews = Interviews(database, calls, guard)
    receipts = Receipts(database)
    skills = Skills(database, bank, TextLikeness(), processor)
    reports = Reports(interviews, skills, guard, settings.site_url)
    notifier = Notifier(database)
    return Services(
        settings=settings,
        database=database,
        mail_sender=mail_sender,
        accounts=Accounts(database, mail_sender, guard, settings.site_url),
        github=GitHubSignIn(database, mail_sender, guard, oauth, settings.site_url),
        tokens=Tokens(database, guard, _revealed(settings.jwt_secret), timedelta(minutes=settings.access_token_minutes)),
        personal=Personal(database, mail_sender, payments, settings.site_url, guard),
        sessions=Sessions(database),
        guard=guard,
        interviews=interviews,
        appeals=Appeals(database, calls, interviews, guard),
        programs=ApiInterviews(interviews, receipts),
        receipts=receipts,
        dashboard=Dashboard(database),
        skills=skills,
        reports=reports,
        sharing=Sharing(database, reports, guard, settings.site_url),
        practice=Practice(database, BuiltinInterviewer(), bank, guard, processor),
        plans=Plans(database, catalogue),
        purchases=Purchases(database, payments, catalogue, guard, settings.site_url, settings.payment_gaps),
        reconciliation=Reconciliation(database, payments, catalogue),
        notifier=notifier,
        open_pages=OpenPages(database, notifier),
        webhooks=CountedWebhooks(database, catalogue, _revealed(settings.lemon_webhook_secret)),
        operations=Operations(database),
        spending=Spending(database, choose_prices(settings)),
        readiness=Readiness(database, limiter),
        processor=processor,
        files=files,
        following=Following(),
        queues=(queue, processor, files),
        outbox=mailer if isinstance(mailer, Outbox) and not settings.production else None,
        outside=tuple(
            adapter
            for adapter in (oauth, payments, limiter, mailer if isinstance(mailer, ResendMailer) else None)
            if adapter is not None
        ),
    )


def choose_interviewer(settings: Settings) -> Interviewer:
    """Return the OpenAI-compatible interviewer if one is configured, otherwise the built-in one."""
    if not settings.uses_openai:
        return BuiltinInterviewer()
    return OpenAIInterviewer(
        model=settings.openai_model,
        api_key=_revealed(settings.openai_api_key),
        base_url=settings.openai_base_url,
        options=choose_server_options(settings),
    )


def choose_server_options(settings: Settings) -> ServerOptions:
    """Return what the settings say about the model server."""
    given = settings.openai_response_format
    first = first_token_seconds(settings.openai_first_token_seconds, settings.openai_timeout, settings.openai_base_url)
    return ServerOptions(
        format=Format.SCHEMA if given == "auto" else Format(given),
        streams=settings.openai_stream,
        max_tokens=settings.openai_max_tokens,
        context_tokens=settings.openai_context_tokens,
        reply_seconds=settings.openai_timeout,
        first_token_seconds=first,
        idle_seconds=settings.openai_idle_seconds,
        extra_body=settings.openai_extra_body,
        extra_query=settings.openai_extra_query,
    )


def choose_mailer(settings: Settings) -> Mailer:
    """Return the Resend mailer if an API key is configured, otherwise the development outbox.

    Raises StartupError if the API key has characters that are not allowed in a header.
    """
    if settings.resend_api_key is None:
        return Outbox()
    return ResendMailer(settings.resend_api_key.get_secret_value(), settings.mail_from, settings.resend_api_url or None)


def choose_oauth(settings: Settings) -> OAuth | None:
    """Return the GitHub adapter, or None if GitHub sign-in is not configured."""
    if not settings.github_client_id or settings.github_client_secret is None:
        return None
    return GitHub(
        settings.github_client_id,
        settings.github_client_secret.get_secret_value(),
        base_url=settings.github_base_url,
        api_url=settings.github_api_url,
    )


def choose_payments(settings: Settings) -> LemonSqueezy | None:
    """Return the Lemon Squeezy client, or None if no API key is configured."""
    key = _revealed(settings.lemon_api_key)
    return LemonSqueezy(key, settings.lemon_api_url, settings.lemon_store_id) if key else None


def choose_catalogue(settings: Settings) -> Catalogue:
    """Return the catalog of current and former products.

    In production, the catalog accepts only live webhook events, not events sent in Lemon Squeezy's test mode.
    """
    variants = {
        Product.INDIVIDUAL: settings.lemon_variant_id_individual,
        Product.PRO: settings.lemon_variant_id_pro,
        Product.PREMIUM: settings.lemon_variant_id_premium,
    }
    former = tuple(FormerVariant(id, Product(product), cents) for id, product, cents in settings.lemon_former_variants)
    return Catalogue(variants, settings.lemon_store_id, live_only=settings.production, former=former)


def choose_prices(settings: Settings) -> Prices:
    """Return the configured token prices. Prices that are not configured are None."""
    return Prices(settings.openai_price_input, settings.openai_price_cached, settings.openai_price_output)


def choose_capacities(settings: Settings, interviewer: Interviewer) -> tuple[CapacityQueue, CapacityQueue]:
    """Return the queue in front of the interviewer and the queue in front of this process's CPU.

    They are the same queue for the built-in interviewer, because it runs on this CPU.
    """
    if isinstance(interviewer, BuiltinInterviewer):
        queue = cpu_capacity(settings.model_calls_at_once, settings.model_queue)
        return queue, queue
    return model_capacity(settings.model_calls_at_once, settings.model_queue), cpu_capacity()


def choose_limiter(settings: Settings) -> RateLimiter | None:
    """Return the rate limiter, shared between processes if REDIS_URL is set. Returns None if rate limits are turned off."""
    return LimitsLimiter(_revealed(settings.redis_url)) if settings.rate_limits else None


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _database_url(settings: Settings) -> str:
    if settings.database_url is None:
        raise StartupError("DATABASE_URL is not set. Start the site with `interviewer run`, which starts the embedded database.")
    return settings.database_url.get_secret_value()


class _Holder:
    """Holds the services of this process in an attribute, so that tests can replace them."""

    current: Services | None = None


def services() -> Services:
    """Return the services of this process. Builds them on the first call."""
    if _Holder.current is None:
        _Holder.current = build(get_settings())
    return _Holder.current


def current() -> Services | None:
    """Return the services of this process, or None if they have not been built."""
    return _Holder.current


def use(replacement: Services | None) -> None:
    """Make `services()` return `replacement`. If it is None, the next call builds new services."""
    _Holder.current = replacement


@asynccontextmanager
async def running() -> AsyncIterator[Services]:
    """Run the services while the block runs.

    The periodic sweep and the notification listener run in the background. When the block ends, both are stopped and the services
    are closed.
    """
    current = services()
    tasks = [asyncio.create_task(_sweep(current)), asyncio.create_task(current.notifier.listen())]
    # Freeze the objects created during startup, because they live until shutdown. Rescanning them in every garbage collection
    # took a tenth of each turn's time. A higher threshold also avoids collections during a turn.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    try:
        yield current
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await current.close()
        use(None)


async def _sweep(services: Services) -> None:
    """Repeat the periodic work every SWEEP_EVERY seconds until canceled. Errors are logged.

    Each sweep closes idle database connections, returns the credits of failed starts, and deletes expired sessions, refresh
    tokens, and mailed links. It also starts sending the mails that are due and updates the mail metrics.
    """
    while True:
        try:
            await services.database.shrink()
            if count := await return_expired_credits(services.database):
                metrics.starts_failed(count)
                logger.warning("returned %d credits for interviews that did not start", count)
            await services.sessions.forget_expired()
            # Not awaited, because a long queue of mails must not delay the rest of the sweep.
            services.mail_sender.wake()
            await services.mail_sender.note_backlog()
        except AppError as error:
            logger.warning("the sweep could not run: %s", error.user_message)
        except Exception:
            logger.exception("the sweep failed")
        await asyncio.sleep(SWEEP_EVERY)
