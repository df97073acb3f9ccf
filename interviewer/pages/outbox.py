"""The development mailbox: every email that would have been sent. Not available in production."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import LINK, PRIMARY
from interviewer.components.icons import icon
from interviewer.components.layout import card, shell
from interviewer.state.account import OutboxState
from interviewer.state.models import MailItem


def outbox() -> rx.Component:
    """Return the mailbox, newest email first."""
    return shell(
        rx.el.h1("Outbox", class_name="font-serif text-3xl font-bold"),
        rx.el.p(
            "Email isn't set up on this site, so messages end up here and in the terminal.", class_name="mt-1 mb-6 text-muted"
        ),
        rx.cond(
            OutboxState.mails.length() > 0,
            rx.el.div(rx.foreach(OutboxState.mails, _mail), class_name="space-y-4"),
            card(
                icon("mail", size=28, class_name="mb-3 text-accent"),
                rx.el.p(
                    "No messages yet. ",
                    rx.el.a("Sign up", href="/signup", class_name=LINK),
                    ", and the first one will show up here.",
                ),
            ),
        ),
        width="max-w-3xl",
    )


def _mail(mail: rx.Var[MailItem]) -> rx.Component:
    return card(
        rx.el.p(mail.at, " · to ", mail.recipient, class_name="break-words text-sm text-muted"),
        rx.el.h2(mail.subject, class_name="mt-1 font-serif text-xl font-bold"),
        rx.el.p(mail.text, class_name="mt-3 whitespace-pre-line break-words"),
        rx.cond(mail.link != "", rx.el.a("Open the link", href=mail.link, class_name=f"{PRIMARY} mt-4")),
    )
