"""Handlers without a session: those for signed-in users redirect to the sign-in page or do nothing."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import reflex as rx
from reflex_base.registry import RegistrationContext

from interviewer import app as _app  # noqa: F401 - registers every state
from interviewer.errors import NotFound, Unauthorized
from interviewer.state.access import message_for_page, stay_silent, to_login, when_signed_out
from interviewer.state.bounds import EVENTS, SIGNED_IN
from interviewer.state.interview import InterviewState
from interviewer.wiring import Services
from tests.support.state_pages import OpenPage, Page

FOR_SIGNED_IN = [name for name, bounds in EVENTS.items() if bounds.who == SIGNED_IN]
# Without a session these do nothing: the page shows the start form, or its guard redirects it.
SILENT = {"load", "give_up", "show_more"}
ARGUMENTS = {"form": {}, "product": "pro", "tier": "pro", "interview_id": 1, "question_id": 1, "session_id": 1}


async def _called(open_page: OpenPage, name: str) -> tuple[Page | rx.State, Any]:
    """Call a handler on a page without a session. Return the page and the handler's result."""
    handler = RegistrationContext.get().event_handlers[name].handler
    assert handler.state is not None
    state = await open_page(handler.state, url="http://localhost/account")
    page = Page(state) if handler.is_background else state
    if handler.state is InterviewState:
        state.phase = "start" if name.endswith(".start") else "live"
    names = list(inspect.signature(handler.fn).parameters)[1:]
    return page, await handler.fn(page, *(ARGUMENTS[one] for one in names))


@pytest.mark.parametrize("name", FOR_SIGNED_IN)
async def test_handlers_redirect_signed_out_pages_to_sign_in(open_page: OpenPage, services: Services, name: str) -> None:
    page, outcome = await _called(open_page, name)
    if name.rpartition(".")[2] in SILENT:
        assert outcome is None
    else:
        assert "/login?next=/account" in str(outcome)
    shown = {var: getattr(page, var) for var in page.base_vars}
    assert Unauthorized.user_message not in shown.values()
    assert not any(shown.get(flag) for flag in ("busy", "sending", "hearing"))


class Guarded(rx.State):
    """Handlers of both kinds, with the guard below Reflex's decorator."""

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def rename(self, form: dict[str, Any], number: int = 3) -> str:
        """Return the arguments."""
        return f"{form} {number}"

    @rx.event
    @when_signed_out(stay_silent)
    async def fail(self) -> None:
        """Raise an error other than Unauthorized."""
        raise NotFound


async def test_guarded_handler_keeps_its_signature() -> None:
    rename, fail = Guarded.event_handlers["rename"], Guarded.event_handlers["fail"]
    assert (rename.is_background, fail.is_background) == (True, False)
    assert list(rename.get_parameters()) == ["self", "form", "number"]
    assert rename._get_type_hints() == {"form": dict[str, Any], "number": int, "return": str}
    assert await rename.fn(None, {}, number=4) == "{} 4"


async def test_other_errors_pass_the_guard() -> None:
    with pytest.raises(NotFound):
        await Guarded.event_handlers["fail"].fn(None)


def test_words_of_reraises_unauthorized() -> None:
    assert message_for_page(NotFound("No such interview")) == "No such interview"
    with pytest.raises(Unauthorized):
        message_for_page(Unauthorized())
