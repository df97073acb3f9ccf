"""What a candidate can do besides answering: ask about the question, ask for a hint, or skip; and the interviewer's reply."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import FIELD, QUIET, SECONDARY, alert, form
from interviewer.components.icons import icon
from interviewer.interviews.user_text import MAX_CLARIFYING_QUESTION
from interviewer.state.interview import InterviewState

_FORM = "ask-form"
_SUMMARY = f"{QUIET} list-none [&::-webkit-details-marker]:hidden group-open:text-ink"
# Menus open upward, because the buttons are often at the end of the screen. On a narrow one, a menu is as wide as its row.
_MENU = "max-sm:inset-x-0 sm:w-80 absolute bottom-full z-10 mb-1 rounded-md border border-line bg-sheet p-4 shadow-lg"
# Shown after 20 seconds. A model server that just started reads the model from disk first.
STILL_LOADING = "The interviewer may still be starting up, which can take two minutes."


def menu(
    *label: rx.Component | str, content: list[rx.Component], key: rx.Var[str] | str, side: str, class_name: str = ""
) -> rx.Component:
    """Return a button with this label that opens `content` above it.

    `side` is the edge that both share: "sm:left-0" or "sm:right-0". A new `key` closes the menu.
    """
    return rx.el.details(
        rx.el.summary(*label, class_name=_SUMMARY),
        # `assets/room.js` scrolls it into view as it opens.
        rx.el.div(*content, custom_attrs={"data-menu": ""}, class_name=f"{side} {_MENU}"),
        key=key,
        class_name=f"group sm:relative {class_name}",
    )


def confirm(label: str, wait: str, on_click: object) -> rx.Component:
    """Return the button in a menu that does what the menu offers. The page then looks at what follows."""
    return rx.el.button(
        rx.el.span(label),
        type="button",
        on_click=on_click,
        disabled=InterviewState.sending,
        custom_attrs={"data-wait": wait, "data-follows": ""},
        class_name=f"{SECONDARY} mt-3 w-full",
    )


def failed(message: object, label: str, wait: str, *, id: str, follows: bool = False, look: str = SECONDARY) -> rx.Component:
    """Return the error where work has stopped, with a button that tries again.

    `follows` is set if the page then looks at what follows.
    """
    return rx.fragment(
        alert(message, id=id),
        rx.el.button(
            rx.el.span(label),
            type="button",
            on_click=InterviewState.retry,
            disabled=InterviewState.sending,
            custom_attrs={"data-wait": wait} | ({"data-follows": ""} if follows else {}),
            class_name=f"{look} mt-4",
        ),
    )


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
        menu(
            "Ask about the question",
            content=[
                rx.el.label("What's unclear?", html_for="asked", class_name="font-medium"),
                rx.el.textarea(
                    name="asked",
                    form=_FORM,
                    # With an `id`, Reflex would send it with the answer's form as well, and null once the menu is gone.
                    custom_attrs={"id": "asked"},
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
            ],
            key=f"ask-{InterviewState.question.question_id}-{InterviewState.question.said_count}",
            side="sm:left-0",
        ),
    )


def hint_menu() -> rx.Component:
    """Return the menu in which a candidate asks for the hint, or nothing once the hint was given."""
    question = InterviewState.question
    return rx.cond(
        question.may_get_hint,
        menu(
            "Hint",
            content=[
                rx.el.p("Key points you cover only after the hint count for half."),
                confirm(
                    "Show me the hint",
                    "One moment…",
                    InterviewState.get_hint(InterviewState.interview_id, question.question_id),
                ),
            ],
            key=f"hint-{question.question_id}-{question.said_count}",
            side="sm:right-0",
        ),
    )


def skip_menu() -> rx.Component:
    """Return the menu that skips the question."""
    question = InterviewState.question
    return menu(
        icon("skip"),
        "Skip",
        content=[
            rx.el.p(
                rx.cond(
                    question.follows_up,
                    "Your answer so far will be scored, and you won't be able to come back to this question.",
                    "You'll get 0 points for this question, and you won't be able to come back to it.",
                )
            ),
            confirm("Skip this question", "Skipping…", InterviewState.skip(InterviewState.interview_id, question.question_id)),
        ],
        key=f"skip-{question.question_id}",
        side="sm:right-0",
        class_name="ml-auto",
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
            rx.el.span("This is taking longer than usual. You can leave this page; nothing will be lost. ", class_name="late"),
            rx.el.span(STILL_LOADING, class_name="later"),
            class_name="mt-4 text-sm text-muted",
        ),
        class_name="mt-5 min-h-24",
        aria_busy="true",
    )


def reply_failed() -> rx.Component:
    """Return the error of a reply that failed, with a button that tries again."""
    return rx.el.div(
        failed(InterviewState.reply_error, "Try again", "One moment…", id="reply-error", follows=True), class_name="mt-5"
    )
