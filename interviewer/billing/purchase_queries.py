"""SQL for orders, invoices, subscriptions, and checkouts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, case, exists, func, not_, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.billing.catalogue import Product
from interviewer.billing.entitlements import InvoiceFacts, Sighting, SubscriptionFacts
from interviewer.billing.lemonsqueezy.bodies import InvoiceBody, OrderBody, SubscriptionBody, order_subject, subscription_subject
from interviewer.billing.tables import CheckoutReference, Invoice, Order, VariantSighting
from interviewer.core.columns import metadata, utcnow
from interviewer.core.notify import USERS_CHANNEL
from interviewer.core.users import User
from interviewer.credits.rules import SubscriptionStatus
from interviewer.credits.tables import CreditTransaction, Subscription


async def lock(session: AsyncSession, *subjects: str) -> None:
    """Lock purchases in the given order until the transaction ends, whether or not their rows exist yet.

    To avoid deadlocks, every transaction takes its locks in this order: these advisory locks, with orders before subscriptions;
    then rows of deliveries, orders, and subscriptions; then rows of users.
    """
    await session.execute(select(*(func.pg_advisory_xact_lock(func.hashtextextended(subject, 0)) for subject in subjects)))


async def announce(session: AsyncSession, user_id: int) -> None:
    """Notify every process that the user's credits or plan changed, once the transaction commits."""
    await session.execute(select(func.pg_notify(USERS_CHANNEL, str(user_id))))


# -- ownership -----------------------------------------------------------------------------------------------------


def _buyer() -> dict[str, Any]:
    """Return SQL expressions for the owner columns of a new purchase.

    The owner is the user of the checkout `reference` or, if there is no such checkout, the user with the email address `email`.
    If the account of the checkout was deleted, the purchase is orphaned. Nothing else in a webhook body may determine the owner,
    because anyone can make a buy link that carries arbitrary data.
    """
    carried = col(CheckoutReference.reference) == bindparam("reference")
    checkout = select(col(CheckoutReference.user_id)).where(carried)
    account = select(col(User.id)).where(col(User.email) == bindparam("email"))
    return {
        "user_id": case((checkout.exists(), checkout.scalar_subquery()), else_=account.scalar_subquery()),
        "orphaned": checkout.where(col(CheckoutReference.user_id).is_(None)).exists(),
    }


def _kept_buyer(known: type[Order] | type[Subscription], new: Any) -> dict[str, Any]:
    """Return SQL expressions for `user_id` and `orphaned` that update a known purchase.

    Both come from `new` if the stored purchase has no owner and is not orphaned; otherwise both are kept.
    """
    open = and_(col(known.user_id).is_(None), not_(col(known.orphaned)))
    return {
        "user_id": case((open, new.user_id), else_=col(known.user_id)),
        "orphaned": case((open, new.orphaned), else_=col(known.orphaned)),
    }


async def owners(session: AsyncSession, subjects: Sequence[str]) -> dict[str, tuple[int | None, bool]]:
    """Return, by subject, each known purchase's owner (a user ID or None) and whether it is orphaned.

    Unknown purchases are left out.
    """
    found: dict[str, tuple[int | None, bool]] = {}
    for table, name in ((Order, order_subject), (Subscription, subscription_subject)):
        ids = {subject.partition(":")[2]: subject for subject in subjects if subject == name(subject.partition(":")[2])}
        rows = select(col(table.lemon_id), col(table.user_id), col(table.orphaned)).where(col(table.lemon_id).in_(ids))
        found |= {ids[id]: (user_id, orphaned) for id, user_id, orphaned in (await session.execute(rows)).all()}
    return found


async def give(session: AsyncSession, subjects: Sequence[str], user_id: int) -> None:
    """Assign purchases to a user. Purchases that already have an owner or are orphaned stay unchanged."""
    for table, name in ((Order, order_subject), (Subscription, subscription_subject)):
        ids = [id for subject in subjects if subject == name(id := subject.partition(":")[2])]
        nobodys = update(table).where(col(table.lemon_id).in_(ids), col(table.user_id).is_(None), not_(col(table.orphaned)))
        await session.execute(nobodys.values(user_id=user_id))


# -- checkouts -----------------------------------------------------------------------------------------------------


async def last_checkout(session: AsyncSession, user_id: int) -> datetime | None:
    """Return when the user last started a checkout, or None if the user never started one."""
    statement = select(func.max(col(CheckoutReference.created_at))).where(col(CheckoutReference.user_id) == user_id)
    return (await session.execute(statement)).scalar_one()


async def purchased_since(session: AsyncSession, user_id: int, moment: datetime) -> bool:
    """Return whether, at or after `moment`, credits that the user bought were booked or a new subscription was stored."""
    booked = exists().where(
        col(CreditTransaction.user_id) == user_id,
        col(CreditTransaction.subject).is_not(None),
        col(CreditTransaction.created_at) >= moment,
    )
    begun = exists().where(col(Subscription.user_id) == user_id, col(Subscription.created_at) >= moment)
    return bool((await session.execute(select(or_(booked, begun)))).scalar_one())


# -- orders --------------------------------------------------------------------------------------------------------


async def order(session: AsyncSession, lemon_id: str) -> Order | None:
    """Return the order that has this ID at the payment service, or None if there is none."""
    return (await session.execute(select(Order).where(col(Order.lemon_id) == lemon_id))).scalar_one_or_none()


async def store_order(
    session: AsyncSession, lemon_id: str, body: OrderBody, *, reference: str, email: str, product: Product | None, paid: bool
) -> Order:
    """Insert the order of a webhook or fetched record, or merge it into the stored order. Returns the locked row.

    `reference` and `email` determine the owner, unless the stored order already has an owner or is orphaned.
    """
    item = body.first_order_item
    params = {
        "lemon_id": lemon_id,
        "variant_id": item.variant_id if item else None,
        "product": product.value if product else None,
        "quantity": item.quantity if item else 1,
        "paid": paid,
        "refunded": body.fully_refunded,
        "created_at": body.created_at,
    }
    result = await session.execute(_merged_order(), {**params, "reference": reference, "email": email})
    return result.scalar_one()  # type: ignore[no-any-return]


@cache
def _merged_order() -> Any:
    new = insert(Order).values(
        {name: bindparam(name) for name in ("lemon_id", "variant_id", "product", "quantity", "paid", "refunded", "created_at")}
        | _buyer()
    )
    merged = new.on_conflict_do_update(
        index_elements=["lemon_id"],
        set_={
            **_kept_buyer(Order, new.excluded),
            # A body may lack the order item, so the first body that has one determines these columns.
            "quantity": case((col(Order.variant_id).is_(None), new.excluded.quantity), else_=col(Order.quantity)),
            "variant_id": func.coalesce(col(Order.variant_id), new.excluded.variant_id),
            "product": func.coalesce(col(Order.product), new.excluded.product),
            "paid": or_(col(Order.paid), new.excluded.paid),
            "refunded": or_(col(Order.refunded), new.excluded.refunded),
        },
    )
    return merged.returning(Order).execution_options(populate_existing=True)


# -- subscriptions -------------------------------------------------------------------------------------------------


async def subscription(session: AsyncSession, lemon_id: str) -> Subscription | None:
    """Return the subscription that has this ID at the payment service, locked and freshly read, or None if there is none."""
    statement = select(Subscription).where(col(Subscription.lemon_id) == lemon_id)
    statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.execute(statement)).scalar_one_or_none()


async def subscriptions_of_order(session: AsyncSession, order_id: str) -> list[str]:
    """Return the payment service IDs of the subscriptions that an order started, sorted."""
    statement = select(col(Subscription.lemon_id)).where(col(Subscription.order_id) == order_id)
    return sorted((await session.execute(statement)).scalars())


async def order_of(session: AsyncSession, lemon_id: str) -> str | None:
    """Return the payment service ID of the order that started a subscription, or None if it is unknown."""
    statement = select(col(Subscription.order_id)).where(col(Subscription.lemon_id) == lemon_id)
    return (await session.execute(statement)).scalar_one_or_none()


async def store_subscription(
    session: AsyncSession, lemon_id: str, body: SubscriptionBody, *, reference: str, email: str, created: bool
) -> Subscription:
    """Insert the subscription of a webhook or fetched record, or merge it into the stored one. Returns the locked row.

    `reference` and `email` determine the owner, unless the stored subscription already has an owner or is orphaned. `created`
    says whether `body` announced the subscription. A body older than the newest one does not change the status, the variant, or
    the dates.
    """
    params = {
        "lemon_id": lemon_id,
        "order_id": body.order_id,
        "status": body.status.value,
        "variant_id": body.variant_id,
        "processor": body.payment_processor or "",
        "created_active": created and body.status is SubscriptionStatus.ACTIVE,
        "started_at": body.created_at,
        "renews_at": body.renews_at,
        "ends_at": body.ends_at,
        "trial_ends_at": body.trial_ends_at,
        "body_updated_at": body.updated_at,
    }
    result = await session.execute(_merged_subscription(), {**params, "now": utcnow(), "reference": reference, "email": email})
    return result.scalar_one()  # type: ignore[no-any-return]


_NEWEST = ("status", "variant_id", "processor", "started_at", "renews_at", "ends_at", "trial_ends_at", "body_updated_at")


@cache
def _merged_subscription() -> Any:
    params: dict[str, Any] = {name: bindparam(name) for name in ("lemon_id", "order_id", "created_active", *_NEWEST)}
    new = insert(Subscription).values({**params, **_buyer(), "created_at": bindparam("now"), "updated_at": bindparam("now")})
    older = new.excluded.body_updated_at < col(Subscription.body_updated_at)
    merged = new.on_conflict_do_update(
        index_elements=["lemon_id"],
        set_={
            **{name: case((older, getattr(Subscription, name)), else_=new.excluded[name]) for name in _NEWEST},
            **_kept_buyer(Subscription, new.excluded),
            "order_id": func.coalesce(col(Subscription.order_id), new.excluded.order_id),
            "created_active": or_(col(Subscription.created_active), new.excluded.created_active),
            "updated_at": new.excluded.updated_at,
        },
    )
    return merged.returning(Subscription).execution_options(populate_existing=True)


async def record_variant(
    session: AsyncSession, subscription_id: int, body: SubscriptionBody, plan: str | None, *, created: bool
) -> None:
    """Store a sighting: the variant and status that a webhook or fetched record shows, and the variant's plan if it is known.

    If a sighting of this variant at this time is already stored, the two are merged, and the result does not depend on their
    order.
    """
    params = {
        "subscription_id": subscription_id,
        "seen_at": body.updated_at,
        "variant_id": body.variant_id,
        "status": body.status.value,
        "tier": plan,
        "cycle_end": body.renews_at,
        "created": created,
    }
    await session.execute(_merged_sighting(), params)


@cache
def _merged_sighting() -> Any:
    known = metadata.tables["subscription_variants"]
    names = ("subscription_id", "seen_at", "variant_id", "status", "tier", "cycle_end", "created")
    new = insert(known).values({name: bindparam(name) for name in names})
    return new.on_conflict_do_update(
        index_elements=["subscription_id", "seen_at", "variant_id"],
        set_={
            # Bodies with the same time may differ. The result must not depend on which of them arrives first.
            "status": func.greatest(known.columns.status, new.excluded.status),
            "tier": func.coalesce(known.columns.tier, new.excluded.tier),
            "cycle_end": func.least(known.columns.cycle_end, new.excluded.cycle_end),
            "created": or_(known.columns.created, new.excluded.created),
        },
    )


async def plan_when_seen(session: AsyncSession, subscription_id: int, variant_id: str) -> str | None:
    """Return the plan that a variant sold when this subscription was seen with it, or None if it is unknown.

    The configuration may have changed since.
    """
    statement = select(func.max(col(VariantSighting.tier))).where(
        col(VariantSighting.subscription_id) == subscription_id, col(VariantSighting.variant_id) == variant_id
    )
    return (await session.execute(statement)).scalar_one()


async def last_plan(session: AsyncSession, subscription_id: int) -> str | None:
    """Return a subscription's last known plan, or None if no plan is known."""
    known = select(col(VariantSighting.tier)).where(
        col(VariantSighting.subscription_id) == subscription_id, col(VariantSighting.tier).is_not(None)
    )
    newest = known.order_by(col(VariantSighting.seen_at).desc(), col(VariantSighting.id).desc()).limit(1)
    return (await session.execute(newest)).scalar_one_or_none()


async def unknown_variants(session: AsyncSession, subscription_id: int) -> Sequence[str]:
    """Return the IDs of a subscription's variants whose plan is unknown."""
    statement = select(col(VariantSighting.variant_id)).distinct()
    statement = statement.where(
        col(VariantSighting.subscription_id) == subscription_id, col(VariantSighting.tier).is_(None)
    ).order_by(col(VariantSighting.variant_id))
    return (await session.execute(statement)).scalars().all()


async def set_variant_plan(session: AsyncSession, subscription_id: int, variant_id: str, plan: str) -> None:
    """Set a variant's plan in the subscription's sightings from before the variant was configured."""
    unknown = update(VariantSighting).where(
        col(VariantSighting.subscription_id) == subscription_id,
        col(VariantSighting.variant_id) == variant_id,
        col(VariantSighting.tier).is_(None),
    )
    await session.execute(unknown.values(tier=plan))


def sighting(at: datetime, tier: str | None, cycle_end: datetime | None, created: bool, status: str) -> Sighting:
    """Convert the columns of a stored sighting to a Sighting."""
    plan, known = Product(tier) if tier else None, SubscriptionStatus(status) if status else None
    return Sighting(at, plan, cycle_end, created, known)


async def facts(session: AsyncSession, found: Subscription) -> SubscriptionFacts:
    """Return the stored facts that determine a subscription's credits."""
    rows = (await session.execute(_SEEN, {"subscription_id": found.id, "order_id": found.order_id})).all()
    return SubscriptionFacts(
        created_active=found.created_active,
        order_refunded=any(refunded for *_, refunded in rows),
        sightings=tuple(sighting(at, tier, cycle_end, created, status) for at, tier, cycle_end, created, status, _ in rows),
        invoices=tuple(
            InvoiceFacts(one.lemon_id, one.billing_reason, one.created_at, one.total_cents, one.paid, one.refunded, one.failed)
            for one in await invoices_of(session, found.lemon_id)
        ),
    )


_SEEN = (
    select(
        col(VariantSighting.seen_at),
        col(VariantSighting.tier),
        col(VariantSighting.cycle_end),
        col(VariantSighting.created),
        col(VariantSighting.status),
        col(Order.refunded),
    )
    .outerjoin(Order, col(Order.lemon_id) == bindparam("order_id"))
    .where(col(VariantSighting.subscription_id) == bindparam("subscription_id"))
)


# -- invoices ------------------------------------------------------------------------------------------------------


async def store_invoice(session: AsyncSession, lemon_id: str, body: InvoiceBody, *, paid: bool, failed: bool) -> None:
    """Insert the invoice of a webhook or fetched record, or merge it into the stored invoice. A flag that is set stays set."""
    params = {
        "lemon_id": lemon_id,
        "subscription_lemon_id": body.subscription_id,
        "billing_reason": body.billing_reason,
        "total_cents": body.total,
        "paid": paid,
        "failed": failed,
        "refunded": body.fully_refunded,
        "created_at": body.created_at,
    }
    await session.execute(_merged_invoice(), params)


@cache
def _merged_invoice() -> Any:
    known = metadata.tables["invoices"]
    names = ("lemon_id", "subscription_lemon_id", "billing_reason", "total_cents", "paid", "failed", "refunded", "created_at")
    new = insert(known).values({name: bindparam(name) for name in names})
    return new.on_conflict_do_update(
        index_elements=["lemon_id"],
        set_={name: or_(known.columns[name], new.excluded[name]) for name in ("paid", "failed", "refunded")},
    )


async def invoices_of(session: AsyncSession, subscription_lemon_id: str) -> Sequence[Invoice]:
    """Return a subscription's invoices, oldest first."""
    statement = select(Invoice).where(col(Invoice.subscription_lemon_id) == subscription_lemon_id)
    statement = statement.order_by(col(Invoice.created_at), col(Invoice.id))
    return (await session.execute(statement.execution_options(populate_existing=True))).scalars().all()


# -- erasure -------------------------------------------------------------------------------------------------------


async def orphan(session: AsyncSession, user_id: int) -> None:
    """Mark a user's purchases as orphaned, so that later deliveries do not assign them to another account."""
    for table in (Subscription, Order):
        await session.execute(update(table).where(col(table.user_id) == user_id).values(orphaned=True))
