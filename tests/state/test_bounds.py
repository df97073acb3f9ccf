"""Every event handler has declared bounds, and the page of documentation that lists them is what the code says."""

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
    """Return the arguments of every handler that Reflex would let anyone call; states that tests make are not of the site."""
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
    # Of Reflex's own, for variables in the browser's storage, of which there are none.
    unused = {name for name in sent if name.endswith(".update_vars_internal")}
    assert sent - unused == set(EVENTS)


def test_page_of_bounds_is_up_to_date() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page(), (
        "docs/bounds.md is out of date; run .venv/bin/python -m tests.support.bounds"
    )
