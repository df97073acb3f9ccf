"""Every event handler is declared with its bounds, and the generated documentation of the bounds is up to date."""

from __future__ import annotations

import inspect
import re

import pytest
from reflex_base.registry import RegistrationContext

from interviewer import app as _app  # noqa: F401 - registers every state
from interviewer.frontend import CLIENT
from interviewer.settings import ROOT
from interviewer.state.bounds import EVENTS, ONLY_CHAINED
from tests.support.bounds import PAGE, page

HOW = "Declare it in interviewer/state/bounds.py: in EVENTS with its bounds if pages send it, else in ONLY_CHAINED."


def handlers() -> dict[str, list[str]]:
    """Return the parameter names of each handler that any client can call, keyed by the handler's name.

    Handlers of states that tests define are left out.
    """
    found = RegistrationContext.get().event_handlers
    return {
        name: list(inspect.signature(one.handler.fn).parameters)[1:] for name, one in found.items() if ".tests___" not in name
    }


def test_every_handler_is_declared() -> None:
    undeclared = [name for name in handlers() if name not in EVENTS and name.rpartition(".")[2] not in ONLY_CHAINED]
    assert not undeclared, HOW


@pytest.mark.parametrize("name", EVENTS)
def test_every_argument_has_bounds(name: str) -> None:
    assert list(EVENTS[name].arguments) == handlers()[name], HOW


@pytest.mark.browser
def test_built_pages_send_declared_events_only(built: None) -> None:
    sent = {
        name
        for script in (CLIENT / "assets").glob("*.js")
        for name in re.findall(r"reflex___state____state[a-z_0-9]*(?:\.[a-z_0-9]+)*", script.read_text(encoding="utf-8"))
    } & set(handlers())
    # One of Reflex's own, for vars in browser storage, which this site does not use.
    unused = {name for name in sent if name.endswith(".update_vars_internal")}
    assert sent - unused == set(EVENTS)


def test_page_of_bounds_is_up_to_date() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page(), (
        "docs/bounds.md is out of date; run .venv/bin/python -m tests.support.bounds"
    )
