"""Model usage and its cost, for the operator."""

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
    """Prices in USD per million tokens. A price is None if it is unknown.

    If only `cached` is None, cached input is charged like other input.
    """

    input: Decimal | None = None
    cached: Decimal | None = None
    output: Decimal | None = None

    def cost(self, prompt: int, cached: int, completion: int) -> Decimal | None:
        """Return the cost in USD of these numbers of tokens. `cached` is the part of `prompt` that was cached.

        Returns None if the input or output price is unknown.
        """
        if self.input is None or self.output is None:
            return None
        of_cached = self.input if self.cached is None else self.cached
        return ((prompt - cached) * self.input + cached * of_cached + completion * self.output) / MILLION


@dataclass(frozen=True, slots=True)
class Line:
    """The totals of a group of model calls, and their cost in USD. `cost` is None if it is unknown."""

    sum: Sum
    cost: Decimal | None


class Spending:
    """Model usage and its cost."""

    def __init__(self, database: Database, prices: Prices) -> None:
        self._database = database
        self._prices = prices

    async def lines(self, days: int, by: By, limit: int) -> list[Line]:
        """Return up to `limit` lines of usage of the last `days` days.

        With By.DAY, each line is a UTC day, newest first. Otherwise, the lines with the most tokens come first.
        """
        async with self._database.transaction() as session:
            found = await queries.sums(session, utcnow() - timedelta(days=days), by, limit)
        return [Line(one, self._cost(one)) for one in found]

    async def total(self, days: int) -> Line:
        """Return the total usage of the last `days` days."""
        async with self._database.transaction() as session:
            found = await queries.total(session, utcnow() - timedelta(days=days))
        return Line(found, self._cost(found))

    def _cost(self, one: Sum) -> Decimal | None:
        """Return the cost in USD.

        Returns None if the prices are unknown, or if calls were made but none reported its token usage.
        """
        if not one.prompt + one.completion and one.uncounted:
            return None
        return self._prices.cost(one.prompt, one.cached, one.completion)
