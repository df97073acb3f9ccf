"""`interviewer users`: manage accounts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from interviewer.cli.opening import operate
from interviewer.cli.printing import say, say_if_cut, table
from interviewer.core.users import normalised_email
from interviewer.errors import BadRequest, PaymentsUnavailable, SubscriptionNotCancelled
from interviewer.operator.users import MOST_CREDITS, AccountLine, Grant
from interviewer.wording import timestamp

if TYPE_CHECKING:
    from interviewer.wiring import Services

app = typer.Typer(help="Look at accounts, grant credits, delete.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The account's e-mail address.")]


@app.command("list")
def list_accounts(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    search: Annotated[str, typer.Option(help="Only those whose address or name holds these words.")] = "",
) -> None:
    """List accounts, newest first."""

    async def work(services: Services) -> list[AccountLine]:
        return await services.operations.accounts(search, limit + 1)

    found = operate(work)
    if not found:
        say("No account matches." if search else "There is no account yet.")
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
    table(("id", "e-mail", "name", "individual", "subscription", "plan", "created (UTC)"), rows)
    say_if_cut(found, limit)


@app.command()
def grant(
    email: Email,
    credits: Annotated[int, typer.Argument(help=f"Individual credits, 1 to {MOST_CREDITS}.")],
    reason: Annotated[str, typer.Option(help="What the user's statement says.")] = "Credits granted",
    key: Annotated[str, typer.Option(help="A word of your own: the same grant with it again changes nothing.")] = "",
) -> None:
    """Grant individual credits to an account."""

    async def work(services: Services) -> Grant:
        return await services.operations.grant(email, credits, reason, key)

    done = operate(work)
    owed = f", {done.debt} owed" if done.debt else ""
    if done.repeated:
        say(f"This was granted before, with the key {key}: nothing has changed. {done.email} has {done.balance}{owed}.")
    else:
        say(f"{done.email} got {done.credits} and has {done.balance} individual credits now{owed}.")


@app.command()
def delete(
    email: Email, yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the address to be typed again.")] = False
) -> None:
    """Delete an account and all its data, after canceling its subscription."""

    async def work(services: Services) -> str:
        address = normalised_email(email)
        user_id = await services.operations.user_id(address)
        if not yes:
            typed = typer.prompt(f"This cannot be undone. Type {address} to delete the account")
            if typed.strip().lower() != address:
                raise BadRequest("That is another address: nothing was deleted.")
        try:
            await services.personal.erase(user_id, address)
        except SubscriptionNotCancelled as error:
            words = f"The subscription of {address} could not be cancelled, so nothing was deleted: it would go on being charged."
            raise PaymentsUnavailable(words) from error
        return address

    say(f"The account of {operate(work)} is deleted.")


@app.command()
def export(email: Email) -> None:
    """Print all stored data of an account as JSON."""

    async def work(services: Services) -> str:
        document = await services.personal.export(await services.operations.user_id(email))
        return json.dumps(document, indent=2).replace("\x7f", "\\u007f")

    typer.echo(operate(work))


def _credits(balance: int, debt: int) -> str:
    return f"{balance} (owes {debt})" if debt else str(balance)
