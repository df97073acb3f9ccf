"""`interviewer billing`: compare stored purchases with the payment service."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from interviewer.billing.reconcile import Finding
from interviewer.cli.opening import operate
from interviewer.cli.printing import say
from interviewer.errors import PaymentsUnavailable, Unavailable

if TYPE_CHECKING:
    from interviewer.wiring import Services

app = typer.Typer(help="Compare stored purchases with the payment service.", no_args_is_help=True)

WORDS = {Finding.REPAIRED: "repaired", Finding.OPEN: "review", Finding.FAILED: "FAILED"}


@app.callback()
def main() -> None:
    """Compare stored purchases with the payment service."""


@app.command()
def reconcile(*, dry_run: Annotated[bool, typer.Option("--dry-run", help="Report only; save nothing.")] = False) -> None:
    """Fetch subscriptions, orders, and invoices from the payment service, and apply what lost webhooks would have changed.

    Exits with status 1 if a record could not be applied.
    """

    async def work(services: Services) -> Counter[Finding]:
        if gaps := services.settings.payment_gaps:
            raise Unavailable(f"Payments are not configured. Set {', '.join(gaps)}.")
        found: Counter[Finding] = Counter()
        try:
            async for repair in services.reconciliation.run(dry_run=dry_run):
                found[repair.finding] += 1
                say(f"{WORDS[repair.finding]:<9} {repair.record}: {repair.change}")
        except PaymentsUnavailable as error:
            kept = "nothing was saved" if dry_run else "the records it returned were applied"
            raise PaymentsUnavailable(
                f"The payment service returned only part of its records; {kept}. Run this again later."
            ) from error
        return found

    found = operate(work)
    say(_summary(found, dry_run))
    if found[Finding.FAILED]:
        raise typer.Exit(1)


def _summary(found: Counter[Finding], dry_run: bool) -> str:
    parts = [f"{found[Finding.REPAIRED]} repaired" if found[Finding.REPAIRED] else "Nothing to repair"]
    parts += [f"{found[Finding.OPEN]} to review"] if found[Finding.OPEN] else []
    parts += [f"{found[Finding.FAILED]} failed"] if found[Finding.FAILED] else []
    return ", ".join(parts) + (". This was a dry run: nothing was saved." if dry_run else ".")
