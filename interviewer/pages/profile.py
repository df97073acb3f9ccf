"""The account page: name, plan and credits, devices, data export, and account deletion."""

from __future__ import annotations

import reflex as rx

from interviewer.components.billing import plan_card, statement_card
from interviewer.components.forms import (
    BUSY,
    LINK,
    SECONDARY,
    NativeForm,
    alert,
    button_label,
    field,
    form,
    github_button,
    submit,
)
from interviewer.components.layout import card, shell
from interviewer.components.verdict import disclosure
from interviewer.state.billing import BillingState
from interviewer.state.profile import DeviceItem, ProfileState
from interviewer.state.session import SessionState

_DANGER = SECONDARY.replace("text-ink", "text-bad").replace("border-line", "border-bad")


# Anchors and labels of the page's sections. The sections for plan and statement are in `components/billing.py`.
_PARTS = (
    ("name", "Name"),
    ("plan", "Plan"),
    ("statement", "Credits"),
    ("devices", "Devices"),
    ("data", "Your data"),
)


def profile() -> rx.Component:
    """Return the account page."""
    return shell(
        rx.el.h1("Your account", class_name="font-serif text-3xl font-bold"),
        rx.el.p(
            rx.cond(SessionState.email != "", SessionState.email, "\N{NO-BREAK SPACE}"), class_name="mt-1 break-words text-muted"
        ),
        rx.el.div(alert(ProfileState.error), class_name="mt-4 empty:hidden"),
        rx.el.div(
            _parts(),
            rx.cond(
                ProfileState.loaded & BillingState.loaded,
                rx.el.div(
                    _name(),
                    plan_card(),
                    statement_card(),
                    _devices(),
                    _github(),
                    _export(),
                    _deletion(),
                    class_name="min-w-0 space-y-6",
                ),
                _skeleton(),
            ),
            class_name="mt-6 grid gap-6 lg:grid-cols-[10rem_minmax(0,42rem)] lg:gap-12",
        ),
        here="/account",
    )


def _parts() -> rx.Component:
    """Return links to the page's sections. On wide screens they stay in view."""
    return rx.el.nav(
        rx.el.ul(
            *[
                rx.el.li(rx.el.a(label, href=f"#{id}", class_name="inline-flex min-h-11 items-center text-muted hover:text-ink"))
                for id, label in _PARTS
            ],
            class_name="flex flex-wrap gap-x-5 lg:sticky lg:top-6 lg:flex-col",
        ),
        aria_label="On this page",
    )


def _skeleton() -> rx.Component:
    """Return the loading skeleton."""
    return rx.el.div(
        *[rx.el.div(class_name=f"skeleton rounded-lg {height}") for height in ("h-60", "h-56", "h-56", "h-72")],
        role="status",
        aria_label="Loading",
        class_name="min-w-0 space-y-6",
    )


def _heading(text: str) -> rx.Component:
    return rx.el.h2(text, class_name="mb-3 font-serif text-xl font-bold")


def _name() -> rx.Component:
    return card(
        _heading("Name"),
        form(
            field(
                "Your name",
                "username",
                error=ProfileState.name_error,
                hint="We use it on your dashboard and in emails. Up to 50 characters.",
                default_value=SessionState.username,
                key=SessionState.username,
                auto_complete="name",
                max_length=50,
            ),
            rx.el.div(
                submit("Save", busy_text="Saving…"),
                rx.el.span(rx.cond(ProfileState.name_saved, "Saved.", ""), role="status", class_name="text-good"),
                class_name="flex items-center gap-4",
            ),
            on_submit=ProfileState.rename,
        ),
        id="name",
        class_name="scroll-mt-6",
    )


def _devices() -> rx.Component:
    return card(
        _heading("Where you're signed in"),
        rx.el.ul(rx.foreach(ProfileState.devices, _device), class_name="divide-y divide-line"),
        rx.el.div(
            _sign_out("Sign out on this device", "/session/logout"),
            _sign_out("Sign out everywhere", "/session/logout-everywhere"),
            class_name="mt-4 flex flex-wrap gap-3",
        ),
        rx.el.p(
            "To change your password, ",
            rx.el.a("get a link by email", href="/reset-request", class_name=LINK),
            ".",
            class_name="mt-5 border-t border-line pt-4 text-muted",
        ),
        id="devices",
        class_name="scroll-mt-6",
    )


def _sign_out(label: str, action: str) -> rx.Component:
    return NativeForm.create(submit(label, busy_text="Signing out…", look=SECONDARY), action=action, method="post")


def _device(device: rx.Var[DeviceItem]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.p(device.name, class_name="font-medium"),
            rx.el.p(rx.cond(device.current, "This device", f"Last used {device.last_seen}"), class_name="text-sm text-muted"),
        ),
        rx.cond(
            device.current,
            rx.fragment(),
            rx.el.button(
                button_label("Sign out"),
                rx.el.span(f" {device.name}", class_name="sr-only"),
                type="button",
                on_click=ProfileState.end_session(device.id),
                custom_attrs=BUSY,
                class_name=f"group {LINK} min-h-11 cursor-pointer whitespace-nowrap",
            ),
        ),
        class_name="flex items-center justify-between gap-4 py-3",
    )


def _github() -> rx.Component:
    return rx.cond(
        ProfileState.github_offered,
        card(
            _heading("GitHub"),
            rx.el.div(alert(ProfileState.github_error, id="github-alert"), class_name="mb-3 empty:hidden"),
            rx.cond(
                ProfileState.github_connected,
                rx.el.div(
                    rx.el.p("Connected. You can sign in with GitHub.", class_name="text-muted"),
                    rx.el.button(
                        button_label("Disconnect"),
                        type="button",
                        on_click=ProfileState.disconnect_github,
                        custom_attrs=BUSY,
                        class_name=f"group {LINK} min-h-11 cursor-pointer",
                    ),
                    class_name="flex items-center justify-between gap-4",
                ),
                rx.el.div(
                    rx.el.p("Connect GitHub to sign in without a password.", class_name="mb-4 text-muted"),
                    rx.el.div(github_button("Connect GitHub", "/api/auth/github/start?connect=1"), class_name="sm:w-fit"),
                ),
            ),
        ),
    )


def _export() -> rx.Component:
    return card(
        _heading("Your data"),
        rx.el.p(
            "Everything we store about you: your account, credit history, interviews, answers, and verdicts.",
            class_name="mb-4 text-muted",
        ),
        rx.el.a(
            "Download as JSON",
            href="/session/export",
            custom_attrs={"reloadDocument": True, "download": "interviewer.json"},
            class_name=SECONDARY,
        ),
        id="data",
        class_name="scroll-mt-6",
    )


def _deletion() -> rx.Component:
    return card(
        _heading("Delete your account"),
        rx.el.p(
            "We'll erase your interviews, answers, verdicts, and other personal data right away. We keep payment "
            "records and your credit history for accounting, with your identity removed. You'll lose any unused credits. This can't be undone.",
            class_name="mb-2 text-muted",
        ),
        disclosure(
            "I want to delete my account",
            form(
                field(
                    "Type your email address to confirm",
                    "typed",
                    error=ProfileState.delete_error,
                    hint=SessionState.email,
                    auto_complete="off",
                    max_length=320,
                ),
                submit("Delete my account for good", busy=ProfileState.busy, busy_text="Deleting…", look=_DANGER),
                on_submit=ProfileState.erase,
            ),
        ),
    )
