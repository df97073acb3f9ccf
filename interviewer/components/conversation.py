"""The transcript of what was said about a question."""

from __future__ import annotations

import reflex as rx

from interviewer.components.prose import prose
from interviewer.components.verdict import piece
from interviewer.state.models import SaidItem, TurnItem

_BOX = "rounded-md bg-code px-4 py-3"
_CODE = "overflow-x-auto whitespace-pre-wrap break-words font-mono text-sm"


def conversation(turn: rx.Var[TurnItem]) -> rx.Component:
    """Return the messages about a question in order: the interviewer's as text, the candidate's in boxes."""
    return rx.el.ol(rx.foreach(turn.said, _message), class_name="conversation space-y-4")


def _message(said: rx.Var[SaidItem]) -> rx.Component:
    return rx.el.li(
        rx.el.p(said.label, class_name="mb-1 text-sm font-medium text-muted"),
        rx.cond(
            said.author == "interviewer",
            prose(said.prose, class_name="font-serif text-lg leading-snug"),
            rx.cond(
                said.pieces.length() > 0,
                rx.el.p(
                    rx.foreach(said.pieces, piece),
                    class_name=rx.cond(said.is_code, f"{_BOX} {_CODE}", f"{_BOX} whitespace-pre-line break-words"),
                ),
            ),
        ),
    )
