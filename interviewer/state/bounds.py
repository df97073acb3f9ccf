"""The events that a page may send over its websocket, and bounds on their arguments.

Reflex lets anyone call every public method of every state with any arguments. `EventGate` passes only what is declared here, so a
handler that only the server chains, or that is not declared, cannot be called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import reflex as rx
from reflex.state import FrontendEventExceptionState, OnLoadInternalState

from interviewer.core.ids import MAX_ID
from interviewer.core.rate_limits import Action
from interviewer.state.account import ResetPasswordState, ResetRequestState, SignupState
from interviewer.state.appeal import AppealState
from interviewer.state.billing import BillingState
from interviewer.state.dashboard import DashboardState
from interviewer.state.interview import InterviewState
from interviewer.state.notices import NoticeState
from interviewer.state.practice import PracticeState
from interviewer.state.profile import ProfileState
from interviewer.state.sharing import ShareState

ANYONE, SIGNED_IN = "anyone", "signed in"
# The wire form of a form's fields: a list of [name, value] under this key (Reflex's FORM_DATA_ENTRIES_KEY).
ENTRIES = "__reflex_form_data__"
MOST_FIELDS, LONGEST_NAME = 60, 100


@dataclass(frozen=True, slots=True)
class Text:
    """Text of at most `longest` characters; longer text is refused, or cut if it is only logged."""

    longest: int
    cut: bool = False

    def taken(self, value: object) -> object:
        """Return the value to pass on; raise TooLong or ValueError."""
        if not isinstance(value, str):
            raise ValueError("not a text")
        if len(value) > self.longest and not self.cut:
            raise TooLong
        return value[: self.longest]

    def __str__(self) -> str:
        return f"text of {self.longest:,} characters" + (", cut" if self.cut else "")


@dataclass(frozen=True, slots=True)
class Id:
    """An integer that fits a column of ids."""

    def taken(self, value: object) -> object:
        """Return the value to pass on; raise ValueError."""
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < MAX_ID:
            raise ValueError("not an id")
        return value

    def __str__(self) -> str:
        return "id"


@dataclass(frozen=True, slots=True)
class Form:
    """A form's text fields, of at most `longest` characters in total."""

    longest: int

    def taken(self, value: object) -> object:
        """Return the fields to pass on, the last value of each name; raise TooLong or ValueError."""
        if not isinstance(value, dict):
            raise ValueError("not a form")
        entries = value[ENTRIES] if set(value) == {ENTRIES} else [[name, words] for name, words in value.items()]
        if not isinstance(entries, list) or len(entries) > MOST_FIELDS:
            raise ValueError("not a form")
        fields: dict[str, str] = {}
        for entry in entries:
            if not isinstance(entry, list) or len(entry) != 2 or not all(isinstance(part, str) for part in entry):
                raise ValueError("not a form")
            fields[entry[0]] = entry[1]
        if any(len(name) > LONGEST_NAME for name in fields):
            raise ValueError("not a form")
        if sum(map(len, fields.values())) > self.longest:
            raise TooLong
        return fields

    def __str__(self) -> str:
        return f"form of {MOST_FIELDS} fields and {self.longest:,} characters"


@dataclass(frozen=True, slots=True)
class Hashes:
    """The hashes of the states that a page holds, sent with Reflex's first event; at most `most`."""

    most: int

    def taken(self, value: object) -> object:
        """Return the value to pass on; raise ValueError."""
        if value is None:
            return None
        if not isinstance(value, list) or len(value) > self.most:
            raise ValueError("not hashes")
        if not all(isinstance(one, str) and len(one) <= LONGEST_NAME for one in value):
            raise ValueError("not hashes")
        return value

    def __str__(self) -> str:
        return f"{self.most} hashes"


@dataclass(frozen=True, slots=True)
class Nothing:
    """An argument of Reflex that this site does not use: any value is dropped."""

    def taken(self, value: object) -> object:  # noqa: ARG002
        """Return None."""
        return None

    def __str__(self) -> str:
        return "left out"


class TooLong(ValueError):
    """Text longer than a handler takes; the user sees a notice."""


Argument = Text | Id | Form | Hashes | Nothing


@dataclass(frozen=True, slots=True)
class Bounds:
    """Who may send an event, its arguments, the rate limit of its service, and how often one websocket may send it."""

    who: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    limit: Action | None = None
    times: int | None = None
    optional: bool = False

    def taken(self, payload: object) -> dict[str, object]:
        """Return the arguments to pass on; raise TooLong, or ValueError for undeclared or missing ones."""
        given = {} if payload is None else payload
        if not isinstance(given, dict) or not set(given) <= set(self.arguments):
            raise ValueError("other arguments")
        if not self.optional and set(given) != set(self.arguments):
            raise ValueError("missing arguments")
        taken = {name: self.arguments[name].taken(value) for name, value in given.items()}
        return {name: value for name, value in taken.items() if value is not None}


# Services refuse long texts with a sentence. These limits are higher, beyond what a user types.
_SHORT, _LONG = Form(5_000), Form(200_000)


def full_name(state: type[rx.State], handler: str) -> str:
    """Return the name of a handler on the wire; raise KeyError if the state has no such handler."""
    if handler not in state.event_handlers:
        raise KeyError(f"{state.__name__} has no handler {handler}")
    return f"{state.get_full_name()}.{handler}"


BOOT = full_name(rx.State, "hydrate_and_load")
EVENTS: Mapping[str, Bounds] = {
    full_name(state, handler): bounds
    for (state, handler), bounds in {
        # Of Reflex: the first event of a connection, navigation to a page, and an error in a page's script.
        (rx.State, "hydrate_and_load"): Bounds(ANYONE, {"vars": Nothing(), "hashes": Hashes(200)}, optional=True),
        (OnLoadInternalState, "on_load_internal"): Bounds(ANYONE),
        (FrontendEventExceptionState, "handle_frontend_exception"): Bounds(
            ANYONE, {"info": Text(500, cut=True), "component_stack": Text(500, cut=True)}, times=5
        ),
        (NoticeState, "close"): Bounds(ANYONE),
        (SignupState, "submit"): Bounds(ANYONE, {"form": _SHORT}, Action.SIGN_UP),
        (ResetRequestState, "submit"): Bounds(ANYONE, {"form": _SHORT}, Action.RESET),
        (ResetPasswordState, "submit"): Bounds(ANYONE, {"form": _SHORT}, Action.USE_LINK),
        (DashboardState, "show_more"): Bounds(SIGNED_IN),
        (BillingState, "show_all_lines"): Bounds(SIGNED_IN),
        (BillingState, "buy"): Bounds(SIGNED_IN, {"product": Text(20)}, Action.CHECKOUT),
        (BillingState, "change_plan"): Bounds(SIGNED_IN, {"tier": Text(20)}, Action.PAYMENT),
        (BillingState, "cancel"): Bounds(SIGNED_IN, limit=Action.PAYMENT),
        (BillingState, "resume"): Bounds(SIGNED_IN, limit=Action.PAYMENT),
        (BillingState, "change_card"): Bounds(SIGNED_IN, limit=Action.PAYMENT),
        (InterviewState, "load"): Bounds(SIGNED_IN),
        (InterviewState, "start"): Bounds(SIGNED_IN, {"form": _LONG}, Action.START),
        (InterviewState, "submit_answer"): Bounds(SIGNED_IN, {"form": _LONG}, Action.ANSWER),
        (InterviewState, "skip"): Bounds(SIGNED_IN, {"interview_id": Id(), "question_id": Id()}),
        (InterviewState, "give_up"): Bounds(SIGNED_IN),
        (InterviewState, "retry"): Bounds(SIGNED_IN, limit=Action.ANSWER),
        (InterviewState, "score_missing"): Bounds(SIGNED_IN),
        (InterviewState, "pause"): Bounds(SIGNED_IN),
        (InterviewState, "resume"): Bounds(SIGNED_IN),
        (InterviewState, "start_another"): Bounds(ANYONE),
        (InterviewState, "use_sample"): Bounds(ANYONE, {"key": Text(40)}),
        (InterviewState, "toggle_code"): Bounds(ANYONE),
        (AppealState, "ask"): Bounds(SIGNED_IN, {"question_id": Id()}, Action.ANSWER),
        (PracticeState, "submit"): Bounds(SIGNED_IN, {"form": _LONG}, Action.ANSWER),
        (PracticeState, "toggle_code"): Bounds(ANYONE),
        (ProfileState, "rename"): Bounds(SIGNED_IN, {"form": _SHORT}),
        (ProfileState, "end_session"): Bounds(SIGNED_IN, {"session_id": Id()}),
        (ProfileState, "disconnect_github"): Bounds(SIGNED_IN),
        (ProfileState, "erase"): Bounds(SIGNED_IN, {"form": _SHORT}),
        (ShareState, "toggle"): Bounds(ANYONE),
        (ShareState, "share"): Bounds(SIGNED_IN),
        (ShareState, "stop"): Bounds(SIGNED_IN),
    }.items()
}
# Names of handlers that only the server chains, in any state: those that load a page, and those that Reflex gives every state.
# Declare a new handler in the table above, or here.
ONLY_CHAINED = frozenset(
    {"load", "load_report", "require", "watch", "hydrate", "set_is_hydrated", "setvar", "update_vars_internal"}
)
