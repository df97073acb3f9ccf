"""The products: single credits and two monthly plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Product(StrEnum):
    """A product for sale."""

    INDIVIDUAL = "individual"
    PRO = "pro"
    PREMIUM = "premium"

    @property
    def label(self) -> str:
        """The display name."""
        return "Single credit" if self is Product.INDIVIDUAL else self.value.capitalize()


PLANS = (Product.PRO, Product.PREMIUM)
CREDITS_PER_MONTH: Mapping[Product, int] = {Product.PRO: 10, Product.PREMIUM: 20}
# US cents, before tax.
PRICE_CENTS: Mapping[Product, int] = {Product.INDIVIDUAL: 499, Product.PRO: 1999, Product.PREMIUM: 2999}


def dollars(cents: int) -> str:
    """Format an amount in US cents for display, such as $4.99."""
    return f"${cents // 100}.{cents % 100:02}"


def price_text(product: Product) -> str:
    """Return a product's price for display."""
    return dollars(PRICE_CENTS[product])


@dataclass(frozen=True, slots=True)
class FormerVariant:
    """A variant that is no longer sold, or that used to be sold at a different price.

    If `price_cents` is None, the variant's price was the product's current price.
    """

    variant_id: str
    product: Product
    price_cents: int | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Maps the payment service's variants to products, and defines which webhook events are accepted.

    If `store_id` is empty, events from every store are accepted. If `live_only`, events in test mode are rejected. `former` lists
    the variants and prices under which older subscriptions still renew.
    """

    variants: Mapping[Product, str] = field(default_factory=dict)
    store_id: str = ""
    live_only: bool = False
    former: tuple[FormerVariant, ...] = ()

    def product(self, variant_id: str | None) -> Product | None:
        """Return the product that a variant sells or used to sell. Returns None if the variant is not configured."""
        current = next((product for product, known in self.variants.items() if known and known == variant_id), None)
        return current or next((one.product for one in self.former if one.variant_id == variant_id), None)

    def plan_priced(self, cents: int) -> Product | None:
        """Return the plan whose current or former monthly price is this many US cents.

        Returns None if no plan or more than one plan has this price.
        """
        found = {plan for plan in PLANS if PRICE_CENTS[plan] == cents}
        found |= {one.product for one in self.former if one.price_cents == cents and one.product in PLANS}
        return found.pop() if len(found) == 1 else None

    def plan(self, variant_id: str | None) -> Product | None:
        """Return the plan of a variant. Returns None for single credits and for variants that are not configured."""
        product = self.product(variant_id)
        return product if product in PLANS else None
