"""The `interviewer` command."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

# The module and the function or Typer app of each command.
COMMANDS = {
    "run": "running:run",
    "migrate": "running:migrate",
    "doctor": "doctor:doctor",
    "usage": "usage:usage",
    "eval": "evaluating:evaluate",
    "users": "users:app",
    "webhooks": "deliveries:app",
    "billing": "billing:app",
    "bank": "bank:app",
}


class _Lazy(TyperGroup):
    """A command group that imports a command's module on first use, because importing all of them takes seconds."""

    # Typer does not export the type of the context.
    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        found = getattr(import_module(f"{__name__}.{module}"), attribute)
        only = typer.Typer(callback=main)
        if isinstance(found, typer.Typer):
            only.add_typer(found, name=cmd_name)
        else:
            only.command(cmd_name)(found)
        group = get_command(only)
        assert isinstance(group, TyperGroup)
        return group.commands[cmd_name]


def main() -> None:
    """Practice backend interviews."""


app = typer.Typer(cls=_Lazy, callback=main, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
