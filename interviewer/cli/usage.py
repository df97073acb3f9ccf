"""`interviewer usage`: calls to the language model and their cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import typer

from interviewer.cli.opening import operate
from interviewer.cli.printing import say, say_if_truncated, table
from interviewer.operator.usage import By, Line
from interviewer.wiring import Services
from interviewer.wording import counted

NO_OWNER = {By.USER: "(deleted or no user)", By.INTERVIEW: "(deleted or none)"}
UNKNOWN = "-"


def usage(
    days: Annotated[int, typer.Option(min=1, max=3660, help="Number of days to look back.")] = 30,
    by: Annotated[By, typer.Option(help="What to group the calls by.")] = By.DAY,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of lines to show.")] = 50,
) -> None:
    """Print model calls, their tokens, and their cost at the configured prices.

    Days are in UTC. Prices come from OPENAI_PRICE_INPUT, _CACHED, and _OUTPUT; without an input and an output price, no cost is
    shown. Calls for which the model server reported no token usage are listed under "uncounted" and are not included in the cost.
    """

    async def work(services: Services) -> tuple[list[Line], Line]:
        return await services.spending.lines(days, by, limit + 1), await services.spending.total(days)

    found, total = operate(work)
    if not found:
        say("There were no model calls in this period.")
        return
    table(
        (by.value, "calls", "failed", "uncounted", "prompt", "cached", "completion", "cost (USD)", "median (ms)"),
        [_row(line, NO_OWNER.get(by, UNKNOWN)) for line in found[:limit]],
    )
    say_if_truncated(found, limit)
    say()
    say(_total(total))


def _row(line: Line, no_owner: str) -> tuple[object, ...]:
    one = line.sum
    median = UNKNOWN if one.median is None else round(one.median)
    counts = (one.calls, one.failures, one.uncounted, one.prompt, one.cached, one.completion)
    return (one.label or no_owner, *counts, _money(line.cost), median)


def _total(total: Line) -> str:
    tokens = total.sum.prompt + total.sum.completion
    return f"Total: {counted(total.sum.calls, 'call')}, {counted(tokens, 'token')}, cost {_money(total.cost)}."


def _money(cost: Decimal | None) -> str:
    return UNKNOWN if cost is None else f"{cost:.4f}"
