"""The events that a page may send over its websocket, and the limits on their arguments.

Reflex lets anyone call every public method of every state with any arguments. `EventGate` passes on only what is declared here,
so a handler that is undeclared, or that only the server chains, cannot be called from a page.
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
# Forms arrive as a list of [name, value] pairs under this key (Reflex's FORM_DATA_ENTRIES_KEY).
ENTRIES = "__reflex_form_data__"
MAX_FIELDS, MAX_FIELD_NAME = 60, 100


@dataclass(frozen=True, slots=True)
class Text:
    """Text of at most `max_length` characters.

    If `cut`, longer text is truncated instead of refused. This is meant for text that is only logged.
    """

    max_length: int
    cut: bool = False

    def validate(self, value: object) -> object:
        """Return the text to pass on.

        Raises ValueError if it is not a string, and TooLong if it exceeds the limit and `cut` is false.
        """
        if not isinstance(value, str):
            raise ValueError("not a string")
        if len(value) > self.max_length and not self.cut:
            raise TooLong
        return value[: self.max_length]

    def __str__(self) -> str:
        return f"text of {self.max_length:,} characters" + (", cut" if self.cut else "")


@dataclass(frozen=True, slots=True)
class Id:
    """A valid database ID, or 0."""

    def validate(self, value: object) -> object:
        """Return the ID. Raises ValueError if it is neither a valid ID nor 0."""
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < MAX_ID:
            raise ValueError("not an ID")
        return value

    def __str__(self) -> str:
        return "id"


@dataclass(frozen=True, slots=True)
class Form:
    """A form's text fields, with at most `max_length` characters in all values together."""

    max_length: int

    def validate(self, value: object) -> object:
        """Return the values by field name. If a name is repeated, its last value is kept.

        Raises ValueError for a malformed form, too many fields, or a field name that is too long, and TooLong if the total length
        of the values exceeds `max_length`.
        """
        if not isinstance(value, dict):
            raise ValueError("not a form")
        entries = value[ENTRIES] if set(value) == {ENTRIES} else [[name, text] for name, text in value.items()]
        if not isinstance(entries, list) or len(entries) > MAX_FIELDS:
            raise ValueError("not a form")
        fields: dict[str, str] = {}
        for entry in entries:
            if not isinstance(entry, list) or len(entry) != 2 or not all(isinstance(part, str) for part in entry):
                raise ValueError("not a form")
            fields[entry[0]] = entry[1]
        if any(len(name) > MAX_FIELD_NAME for name in fields):
            raise ValueError("not a form")
        if sum(map(len, fields.values())) > self.max_length:
            raise TooLong
        return fields

    def __str__(self) -> str:
        return f"form with {MAX_FIELDS} fields and {self.max_length:,} characters"


@dataclass(frozen=True, slots=True)
class Hashes:
    """The hashes of a page's states, which Reflex's client sends with its first event. At most `most` are allowed."""

    most: int

    def validate(self, value: object) -> object:
        """Return the hashes, or None if there are none. Raises ValueError if they are malformed or too many."""
        if value is None:
            return None
        if not isinstance(value, list) or len(value) > self.most:
            raise ValueError("not a list of hashes")
        if not all(isinstance(one, str) and len(one) <= MAX_FIELD_NAME for one in value):
            raise ValueError("not a list of hashes")
        return value

    def __str__(self) -> str:
        return f"{self.most} hashes"


@dataclass(frozen=True, slots=True)
class Nothing:
    """An argument that Reflex's client sends but this site does not use. Any value is dropped."""

    def validate(self, value: object) -> object:  # noqa: ARG002
        """Return None."""
        return None

    def __str__(self) -> str:
        return "left out"


class TooLong(ValueError):
    """The text exceeds the handler's limit. The user sees a notice."""


Argument = Text | Id | Form | Hashes | Nothing


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of one event.

    `who` says who may send it (ANYONE or SIGNED_IN), which the handler checks. `arguments` are its parameters, and `optional`
    allows them to be missing. `limit` is the rate limit that its service applies. `times` is how often one websocket may send it
    (None: any number).
    """

    who: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    limit: Action | None = None
    times: int | None = None
    optional: bool = False

    def validate(self, payload: object) -> dict[str, object]:
        """Return the validated arguments, without those that are None.

        Raises TooLong for text over its limit, and ValueError for undeclared, missing, or invalid arguments.
        """
        given = {} if payload is None else payload
        if not isinstance(given, dict) or not set(given) <= set(self.arguments):
            raise ValueError("undeclared arguments")
        if not self.optional and set(given) != set(self.arguments):
            raise ValueError("missing arguments")
        valid = {name: self.arguments[name].validate(value) for name, value in given.items()}
        return {name: value for name, value in valid.items() if value is not None}


# The services reject text that is too long with a specific error message. These limits are higher, beyond what a user would type.
_SHORT, _LONG = Form(5_000), Form(200_000)


def full_name(state: type[rx.State], handler: str) -> str:
    """Return a handler's full event name. Raises KeyError if the state has no such handler."""
    if handler not in state.event_handlers:
        raise KeyError(f"{state.__name__} has no handler {handler}")
    return f"{state.get_full_name()}.{handler}"


BOOT = full_name(rx.State, "hydrate_and_load")
EVENTS: Mapping[str, Bounds] = {
    full_name(state, handler): bounds
    for (state, handler), bounds in {
        # Reflex's own events: the first one of a connection, a page load, and an error in a page's script.
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
        (InterviewState, "ask"): Bounds(SIGNED_IN, {"form": _LONG}, Action.ANSWER),
        (InterviewState, "get_hint"): Bounds(SIGNED_IN, {"interview_id": Id(), "question_id": Id()}),
        (InterviewState, "skip"): Bounds(SIGNED_IN, {"interview_id": Id(), "question_id": Id()}),
        (InterviewState, "give_up"): Bounds(SIGNED_IN),
        (InterviewState, "retry"): Bounds(SIGNED_IN, limit=Action.ANSWER),
        (InterviewState, "score_missing"): Bounds(SIGNED_IN),
        (InterviewState, "pause"): Bounds(SIGNED_IN),
        (InterviewState, "resume"): Bounds(SIGNED_IN),
        (InterviewState, "start_another"): Bounds(ANYONE),
        (InterviewState, "use_sample"): Bounds(ANYONE, {"key": Text(40)}),
        (InterviewState, "use_last_resume"): Bounds(SIGNED_IN),
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
# Handlers of any state that only the server chains: those that load a page, and those that Reflex adds to every state. Declare
# every new handler in EVENTS or here.
ONLY_CHAINED = frozenset(
    {"load", "load_report", "require", "watch", "hydrate", "set_is_hydrated", "setvar", "update_vars_internal"}
)
