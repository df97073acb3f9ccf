"""What is for sale: single credits and two monthly plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Product(StrEnum):
    """What can be bought."""

    INDIVIDUAL = "individual"
    PRO = "pro"
    PREMIUM = "premium"

    @property
    def label(self) -> str:
        """Its name as people read it."""
        return "Single credit" if self is Product.INDIVIDUAL else self.value.capitalize()


PLANS = (Product.PRO, Product.PREMIUM)
CREDITS_A_MONTH: Mapping[Product, int] = {Product.PRO: 10, Product.PREMIUM: 20}
# US cents, before tax.
PRICE_CENTS: Mapping[Product, int] = {Product.INDIVIDUAL: 499, Product.PRO: 1999, Product.PREMIUM: 2999}


def price_words(product: Product) -> str:
    """Return a price as people read it, such as $4.99."""
    dollars, cents = divmod(PRICE_CENTS[product], 100)
    return f"${dollars}.{cents:02}"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Which of the payment service's variants sells what, and whose events count.

    `store_id` "" takes every store's events; `live_only` takes none that were made in test mode.
    """

    variants: Mapping[Product, str] = field(default_factory=dict)
    store_id: str = ""
    live_only: bool = False

    def product(self, variant_id: str | None) -> Product | None:
        """Return what a variant sells, None if it is none of ours."""
        return next((product for product, known in self.variants.items() if known and known == variant_id), None)

    def plan(self, variant_id: str | None) -> Product | None:
        """Return the plan that a variant is, None for single credits and what is none of ours."""
        product = self.product(variant_id)
        return product if product in PLANS else None
