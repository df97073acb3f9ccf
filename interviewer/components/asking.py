"""What a candidate can do besides answering: ask about the question, or ask for a hint; and the interviewer's reply to it."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import FIELD, QUIET, SECONDARY, alert, form
from interviewer.interviews.user_text import MAX_CLARIFYING_QUESTION
from interviewer.state.interview import InterviewState

_FORM = "ask-form"
_SUMMARY = f"{QUIET} list-none [&::-webkit-details-marker]:hidden group-open:text-ink"
# Menus open upward, because the buttons are often at the end of the screen. On a narrow one, a menu is as wide as its row.
MENU = "max-sm:inset-x-0 sm:w-80 absolute bottom-full z-10 mb-1 rounded-md border border-line bg-sheet p-4 shadow-lg"
PLACE = "group sm:relative"


def ask_form() -> rx.Component:
    """Return the form of `ask_menu`, whose fields are inside the answer's form, where no other form may be."""
    return form(
        rx.el.input(type="hidden", name="interview", value=InterviewState.interview_id, read_only=True),
        rx.el.input(type="hidden", name="question", value=InterviewState.question.question_id, read_only=True),
        id=_FORM,
        on_submit=InterviewState.ask,
    )


def ask_menu() -> rx.Component:
    """Return the menu in which a candidate asks a clarifying question, or nothing if none is left."""
    return rx.cond(
        InterviewState.question.may_ask,
        rx.el.details(
            rx.el.summary("Ask about the question", class_name=_SUMMARY),
            rx.el.div(
                rx.el.label("What's unclear?", html_for="asked", class_name="font-medium"),
                rx.el.textarea(
                    id="asked",
                    name="asked",
                    form=_FORM,
                    rows="3",
                    max_length=MAX_CLARIFYING_QUESTION,
                    placeholder="For example: How many users does the system have?",
                    class_name=f"{FIELD} mt-1.5 resize-y",
                ),
                rx.el.p(
                    "The interviewer replies without giving the answer away. Your draft stays in the answer box.",
                    class_name="mt-2 text-sm text-muted",
                ),
                rx.el.button(
                    rx.el.span("Ask"),
                    type="submit",
                    form=_FORM,
                    disabled=InterviewState.sending,
                    custom_attrs={"data-wait": "Asking…"},
                    class_name=f"{SECONDARY} mt-3 w-full",
                ),
                class_name=f"sm:left-0 {MENU}",
            ),
            key=f"ask-{InterviewState.question.question_id}-{InterviewState.question.said_count}",
            class_name=PLACE,
        ),
    )


def hint_menu() -> rx.Component:
    """Return the menu in which a candidate asks for the hint, or nothing once the hint was given."""
    return rx.cond(
        InterviewState.question.may_get_hint,
        rx.el.details(
            rx.el.summary("Hint", class_name=_SUMMARY),
            rx.el.div(
                rx.el.p("Key points you cover only after the hint count for half."),
                rx.el.button(
                    rx.el.span("Show me the hint"),
                    type="button",
                    on_click=InterviewState.get_hint(InterviewState.interview_id, InterviewState.question.question_id),
                    disabled=InterviewState.sending,
                    custom_attrs={"data-wait": "One moment…", "data-follows": ""},
                    class_name=f"{SECONDARY} mt-3 w-full",
                ),
                class_name=f"sm:right-0 {MENU}",
            ),
            key=f"hint-{InterviewState.question.question_id}-{InterviewState.question.said_count}",
            class_name=PLACE,
        ),
    )


def reply_being_written() -> rx.Component:
    """Return the interviewer's reply as it is written, or a sign that it will come."""
    return rx.el.div(
        rx.cond(
            (InterviewState.reply_tail != "") | (InterviewState.reply_chunks.length() > 0),
            rx.el.p(
                rx.foreach(InterviewState.reply_chunks, lambda chunk: rx.el.span(chunk)),
                rx.el.span(InterviewState.reply_tail, class_name="writing"),
                id="reply-growing",
                class_name="whitespace-pre-line break-words font-serif text-xl leading-snug",
            ),
            rx.el.p("The interviewer is reading…", class_name="text-muted"),
        ),
        rx.el.p(
            "This is taking longer than usual. You can leave this page; nothing will be lost.",
            class_name="late mt-4 text-sm text-muted",
        ),
        class_name="mt-5 min-h-24",
        aria_busy="true",
    )


def reply_failed() -> rx.Component:
    """Return the error of a reply that failed, with a button that tries again."""
    return rx.el.div(
        alert(InterviewState.reply_error, id="reply-error"),
        rx.el.button(
            rx.el.span("Try again"),
            type="button",
            on_click=InterviewState.retry,
            disabled=InterviewState.sending,
            custom_attrs={"data-wait": "One moment…", "data-follows": ""},
            class_name=f"{SECONDARY} mt-4",
        ),
        class_name="mt-5",
    )
