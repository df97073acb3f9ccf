"""The frame of every page: header, main part, footer."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import QUIET, NativeForm
from interviewer.components.icons import icon
from interviewer.state.session import SessionState

_NAV = "inline-flex min-h-11 items-center rounded-md px-2 text-muted no-underline hover:text-ink sm:px-3"


def shell(*children: rx.Component, width: str = "max-w-5xl") -> rx.Component:
    """Return a page with header and footer around `children`."""
    return rx.el.div(
        rx.el.a(
            "Skip to the content",
            href="#main",
            class_name="absolute -left-96 top-2 z-10 rounded bg-accent px-4 py-2 text-accent-ink focus:left-2",
        ),
        _header(),
        rx.el.main(*children, id="main", class_name=f"mx-auto w-full {width} flex-1 px-4 py-8 sm:px-6 sm:py-12"),
        _footer(),
        class_name="flex min-h-screen flex-col bg-paper font-sans text-ink",
    )


def wordmark() -> rx.Component:
    """Return the name, with its highlighter stroke."""
    return rx.el.a(
        rx.el.span("Inter", class_name="font-serif"),
        rx.el.span("viewer", class_name="marker font-serif"),
        href="/",
        class_name="text-xl font-bold tracking-tight text-ink no-underline",
    )


def _header() -> rx.Component:
    return rx.el.header(
        rx.el.nav(
            wordmark(),
            rx.el.div(
                rx.cond(SessionState.username != "", _signed_in(), _signed_out()),
                rx.el.button(
                    icon("moon"),
                    rx.el.span("Change between light and dark", class_name="sr-only"),
                    on_click=rx.toggle_color_mode,
                    type="button",
                    class_name=f"{QUIET} justify-center px-3",
                ),
                class_name="flex items-center gap-0 sm:gap-1",
            ),
            aria_label="Main",
            class_name="mx-auto flex w-full max-w-5xl items-center justify-between px-4 py-2 sm:px-6",
        ),
        class_name="border-b border-line bg-sheet",
    )


def _signed_in() -> rx.Component:
    return rx.fragment(
        rx.el.a("Dashboard", href="/dashboard", class_name=_NAV),
        rx.el.a("Interview", href="/interview", class_name=f"{_NAV} max-sm:hidden"),
        rx.el.a("Account", href="/account", title=SessionState.username, class_name=_NAV),
        # On narrow screens there is no room for it here; the account page has it too.
        NativeForm.create(
            rx.el.button("Sign out", type="submit", class_name=f"{_NAV} cursor-pointer"),
            action="/session/logout",
            method="post",
            class_name="max-sm:hidden",
        ),
    )


def _signed_out() -> rx.Component:
    return rx.fragment(
        rx.el.a("Sign in", href="/login", class_name=_NAV),
        rx.el.a("Sign up", href="/signup", class_name=f"{_NAV} font-semibold text-ink"),
    )


def _footer() -> rx.Component:
    return rx.el.footer(
        rx.el.p("Interviewer. Practise for backend interviews, with the reasons for every score."),
        class_name="border-t border-line px-4 py-6 text-center text-sm text-muted",
    )


def card(*children: rx.Component, class_name: str = "", **attributes: object) -> rx.Component:
    """Return a sheet of paper."""
    return rx.el.section(*children, class_name=f"rounded-lg border border-line bg-sheet p-5 sm:p-7 {class_name}", **attributes)


def narrow_page(title: str, *children: rx.Component) -> rx.Component:
    """Return a page with one sheet in the middle, as the forms have."""
    return shell(card(rx.el.h1(title, class_name="mb-5 font-serif text-3xl font-bold"), *children), width="max-w-lg")
