"""The fallback for a page whose scripts raise an error."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.base.error_boundary import ErrorBoundary

from interviewer.components.forms import PRIMARY


def boundary(stateful: bool) -> rx.Component:
    """Return the error boundary around every page, which shows a message and a reload link instead of a broken page.

    If `stateful`, the error is also sent to the server and logged.
    """
    message = rx.el.main(
        rx.el.h1("Something went wrong on this page", class_name="font-serif text-3xl font-bold"),
        rx.el.p(
            "This one's on us. What you typed is still in this browser, and everything you sent has been saved.",
            class_name="mt-2 mb-6 text-lg text-muted",
        ),
        rx.el.a("Reload the page", href="", custom_attrs={"reloadDocument": True}, class_name=PRIMARY),
        class_name="mx-auto flex min-h-screen max-w-xl flex-col items-start justify-center px-4 font-sans text-ink",
    )
    return ErrorBoundary.create(fallback_render=rx.Var.create(message), **({} if stateful else {"on_error": rx.noop()}))
