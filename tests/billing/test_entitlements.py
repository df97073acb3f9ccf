"""The credits that purchases are worth, from facts in any order. These are pure functions, so no database is needed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interviewer.billing.catalogue import Product
from interviewer.billing.entitlements import (
    Entitlement,
    InvoiceFacts,
    Sighting,
    SubscriptionFacts,
    of_order,
    of_subscription,
    timeline,
)
from interviewer.credits.rules import CreditType, SubscriptionStatus

DAY = timedelta(days=1)
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
CYCLE = BEGIN + 31 * DAY
NEXT_CYCLE = BEGIN + 61 * DAY
PRO, PREMIUM = Product.PRO, Product.PREMIUM


def seen(
    day: float, tier: Product | None, cycle_end: datetime | None = CYCLE, *, created: bool = False, status: str = "active"
) -> Sighting:
    known = SubscriptionStatus(status) if status else None
    return Sighting(BEGIN + day * DAY, tier, cycle_end, created, known)


def invoice(
    id: str, reason: str, day: float = 0, *, total: int = 1999, paid: bool = True, refunded: bool = False, failed: bool = False
) -> InvoiceFacts:
    return InvoiceFacts(id, reason, BEGIN + day * DAY, total, paid, refunded, failed)


def worth(
    *sightings: Sighting, invoices: tuple[InvoiceFacts, ...] = (), active: bool = False, order_refunded: bool = False
) -> dict[str, int]:
    """Return the credits due, by part."""
    due = of_subscription(SubscriptionFacts(active, order_refunded, sightings, invoices))
    assert {one.type for one in due} <= {CreditType.SUBSCRIPTION}
    parts = {one.part: one.amount for one in due}
    assert len(parts) == len(due), "each part once"
    return parts


# -- orders ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paid", "refunded", "due"), [(True, False, [7]), (True, True, [0]), (False, False, []), (False, True, [])]
)
def test_paid_order_is_worth_its_quantity_until_refunded(paid: bool, refunded: bool, due: list[int]) -> None:
    found = of_order(Product.INDIVIDUAL, 7, paid=paid, refunded=refunded)
    assert found == [Entitlement("order", CreditType.INDIVIDUAL, amount, "Credits bought") for amount in due]


@pytest.mark.parametrize("product", [None, PRO, PREMIUM])
@pytest.mark.parametrize("refunded", [False, True])
def test_plan_or_unknown_order_is_worth_nothing(product: Product | None, refunded: bool) -> None:
    assert of_order(product, 3, paid=True, refunded=refunded) == []


# -- chronological order ---------------------------------------------------------------------------------------------


def every_order(*sightings: Sighting) -> list[Sighting]:
    """Return the timeline, after checking that it is the same for every order of arrival."""
    [history] = {tuple(timeline(states)) for states in permutations(sightings)}
    return list(history)


def test_no_sightings_make_no_history() -> None:
    assert timeline([]) == []


def test_sightings_are_sorted_by_time() -> None:
    first, second, third = seen(0, PRO), seen(1, PREMIUM), seen(2, PRO)
    assert every_order(third, first, second) == [first, second, third]


def test_first_body_comes_first_at_equal_times() -> None:
    created, changed = seen(0, PREMIUM, created=True), seen(0, PRO)
    assert every_order(changed, created) == [created, changed]


def test_unchanged_plan_comes_first_at_equal_times() -> None:
    before, same, other = seen(0, PREMIUM), seen(1, PREMIUM, NEXT_CYCLE), seen(1, PRO)
    assert every_order(before, other, same) == [before, same, other]
    before, same, other = seen(0, PRO), seen(1, PRO, NEXT_CYCLE), seen(1, PREMIUM)
    assert every_order(before, other, same) == [before, same, other]


def test_equal_times_without_a_first_body_sort_consistently() -> None:
    ends = (None, CYCLE, NEXT_CYCLE)
    assert len(every_order(*(seen(0, tier, end) for tier in (PRO, PREMIUM) for end in ends))) == 6


def test_equal_times_in_other_zones_are_equal() -> None:
    elsewhere = Sighting(BEGIN.astimezone(timezone(timedelta(hours=5))), PREMIUM, CYCLE)
    later, created = seen(1, PRO), seen(0, PRO, created=True)
    assert every_order(later, elsewhere, created) == [created, elsewhere, later]


# -- the first month -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tier", "credits"), [(PRO, 10), (PREMIUM, 20)])
@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize("paid", [False, True])
def test_first_month_is_due_if_active_or_first_invoice_paid(tier: Product, credits: int, active: bool, paid: bool) -> None:
    found = worth(seen(0, tier, created=True), invoices=(invoice("1", "initial"),) if paid else (), active=active)
    assert found == ({"first month": credits} if active or paid else {})


@pytest.mark.parametrize(
    "first", [invoice("1", "initial", total=0), invoice("1", "initial", paid=False), invoice("1", "updated"), invoice("1", "")]
)
def test_trial_has_no_first_month(first: InvoiceFacts) -> None:
    assert worth(seen(0, PRO, created=True), invoices=(first,)) == {}


def test_free_first_month_counts_if_active() -> None:
    assert worth(seen(0, PRO, created=True), invoices=(invoice("1", "initial", total=0),), active=True) == {"first month": 10}


@pytest.mark.parametrize("order_refunded", [False, True])
@pytest.mark.parametrize("invoice_refunded", [False, True])
@pytest.mark.parametrize("active", [False, True])
def test_refund_of_order_or_invoice_takes_the_first_month(order_refunded: bool, invoice_refunded: bool, active: bool) -> None:
    first = invoice("1", "initial", refunded=invoice_refunded)
    renewal = invoice("2", "renewal", 31)
    found = worth(seen(0, PRO, created=True), invoices=(first, renewal), active=active, order_refunded=order_refunded)
    assert found == {"first month": 0 if order_refunded or invoice_refunded else 10, "invoice 2": 10}


def test_refund_before_its_grant_leaves_nothing_to_grant() -> None:
    assert worth(seen(0, PRO), invoices=(invoice("1", "initial", paid=False, refunded=True),)) == {}
    assert worth(seen(0, PRO), invoices=(invoice("1", "initial", refunded=True),)) == {"first month": 0}


def test_first_month_is_on_the_first_plan_even_if_seen_last() -> None:
    change, first = seen(3, PREMIUM), seen(0, PRO, created=True)
    assert worth(change, active=True) == {"first month": 20}, "as far as is known"
    assert worth(change, first, active=True) == {"first month": 10, "plan change 1": 10}


def test_subscription_without_sightings_is_worth_nothing() -> None:
    assert worth(invoices=(invoice("1", "initial"), invoice("2", "renewal", 31)), active=True) == {}


# -- renewals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "credits"), [(-1, 10), (0, 10), (9.999, 10), (10, 20), (11, 20), (20, 10), (400, 10)], ids=str)
def test_renewal_counts_by_the_plan_in_force_at_billing(day: float, credits: int) -> None:
    history = (seen(0, PRO), seen(10, PREMIUM), seen(20, PRO))
    assert worth(*history, invoices=(invoice("9", "renewal", day),))["invoice 9"] == credits


def test_renewal_counts_once_paid_until_refunded() -> None:
    renewals = (
        invoice("1", "renewal", 31),
        invoice("2", "renewal", 61, paid=False),
        invoice("3", "renewal", 91, refunded=True),
        invoice("4", "renewal", 121, paid=False, refunded=True),
        invoice("5", "updated", 130),
        invoice("6", "renewal", 151, total=0),
    )
    assert worth(seen(0, PRO), invoices=renewals) == {"invoice 1": 10, "invoice 3": 0, "invoice 6": 10}


# -- plan changes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "changes"),
    [
        ([(0, PRO), (1, PRO), (2, PRO)], []),
        ([(0, PRO), (1, PREMIUM)], [10]),
        ([(0, PREMIUM), (1, PRO)], [-10]),
        ([(0, PRO), (1, PREMIUM), (2, PREMIUM), (3, PREMIUM)], [10]),
        ([(0, PRO), (1, PREMIUM), (2, PRO), (3, PREMIUM), (4, PRO)], [10, -10, 0, 0]),
        ([(0, PREMIUM), (1, PRO), (2, PREMIUM), (3, PRO), (4, PREMIUM)], [-10, 10, -10, 0]),
    ],
)
def test_one_upgrade_per_cycle_counts_with_its_downgrade(history: list[tuple[int, Product]], changes: list[int]) -> None:
    found = worth(*(seen(day, tier) for day, tier in history))
    assert found == {f"plan change {number}": amount for number, amount in enumerate(changes, 1)}


def test_each_cycle_counts_its_own_upgrade() -> None:
    history = [
        seen(0, PRO),
        seen(1, PREMIUM),
        seen(32, PRO, NEXT_CYCLE),
        seen(33, PREMIUM, NEXT_CYCLE),
        seen(34, PRO, NEXT_CYCLE),
    ]
    again = seen(35, PREMIUM, NEXT_CYCLE)
    assert list(worth(*history, again).values()) == [10, -10, 10, -10, 0]


def test_change_at_the_time_of_the_first_body_counts() -> None:
    created, changed = seen(0, PRO, created=True), seen(0, PREMIUM)
    for states in permutations((created, changed)):
        assert worth(*states, active=True) == {"first month": 10, "plan change 1": 10}


def test_late_body_showing_a_change_earlier_moves_no_credits() -> None:
    assert worth(seen(0, PRO), seen(5, PREMIUM)) == worth(seen(0, PRO), seen(3, PREMIUM), seen(5, PREMIUM))


# -- trials ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "then", "credits"), [(PRO, PREMIUM, 20), (PREMIUM, PRO, 10)])
def test_change_on_trial_moves_no_credits(first: Product, then: Product, credits: int) -> None:
    trial = (seen(0, first, created=True, status="on_trial"), seen(3, then, status="on_trial"))
    assert worth(*trial) == {"plan change 1": 0}
    paid = invoice("1", "renewal", 14)
    assert worth(*trial, seen(14, then), invoices=(paid,)) == {"invoice 1": credits, "plan change 1": 0}


def test_trial_change_does_not_use_up_the_cycles_upgrade() -> None:
    trial = (seen(0, PRO, status="on_trial"), seen(1, PREMIUM, status="on_trial"), seen(2, PRO, status="on_trial"))
    assert worth(*trial, seen(3, PREMIUM), invoices=(invoice("1", "renewal", 2.5),))["plan change 3"] == 10


@pytest.mark.parametrize("status", ["cancelled", "expired", "past_due"])
def test_trial_change_shown_after_the_trial_moves_no_credits(status: str) -> None:
    assert worth(seen(0, PRO, status="on_trial"), seen(15, PREMIUM, status=status)) == {"plan change 1": 0}


@pytest.mark.parametrize(("status", "later"), [("cancelled", "on_trial"), ("paused", "on_trial"), ("cancelled", "expired")])
def test_stopped_trial_moves_no_credits(status: str, later: str) -> None:
    stopped = (seen(0, PRO, created=True, status="on_trial"), seen(3, PRO, status=status))
    assert worth(*stopped, seen(4, PREMIUM, status=status), seen(5, PREMIUM, status=later)) == {"plan change 1": 0}


def test_trial_that_became_active_moves_credits() -> None:
    assert worth(seen(0, PRO, status="on_trial"), seen(14, PRO), seen(20, PREMIUM)) == {"plan change 1": 10}


def test_change_shown_after_first_payment_earns_the_difference() -> None:
    trial, paid = seen(0, PRO, status="on_trial"), invoice("1", "renewal", 14)
    assert sum(worth(trial, seen(14.001, PREMIUM), invoices=(paid,)).values()) == 20


def test_bodies_without_a_status_still_move_credits() -> None:
    assert worth(seen(0, PRO, status=""), seen(1, PREMIUM, status="")) == {"plan change 1": 10}


# -- unpaid upgrades ---------------------------------------------------------------------------------------------------

UPGRADED = (seen(0, PRO, created=True), seen(3, PREMIUM))
OVERDUE = seen(3.01, PREMIUM, status="past_due")
UNPAID_UPGRADE = invoice("1", "updated", 3.005, total=1000, paid=False, failed=True)


@pytest.mark.parametrize("end", ["expired", "unpaid"])
@pytest.mark.parametrize("invoices", [(), (UNPAID_UPGRADE,)])
def test_upgrade_that_ends_unpaid_is_taken_back(end: str, invoices: tuple[InvoiceFacts, ...]) -> None:
    assert worth(*UPGRADED, OVERDUE, invoices=invoices) == {"plan change 1": 10}, "it may still be paid"
    assert worth(*UPGRADED, OVERDUE, seen(17, PREMIUM, status=end), invoices=invoices) == {"plan change 1": 0}


def test_failed_invoice_replaces_a_lost_past_due() -> None:
    history = (*UPGRADED, seen(17, PREMIUM, status="expired"))
    assert worth(*history, invoices=(UNPAID_UPGRADE,)) == {"plan change 1": 0}
    assert worth(*history) == {"plan change 1": 10}, "without an overdue payment it only ended"


@pytest.mark.parametrize("reason", ["updated", "renewal"])
def test_paid_upgrade_is_kept(reason: str) -> None:
    history = (*UPGRADED, seen(32, PREMIUM, NEXT_CYCLE, status="past_due"), seen(40, PREMIUM, NEXT_CYCLE, status="expired"))
    failed = invoice("9", "renewal", 31.5, paid=False, failed=True)
    paid = invoice("1", reason, 3.0 if reason == "renewal" else 2.999)
    assert worth(*history, invoices=(paid, failed))["plan change 1"] == 10
    assert worth(*history, invoices=(failed,))["plan change 1"] == 0


def test_payment_before_the_upgrade_does_not_pay_for_it() -> None:
    history = (seen(0, PRO), seen(35, PREMIUM), seen(35.1, PREMIUM, status="past_due"), seen(49, PREMIUM, status="expired"))
    assert worth(*history, invoices=(invoice("1", "renewal", 31),)) == {"invoice 1": 10, "plan change 1": 0}


def test_late_payment_restores_the_upgrade() -> None:
    history = (*UPGRADED, OVERDUE, seen(17, PREMIUM, status="unpaid"))
    assert worth(*history, seen(18, PREMIUM), invoices=(invoice("1", "updated", 3.005, failed=True),)) == {"plan change 1": 10}


def test_return_to_active_clears_an_overdue_payment() -> None:
    history = (*UPGRADED, OVERDUE, seen(5, PREMIUM), seen(9, PREMIUM, status="cancelled"), seen(31, PREMIUM, status="expired"))
    assert worth(*history) == {"plan change 1": 10}


def test_downgrade_after_unpaid_upgrade_is_taken_only_once() -> None:
    history = (*UPGRADED, OVERDUE, seen(5, PRO, status="past_due"), seen(17, PRO, status="expired"))
    assert worth(*history, invoices=(UNPAID_UPGRADE,)) == {"plan change 1": 10, "plan change 2": -10}


def test_reversal_reason_names_the_unpaid_upgrade() -> None:
    facts = SubscriptionFacts(False, False, (*UPGRADED, OVERDUE, seen(17, PREMIUM, status="expired")), ())
    assert [(one.amount, one.reversal) for one in of_subscription(facts)] == [(0, "Upgrade payment failed")]


# -- refunded upgrades -------------------------------------------------------------------------------------------------


def refund_of(day: float, **more: bool) -> InvoiceFacts:
    return invoice(f"of day {day}", "updated", day, total=1000, refunded=True, **more)


@pytest.mark.parametrize("day", [2.999, 3, 3.001, 3.01], ids=str)
@pytest.mark.parametrize("paid", [True, False])
def test_upgrade_with_refunded_invoice_is_taken_back(day: float, paid: bool) -> None:
    facts = SubscriptionFacts(True, False, UPGRADED, (refund_of(day, paid=paid),))
    assert [(one.part, one.amount, one.reversal) for one in of_subscription(facts)][1:] == [("plan change 1", 0, "Refund")]


def test_other_refunds_leave_an_upgrade_unchanged() -> None:
    others = (
        invoice("1", "updated", 3.001, total=1000),
        invoice("2", "updated", 3.001, total=0, refunded=True),
        invoice("3", "renewal", 3.001, refunded=True),
        invoice("4", "updated", -1, total=1000, refunded=True),
    )
    assert worth(*UPGRADED, invoices=others)["plan change 1"] == 10


def test_downgrade_takes_nothing_for_a_refunded_upgrade() -> None:
    history = (*UPGRADED, seen(5, PRO))
    assert worth(*history, invoices=(refund_of(3.001),), active=True) == {
        "first month": 10,
        "plan change 1": 0,
        "plan change 2": 0,
    }
    renewed = (*UPGRADED, seen(32, PREMIUM, NEXT_CYCLE), seen(35, PRO, NEXT_CYCLE))
    found = worth(*renewed, invoices=(refund_of(3.001), invoice("2", "renewal", 31)), active=True)
    assert found == {"first month": 10, "invoice 2": 20, "plan change 1": 0, "plan change 2": -10}


@pytest.mark.parametrize(("day", "due"), [(1.001, [0, 0, 0, 0, 10]), (3.001, [10, -10, 0, 0, 10]), (39.999, [10, -10, 0, 0, 0])])
def test_refund_takes_the_nearest_upgrade(day: float, due: list[int]) -> None:
    cycles = [(1, PREMIUM, CYCLE), (2, PRO, CYCLE), (3, PREMIUM, CYCLE), (4, PRO, CYCLE), (40, PREMIUM, NEXT_CYCLE)]
    found = worth(seen(0, PRO), *(seen(*one) for one in cycles), invoices=(refund_of(day),))
    assert list(found.values()) == due


def test_month_paid_after_an_upgrade_without_credits_counts() -> None:
    history = [seen(day, tier) for day, tier in ((0, PRO), (1, PREMIUM), (2, PRO), (3, PREMIUM))]
    renewed = worth(*history, seen(35, PRO, NEXT_CYCLE), invoices=(invoice("1", "renewal", 31),))
    assert renewed == {"invoice 1": 20, "plan change 1": 10, "plan change 2": -10, "plan change 3": 0, "plan change 4": -10}


# -- variants that are not configured --------------------------------------------------------------------------------


def test_unknown_variant_leaves_credits_unchanged() -> None:
    moved = (seen(0, PRO, created=True), seen(40, None, NEXT_CYCLE))
    renewals = (invoice("1", "renewal", 31), invoice("2", "renewal", 61))
    assert worth(*moved, invoices=renewals, active=True) == {"first month": 10, "invoice 1": 10}


@pytest.mark.parametrize(("tier", "later"), [(PRO, {"invoice 2": 10}), (PREMIUM, {"invoice 2": 20, "plan change 1": 10})])
def test_configured_variant_earns_what_was_missing(tier: Product, later: dict[str, int]) -> None:
    mapped = (seen(0, PRO, created=True), seen(40, tier, NEXT_CYCLE))
    renewals = (invoice("1", "renewal", 31), invoice("2", "renewal", 61))
    assert worth(*mapped, invoices=renewals) == {"invoice 1": 10} | later


def test_unknown_first_variant_is_worth_nothing_yet() -> None:
    assert worth(seen(0, None, created=True), invoices=(invoice("1", "initial"),), active=True) == {}


def test_change_via_an_unknown_variant_is_one_change() -> None:
    assert worth(seen(0, PRO), seen(1, None), seen(2, PREMIUM)) == {"plan change 1": 10}
    assert worth(seen(0, PRO), seen(1, None), seen(2, PRO)) == {}


def test_reasons_name_each_part() -> None:
    facts = SubscriptionFacts(True, False, (seen(0, PRO), seen(1, PREMIUM), seen(2, PRO)), (invoice("1", "renewal", 31),))
    assert [one.reason for one in of_subscription(facts)] == [
        "Pro: first month",
        "Pro: monthly renewal",
        "Upgrade to Premium",
        "Downgrade to Pro",
    ]


# -- any order -------------------------------------------------------------------------------------------------------

DAYS = st.sampled_from([0.0, 1.0, 2.0, 31.0, 32.0])
SIGHTINGS = st.builds(
    seen,
    DAYS,
    st.sampled_from([PRO, PREMIUM, None]),
    st.sampled_from([None, CYCLE, NEXT_CYCLE]),
    created=st.booleans(),
    status=st.sampled_from(["", *SubscriptionStatus]),
)
INVOICES = st.builds(
    invoice,
    st.sampled_from(["1", "2", "3", "4"]),
    st.sampled_from(["initial", "renewal", "updated"]),
    DAYS,
    total=st.sampled_from([0, 1999]),
    paid=st.booleans(),
    refunded=st.booleans(),
    failed=st.booleans(),
)


@settings(max_examples=300, database=None)
@given(
    st.lists(SIGHTINGS, max_size=6),
    st.lists(INVOICES, max_size=4, unique_by=lambda one: one.id),
    st.booleans(),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_order_and_repetition_of_facts_change_nothing(
    sightings: list[Sighting], invoices: list[InvoiceFacts], active: bool, order_refunded: bool, chance: random.Random
) -> None:
    expected = worth(*sightings, invoices=tuple(invoices), active=active, order_refunded=order_refunded)
    again = sightings + [one for one in sightings if chance.random() < 0.5]
    chance.shuffle(again)
    chance.shuffle(invoices)
    assert worth(*again, invoices=tuple(invoices), active=active, order_refunded=order_refunded) == expected
    assert timeline(again)[:1] == timeline(sightings)[:1]
