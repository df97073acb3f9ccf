"""The layout of every page: header, main content, and footer."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import QUIET, NativeForm
from interviewer.components.icons import icon
from interviewer.components.notices import notices
from interviewer.state.session import SessionState

# The current page's link is underlined with the highlighter.
_NAV = (
    "inline-flex min-h-11 items-center rounded-md px-2 text-muted no-underline transition-colors hover:text-ink sm:px-3 "
    "aria-[current=page]:text-ink aria-[current=page]:shadow-[inset_0_-4px_0_var(--marker)]"
)
# On a phone, a popover that the browser opens and closes, with Escape and a tap elsewhere, too. On wider screens, a part of the row.
_MENU = (
    "absolute top-14 right-4 left-auto m-0 min-w-44 flex-col rounded-md border border-line bg-sheet p-2 text-ink shadow-lg open:flex "
    "sm:static sm:flex sm:min-w-0 sm:flex-row sm:gap-1 sm:overflow-visible sm:border-0 sm:bg-transparent sm:p-0 sm:shadow-none"
)
SECTION_TITLE = "font-serif text-xl font-bold"
SMALL_TITLE = "text-sm font-semibold uppercase tracking-wide text-muted"
_FOOT = "inline-flex min-h-11 items-center px-2 text-muted underline-offset-4 hover:text-ink hover:underline"


def shell(*children: rx.Component, width: str = "max-w-6xl", here: str = "") -> rx.Component:
    """Return a page with header and footer around `children`.

    `width` is a class that limits the content's width. `here` is the page's path, which marks the header's link to the page.
    """
    return rx.el.div(
        rx.el.a(
            "Skip to content",
            href="#main",
            class_name="absolute -left-96 top-2 z-10 rounded bg-accent px-4 py-2 text-accent-ink focus:left-2",
        ),
        _header(here),
        rx.el.main(
            *children,
            id="main",
            # Read by `assets/forms.js`, which holds back submissions until the server has loaded the page, because `load`
            # handlers reset the forms.
            custom_attrs={"data-hydrated": rx.State.is_hydrated},
            class_name=f"mx-auto w-full {width} flex-1 px-4 py-8 sm:px-6 sm:py-12",
        ),
        _footer(),
        notices(),
        class_name="flex min-h-screen flex-col bg-paper font-sans text-ink",
    )


def wordmark() -> rx.Component:
    """Return the product name with its highlighter stroke."""
    return rx.el.a(
        rx.el.span("Inter", class_name="font-serif"),
        rx.el.span("viewer", class_name="marker font-serif"),
        href="/",
        class_name="text-xl font-bold tracking-tight text-ink no-underline",
    )


def _header(here: str) -> rx.Component:
    return rx.el.header(
        rx.el.nav(
            wordmark(),
            rx.el.div(
                rx.cond(SessionState.username != "", _signed_in(here), _signed_out(here)),
                rx.el.button(
                    icon("moon"),
                    rx.el.span("Switch between light and dark mode", class_name="sr-only"),
                    on_click=rx.toggle_color_mode,
                    type="button",
                    class_name=f"{QUIET} justify-center px-3",
                ),
                class_name="flex items-center gap-0 sm:gap-1",
            ),
            aria_label="Main",
            class_name="mx-auto flex w-full max-w-6xl items-center justify-between px-4 py-2 sm:px-6",
        ),
        class_name="border-b border-line bg-sheet print:hidden",
    )


def _nav(label: str, href: str, here: str, class_name: str = "", **attributes: object) -> rx.Component:
    """Return a header link, marked if it is the current page."""
    return rx.el.a(
        label,
        href=href,
        aria_current="page" if href == here else "false",
        class_name=f"{_NAV} {class_name}",
        **attributes,
    )


def _signed_in(here: str) -> rx.Component:
    return rx.fragment(
        _nav("Dashboard", "/dashboard", here),
        rx.el.button(
            "Menu",
            type="button",
            custom_attrs={"popoverTarget": "menu"},
            class_name=f"{QUIET} sm:hidden",
        ),
        rx.el.div(
            _nav("Interview", "/interview", here),
            _nav("Practice", "/practice", here),
            _nav("Account", "/account", here, title=SessionState.username),
            NativeForm.create(
                rx.el.button("Sign out", type="submit", class_name=f"{_NAV} cursor-pointer"),
                action="/session/logout",
                method="post",
            ),
            id="menu",
            custom_attrs={"popover": "auto"},
            class_name=_MENU,
        ),
    )


def _signed_out(here: str) -> rx.Component:
    return rx.fragment(
        _nav("Sign in", "/login", here),
        _nav("Sign up", "/signup", here, "font-semibold text-ink"),
    )


def _footer() -> rx.Component:
    return rx.el.footer(
        rx.el.div(
            rx.el.p("Practice backend interviews and see the reason behind every score."),
            rx.el.nav(
                rx.cond(SessionState.selling, rx.el.a("Pricing", href="/#prices", class_name=_FOOT)),
                rx.el.a("API", href="/api/docs", custom_attrs={"reloadDocument": True}, class_name=_FOOT),
                rx.el.a("Terms", href="/terms", class_name=_FOOT),
                rx.el.a("Privacy", href="/privacy", class_name=_FOOT),
                aria_label="About",
                class_name="-mx-2 flex flex-wrap",
            ),
            class_name="mx-auto flex w-full max-w-6xl flex-wrap items-center justify-between gap-x-8 gap-y-2 px-4 py-5 sm:px-6",
        ),
        class_name="border-t border-line text-sm text-muted print:hidden",
    )


def card(*children: rx.Component, class_name: str = "", **attributes: object) -> rx.Component:
    """Return a card that looks like a sheet of paper."""
    return rx.el.section(*children, class_name=f"rounded-lg border border-line bg-sheet p-5 sm:p-7 {class_name}", **attributes)


def narrow_page(title: rx.Var[str] | str, *children: rx.Component, here: str = "") -> rx.Component:
    """Return a narrow page with a single card, used for forms."""
    return shell(card(rx.el.h1(title, class_name="mb-5 font-serif text-3xl font-bold"), *children), width="max-w-lg", here=here)


def meanwhile(title: str, *shapes: rx.Component, class_name: str = "") -> rx.Component:
    """Return a loading skeleton made of `shapes`. `title` is its heading, for screen readers only."""
    return rx.fragment(
        rx.el.h1(title, class_name="sr-only"),
        rx.el.div(*shapes, role="status", aria_label="Loading", class_name=class_name),
    )
