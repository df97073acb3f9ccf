"""Sharing a report: what a shared link shows, and creating, copying, and revoking it."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import FIELD, PRIMARY, SECONDARY, alert
from interviewer.components.icons import icon
from interviewer.components.layout import SECTION_TITLE, card
from interviewer.state.sharing import ShareState

PANEL = "sharing"


def share_button() -> rx.Component:
    """Return the button that opens and closes the sharing panel."""
    return rx.el.button(
        icon("share"),
        rx.cond(ShareState.since != "", "Shared", "Share"),
        type="button",
        on_click=ShareState.toggle,
        aria_expanded=ShareState.opened,
        aria_controls=PANEL,
        class_name=f"{SECONDARY} max-sm:px-3 max-sm:[&_svg]:hidden",
    )


def share_panel() -> rx.Component:
    """Return the sharing panel, which is empty until it is opened."""
    return rx.el.div(
        rx.cond(
            ShareState.opened,
            card(
                rx.el.h2("Share this report", class_name=SECTION_TITLE),
                rx.el.p(
                    "Anyone with the link can read this report without signing in: its title, the questions, your answers, "
                    "the scores, and the verdicts. It doesn't show your name, your email address, the job description, your résumé, "
                    "the job's requirements, or what to practice next. We ask search engines not to list it.",
                    class_name="mt-2 max-w-prose text-muted",
                ),
                rx.el.div(
                    rx.cond(ShareState.link != "", _made(), rx.cond(ShareState.since != "", _shared(), _offer())),
                    aria_live="polite",
                    class_name="mt-4",
                ),
                rx.el.div(alert(ShareState.error, id="share-error"), class_name=rx.cond(ShareState.error != "", "mt-4", "")),
            ),
        ),
        id=PANEL,
        class_name="print:hidden",
    )


def _offer() -> rx.Component:
    return rx.el.button("Create a link", type="button", on_click=ShareState.share, class_name=PRIMARY)


def _made() -> rx.Component:
    return rx.fragment(
        rx.el.label("The link", html_for="share-link", class_name="mb-1.5 block font-medium"),
        rx.el.div(
            rx.el.input(
                id="share-link",
                value=ShareState.link,
                read_only=True,
                aria_describedby="share-once",
                class_name=f"{FIELD} min-w-0 flex-1 font-mono text-sm",
            ),
            rx.el.button(
                "Copy",
                type="button",
                custom_attrs={"data-copy": "share-link"},
                class_name=f"{PRIMARY} shrink-0",
            ),
            class_name="flex flex-col gap-3 sm:flex-row",
        ),
        rx.el.p(
            "Copy it now. We don't store the link itself, so we can't show it again.",
            id="share-once",
            class_name="mt-2 mb-4 text-sm text-muted",
        ),
        _stop(),
    )


def _shared() -> rx.Component:
    return rx.fragment(
        rx.el.p("Shared on ", ShareState.since, ".", class_name="font-medium"),
        rx.el.p(
            "We showed the link only once, when you created it. If you've lost it, create a new one. The old one will stop working.",
            class_name="mt-1 mb-4 text-sm text-muted",
        ),
        rx.el.div(
            rx.el.button("Create a new link", type="button", on_click=ShareState.share, class_name=SECONDARY),
            _stop(),
            class_name="flex flex-wrap gap-3",
        ),
    )


def _stop() -> rx.Component:
    return rx.el.button("Stop sharing", type="button", on_click=ShareState.stop, class_name=SECONDARY)
