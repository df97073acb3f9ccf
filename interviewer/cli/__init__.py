"""The `interviewer` command."""

from __future__ import annotations

import typer

from interviewer.cli import bank, billing, deliveries, doctor, evaluating, running, usage, users

app = typer.Typer(help="Practise backend interviews.", no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


@app.callback()
def main() -> None:
    """Practice backend interviews."""


app.command()(running.run)
app.command()(running.migrate)
app.command()(doctor.doctor)
app.command()(usage.usage)
app.command("eval")(evaluating.evaluate)
app.add_typer(users.app, name="users")
app.add_typer(deliveries.app, name="webhooks")
app.add_typer(billing.app, name="billing")
app.add_typer(bank.app, name="bank")
