"""Buying credits, and changing, canceling, or resuming a plan."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from secrets import token_urlsafe

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.billing import purchase_queries as queries
from interviewer.billing import subscription_queries
from interviewer.billing.apply_events import Settlement
from interviewer.billing.catalogue import CREDITS_PER_MONTH, PLANS, Catalogue, Product
from interviewer.billing.lemonsqueezy.bodies import Notice, fetched
from interviewer.billing.lemonsqueezy.client import LemonSqueezy, Purchase
from interviewer.billing.tables import CheckoutReference
from interviewer.core.database import Database
from interviewer.core.documents import Document
from interviewer.core.rate_limits import Action, Guard
from interviewer.core.users import User
from interviewer.credits import ledger
from interviewer.credits.rules import SubscriptionStatus
from interviewer.credits.tables import Subscription
from interviewer.errors import (
    BadRequest,
    Conflict,
    PaymentsRefused,
    PaymentsUnavailable,
    PortalRequired,
    Unauthorized,
    Unavailable,
)

logger = logging.getLogger(__name__)

# Statuses in which the plan can be changed. A paused or unpaid subscription must be fixed first. A trial must end first, because
# its credits come with its first payment.
CHANGEABLE = frozenset({SubscriptionStatus.ACTIVE})
_DUE = "Your last payment didn't go through. You can change your plan once that payment goes through."
_FIRST = {
    SubscriptionStatus.ON_TRIAL: "You can change your plan once your trial is over.",
    SubscriptionStatus.PAUSED: "Your plan is paused. You can change it once it's active again.",
    SubscriptionStatus.PAST_DUE: _DUE,
    SubscriptionStatus.UNPAID: _DUE,
    SubscriptionStatus.CANCELLED: "Your plan is canceled. Resume it first, then change it.",
}
PAYPAL = "paypal"
# Names of the payment service's pages in the `urls` attribute of a subscription.
CHANGE_PAGE, PAYMENT_PAGE = "customer_portal_update_subscription", "update_payment_method"


class Purchases:
    """What a buyer can do. Purchases are booked when the payment service reports them.

    Every coroutine method also raises TooManyRequests if a rate limit is exceeded, Unavailable if payments are not configured,
    and PaymentsUnavailable if the payment service cannot be reached or fails.
    """

    def __init__(
        self,
        database: Database,
        payments: LemonSqueezy | None,
        catalogue: Catalogue,
        guard: Guard,
        site_url: str,
        missing: tuple[str, ...] = (),
    ) -> None:
        """`missing` names the settings that are required to sell anything and are not set."""
        self._database = database
        self._payments = payments
        self._catalogue = catalogue
        self._settlement = Settlement(catalogue)
        self._guard = guard
        self._site_url = site_url
        self.missing = missing

    @property
    def configured(self) -> bool:
        """Whether anything can be bought."""
        return self._payments is not None and not self.missing

    async def checkout(self, user_id: int, tier: str, client: str) -> str:
        """Return the URL of a page where the user pays for a product.

        Raises BadRequest if the product is unknown, Unauthorized if the account does not exist, Conflict if the product is a plan
        and the user already has a subscription that is not `cancelled` or `expired`, and PaymentsRefused if the payment service
        rejects the checkout.
        """
        product = _product(tier, tuple(Product))
        payments = self._configured()
        await self._guard.check(Action.CHECKOUT, client, str(user_id))
        reference = token_urlsafe(24)
        async with self._database.transaction() as session:
            user = await session.get(User, user_id)
            if user is None:
                raise Unauthorized
            if product in PLANS and await ledger.newest_subscription(session, user_id, running=True):
                raise Conflict("You already have a plan. You can change it instead.")
            # Store the reference before the user can pay with it.
            session.add(CheckoutReference(reference=reference, user_id=user_id, product=product.value))
        back = f"{self._site_url}dashboard?bought={product.value}"
        return await payments.checkout(Purchase(self._catalogue.variants[product], user.email, reference, back))

    async def cancel(self, user_id: int, client: str) -> None:
        """Cancel the user's active subscription, effective at the end of the current billing period.

        Every subscription that is not `cancelled` or `expired` counts as active. If there are several, the newest is canceled.
        Raises Conflict if there is none.
        """
        payments = await self._checked_client(user_id, client)
        async with self._database.transaction() as session:
            running = await ledger.newest_subscription(session, user_id, running=True)
        if running is None:
            raise Conflict("You don't have a plan to cancel.")
        await self._record(running, await payments.cancel(running.lemon_id))

    async def resume(self, user_id: int, client: str) -> None:
        """Undo the cancellation of the newest subscription.

        Raises Conflict if it is not `cancelled` or the user has another active subscription, PortalRequired if the user must
        resume it on the payment service's page, and PaymentsRefused if it can no longer be resumed.
        """
        payments = await self._checked_client(user_id, client)
        async with self._database.transaction() as session:
            newest = await ledger.newest_subscription(session, user_id)
            running = await ledger.newest_subscription(session, user_id, running=True)
        if newest is None or newest.status != SubscriptionStatus.CANCELLED:
            raise Conflict("You don't have a canceled plan to resume.")
        if running:
            raise Conflict("You can't resume this plan while you have another active one, because you'd pay for both.")
        now = await self._answer(newest, payments.resume(newest.lemon_id))
        if _attribute(now, "status") == SubscriptionStatus.CANCELLED:
            raise PortalRequired(self._page(now, CHANGE_PAGE))
        await self._record(newest, now)

    async def change_plan(self, user_id: int, tier: str, client: str) -> None:
        """Change the plan of the newest subscription.

        An upgrade is charged at once for the rest of the billing period. A downgrade is not charged, and its price applies from
        the next billing period on. Raises BadRequest if the plan is unknown, Conflict if the subscription does not allow a change
        or already has this plan, PortalRequired if the user must make the change on the payment service's page, and
        PaymentsRefused if the payment service rejects the change.
        """
        plan = _product(tier, PLANS)
        payments = await self._checked_client(user_id, client)
        async with self._database.transaction() as session:
            newest = await ledger.newest_subscription(session, user_id)
            current = await plan_sold(session, self._catalogue, newest) if newest else None
        if newest is None or newest.status not in CHANGEABLE:
            first = _FIRST.get(SubscriptionStatus(newest.status)) if newest else None
            raise Conflict(first or "You don't have an active plan to change.")
        if current is plan:
            raise Conflict(f"You're already on the {plan.label} plan.")
        variant = self._catalogue.variants[plan]
        more = current is None or CREDITS_PER_MONTH[plan] > CREDITS_PER_MONTH[current]
        now = await self._answer(newest, payments.change_variant(newest.lemon_id, variant, charge_now=more))
        if _attribute(now, "variant_id") != variant:
            raise PortalRequired(self._page(now, CHANGE_PAGE))
        await self._record(newest, now)

    async def payment_page(self, user_id: int, client: str) -> str:
        """Return the URL of the page where the user can change the payment method.

        Raises Conflict if there is no subscription, and PaymentsUnavailable if the payment service returns no valid URL.
        """
        payments = await self._checked_client(user_id, client)
        async with self._database.transaction() as session:
            newest = await ledger.newest_subscription(session, user_id)
        now = await payments.subscription(newest.lemon_id) if newest else None
        if now is None:
            raise Conflict("You don't have a plan, so there's no payment method to change.")
        return self._page(now, PAYMENT_PAGE)

    def _configured(self) -> LemonSqueezy:
        """Return the client of the payment service. Raises Unavailable if payments are not configured."""
        if self._payments is None or not self.configured:
            raise Unavailable("Purchases aren't set up on this site.")
        return self._payments

    async def _checked_client(self, user_id: int, client: str) -> LemonSqueezy:
        """Check the rate limit, and return the client of the payment service.

        Raises TooManyRequests if a rate limit is exceeded, and Unavailable if payments are not configured.
        """
        await self._guard.check(Action.PAYMENT, client, str(user_id))
        return self._configured()

    async def _answer(self, known: Subscription, request: Awaitable[Document]) -> Document:
        """Return the response to a request about a subscription.

        If the payment service refuses the request, the stored subscription is out of date. In that case, refreshes it and raises
        PaymentsRefused.
        """
        try:
            return await request
        except PaymentsRefused:
            await self._record(known, await self._configured().subscription(known.lemon_id))
            raise

    async def _record(self, known: Subscription, document: Document | None) -> None:
        """Apply the payment service's response like a webhook, so that the page does not have to wait for the webhook.

        If `document` is None, the subscription no longer exists there and is marked as `expired`. A response that cannot be
        parsed is ignored, because a webhook with the same change will follow.
        """
        async with self._database.transaction() as session:
            if document is None:
                await subscription_queries.mark_ended(session, known.lemon_id, SubscriptionStatus.EXPIRED)
            elif notice := _parse_notice(document):
                await self._settlement.apply(session, notice)

    def _page(self, document: Document, name: str) -> str:
        """Return the URL of one of the payment service's pages. The URL is signed, expires, and is never stored.

        `name` is the URL's key in the document. Raises PaymentsUnavailable if there is no http(s) URL under that key.
        """
        urls = document.get("attributes", {}).get("urls")
        found = urls.get(name) if isinstance(urls, dict) else None
        if not isinstance(found, str) or not found.startswith(("https://", "http://")):
            raise PaymentsUnavailable
        return found


async def plan_sold(session: AsyncSession, catalogue: Catalogue, subscription: Subscription) -> Product | None:
    """Return a subscription's plan, or None if it is unknown.

    If the variant is no longer configured, returns the plan that it sold when the subscription was last seen with it.
    """
    known = catalogue.plan(subscription.variant_id)
    seen = None if known else await queries.plan_when_seen(session, subscription.id, subscription.variant_id or "")
    return known or (Product(seen) if seen else None)


def _parse_notice(document: Document) -> Notice | None:
    """Convert a response to a notice.

    If it cannot be parsed, logs a warning and returns None instead of raising, because a webhook will follow anyway.
    """
    try:
        return fetched(dict(document))
    except BadRequest as error:
        logger.warning("a response from the payment service could not be used: %s", error.user_message)
        return None


def _product(tier: str, allowed: tuple[Product, ...]) -> Product:
    found = next((product for product in allowed if product.value == tier), None)
    if found is None:
        raise BadRequest("Missing or invalid tier")
    return found


def _attribute(document: Document, name: str) -> str:
    return str(document.get("attributes", {}).get(name, ""))
