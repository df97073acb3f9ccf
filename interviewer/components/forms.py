"""Form parts: fields with errors, buttons, alerts, and a form that the browser submits natively."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.base import BaseHTML

from interviewer.components.icons import github_mark, icon

_BUTTON = (
    "inline-flex min-h-11 items-center justify-center gap-2 rounded-md px-5 py-2 text-base font-semibold cursor-pointer "
    "transition-colors disabled:cursor-not-allowed disabled:opacity-55 no-underline"
)
PRIMARY = f"{_BUTTON} bg-accent text-accent-ink hover:brightness-110"
SECONDARY = f"{_BUTTON} border border-line bg-sheet text-ink hover:border-muted"
QUIET = "inline-flex min-h-11 items-center gap-2 rounded-md px-2 text-muted hover:text-ink cursor-pointer underline-offset-4 hover:underline"
FIELD = (
    "w-full min-h-11 rounded-md border border-muted/75 bg-sheet px-3 py-2.5 text-ink placeholder:text-muted "
    "aria-invalid:border-bad "
    "focus:border-accent focus:rounded-md! focus:outline-2 focus:outline-accent focus:-outline-offset-1!"
)
LINK = "font-medium text-accent underline underline-offset-4 hover:no-underline"


# For an empty element that one of our scripts fills, possibly before React hydrates the page. Without this, React would discard
# the rendered page because of the mismatch, along with any text typed into its fields.
WRITTEN_BY_SCRIPT = {"suppressHydrationWarning": True}


class NativeForm(BaseHTML):
    """A form that the browser posts natively, so that the response can set an HttpOnly cookie.

    Reflex's own forms cannot do this, because they are sent over the websocket.
    """

    tag = "form"
    action: rx.Var[str]
    method: rx.Var[str]


def form(*children: rx.Component, **attributes: Any) -> rx.Component:
    """Return a form for an `on_submit` handler. The browser never submits it natively.

    A page is visible before its scripts have loaded. An ordinary form submitted in that time would put its input, including
    passwords, into the URL. The method `dialog` does nothing outside a dialog, and `assets/forms.js` submits the form once the
    page is hydrated.
    """
    return rx.el.form(*children, method="dialog", **attributes)


def alert(message: rx.Var[str] | str, *, id: str = "alert") -> rx.Component:
    """Return an error box that screen readers announce when it appears. It is empty if there is no message."""
    return rx.el.div(
        rx.cond(
            message != "",
            rx.el.div(
                icon("alert", class_name="mt-0.5"),
                rx.el.p(message),
                class_name="flex gap-3 rounded-md border border-bad bg-bad-soft px-4 py-3 text-bad",
            ),
        ),
        id=id,
        role="alert",
    )


def field(label: str, name: str, *, error: rx.Var[str] | str = "", hint: str = "", **attributes: Any) -> rx.Component:
    """Return a labeled input with its hint. If there is an error, it replaces the hint.

    Passwords can be revealed, and new passwords have a strength indicator. `attributes` are the input's other props.
    """
    described = f"{name}-hint"
    is_password = attributes.get("type") == "password"
    if attributes.get("type") == "email":
        attributes = {"input_mode": "email", "auto_capitalize": "none", "spell_check": False, **attributes}
    return rx.el.div(
        rx.el.div(
            rx.el.label(label, html_for=name, class_name="font-medium"),
            _strength(name) if attributes.get("auto_complete") == "new-password" else rx.fragment(),
            class_name="mb-1.5 flex items-baseline justify-between gap-3",
        ),
        rx.el.div(
            rx.el.input(
                id=name,
                name=name,
                aria_describedby=described,
                aria_invalid=error != "",
                class_name=f"{FIELD} pr-12" if is_password else FIELD,
                **attributes,
            ),
            _reveal(name) if is_password else rx.fragment(),
            class_name="relative",
        ),
        rx.el.div(
            rx.cond(error != "", rx.el.span(error, class_name="text-bad"), rx.el.span(hint, class_name="text-muted")),
            id=described,
            class_name="mt-1 min-h-5 text-sm",
        ),
        class_name="mb-3",
    )


def _strength(name: str) -> rx.Component:
    """Return the element for a password's strength.

    `assets/forms.js` estimates the strength in the browser, so that the password is not sent to the server.
    """
    return rx.el.span(
        "",
        aria_live="polite",
        custom_attrs={"data-strength-of": name, **WRITTEN_BY_SCRIPT},
        class_name="text-sm data-[level=weak]:text-bad data-[level=fair]:text-half data-[level=good]:text-good",
    )


def _reveal(name: str) -> rx.Component:
    """Return the button that shows and hides the password. `assets/forms.js` handles the click in the browser."""
    return rx.el.button(
        rx.el.span("Show password", class_name="sr-only"),
        icon("eye", class_name="group-aria-pressed:hidden"),
        icon("eye-off", class_name="hidden group-aria-pressed:block"),
        type="button",
        aria_pressed="false",
        custom_attrs={"data-reveal": name},
        class_name="group absolute inset-y-0 right-0 inline-flex w-11 cursor-pointer items-center justify-center rounded-md text-muted hover:text-ink",
    )


def github_button(label: str, href: rx.Var[str] | str) -> rx.Component:
    """Return the link to GitHub sign-in. It bypasses the client-side router, because the response sets a cookie."""
    return rx.el.a(
        github_mark(),
        label,
        href=href,
        custom_attrs={"reloadDocument": True},
        class_name=f"{SECONDARY} w-full justify-center gap-2.5",
    )


def or_line() -> rx.Component:
    """Return the "or" divider between two ways to sign in."""
    rule = "h-px flex-1 bg-line"
    return rx.el.div(
        rx.el.span(class_name=rule),
        "or",
        rx.el.span(class_name=rule),
        class_name="my-5 flex items-center gap-3 text-sm text-muted",
    )


def button_label(idle: rx.Var[str] | str, busy: str = "Just a moment…") -> rx.Component:
    """Return a button label that changes to `busy` on the click and back when the page shows the response.

    `assets/forms.js` changes the label. The first change in the form counts as the response; for a button outside a form, the first
    change in `main`. Without a change, the label changes back after 3 seconds, or 20 if the form loads another page. To show
    `busy` until the handler ends, disable the button while the handler runs.

    The button needs the class `group`. Outside a form, it also needs `BUSY` among its attributes.
    """
    return rx.fragment(
        rx.el.span(idle, class_name="contents group-disabled:hidden group-data-[sent]:hidden"),
        rx.el.span(busy, class_name="hidden group-disabled:inline group-data-[sent]:inline"),
    )


BUSY = {"data-busy": "yes"}


def submit(
    text: str, *, busy: rx.Var[bool] | bool = False, busy_text: str = "Just a moment…", look: str = PRIMARY, class_name: str = ""
) -> rx.Component:
    """Return a form's submit button. While `busy` is true, the button is disabled and shows `busy_text`."""
    return rx.el.button(button_label(text, busy_text), type="submit", disabled=busy, class_name=f"group {look} {class_name}")
