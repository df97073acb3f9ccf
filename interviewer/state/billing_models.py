"""View models for credits and plans, and the pure functions that build them."""

from __future__ import annotations

from dataclasses import dataclass

from interviewer.billing.account_view import INACTIVE, Account, Plan, StatementLine
from interviewer.billing.catalogue import CREDITS_PER_MONTH, PLANS, Product, price_text
from interviewer.credits.rules import USABLE, Balances, CreditType, SubscriptionStatus
from interviewer.wording import counted, day, form

NO_PLAN = "No plan"
STATUS_WORDS = {
    INACTIVE: NO_PLAN,
    SubscriptionStatus.ON_TRIAL: "Trial",
    SubscriptionStatus.ACTIVE: "Active",
    SubscriptionStatus.PAUSED: "Paused",
    SubscriptionStatus.PAST_DUE: "Payment overdue",
    SubscriptionStatus.UNPAID: "Unpaid",
    SubscriptionStatus.CANCELLED: "Cancelled",
    SubscriptionStatus.EXPIRED: "Ended",
}
_UNKNOWN_PLAN = (
    "Your subscription was moved to a plan that this site does not know yet. Your credits stay as they are. "
    "What you pay for in the meantime is credited as soon as the plan has been set up here."
)
# The message for usable subscriptions whose variant is not configured, by status.
UNKNOWN_WORDS = {status.value: _UNKNOWN_PLAN for status in USABLE}
KIND_WORDS = {CreditType.INDIVIDUAL: "Single", CreditType.SUBSCRIPTION: "Plan"}


@dataclass
class CreditsItem:
    """A user's credits: how many are usable, how many are single and plan credits, and a note about debt or unusable ones."""

    usable: int = 0
    individual: int = 0
    plan: int = 0
    plan_usable: bool = False
    note: str = ""


@dataclass
class PlanItem:
    """A user's plan: its name and status, what happens next, and the available actions with their effect on credits.

    An empty action text means that the action is not available. `elsewhere` is true if changes are made on the payment service's
    pages.
    """

    title: str = ""
    status: str = ""
    tone: str = ""  # good, half or bad
    next: str = ""
    since: str = ""
    trouble: str = ""
    cancel: str = ""
    resume: str = ""
    change_to: str = ""
    change_label: str = ""
    change: str = ""
    elsewhere: bool = False
    pays: bool = False  # the subscription has a payment method that can be changed


@dataclass
class LineItem:
    """One line of the credit statement."""

    date: str = ""
    what: str = ""
    kind: str = ""
    change: str = ""
    gain: bool = False
    balance: str = ""
    note: str = ""


def credits_item(balances: Balances) -> CreditsItem:
    """Build the view model of a user's credits."""
    notes = []
    if balances.subscription and not balances.subscription_usable:
        kept = f"{counted(balances.subscription, 'plan credit')} {form(balances.subscription, 'is', 'are')} kept"
        notes.append(f"{kept} until your subscription runs again.")
    owed = balances.individual_debt + balances.subscription_debt
    if owed:
        refunded = f"{counted(owed, 'credit')} {form(owed, 'was', 'were')} refunded"
        notes.append(f"{refunded} after being used; the next ones you get make up for that.")
    return CreditsItem(balances.usable, balances.individual, balances.subscription, balances.subscription_usable, " ".join(notes))


def plan_item(account: Account, *, selling: bool = True) -> PlanItem:
    """Build the view model of a user's plan.

    `selling` says whether the site sells plans; without it no plan change is offered.
    """
    plan, credits = account.plan, account.balances.subscription
    item = PlanItem(
        title=plan.product.label if plan.product else "Unknown plan" if plan.status != INACTIVE else NO_PLAN,
        status=STATUS_WORDS[plan.status],
        tone=_tone(plan),
        next=_next(plan, credits, selling=selling),
        since=f"Since {day(plan.started_at)}" if plan.started_at else "",
        trouble=_trouble(plan),
        elsewhere=plan.elsewhere,
        pays=plan.status not in (INACTIVE, SubscriptionStatus.EXPIRED, SubscriptionStatus.CANCELLED),
    )
    if item.pays:
        item.cancel = _cancel(plan, credits)
    if plan.status == SubscriptionStatus.CANCELLED:
        item.resume = (
            f"If you resume it, it goes on as before, and your {counted(credits, 'plan credit')} can be used again at once."
        )
    if plan.product and plan.changeable and selling:
        other = next(product for product in PLANS if product is not plan.product)
        item.change_to, item.change_label = other.value, _change_label(plan.product, other)
        item.change = _change(plan.product, other, credits)
    return item


def _tone(plan: Plan) -> str:
    if plan.payment_failed or plan.status in (SubscriptionStatus.UNPAID, SubscriptionStatus.PAST_DUE):
        return "bad"
    return "good" if plan.status in (SubscriptionStatus.ACTIVE, SubscriptionStatus.ON_TRIAL) else "half"


def _month(product: Product | None) -> str:
    return f"{CREDITS_PER_MONTH[product]} more credits for {price_text(product)}" if product else "another month"


def _next(plan: Plan, credits: int, *, selling: bool) -> str:
    """Describe what happens next if the user does nothing."""
    if plan.product is None and plan.status in UNKNOWN_WORDS:
        return UNKNOWN_WORDS[plan.status]
    kept = f"Your {counted(credits, 'plan credit')} stay in your account and can be used when a subscription runs again."
    ends = f" on {day(plan.ends_at)}" if plan.ends_at else ""
    renews = day(plan.renews_at) if plan.renews_at else ""
    trial_ends = day(plan.trial_ends_at) if plan.trial_ends_at else renews
    match plan.status:
        case SubscriptionStatus.ACTIVE:
            return f"Renews on {renews}: {_month(plan.product)}. Credits that you do not use are kept."
        case SubscriptionStatus.ON_TRIAL:
            return f"The trial ends on {trial_ends}. The first payment then brings {_month(plan.product)}."
        case SubscriptionStatus.PAST_DUE:
            return f"The payment is tried again on {renews}. Until then you can use your credits."
        case SubscriptionStatus.UNPAID:
            return f"Nothing is renewed until it is paid. {kept}"
        case SubscriptionStatus.PAUSED:
            return f"Nothing is charged while it is paused. {kept}"
        case SubscriptionStatus.CANCELLED:
            return f"It ends{ends}, and nothing more is charged. {kept}"
        case SubscriptionStatus.EXPIRED:
            return f"It ended{ends}. {kept}" if credits else f"It ended{ends}."
        case _:
            return "With a plan, an interview costs less than half as much." if selling else ""


def _trouble(plan: Plan) -> str:
    """Describe the problem with the last payment, or return "" if there is none."""
    if plan.status == SubscriptionStatus.UNPAID:
        return "Your subscription could not be paid, so its credits cannot be used. Change the payment method to go on."
    if plan.payment_failed or plan.status == SubscriptionStatus.PAST_DUE:
        return "The last payment of your subscription failed. Please check the payment method before it is tried again."
    return ""


def _cancel(plan: Plan, credits: int) -> str:
    """Describe what canceling the plan does."""
    until = f" on {day(plan.renews_at)}" if plan.renews_at else " at the end of what is paid"
    words = f"Nothing more is charged, and the subscription ends{until}. "
    if credits:
        words += (
            f"Your {counted(credits, 'plan credit')} cannot be used from the moment you cancel: use them first, or resume later; "
            "they are kept for you. "
        )
    return words + "Single credits are not affected."


def _change_label(now: Product, other: Product) -> str:
    return f"{'Upgrade' if CREDITS_PER_MONTH[other] > CREDITS_PER_MONTH[now] else 'Downgrade'} to {other.label}"


def _change(now: Product, other: Product, credits: int) -> str:
    """Describe what a plan change does to charges and credits."""
    difference = CREDITS_PER_MONTH[other] - CREDITS_PER_MONTH[now]
    month = f"{price_text(other)} and {counted(CREDITS_PER_MONTH[other], 'credit')} a month"
    if difference > 0:
        return (
            f"You get {counted(difference, 'credit')} at once (once in each billing cycle), and the rest of this cycle is "
            f"charged now, in proportion. From the next one on it is {month}."
        )
    taken = -difference
    words = f"{counted(taken, 'credit')} of this cycle are taken back at once"
    if credits < taken:
        words += f"; you have {credits} left, so the other {taken - credits} come off your next ones"
    return f"{words}. Nothing is charged now; from the next cycle on it is {month}."


def line_item(line: StatementLine) -> LineItem:
    """Build a line of the credit statement from a ledger entry."""
    note = ""
    if line.debt_change > 0:
        note = f"{counted(line.debt_change, 'credit')} used already: your next ones make up for it"
    return LineItem(
        date=day(line.at),
        what=line.reason,
        kind=KIND_WORDS[line.type],
        change=f"{line.amount:+}".replace("-", "\u2212") if line.amount else "0",
        gain=line.amount > 0,
        balance=f"{line.balance}",
        note=note,
    )
