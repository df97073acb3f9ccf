"""`interviewer usage`: what the interviewer's model was asked for, and what that took."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

import typer

from interviewer.cli.opening import operate
from interviewer.cli.printing import say, table
from interviewer.services.usage import By, Line
from interviewer.wiring import Services

NOBODY = {By.USER: "(deleted or nobody)", By.INTERVIEW: "(deleted or none)"}
UNKNOWN = "-"


def usage(
    days: Annotated[int, typer.Option(min=1, max=3660, help="How many days back.")] = 30,
    by: Annotated[By, typer.Option(help="What the calls are summed up by.")] = By.DAY,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many lines at most.")] = 50,
) -> None:
    """Print what the model was asked for, the tokens that took and what they cost at today's prices.

    Days are in UTC. Prices come from OPENAI_PRICE_INPUT, _CACHED and _OUTPUT; without them no cost is known. It leaves out calls
    whose tokens the model's server did not tell, which are counted as "uncounted".
    """

    async def work(services: Services) -> list[Line]:
        return await services.spending.lines(days, by, limit)

    found = operate(work)
    if not found:
        say("The model was not called.")
        return
    table(
        (by.value, "calls", "failed", "uncounted", "prompt", "cached", "completion", "cost (USD)", "median (ms)"),
        [_row(line, NOBODY.get(by, UNKNOWN)) for line in found],
    )
    say()
    say(_total(found))


def _row(line: Line, nobody: str) -> tuple[object, ...]:
    one = line.sum
    median = UNKNOWN if one.median is None else round(one.median)
    counts = (one.calls, one.failures, one.uncounted, one.prompt, one.cached, one.completion)
    return (one.label or nobody, *counts, _money(line.cost), median)


def _total(lines: Sequence[Line]) -> str:
    costs = [line.cost for line in lines if line.cost is not None]
    calls, tokens = sum(line.sum.calls for line in lines), sum(line.sum.prompt + line.sum.completion for line in lines)
    return f"In all: {calls} calls, {tokens} tokens, cost {_money(sum(costs, Decimal(0)) if costs else None)}."


def _money(cost: Decimal | None) -> str:
    return UNKNOWN if cost is None else f"{cost:.4f}"
