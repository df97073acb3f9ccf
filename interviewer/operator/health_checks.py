"""Health checks of the stored data, of notifications, and of our configuration at the payment and mail services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from interviewer.billing import webhook_queries
from interviewer.billing.catalogue import PRICE_CENTS, Catalogue, dollars
from interviewer.billing.lemonsqueezy.client import LemonSqueezy
from interviewer.core import mail_queries, notify
from interviewer.core.database import Database
from interviewer.core.mail import MailService
from interviewer.credits import ledger
from interviewer.errors import MailDelayed, MailRefused, PaymentsUnavailable
from interviewer.interviews import start_queries
from interviewer.wording import counted, form

# A running server returns the credit of an abandoned start within seconds of the start's lease expiring. If a start is overdue by
# more than this, no server is running.
LATE_START = timedelta(minutes=5)
LATE_MAIL = timedelta(minutes=10)
RECENT = timedelta(days=7)
MOST_NAMED = 20


class Health(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check. `message` says what it means and what to do."""

    subject: str
    health: Health
    message: str


async def of_database(database: Database) -> list[Check]:
    """Check the balances, the ledger, webhook deliveries, starts, and mails.

    Raises Unavailable if the database does not respond.
    """
    async with database.transaction() as session:
        wrong = {id for id, _ in await ledger.discrepancies(session)}
        negative = {id for id, _ in await ledger.negative_running_sums(session)}
        open = await webhook_queries.open_counts(session)
        starts = await start_queries.overdue_starts(session, LATE_START)
        failed, waiting = await mail_queries.count_failed_and_overdue(session, failed_within=RECENT, late=LATE_MAIL)
    return [
        _balances(wrong),
        _ledger(negative),
        _deliveries({outcome.value: count for outcome, count in open.items()}),
        _starts(starts),
        _mails(failed, waiting),
    ]


async def of_notifications(database: Database) -> list[Check]:
    """Return a warning if notifications do not arrive; otherwise, return no checks.

    Nothing else would reveal that notifications are lost. Raises Unavailable if the database does not respond.
    """
    if await notify.arrive(database):
        return []
    message = (
        "none arrive, which is normal behind a pooler in transaction mode: open pages show a purchase after up to 20 seconds "
        "instead of at once. Everything else works. For immediate updates, use a direct connection or a pooler in session mode"
    )
    return [Check("notifications", Health.WARNING, message)]


async def of_payments(shop: LemonSqueezy, catalogue: Catalogue, *, production: bool) -> Check:
    """Check that the payment service knows our API key, store, and products, and charges the prices that the site shows.

    In production, a key for test mode fails the check.
    """
    try:
        found = await shop.check(list(catalogue.variants.values()))
    except PaymentsUnavailable:
        return Check("payments", Health.FAILED, "Lemon Squeezy does not respond, or refuses LEMON_API_KEY")
    if not found.store_known:
        return Check(
            "payments", Health.FAILED, f"the account of LEMON_API_KEY has no store {catalogue.store_id}: check LEMON_STORE_ID"
        )
    if found.unknown_variants:
        named = {id: f"LEMON_VARIANT_ID_{product.value.upper()}" for product, id in catalogue.variants.items()}
        missing = ", ".join(f"{named[id]} ({id})" for id in found.unknown_variants)
        return Check("payments", Health.FAILED, f"Lemon Squeezy has no variant with this ID: check {missing}")
    if found.test_mode and production:
        return Check(
            "payments", Health.FAILED, "LEMON_API_KEY is a test mode key, which cannot take real payments: create a live key"
        )
    if wrong := _wrong_prices(catalogue, found.prices, found.currency):
        return Check("payments", Health.FAILED, wrong)
    mode = "test mode, no real payments" if found.test_mode else "live"
    message = f"Lemon Squeezy knows the key, the store and all products, and charges the prices shown ({mode})"
    return Check("payments", Health.OK, message)


def _wrong_prices(catalogue: Catalogue, charged: Mapping[str, int | None], currency: str) -> str:
    """Return a message about products that are charged in another currency or at another price than the site shows.

    Returns "" if there are none.
    """
    if currency and currency != "USD":
        return f"the store charges in {currency}, but pages show US dollars: change the store's currency at Lemon Squeezy"
    wrong = [
        f"{product.label} is shown at {dollars(PRICE_CENTS[product])} but charged at {_price(charged.get(id))} (variant {id})"
        for product, id in catalogue.variants.items()
        if charged.get(id) != PRICE_CENTS[product]
    ]
    return f"{'; '.join(wrong)}: change the price at Lemon Squeezy, or the one shown in billing/catalogue.py" if wrong else ""


def _price(cents: int | None) -> str:
    return "no fixed price" if cents is None else dollars(cents)


async def of_mail(service: MailService) -> Check:
    """Check, without sending a mail, that our API key is valid and our sender's domain is verified."""
    try:
        found = await service.check()
    except MailRefused:
        return Check("email", Health.FAILED, "Resend refuses RESEND_API_KEY")
    except MailDelayed as error:
        busy = "is busy: try again in a moment" if error.retry_after is not None else "does not respond: check RESEND_API_URL"
        return Check("email", Health.FAILED, f"Resend {busy}")
    if found.status is None:
        message = f"RESEND_API_KEY is valid but can only send, so doctor cannot tell whether {found.domain} is verified"
        return Check("email", Health.OK, message)
    if found.status == "verified":
        return Check("email", Health.OK, f"RESEND_API_KEY is valid, and {found.domain} is verified; no email was sent")
    said = f"its status is {found.status}" if found.status else "it is not registered there"
    return Check("email", Health.FAILED, f"{found.domain} is not verified at Resend ({said}): verify it, or change MAIL_FROM")


def _balances(wrong: set[int]) -> Check:
    if not wrong:
        return Check("balances", Health.OK, "every balance and debt matches its ledger rows")
    return Check(
        "balances", Health.FAILED, f"balances differ from the sum of their ledger rows (the ledger is right): {_users(wrong)}"
    )


def _ledger(negative: set[int]) -> Check:
    if not negative:
        return Check("ledger", Health.OK, "no balance was ever negative")
    return Check(
        "ledger", Health.FAILED, f"rows are missing or were changed, because a balance becomes negative: {_users(negative)}"
    )


def _deliveries(open: dict[str, int]) -> Check:
    if not open:
        return Check("webhooks", Health.OK, "no delivery needs attention")
    counts = ", ".join(f"{count} {outcome}" for outcome, count in open.items())
    return Check("webhooks", Health.WARNING, f"deliveries need attention ({counts}): run `interviewer webhooks list`")


def _starts(late: int) -> Check:
    if not late:
        return Check("starts", Health.OK, "no interview is stuck at the start")
    message = (
        f"{_many(late, 'interview')} left without a first question and not refunded: a running server does that within seconds"
    )
    return Check("starts", Health.WARNING, message)


def _mails(failed: int, waiting: int) -> Check:
    if failed:
        message = f"{_many(failed, 'email')} given up on in the last {RECENT.days} days: check RESEND_API_KEY and MAIL_FROM"
        return Check("emails", Health.WARNING, message)
    if waiting:
        message = f"{_many(waiting, 'email')} not sent when due: no server is running, or the email service does not respond"
        return Check("emails", Health.WARNING, message)
    return Check("emails", Health.OK, "none failed recently, and none is late")


def _many(count: int, what: str) -> str:
    return f"{counted(count, what)} {form(count, 'was', 'were')}"


def _users(ids: Iterable[int]) -> str:
    """Format user IDs as a list of at most MOST_NAMED, followed by the number of users left out."""
    found = sorted(ids)
    rest = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return f"user{'s' if len(found) > 1 else ''} {', '.join(map(str, found[:MOST_NAMED]))}{rest}"
