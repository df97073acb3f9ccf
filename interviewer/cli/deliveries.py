"""`interviewer webhooks`: inspect and replay the payment service's webhook deliveries."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Annotated

import typer

from interviewer.billing.webhook_outcomes import OPEN
from interviewer.billing.webhooks import Delivery
from interviewer.cli.opening import operate
from interviewer.cli.printing import say, say_if_truncated, shown, table
from interviewer.errors import AppError, BadRequest
from interviewer.wording import timestamp

if TYPE_CHECKING:
    from interviewer.wiring import Services

app = typer.Typer(help="Inspect the payment service's deliveries, and apply them again.", no_args_is_help=True)

logger = logging.getLogger(__name__)

HEAD = ("id", "received (UTC)", "event", "subject", "outcome", "detail")


@app.command("list")
def list_deliveries(
    everything: Annotated[bool, typer.Option("--all", help="Include deliveries that need no attention.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number to show.")] = 50,
) -> None:
    """List the deliveries that need attention, newest first."""

    async def work(services: Services) -> list[Delivery]:
        return await services.webhooks.listed(everything=everything, limit=limit + 1)

    found = operate(work)
    if found:
        table(HEAD, [_row(one) for one in found[:limit]])
        say_if_truncated(found, limit)
    else:
        say("There are no deliveries yet." if everything else "No delivery needs attention.")


@app.command()
def show(id: Annotated[int, typer.Argument(help="The delivery's ID.")]) -> None:
    """Show one delivery with its body."""

    async def work(services: Services) -> Delivery:
        return await services.webhooks.show(id)

    one = operate(work)
    for name, value in zip(HEAD, _row(one), strict=True):
        say(f"{name:<15} {value}")
    say(f"{'user':<15} {one.user_id or '-'}")
    say()
    for line in _body(one.body):
        say(line)


@app.command()
def replay(
    ids: Annotated[list[int] | None, typer.Argument(help="IDs of the deliveries.")] = None,
    open: Annotated[bool, typer.Option("--open", help="All deliveries that need attention.")] = False,
) -> None:
    """Apply deliveries again in the order they arrived.

    Exits with status 1 if a delivery is unknown, cannot be applied, or still needs attention.
    """

    async def work(services: Services) -> list[tuple[int, Delivery | None, str]]:
        chosen = {*(ids or []), *(await services.operations.open_deliveries() if open else [])}
        if not chosen and not open:
            raise BadRequest("Give the IDs of deliveries, or use --open for all that need attention.")
        failures = {id: await _replayed(services, id) for id in sorted(chosen)}
        # Load the deliveries only after all replays, because a later delivery may have resolved an earlier one.
        return [(id, await _found(services, id), failure) for id, failure in failures.items()]

    replayed = operate(work)
    if not replayed:
        say("No delivery needs attention.")
    for id, one, failure in replayed:
        say(f"{id}: {one.outcome if one else 'unknown'}{_because(failure or (one.detail if one else ''))}")
    if any(one is None or failure or one.outcome in OPEN for _, one, failure in replayed):
        raise typer.Exit(1)


@app.command()
def assign(
    id: Annotated[int, typer.Argument(help="The delivery's ID.")],
    email: Annotated[str, typer.Argument(help="The account's email address.")],
) -> None:
    """Assign a delivery's purchase to an account, and apply everything that waited for its owner.

    Exits with status 1 if the delivery still needs attention.
    """

    async def work(services: Services) -> Delivery:
        return await services.webhooks.assign(id, await services.operations.user_id(email))

    one = operate(work)
    say(f"{one.id}: {one.outcome}{_because(one.detail)}, assigned to user {one.user_id}")
    if one.outcome in OPEN:
        raise typer.Exit(1)


async def _replayed(services: Services, id: int) -> str:
    """Replay a delivery. Returns "" if the replay ran, whatever its outcome; otherwise, returns the reason it failed.

    Lets only AppErrors with a status of 500 or above through, because they would affect every delivery.
    """
    try:
        await services.webhooks.replay(id)
    except AppError as error:
        if error.status >= 500:
            raise
        return error.user_message
    except Exception as error:  # a delivery that fails again must not block the others
        logger.exception("a delivery could not be replayed")
        return f"it failed again: {type(error).__name__}"
    return ""


async def _found(services: Services, id: int) -> Delivery | None:
    try:
        return await services.webhooks.show(id)
    except AppError as error:
        if error.status >= 500:
            raise
        return None


def _because(detail: str) -> str:
    return f" ({detail})" if detail else ""


def _row(one: Delivery) -> tuple[object, ...]:
    return one.id, timestamp(one.received_at), one.event, one.subject or "-", one.outcome.value, one.detail or "-"


def _body(raw: bytes) -> list[str]:
    """Return the lines of a webhook body, formatted if it is JSON, and as received otherwise.

    An erased body is replaced by a note.
    """
    if not raw:
        return ["The body was erased together with the account."]
    try:
        return json.dumps(json.loads(raw), indent=2, ensure_ascii=False).splitlines()
    except (ValueError, RecursionError):
        return ["The body is not JSON:", *(shown(line) for line in raw.decode("utf-8", "backslashreplace").split("\n"))]
