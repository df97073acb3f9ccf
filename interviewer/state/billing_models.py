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
    SubscriptionStatus.PAST_DUE: "Payment failed",
    SubscriptionStatus.UNPAID: "Payment failed",
    SubscriptionStatus.CANCELLED: "Canceled",
    SubscriptionStatus.EXPIRED: "Ended",
}
_UNKNOWN_PLAN = (
    "Your new plan isn't ready on our side yet. You keep the credits you have, and we'll add the ones you've paid for as soon "
    "as it is."
)
# The message for usable subscriptions whose variant is not configured, by status.
UNKNOWN_WORDS = {status.value: _UNKNOWN_PLAN for status in USABLE}
KIND_WORDS = {CreditType.INDIVIDUAL: "Single", CreditType.SUBSCRIPTION: "Plan"}


@dataclass
class CreditsItem:
    """A user's numbers of usable, single, and plan credits, and a note about debt or unusable credits."""

    usable: int = 0
    individual: int = 0
    plan: int = 0
    plan_usable: bool = False
    note: str = ""


@dataclass
class PlanItem:
    """A user's plan: its name and status, what happens next, and the available actions with their effect on credits.

    An empty action text means that the action is not available. `elsewhere` is true if changes must be made on the payment
    service's pages.
    """

    title: str = ""
    status: str = ""
    tone: str = ""  # good, half, or bad
    next: str = ""
    since: str = ""
    trouble: str = ""
    cancel: str = ""
    resume: str = ""
    change_to: str = ""
    change_label: str = ""
    change: str = ""
    elsewhere: bool = False
    pays: bool = False  # there is a subscription that is neither canceled nor ended


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
        kept = f"{counted(balances.subscription, 'plan credit')} {form(balances.subscription, 'is', 'are')} on hold"
        notes.append(f"{kept} until you have an active plan again.")
    owed = balances.individual_debt + balances.subscription_debt
    if owed:
        refunded = f"{counted(owed, 'credit')} {form(owed, 'was', 'were')} refunded"
        it = form(owed, "it", "them")
        notes.append(f"{refunded} after you had used {it}, so we'll deduct {it} from the next credits you get.")
    return CreditsItem(balances.usable, balances.individual, balances.subscription, balances.subscription_usable, " ".join(notes))


def plan_item(account: Account, *, selling: bool = True) -> PlanItem:
    """Build the view model of a user's plan.

    `selling` says whether the site sells plans. If it does not, no plan change is offered.
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
        item.resume = "If you resume your plan, it continues as before" + (
            f", and you can use your {_plan_credits(credits)} again right away." if credits else "."
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


def _plan_credits(credits: int) -> str:
    return form(credits, "plan credit", f"{credits} plan credits")


def _month(product: Product | None) -> str:
    return f"{CREDITS_PER_MONTH[product]} credits for {price_text(product)}" if product else "another month"


def _next(plan: Plan, credits: int, *, selling: bool) -> str:
    """Describe what happens next if the user does nothing."""
    if plan.product is None and plan.status in UNKNOWN_WORDS:
        return UNKNOWN_WORDS[plan.status]
    kept = (
        f" Your {_plan_credits(credits)} {form(credits, 'stays', 'stay')} in your account. "
        f"You can use {form(credits, 'it', 'them')} when you have an active plan again."
        if credits
        else ""
    )
    ends = f" on {day(plan.ends_at)}" if plan.ends_at else ""
    renews = f" on {day(plan.renews_at)}" if plan.renews_at else ""
    trial_ends = f" on {day(plan.trial_ends_at)}" if plan.trial_ends_at else renews
    match plan.status:
        case SubscriptionStatus.ACTIVE:
            return f"Your plan renews{renews}. You'll get {_month(plan.product)}. Unused credits roll over."
        case SubscriptionStatus.ON_TRIAL:
            return f"Your trial ends{trial_ends}. With your first payment, you'll get {_month(plan.product)}."
        case SubscriptionStatus.PAST_DUE:
            return f"We'll try the payment again{renews}. Until then, you can use your credits."
        case SubscriptionStatus.UNPAID:
            return f"Your plan won't renew until you pay.{kept}"
        case SubscriptionStatus.PAUSED:
            return f"You won't be charged while your plan is paused.{kept}"
        case SubscriptionStatus.CANCELLED:
            return f"Your plan ends{ends}, and you won't be charged again.{kept}"
        case SubscriptionStatus.EXPIRED:
            return f"Your plan ended{ends}.{kept}"
        case _:
            return "With a plan, each interview costs less than half the price of a single credit." if selling else ""


def _trouble(plan: Plan) -> str:
    """Describe the problem with the last payment, or return "" if there is none."""
    if plan.status == SubscriptionStatus.UNPAID:
        return "Your last payment didn't go through, so your plan is on hold. Please change your payment method."
    if plan.payment_failed or plan.status == SubscriptionStatus.PAST_DUE:
        return "Your last payment didn't go through. Please check your payment method before we try again."
    return ""


def _cancel(plan: Plan, credits: int) -> str:
    """Describe what canceling the plan does."""
    until = f" on {day(plan.renews_at)}" if plan.renews_at else " at the end of the period you've paid for"
    text = f"Your plan will end{until}, and you won't be charged again. "
    if credits:
        it = form(credits, "it", "them")
        text += (
            f"As soon as you cancel, even before your plan ends, you can't use your {_plan_credits(credits)}. "
            f"Use {it} first, or resume your plan later: we'll keep {it} for you. "
        )
    return text + "Single credits aren't affected."


def _change_label(now: Product, other: Product) -> str:
    return f"{'Upgrade' if CREDITS_PER_MONTH[other] > CREDITS_PER_MONTH[now] else 'Downgrade'} to {other.label}"


def _change(now: Product, other: Product, credits: int) -> str:
    """Describe what a plan change does to charges and credits."""
    difference = CREDITS_PER_MONTH[other] - CREDITS_PER_MONTH[now]
    month = f"get {counted(CREDITS_PER_MONTH[other], 'credit')} for {price_text(other)} a month"
    if difference > 0:
        return (
            f"You'll get {counted(difference, 'more credit')} and pay a prorated amount now. "
            f"(You can get these extra credits only once per billing cycle.) Starting next cycle, you'll {month}."
        )
    taken = -difference
    text = f"We'll remove {taken} of this cycle's credits right away."
    if not credits:
        text = f"You have no plan credits left, so we'll deduct {taken} from the next credits you get."
    elif credits < taken:
        rest = form(taken - credits, "the other one", f"the other {taken - credits}")
        text += f" You have {credits} left, so we'll deduct {rest} from the next credits you get."
    return f"{text} You won't be charged now. Starting next cycle, you'll {month}."


def line_item(line: StatementLine) -> LineItem:
    """Build a line of the credit statement from a ledger entry."""
    note = ""
    if line.debt_change > 0:
        it = form(line.debt_change, "it", "them")
        note = f"{counted(line.debt_change, 'credit')} already used. We'll deduct {it} from the next credits you get."
    return LineItem(
        date=day(line.at),
        what=line.reason,
        kind=KIND_WORDS[line.type],
        change=f"{line.amount:+}".replace("-", "\u2212") if line.amount else "0",
        gain=line.amount > 0,
        balance=f"{line.balance}",
        note=note,
    )
