"""The page for addresses that do not exist."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import PRIMARY
from interviewer.components.layout import narrow_page


def not_found() -> rx.Component:
    """Return the 404 page."""
    return narrow_page(
        "There is no such page",
        rx.el.p("The address may be mistyped, or the page has moved.", class_name="mb-5 text-muted"),
        rx.el.a("To the start page", href="/", class_name=PRIMARY),
    )
