"""The answer box, used in interviews and in practice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import reflex as rx

from interviewer.components.code_box import code_box
from interviewer.components.forms import FIELD, QUIET

# Ctrl+Enter or Command+Enter submits the box's form.
_SEND_KEY = rx.Var(
    "(event) => { if ((event.ctrlKey || event.metaKey) && event.key === 'Enter') "
    "{ event.preventDefault(); event.currentTarget.form.requestSubmit(); } }"
)

_CODE_FIRST = "Start with the code. Put complexity and edge cases in a comment."
# The plain textarea, shown until the editor has loaded, or if it cannot load. It has the editor's frame and height.
_PLAIN_CODE = (
    "block min-h-62 w-full resize-y bg-sheet px-3 py-2.5 font-mono text-sm text-ink placeholder:text-muted focus:outline-none"
)


def answer_box(
    *,
    code_mode: Any,
    toggle: Any,
    key: Any,
    draft: Any,
    hidden: Mapping[str, Any],
    space: str,
    language: Any = "",
    exercise: Any = "",
    label: Any = "Your answer",
    sent: Any = "",
) -> rx.Component:
    """Return the label, the toggle between text and code, the form's hidden fields, and the box.

    All arguments except `space`, a CSS class, are state vars or built from them. A new `key` creates a new box. The browser keeps
    unsent text under the name `draft`, unless it is the text in `sent`. `hidden` has the values of the hidden fields by name. The
    code editor starts in the language of `exercise`, which has the question's tests as JSON, else in `language`.
    If both are empty, it starts in the language that the user chose last. It adds the form fields `language` and `test_results`.
    """
    return rx.fragment(
        rx.el.div(
            rx.el.label(label, html_for="answer", id="answer-label", class_name="font-medium"),
            rx.el.button(
                rx.cond(code_mode, "Switch to text", "Switch to code"),
                type="button",
                on_click=toggle,
                class_name=f"{QUIET} text-sm",
            ),
            class_name=f"{space} flex items-center justify-between",
        ),
        *[rx.el.input(type="hidden", name=name, value=value, read_only=True) for name, value in hidden.items()],
        code_box(
            _text(code_mode, draft, sent),
            key=key,
            open=code_mode,
            language=language,
            exercise=exercise,
            label_id="answer-label",
            hint_ids="answer-hint code-hint",
            placeholder=_CODE_FIRST,
        ),
        rx.cond(code_mode, _hint(exercise)),
    )


def _text(code_mode: Any, draft: Any, sent: Any) -> rx.Component:
    """Return the textarea that the form submits. The code editor writes into it."""
    return rx.el.textarea(
        id="answer",
        name="answer",
        placeholder=rx.cond(code_mode, _CODE_FIRST, "Answer as you would in a real interview."),
        rows="10",
        spell_check=~code_mode,
        aria_describedby="answer-hint",
        custom_attrs={"onKeyDown": _SEND_KEY, "data-draft": draft, "data-sent": sent},
        class_name=rx.cond(code_mode, _PLAIN_CODE, f"{FIELD} resize-y"),
    )


def _hint(exercise: Any) -> rx.Component:
    return rx.el.p(
        "Tab indents. To leave the box, press Escape, then Tab. Python, JavaScript, TypeScript, and SQL run in your browser. ",
        rx.cond(
            exercise != "",
            "When you send your answer, this question's tests run first, and their results are sent with it.",
            "What you run is not sent to us.",
        ),
        id="code-hint",
        class_name="mt-2 text-sm text-muted",
    )
