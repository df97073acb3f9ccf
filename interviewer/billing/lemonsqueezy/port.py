"""The payment service as the use cases see it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from interviewer.core.documents import Document


@dataclass(frozen=True, slots=True)
class Purchase:
    """What somebody is about to buy.

    `reference` is opaque and issued by us: each webhook about what was bought brings it back as `custom_data["checkout_ref"]`.
    `redirect_url` is where the buyer is sent afterwards.
    """

    variant_id: str
    email: str
    reference: str
    redirect_url: str


@dataclass(frozen=True, slots=True)
class ShopAnswer:
    """What the payment service says of our configuration; `test_mode`: nothing is really sold with this key.

    `prices` has what each known variant costs, in hundredths of `currency`; None for one without a fixed price.
    """

    test_mode: bool
    store_known: bool
    unknown_variants: tuple[str, ...] = ()
    prices: Mapping[str, int | None] = field(default_factory=dict)
    currency: str = ""


class Payments(Protocol):
    """The service that takes the money. Records of it are JSON:API resources: `type`, `id`, `attributes`.

    Every method but `close` raises `errors.PaymentsUnavailable` when the service cannot be reached, fails, refuses our key, or
    answers something that cannot be understood.
    """

    async def checkout(self, purchase: Purchase) -> str:
        """Return the address of a page where the purchase is paid. Raises `errors.PaymentsRefused` when it is not for sale."""

    async def cancel(self, subscription_id: str) -> Document | None:
        """End a subscription at the end of what is paid; doing so again changes nothing.

        Returns the subscription as it is now, None when there is none of this id. A refusal is `errors.PaymentsUnavailable`, too.
        """

    async def resume(self, subscription_id: str) -> Document:
        """Take a cancellation back and return the subscription as it is now; some kinds of payment leave it unchanged.

        Raises `errors.PaymentsRefused` when it is too late for that.
        """

    async def change_variant(self, subscription_id: str, variant_id: str, *, charge_now: bool) -> Document:
        """Change the plan and return the subscription as it is now; some kinds of payment leave it unchanged.

        The difference is charged at once, or else nothing before the next cycle. Raises `errors.PaymentsRefused`.
        """

    async def subscription(self, subscription_id: str) -> Document | None:
        """Return a subscription as it is now, None when there is none of this id. Its signed URLs expire: never store them."""

    def records(self) -> AsyncIterator[Document]:
        """Yield every subscription, then every order, then every subscription invoice of our store; one may come twice."""

    async def close(self) -> None:
        """Let go of connections; called once, at the end."""


class Shop(Protocol):
    """The payment service's side of our configuration."""

    async def check(self, variant_ids: Sequence[str]) -> ShopAnswer:
        """Ask with which key we come, whether our store and these variants exist, and what they cost.

        Raises `errors.PaymentsUnavailable`.
        """
