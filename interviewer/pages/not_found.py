"""The page for unknown URLs."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import PRIMARY, SECONDARY
from interviewer.components.ink import ring
from interviewer.components.layout import shell
from interviewer.state.session import SessionState


def not_found() -> rx.Component:
    """Return the 404 page."""
    return shell(
        rx.el.div(
            rx.el.p(
                ring(rx.el.span("404", class_name="font-serif text-5xl font-bold leading-none")),
                class_name="inline-block -rotate-3 text-bad",
            ),
            rx.el.h1("We can't find this page", class_name="mt-8 font-serif text-3xl font-bold"),
            rx.el.p("The address may be mistyped, or the page may have moved.", class_name="mt-2 text-lg text-muted"),
            rx.el.div(
                rx.cond(
                    SessionState.username != "",
                    rx.el.a("Go to your dashboard", href="/dashboard", class_name=PRIMARY),
                    rx.el.a("Go to the home page", href="/", class_name=PRIMARY),
                ),
                rx.el.a("Practice a question", href="/practice", class_name=SECONDARY),
                class_name="mt-7 flex flex-wrap justify-center gap-3",
            ),
            class_name="py-10 text-center sm:py-16",
        ),
        width="max-w-2xl",
    )
