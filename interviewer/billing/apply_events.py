"""Store the facts that the payment service reports, and book the credits they are worth."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.billing import purchase_queries, webhook_queries
from interviewer.billing.catalogue import Catalogue, Product
from interviewer.billing.entitlements import Entitlement, of_order, of_subscription
from interviewer.billing.lemonsqueezy.bodies import (
    InvoiceBody,
    Notice,
    OrderBody,
    SubscriptionBody,
    order_subject,
    subscription_subject,
)
from interviewer.billing.lemonsqueezy.events import Event
from interviewer.billing.tables import Order
from interviewer.billing.webhook_outcomes import Outcome
from interviewer.core import users
from interviewer.core.users import normalized_email
from interviewer.credits import ledger
from interviewer.credits.rules import ENDED, CreditType, booking_key
from interviewer.credits.tables import Subscription
from interviewer.errors import BadRequest, Conflict

SOURCE = "Lemon Squeezy"
UNKNOWN_VARIANT = "variant {} is not configured: add it to LEMON_FORMER_VARIANTS, restart, then replay this delivery"

# The user paid and deleted the account before the webhook arrived. Now only the operator can cancel the subscription.
STILL_CHARGED = "its account was deleted, but it is still being charged: cancel it at Lemon Squeezy"


@dataclass(frozen=True, slots=True)
class Effect:
    """Result of applying a notice. `user_id` is None if no account owns the purchase."""

    outcome: Outcome
    detail: str = ""
    user_id: int | None = None


class Settlement:
    """Applies notices within the caller's transaction.

    First, a notice's facts are stored. Then all facts about the purchase determine how many credits it is worth, and the
    difference from the credits already booked is booked. Notices can therefore arrive in any order and any number of times.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def lock(self, session: AsyncSession, notice: Notice) -> None:
        """Lock the purchase of a notice until the transaction ends.

        If the notice is about a subscription and names its order, lock the order first.
        """
        order_id = notice.subscription.order_id if notice.subscription else None
        await purchase_queries.lock(session, *([order_subject(order_id)] if order_id else []), notice.subject)

    async def apply(self, session: AsyncSession, notice: Notice) -> Effect:
        """Store a notice's facts, book what is due, and return the result.

        If the notice is applied, all deliveries that waited for its purchase are marked as applied. If the notice is ignored
        because the purchase's account was deleted, those deliveries are marked as ignored and their bodies are erased.
        """
        await self.lock(session, notice)
        if notice.order:
            effect = await self._order(session, notice, notice.order)
        elif notice.subscription:
            effect = await self._subscription(session, notice, notice.subscription)
        elif notice.invoice:
            effect = await self._invoice(session, notice, notice.invoice)
        else:
            raise TypeError("a notice must contain an order, a subscription or an invoice")
        if effect.outcome is Outcome.APPLIED and effect.user_id:
            await webhook_queries.mark_waiting_applied(session, notice.subject, effect.user_id)
        elif effect.outcome is Outcome.IGNORED:
            await webhook_queries.ignore_waiting(session, notice.subject)
        return effect

    async def subjects(self, session: AsyncSession, notice: Notice) -> list[str]:
        """Return the subjects of a notice's purchase and of everything else bought with the same order.

        They are sorted in the order in which they must be locked.
        """
        if notice.order:
            order_id: str | None = notice.id
        elif notice.subscription:
            order_id = notice.subscription.order_id
        else:
            order_id = await purchase_queries.order_of(session, notice.invoice.subscription_id if notice.invoice else "")
        began = await purchase_queries.subscriptions_of_order(session, order_id) if order_id else []
        named = {subscription_subject(lemon_id) for lemon_id in began} | ({notice.subject} if not notice.order else set())
        return [*([order_subject(order_id)] if order_id else []), *sorted(named)]

    async def assign(self, session: AsyncSession, notice: Notice, user_id: int) -> None:
        """Apply a notice, and assign its purchase and everything else bought with the same order to a user.

        Raises Conflict if any of the purchases belongs to another user or belonged to a deleted account, or if the notice is
        about an invoice whose subscription is unknown.
        """
        subjects = await self.subjects(session, notice)
        await purchase_queries.lock(session, *subjects)
        await self.apply(session, notice)
        owners = await purchase_queries.owners(session, subjects)
        if notice.subject not in owners:
            raise Conflict("Its subscription is not known yet. Run `interviewer billing reconcile`, then try again.")
        if any(orphaned for _, orphaned in owners.values()):
            raise Conflict("It was bought by an account that has been deleted, so it cannot be assigned to another one.")
        if others := {owner for owner, _ in owners.values()} - {None, user_id}:
            raise Conflict(f"It already belongs to another account: user {min(filter(None, others))}.")
        await purchase_queries.give(session, subjects, user_id)

    async def _order(self, session: AsyncSession, notice: Notice, body: OrderBody) -> Effect:
        # A full refund of the order also takes back the first month of its subscription.
        began = await purchase_queries.subscriptions_of_order(session, notice.id) if body.fully_refunded else []
        if began:
            await purchase_queries.lock(session, *(subscription_subject(lemon_id) for lemon_id in began))
        item = body.first_order_item
        order = await purchase_queries.store_order(
            session,
            notice.id,
            body,
            reference=notice.reference,
            email=_address(notice),
            product=self._catalogue.product(item.variant_id if item else None),
            paid=body.paid and (notice.fetched or notice.event == Event.ORDER_CREATED),
        )
        for subscription in [await purchase_queries.subscription(session, lemon_id) for lemon_id in began]:
            if subscription:
                await self._settle_subscription(session, subscription)
        await _settle_order(session, order)
        return _effect(order, known_product=order.product is not None)

    async def _subscription(self, session: AsyncSession, notice: Notice, body: SubscriptionBody) -> Effect:
        created = notice.event == Event.SUBSCRIPTION_CREATED
        subscription = await purchase_queries.store_subscription(
            session, notice.id, body, reference=notice.reference, email=_address(notice), created=created
        )
        plan = self._catalogue.plan(body.variant_id) or await purchase_queries.plan_when_seen(
            session, subscription.id, body.variant_id
        )
        await purchase_queries.record_variant(session, subscription.id, body, plan, created=created)
        await self._settle_subscription(session, subscription)
        return _effect(subscription, known_product=plan is not None)

    async def _invoice(self, session: AsyncSession, notice: Notice, body: InvoiceBody) -> Effect:
        paid = notice.event == Event.PAYMENT_SUCCESS or (notice.fetched and body.status == "paid")
        failed = notice.event == Event.PAYMENT_FAILED
        await purchase_queries.store_invoice(session, notice.id, body, paid=paid, failed=failed)
        subscription = await purchase_queries.subscription(session, body.subscription_id)
        if subscription is None:
            return Effect(Outcome.WAITING, "its subscription is not known yet")
        await self._settle_subscription(session, subscription)
        return _effect(subscription, known_product=True)

    async def _settle_subscription(self, session: AsyncSession, subscription: Subscription) -> None:
        if subscription.user_id is None:
            return
        facts = await purchase_queries.facts(session, subscription)
        if any(one.tier is None for one in facts.sightings) and await self._name_variants(session, subscription):
            facts = await purchase_queries.facts(session, subscription)
        await _book(session, subscription.user_id, subscription_subject(subscription.lemon_id), of_subscription(facts))

    async def _name_variants(self, session: AsyncSession, subscription: Subscription) -> bool:
        """Store the plans of a subscription's variants that were unknown when they were recorded and are configured now.

        Returns whether there were any.
        """
        unknown = await purchase_queries.unknown_variants(session, subscription.id)
        named = {variant: plan for variant in unknown if (plan := self._catalogue.plan(variant))}
        for variant, plan in named.items():
            await purchase_queries.set_variant_plan(session, subscription.id, variant, plan)
        return bool(named)


def _effect(purchase: Order | Subscription, *, known_product: bool) -> Effect:
    """Return the result of a notice whose facts are stored."""
    if isinstance(purchase, Subscription) and purchase.orphaned and purchase.status not in ENDED:
        return Effect(Outcome.UNRESOLVED, STILL_CHARGED)
    if purchase.orphaned:
        return Effect(Outcome.IGNORED, webhook_queries.ACCOUNT_DELETED)
    if purchase.user_id is None:
        return Effect(Outcome.UNRESOLVED, "no account matches its checkout reference or email address")
    if not known_product:
        reason = UNKNOWN_VARIANT.format(purchase.variant_id) if purchase.variant_id else "it does not say what was bought"
        return Effect(Outcome.UNRESOLVED, reason, purchase.user_id)
    return Effect(Outcome.APPLIED, user_id=purchase.user_id)


def _address(notice: Notice) -> str:
    """Return the buyer's email address in the form that accounts store, or an empty string if it is invalid."""
    try:
        return normalized_email(notice.email)
    except BadRequest:
        return ""


async def _settle_order(session: AsyncSession, order: Order) -> None:
    product = Product(order.product) if order.product else None
    due = of_order(product, order.quantity, paid=order.paid, refunded=order.refunded)
    if due:  # empty unless single credits were paid for; once there is an entitlement, it can only drop to 0
        await _book(session, order.user_id, order_subject(order.lemon_id), due)


async def _book(session: AsyncSession, user_id: int | None, subject: str, due: list[Entitlement]) -> None:
    """Book the difference between what is due for a purchase and what has been booked.

    The caller holds the purchase's lock. Does nothing if the purchase has no owner or the owner's account was deleted.
    """
    if user_id is None:
        return
    booked = await ledger.booked(session, subject)
    by_part = {one.part: one for one in due}
    changes = [
        (part, (by_part[part].amount if part in by_part else 0) - booked.get(part, (0, 0))[0]) for part in by_part | booked
    ]
    changes = [(part, amount) for part, amount in changes if amount]
    user = await users.locked_user(session, user_id) if changes else None
    if user is None:
        return
    for part, amount in sorted(changes, key=lambda change: -change[1]):  # additions first, so that they cover the credits taken
        rows = booked.get(part, (0, 0))[1]
        entitled = by_part.get(part)
        await ledger.change(
            session,
            user,
            entitled.type if entitled else CreditType.SUBSCRIPTION,
            amount,
            reason=_reason(entitled, rows),
            source=SOURCE,
            business_key=booking_key(subject, part, rows + 1),
            subject=subject,
            part=part,
            may_owe=True,
        )


def _reason(entitled: Entitlement | None, rows: int) -> str:
    """Return the reason for a ledger row.

    For the first row of a part (`rows` is 0), it says what the credits are for; for later rows, why the amount changed.
    """
    if entitled and not rows:
        return entitled.reason
    return entitled.reversal if entitled and entitled.amount == 0 else "Correction"
