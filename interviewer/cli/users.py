"""`interviewer users`: manage accounts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from interviewer.cli.opening import operate
from interviewer.cli.printing import say, say_if_truncated, table
from interviewer.core.users import normalized_email
from interviewer.errors import BadRequest, PaymentsUnavailable, SubscriptionNotCancelled
from interviewer.operator.users import MOST_CREDITS, AccountLine, Grant
from interviewer.wording import counted, timestamp

if TYPE_CHECKING:
    from interviewer.wiring import Services

app = typer.Typer(help="List, export and delete accounts, and grant credits.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The account's email address.")]


@app.command("list")
def list_accounts(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number to show.")] = 50,
    search: Annotated[str, typer.Option(help="Only accounts whose email address or name contains this text.")] = "",
) -> None:
    """List accounts, newest first."""

    async def work(services: Services) -> list[AccountLine]:
        return await services.operations.accounts(search, limit + 1)

    found = operate(work)
    if not found:
        say("No accounts match." if search else "There are no accounts yet.")
        return
    rows = [
        (
            one.id,
            one.email,
            one.name,
            _credits(one.individual, one.individual_debt),
            _credits(one.subscription, one.subscription_debt),
            one.plan_status,
            timestamp(one.created_at),
        )
        for one in found[:limit]
    ]
    table(("id", "email", "name", "individual", "subscription", "plan", "created (UTC)"), rows)
    say_if_truncated(found, limit)


@app.command()
def grant(
    email: Email,
    credits: Annotated[int, typer.Argument(help=f"Number of individual credits, 1 to {MOST_CREDITS}.")],
    reason: Annotated[str, typer.Option(help="Reason shown on the user's statement.")] = "Credits granted",
    key: Annotated[str, typer.Option(help="A key of your choice. Repeating the grant with the same key changes nothing.")] = "",
) -> None:
    """Grant individual credits to an account."""

    async def work(services: Services) -> Grant:
        return await services.operations.grant(email, credits, reason, key)

    done = operate(work)
    balance, owed = counted(done.balance, "individual credit"), f" and owes {done.debt}" if done.debt else ""
    if done.repeated:
        say(f"Already granted with the key {key}; nothing changed. {done.email} has {balance}{owed}.")
    else:
        say(f"Granted {counted(done.credits, 'credit')} to {done.email}, who now has {balance}{owed}.")


@app.command()
def delete(
    email: Email, yes: Annotated[bool, typer.Option("--yes", help="Delete without asking for confirmation.")] = False
) -> None:
    """Delete an account and all its data, after canceling its subscription."""

    async def work(services: Services) -> str:
        address = normalized_email(email)
        user_id = await services.operations.user_id(address)
        if not yes:
            typed = typer.prompt(f"This cannot be undone. Type {address} to delete the account")
            if typed.strip().lower() != address:
                raise BadRequest("That is a different address. Nothing was deleted.")
        try:
            await services.personal.erase(user_id, address)
        except SubscriptionNotCancelled as error:
            message = (
                f"The subscription of {address} could not be canceled, so nothing was deleted: it would still be charged. "
                "Try again later."
            )
            raise PaymentsUnavailable(message) from error
        return address

    say(f"The account of {operate(work)} was deleted.")


@app.command()
def export(email: Email) -> None:
    """Print all stored data of an account as JSON."""

    async def work(services: Services) -> str:
        document = await services.personal.export(await services.operations.user_id(email))
        return json.dumps(document, indent=2).replace("\x7f", "\\u007f")

    typer.echo(operate(work))


def _credits(balance: int, debt: int) -> str:
    return f"{balance} (owes {debt})" if debt else str(balance)
