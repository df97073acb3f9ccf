"""The keyboard shortcuts of the interview page, and the dialog that lists them.

`assets/room.js` handles both in the browser.
"""

from __future__ import annotations

from typing import NamedTuple

import reflex as rx

from interviewer.components.forms import QUIET, SECONDARY
from interviewer.components.icons import icon


class Key(NamedTuple):
    """A shortcut and its action. `needs` names the browser feature that the shortcut requires, if any."""

    key: str
    label: str
    needs: str = ""


SINGLE = (
    Key("a", "Go to the answer box"),
    Key("r", "Read the question aloud, or stop", "speaks"),
    Key("d", "Start or stop dictation", "hears"),
    Key("m", "Open or close the model answer"),
    Key("p", "Pause the interview"),
    Key("?", "Show these shortcuts"),
)
_ROW = "flex items-center justify-between gap-6 py-2"
_KEY = "min-w-8 rounded border border-line bg-paper px-2 py-0.5 text-center font-mono text-sm"


def shortcuts_button() -> rx.Component:
    """Return the button that opens the dialog of shortcuts. The button is hidden on touch screens."""
    return rx.el.button(
        icon("keyboard"),
        rx.el.span("Shortcuts", class_name="max-sm:sr-only"),
        type="button",
        custom_attrs={"data-opens": "keys"},
        class_name=f"{QUIET} pointer-coarse:hidden",
    )


def shortcuts_dialog() -> rx.Component:
    """Return the dialog of shortcuts. The browser traps the focus in it and closes it on Escape."""
    return rx.el.dialog(
        rx.el.h2("Keyboard shortcuts", id="keys-title", class_name="mb-3 font-serif text-xl font-bold"),
        rx.el.dl(
            _row("Send the answer", "Ctrl + Enter"),
            *[_row(one.label, one.key, one.needs) for one in SINGLE],
            _row("Close this list", "Esc"),
            class_name="divide-y divide-line",
        ),
        rx.el.p("Single-key shortcuts work when you're not typing in a field.", class_name="mt-3 text-sm text-muted"),
        rx.el.label(
            rx.el.input(type="checkbox", custom_attrs={"data-keys-switch": ""}, class_name="size-5 accent-accent"),
            "Use single-key shortcuts",
            class_name="mt-2 flex min-h-11 cursor-pointer items-center gap-3",
        ),
        rx.el.button("Close", type="button", custom_attrs={"data-closes": "keys"}, class_name=f"{SECONDARY} mt-3 w-full"),
        id="keys",
        aria_labelledby="keys-title",
        class_name="m-auto w-full max-w-md rounded-lg border border-line bg-sheet p-5 text-ink backdrop:bg-black/50 sm:p-7",
    )


def _row(label: str, key: str, needs: str = "") -> rx.Component:
    return rx.el.div(
        rx.el.dt(label),
        rx.el.dd(rx.el.kbd(key, class_name=_KEY)),
        class_name=_ROW,
        custom_attrs={"data-needs": needs} if needs else {},
    )
