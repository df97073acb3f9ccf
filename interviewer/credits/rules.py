"""Credit rules: which balance pays for an interview, and the business keys that ensure each change happens only once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from interviewer.wording import form

FREE_CREDITS = 1
INTERVIEW_PRICE = 1
ONE_FOR_ONE = "Each interview costs one credit."
FIRST_FREE = "Your first interview is free."
FAILED_START = "If an interview doesn't start, you keep your credit."


class CreditType(StrEnum):
    """The two balances.

    Individual credits never expire. Subscription credits can be spent only while one of the user's subscriptions has a status in
    USABLE.
    """

    INDIVIDUAL = "individual"
    SUBSCRIPTION = "subscription"


class SubscriptionStatus(StrEnum):
    """A subscription's status, in the payment service's terms."""

    ON_TRIAL = "on_trial"
    ACTIVE = "active"
    PAUSED = "paused"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


# Statuses without further charges. A `cancelled` subscription expires at the end of its billing period.
ENDED = frozenset({SubscriptionStatus.CANCELLED, SubscriptionStatus.EXPIRED})
# Subscription credits can be spent while one of the user's subscriptions has one of these statuses; otherwise they are kept.
USABLE = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.ON_TRIAL, SubscriptionStatus.PAST_DUE})


@dataclass(frozen=True, slots=True)
class Balances:
    """A user's balances and the debt of each, in credits.

    `subscription_usable` says whether subscription credits can be spent now.
    """

    individual: int
    subscription: int
    subscription_usable: bool = False
    individual_debt: int = 0
    subscription_debt: int = 0

    @property
    def usable(self) -> int:
        """The number of interviews that the user can start."""
        return self.individual + (self.subscription if self.subscription_usable else 0)


def paying_balance(balances: Balances) -> CreditType | None:
    """Return the balance that pays for a start. Subscription credits are spent first.

    Returns None if neither balance can pay.
    """
    if balances.subscription_usable and balances.subscription >= INTERVIEW_PRICE:
        return CreditType.SUBSCRIPTION
    if balances.individual >= INTERVIEW_PRICE:
        return CreditType.INDIVIDUAL
    return None


class Refusal(StrEnum):
    """Why a start is refused, as in the API's `reason` field."""

    NONE_LEFT = "none_left"
    SUBSCRIPTION_PAUSED = "subscription_paused"
    SUBSCRIPTION_EXPIRED = "subscription_expired"


def refusal(balances: Balances, newest: SubscriptionStatus | None) -> Refusal:
    """Return the reason that neither balance can pay for a start.

    `newest` is the status of the user's newest subscription, or None if the user has none. If the user still has subscription
    credits but cannot spend them now, the reason is the subscription's status, because the user can do something about it.
    Otherwise, the reason is that no credits are left.
    """
    if balances.subscription < INTERVIEW_PRICE or balances.subscription_usable or newest is None:
        return Refusal.NONE_LEFT
    return Refusal.SUBSCRIPTION_EXPIRED if newest in ENDED else Refusal.SUBSCRIPTION_PAUSED


def refusal_message(reason: Refusal, newest: SubscriptionStatus | None, kept: int) -> str:
    """Return the message for a refused start. `kept` is the number of subscription credits that cannot be spent now."""
    if reason is Refusal.NONE_LEFT:
        return "You have no credits left, and each interview costs one. You can buy a single credit or a plan on your dashboard."
    credits = form(kept, "your plan credit is on hold", f"your {kept} plan credits are on hold")
    why = {
        SubscriptionStatus.PAUSED: f"Your plan is paused, so {credits} until it's active again.",
        SubscriptionStatus.UNPAID: f"Your last payment didn't go through, so {credits} until it does.",
        SubscriptionStatus.CANCELLED: f"Your plan is canceled, so {credits} until you resume it.",
    }.get(newest or SubscriptionStatus.EXPIRED, f"Your plan has ended, so {credits} until you subscribe again.")
    return f"{why} To start now, buy a single credit on your dashboard."


def signup_key(user_id: int) -> str:
    """Return the business key of a new account's free credit."""
    return f"signup:{user_id}"


def start_key(interview_id: int) -> str:
    """Return the business key of the credit that an interview costs."""
    return f"start:{interview_id}"


def give_back_key(interview_id: int) -> str:
    """Return the business key of the credit that is returned after a failed start."""
    return f"give-back:{interview_id}"


def repaid_key(business_key: str) -> str:
    """Return the business key of the row that repays a debt from the credits added under `business_key`."""
    return f"{business_key}:repaid"


def grant_key(reference: str) -> str:
    """Return the business key of an operator's grant."""
    return f"grant:{reference}"


def booking_key(subject: str, part: str, number: int) -> str:
    """Return the business key of the `number`th ledger row (from 1) for one part of a purchase.

    Later rows are refunds and corrections.
    """
    return f"{subject}:{part}:{number}"
