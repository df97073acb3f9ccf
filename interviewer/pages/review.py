"""The report of a past interview: scores, skills, the job's requirements, and every question with its answer and verdict."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import LINK, SECONDARY, alert
from interviewer.components.icons import icon
from interviewer.components.layout import card, meanwhile, shell
from interviewer.components.report_page import SLIM, folded, jump, print_button, report_page
from interviewer.components.sharing import share_button, share_panel
from interviewer.components.skills import requirements, suggestions
from interviewer.reports.coverage import Standing
from interviewer.reports.wording import PRACTICE, REQUIREMENTS
from interviewer.state.models import TurnItem
from interviewer.state.review import ReviewState

_REQUIREMENTS = {
    Standing.SHOWN: ReviewState.shown,
    Standing.PARTLY_SHOWN: ReviewState.partly_shown,
    Standing.NOT_SHOWN: ReviewState.not_shown,
    Standing.NOT_ASKED: ReviewState.not_asked,
}
_ASKED_ABOUT = sum(found.length() for found in _REQUIREMENTS.values()) > 0


def review() -> rx.Component:
    """Return the report page."""
    return shell(rx.cond(ReviewState.loaded, rx.cond(ReviewState.error != "", _missing(), _report()), loading()))


def loading() -> rx.Component:
    """Return the loading skeleton of a report."""
    return meanwhile(
        "Report",
        rx.el.div(class_name="skeleton h-9 w-3/4"),
        rx.el.div(class_name="skeleton mt-3 h-5 w-1/2"),
        rx.el.div(class_name="skeleton mt-4 h-11 w-72"),
        rx.el.div(class_name="skeleton mt-8 h-64"),
        rx.el.div(class_name="skeleton mt-8 h-96"),
        class_name="lg:ml-60",
    )


def _missing() -> rx.Component:
    return card(
        rx.el.h1("Report not found", class_name="mb-4 font-serif text-3xl font-bold"),
        alert(ReviewState.error),
        rx.el.a("Back to the dashboard", href="/dashboard", class_name=f"{LINK} mt-4 inline-block"),
        class_name="mx-auto max-w-2xl",
    )


def _report() -> rx.Component:
    return report_page(
        ReviewState,
        _head(),
        rx.cond(_ASKED_ABOUT, folded(REQUIREMENTS, requirements(_REQUIREMENTS), id="job")),
        rx.cond(
            ReviewState.suggestions.length() > 0, folded(PRACTICE, suggestions(ReviewState.suggestions, PRACTICE), id="next")
        ),
        jumps=rx.fragment(
            rx.cond(_ASKED_ABOUT, jump(REQUIREMENTS, "#job")),
            rx.cond(ReviewState.suggestions.length() > 0, jump(PRACTICE, "#next")),
        ),
        extra=_practice_again,
        foot=rx.el.a("Back to the dashboard", href="/dashboard", class_name=f"{SECONDARY} print:hidden"),
    )


def _head() -> rx.Component:
    return rx.el.div(
        rx.el.a("Dashboard", href="/dashboard", class_name=f"{LINK} inline-flex min-h-11 items-center print:hidden"),
        rx.el.h1(ReviewState.title, class_name="mt-1 break-words sm:mt-3 font-serif text-3xl font-bold"),
        rx.el.p(f"{ReviewState.started} · {ReviewState.interviewer_name} · {ReviewState.size}", class_name="mt-1 text-muted"),
        rx.cond(
            ReviewState.finished,
            rx.fragment(
                rx.el.div(
                    share_button(),
                    print_button(),
                    _file("Markdown", ReviewState.markdown_href),
                    _file("PDF", ReviewState.pdf_href),
                    class_name="mt-4 flex flex-wrap gap-2 sm:absolute sm:right-0 sm:top-0 sm:mt-0 sm:gap-3 print:hidden",
                ),
                rx.el.div(share_panel(), class_name="mt-5 empty:hidden"),
            ),
            rx.el.p(
                "This interview isn't finished yet. ",
                rx.el.a("Continue it", href=ReviewState.resume_href, class_name=LINK),
                class_name="mt-5 rounded-md bg-code px-4 py-3 print:hidden",
            ),
        ),
        class_name="relative",
    )


def _file(name: str, href: rx.Var[str]) -> rx.Component:
    """Return the download link of a report file. It bypasses the client-side router, so that the browser requests the file."""
    return rx.el.a(
        icon("download"),
        name,
        href=href,
        download=True,
        aria_label=f"Download as {name}",
        custom_attrs={"reloadDocument": True},
        class_name=f"{SECONDARY} {SLIM}",
    )


def _practice_again(turn: rx.Var[TurnItem]) -> rx.Component:
    return rx.cond(
        ReviewState.practice.contains(turn.question_id.to_string()),
        rx.el.a(
            "Practice it again",
            href=ReviewState.practice[turn.question_id.to_string()],
            class_name=f"{LINK} mt-2 inline-flex min-h-11 items-center print:hidden",
        ),
    )
