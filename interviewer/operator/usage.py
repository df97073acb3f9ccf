"""Model usage summed up for the operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.interviews import usage_queries as queries
from interviewer.interviews.usage_queries import By, Sum

__all__ = ["By", "Line", "Prices", "Spending"]

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices per million tokens in USD, None if unknown. Without its own price, cached input costs as much as other input."""

    input: Decimal | None = None
    cached: Decimal | None = None
    output: Decimal | None = None

    def cost(self, prompt: int, cached: int, completion: int) -> Decimal | None:
        """Return the cost in USD, where `cached` is part of `prompt`; None while a price is missing."""
        if self.input is None or self.output is None:
            return None
        of_cached = self.input if self.cached is None else self.cached
        return ((prompt - cached) * self.input + cached * of_cached + completion * self.output) / MILLION


@dataclass(frozen=True, slots=True)
class Line:
    """A sum of calls with its cost in USD, or None if unknown."""

    sum: Sum
    cost: Decimal | None


class Spending:
    """Model usage and costs."""

    def __init__(self, database: Database, prices: Prices) -> None:
        self._database = database
        self._prices = prices

    async def lines(self, days: int, by: By, limit: int) -> list[Line]:
        """Return usage of the last `days`: UTC days newest first, anything else by most tokens."""
        async with self._database.transaction() as session:
            found = await queries.sums(session, utcnow() - timedelta(days=days), by, limit)
        return [Line(one, self._cost(one)) for one in found]

    async def total(self, days: int) -> Line:
        """Return the total usage of the last `days`."""
        async with self._database.transaction() as session:
            found = await queries.total(session, utcnow() - timedelta(days=days))
        return Line(found, self._cost(found))

    def _cost(self, one: Sum) -> Decimal | None:
        """Return the cost, or None if no call reported its tokens."""
        if not one.prompt + one.completion and one.uncounted:
            return None
        return self._prices.cost(one.prompt, one.cached, one.completion)
