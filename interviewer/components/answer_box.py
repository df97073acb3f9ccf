"""The box in which a question is answered, in an interview and in practice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import reflex as rx

from interviewer.components.forms import FIELD, QUIET

# Ctrl+Enter, or Command+Enter, sends the form that the box belongs to.
_SEND_KEY = rx.Var(
    "(event) => { if ((event.ctrlKey || event.metaKey) && event.key === 'Enter') "
    "{ event.preventDefault(); event.currentTarget.form.requestSubmit(); } }"
)


def answer_box(
    *,
    code_mode: Any,
    toggle: Any,
    key: Any,
    draft: Any,
    hidden: Mapping[str, Any],
    space: str,
) -> rx.Component:
    """Return the label, the way between prose and code, and the box.

    All but `space`, a class, are variables of a state or made of them: another `key` makes a new box; what is typed is kept in the browser under `draft`; `hidden` goes with the form unseen.
    """
    return rx.fragment(
        rx.el.div(
            rx.el.label("Your answer", html_for="answer", class_name="font-medium"),
            rx.el.button(
                rx.cond(code_mode, "Write as text", "Write as code"),
                type="button",
                on_click=toggle,
                class_name=f"{QUIET} text-sm",
            ),
            class_name=f"{space} flex items-center justify-between",
        ),
        *[rx.el.input(type="hidden", name=name, value=value, read_only=True) for name, value in hidden.items()],
        rx.el.textarea(
            id="answer",
            name="answer",
            key=key,
            placeholder=rx.cond(
                code_mode,
                "Code first; complexity and edge cases in a comment.",
                "Say it as you would in the room.",
            ),
            rows="10",
            spell_check=~code_mode,
            aria_describedby="answer-hint",
            custom_attrs={"onKeyDown": _SEND_KEY, "data-draft": draft},
            class_name=rx.cond(code_mode, f"{FIELD} resize-y font-mono text-sm", f"{FIELD} resize-y"),
        ),
    )
