"""The start form's field for a résumé: a text box, and a button that reads a file into it.

`assets/resume.js` sends the file to `/session/resume` and puts the text into the box, so that users see and can change what the
form sends. The file input has neither a name nor an ID, so the form never sends the file itself.
"""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import FIELD, SECONDARY, WRITTEN_BY_SCRIPT
from interviewer.components.icons import icon
from interviewer.interviews.resume_files import FILE_TOO_LARGE, MAX_FILE
from interviewer.state.interview import InterviewState

_ACCEPTED = ".pdf,.docx,application/pdf,application/vnd.openxmlformats-officedocument.wordprocessingml.document"
# The input lies over its label, so that the button is one element for the mouse, the keyboard, and screen readers.
_CHOOSE = (
    f"{SECONDARY} relative overflow-hidden has-[:focus-visible]:outline-2 has-[:focus-visible]:outline-offset-2 "
    "has-[:focus-visible]:outline-accent has-[:disabled]:cursor-progress has-[:disabled]:opacity-55"
)
_QUIET = "min-h-11 cursor-pointer px-1 font-medium text-accent underline underline-offset-4 hover:no-underline"


def resume_field() -> rx.Component:
    """Return the optional field for a résumé, with what it is used for and who sees it."""
    return rx.el.div(
        rx.el.label(
            "Your résumé ",
            rx.el.span("(optional)", class_name="font-sans text-base font-normal text-muted"),
            html_for="resume",
            class_name="block font-serif text-xl font-bold",
        ),
        rx.el.p(
            "Introduction and behavioral questions will refer to it. ",
            InterviewState.resume_use,
            id="resume-hint",
            class_name="mt-1 text-sm text-muted",
        ),
        rx.el.textarea(
            id="resume",
            name="resume",
            default_value=InterviewState.resume_text,
            key=InterviewState.resume_box.to_string(),
            placeholder="Paste your résumé here, or read it from a file",
            rows="5",
            aria_describedby="resume-hint",
            custom_attrs={"data-resume-box": ""},
            class_name=f"{FIELD} mt-4 resize-y",
        ),
        rx.el.div(_choose(), _last(), _undo(), class_name="mt-3 flex flex-wrap items-center gap-x-4 gap-y-2"),
        rx.el.p(
            "",
            role="status",
            custom_attrs={"data-resume-status": "", **WRITTEN_BY_SCRIPT},
            class_name="mt-3 text-sm font-medium text-good empty:mt-0 data-[kind=bad]:text-bad data-[kind=busy]:text-muted",
        ),
        custom_attrs={"data-resume": "", "data-most": str(MAX_FILE), "data-too-large": FILE_TOO_LARGE},
        class_name="mt-8",
    )


def _choose() -> rx.Component:
    return rx.el.label(
        icon("upload"),
        "Read a PDF or .docx",
        rx.el.input(
            type="file",
            accept=_ACCEPTED,
            custom_attrs={"data-resume-file": ""},
            class_name="absolute inset-0 cursor-pointer opacity-0 file:cursor-pointer disabled:cursor-progress",
        ),
        class_name=_CHOOSE,
    )


def _last() -> rx.Component:
    """Return a button that inserts the résumé given for the user's last interview. It is shown only if there was one."""
    return rx.cond(
        InterviewState.has_last_resume,
        rx.el.button("Use your last résumé", type="button", on_click=InterviewState.use_last_resume, class_name=_QUIET),
    )


def _undo() -> rx.Component:
    """Return the button that restores what was in the box before a file was read."""
    return rx.el.button("Undo", type="button", hidden=True, custom_attrs={"data-resume-undo": ""}, class_name=_QUIET)
