"""The dashboard: what to do next, progress, past interviews, and purchases."""

from __future__ import annotations

import reflex as rx

from interviewer.components.billing import credits_card, notices, shop
from interviewer.components.charts import first_score, scores_by_topic, scores_over_time, streak_card
from interviewer.components.forms import BUSY, LINK, PRIMARY, SECONDARY, alert, button_label
from interviewer.components.icons import icon
from interviewer.components.layout import SECTION_TITLE, SMALL_TITLE, card, shell
from interviewer.components.skills import skill_list, suggestions
from interviewer.components.verdict import disclosure
from interviewer.interviews.plan import FOCUS_QUESTIONS, MAX_FOCUS_TOPICS, SHORT, STANDARD, plan_size
from interviewer.reports.wording import PRACTICE
from interviewer.state.billing import BillingState
from interviewer.state.dashboard import DashboardState
from interviewer.state.models import SummaryItem
from interviewer.state.session import SessionState
from interviewer.state.skills import SkillsState

# Two columns on wide screens.
_GRID = "mt-6 grid gap-6 lg:grid-cols-[minmax(0,1fr)_20rem] lg:grid-rows-[auto_1fr]"
_COLUMN = "min-w-0 space-y-6"
_LIST = "divide-y divide-line overflow-hidden rounded-lg border border-line bg-sheet"


def dashboard() -> rx.Component:
    """Return the dashboard."""
    return shell(
        rx.el.h1(
            rx.cond(SessionState.username != "", f"Hello, {SessionState.username}", "Dashboard"),
            class_name="break-words font-serif text-3xl font-bold",
        ),
        rx.el.p("Where you left off, how you're doing, and what to practice next.", class_name="mt-1 text-lg text-muted"),
        rx.el.div(alert(DashboardState.error), class_name="mt-4 empty:hidden"),
        rx.cond(DashboardState.loaded & BillingState.loaded, _content(), _skeleton()),
        here="/dashboard",
    )


def _content() -> rx.Component:
    return rx.fragment(
        rx.el.div(notices(), class_name="mt-6 empty:hidden"),
        rx.el.div(
            rx.el.div(_next_step(), _also_open(), class_name=_COLUMN),
            rx.el.div(
                credits_card(),
                streak_card(DashboardState.streak, DashboardState.streak.count > 0),
                rx.el.div(_skills(), class_name="space-y-6 empty:hidden"),
                class_name=f"{_COLUMN} lg:row-span-2",
            ),
            rx.el.div(_progress(), class_name=_COLUMN),
            class_name=_GRID,
        ),
        rx.el.div(rx.cond(DashboardState.past > 0, _past()), class_name="empty:hidden"),
        rx.el.div(shop(), class_name="mt-12"),
    )


def _skeleton() -> rx.Component:
    """Return the loading skeleton."""
    return rx.el.div(
        rx.el.div(
            _blank("h-72"),
            rx.el.div(_blank("h-60"), _blank("h-64"), _blank("h-96"), class_name=f"{_COLUMN} lg:row-span-2"),
            rx.el.div(_blank("h-96"), _blank("h-96"), class_name=_COLUMN),
            class_name=_GRID,
        ),
        role="status",
        aria_label="Loading",
    )


def _blank(height: str) -> rx.Component:
    return rx.el.div(class_name=f"skeleton rounded-lg {height}")


# -- what to do next -----------------------------------------------------------------------------------------------


def _next_step() -> rx.Component:
    return rx.cond(
        DashboardState.resume.id > 0,
        _resume(),
        rx.cond(BillingState.credits.usable == 0, _without_credit(), rx.cond(DashboardState.past == 0, _first(), _another())),
    )


def _resume() -> rx.Component:
    resume = DashboardState.resume
    return card(
        rx.el.p(rx.cond(resume.verb == "Resume", "Paused", "In progress"), class_name=SMALL_TITLE),
        rx.el.h2(resume.title, class_name="mt-1 break-words font-serif text-2xl font-bold leading-snug"),
        rx.el.p(resume.where, class_name="mt-1 text-lg"),
        rx.el.p("Started ", resume.started, class_name="text-sm text-muted"),
        rx.el.div(
            rx.el.div(class_name="h-full rounded-full bg-accent", style={"width": f"{resume.percent}%"}),
            class_name="mt-4 mb-5 h-1.5 rounded-full bg-line",
            aria_hidden="true",
        ),
        rx.el.a(
            rx.el.span(resume.title, ": ", class_name="sr-only"),
            resume.verb,
            icon("arrow"),
            href=resume.href,
            class_name=f"{PRIMARY} max-sm:w-full",
        ),
        id="next",
        class_name="flex-1",
    )


def _first() -> rx.Component:
    steps = (
        (
            f"{plan_size(STANDARD)}, or a shorter version",
            "Paste a job description to get questions about that job, or start without one.",
        ),
        ("A verdict after every answer", "A score out of 10, the key points you covered, and the ones you missed."),
        ("A report at the end", "Your score by topic, your skills, and what to practice next. Pause whenever you like."),
    )
    return card(
        rx.el.h2("Your first interview", class_name="font-serif text-2xl font-bold"),
        rx.el.ol(
            *[
                rx.el.li(
                    rx.el.span(
                        str(number), class_name="w-6 shrink-0 font-serif text-2xl font-bold text-accent", aria_hidden="true"
                    ),
                    rx.el.div(rx.el.p(title, class_name="font-semibold"), rx.el.p(text, class_name="text-muted")),
                    class_name="flex gap-3",
                )
                for number, (title, text) in enumerate(steps, start=1)
            ],
            class_name="mt-4 mb-6 space-y-3",
        ),
        _start(),
        id="next",
        class_name="flex-1",
    )


def _another() -> rx.Component:
    return card(
        rx.el.h2("Your next interview", class_name="font-serif text-2xl font-bold"),
        rx.el.p(DashboardState.weakest, " Practice it first, or start right away.", class_name="mt-1"),
        rx.el.p(
            f"Pick a length: {STANDARD.total} or {SHORT.total} questions on all topics, or {FOCUS_QUESTIONS} on up to "
            f"{MAX_FOCUS_TOPICS} topics you choose.",
            class_name="mt-2 mb-5 text-sm text-muted",
        ),
        rx.el.div(
            _start(),
            rx.el.a("Practice a question", href="/practice", class_name=f"{SECONDARY} max-sm:w-full"),
            class_name="mt-auto flex flex-wrap gap-3",
        ),
        id="next",
        class_name="flex flex-1 flex-col",
    )


def _start() -> rx.Component:
    return rx.el.a("Start an interview", icon("arrow"), href="/interview", class_name=f"{PRIMARY} max-sm:w-full")


def _without_credit() -> rx.Component:
    return card(
        rx.el.h2("No credits available", class_name="font-serif text-2xl font-bold"),
        rx.el.p(
            rx.cond(BillingState.credits.plan > 0, "Your plan credits are on hold. ", ""),
            "An interview costs one credit. Practicing individual questions is free.",
            rx.cond(DashboardState.weakest != "", f" {DashboardState.weakest}", ""),
            class_name="mt-1 mb-5 text-muted",
        ),
        rx.el.div(
            rx.cond(
                SessionState.selling,
                rx.el.a("Get credits", icon("arrow"), href="#credits", class_name=f"{PRIMARY} max-sm:w-full"),
            ),
            rx.el.a("Practice a question", href="/practice", class_name=f"{SECONDARY} max-sm:w-full"),
            class_name="flex flex-wrap gap-3",
        ),
        id="next",
        class_name="flex-1",
    )


def _also_open() -> rx.Component:
    return rx.cond(
        DashboardState.unfinished.length() > 1,
        rx.el.section(
            rx.el.h2("Other unfinished interviews", class_name=f"{SECTION_TITLE} mb-3"),
            rx.el.ul(
                rx.foreach(DashboardState.unfinished[1:], _item), class_name=_LIST, aria_label="Other unfinished interviews"
            ),
        ),
    )


# -- progress ------------------------------------------------------------------------------------------------------


def _progress() -> rx.Component:
    return rx.fragment(
        rx.cond(
            DashboardState.points.length() > 1,
            scores_over_time(
                DashboardState.points, DashboardState.line, DashboardState.area, DashboardState.course, DashboardState.past
            ),
            rx.cond(DashboardState.points.length() == 1, first_score(DashboardState.points[0])),
        ),
        rx.cond(DashboardState.topics.length() > 0, scores_by_topic(DashboardState.topics, DashboardState.past)),
        _practice(),
    )


def _skills() -> rx.Component:
    return rx.cond(
        SkillsState.loaded,
        rx.fragment(
            alert(SkillsState.error, id="skills-error"),
            rx.cond(
                SkillsState.weakest.length() > 0,
                card(
                    rx.el.h2("Skills", class_name=SECTION_TITLE),
                    rx.el.p("Across all your interviews, weakest first.", class_name="mb-2 text-sm text-muted"),
                    skill_list(SkillsState.weakest, "Your weakest skills"),
                    rx.cond(
                        SkillsState.others.length() > 0,
                        disclosure(
                            f"Other skills ({SkillsState.others.length()})",
                            skill_list(SkillsState.others, "Your other skills"),
                        ),
                    ),
                    id="skills",
                ),
            ),
        ),
        rx.cond(DashboardState.topics.length() > 0, rx.el.div(class_name="skeleton h-96 rounded-lg")),
    )


def _practice() -> rx.Component:
    return rx.cond(
        SkillsState.loaded,
        rx.cond(SkillsState.suggestions.length() > 0, _to_practice()),
        rx.el.div(class_name="skeleton h-[32rem] rounded-lg", role="status", aria_label="Loading practice questions"),
    )


def _to_practice() -> rx.Component:
    return rx.el.section(
        rx.el.h2(PRACTICE, class_name=SECTION_TITLE),
        rx.el.p(
            rx.cond(
                SkillsState.weakest.length() > 0,
                "Questions for your weakest skills. ",
                "One question from each topic to get you started. ",
            ),
            "Practice is free and doesn't change your interview scores.",
            rx.cond(SkillsState.practice_summary != "", f" {SkillsState.practice_summary}.", ""),
            class_name="mb-3 text-sm text-muted",
        ),
        suggestions(SkillsState.suggestions, PRACTICE),
        rx.cond(
            SkillsState.practiced.length() > 0,
            rx.el.div(
                disclosure("What you've practiced", suggestions(SkillsState.practiced, "What you've practiced")),
                class_name="mt-4",
            ),
        ),
        id="practice",
        class_name="pt-2",
    )


# -- past interviews -----------------------------------------------------------------------------------------------


def _past() -> rx.Component:
    return rx.el.section(
        rx.el.h2(
            "Finished",
            rx.el.span(" ", DashboardState.past, class_name="font-sans text-base font-normal text-muted"),
            class_name=f"{SECTION_TITLE} mb-3",
        ),
        rx.el.ul(rx.foreach(DashboardState.finished, _item), class_name=_LIST, aria_label="Past interviews"),
        rx.cond(
            DashboardState.more > 0,
            rx.el.button(
                button_label(f"Show {DashboardState.more} more"),
                type="button",
                on_click=DashboardState.show_more,
                custom_attrs=BUSY,
                class_name=f"group {SECONDARY} mt-3 w-full",
            ),
        ),
        id="past",
        class_name="mt-12",
    )


def _item(item: rx.Var[SummaryItem]) -> rx.Component:
    return rx.el.li(
        rx.el.a(
            rx.el.div(
                rx.el.p(item.title, class_name="line-clamp-2 break-words font-medium text-ink sm:line-clamp-1"),
                rx.el.p(
                    rx.el.span(item.started, class_name="whitespace-nowrap"),
                    rx.el.span(" · ", class_name="max-sm:hidden"),
                    rx.el.span(item.progress, class_name="whitespace-nowrap max-sm:block"),
                    class_name="text-sm text-muted",
                ),
                class_name="min-w-0",
            ),
            rx.el.div(
                rx.cond(
                    item.percent != "",
                    rx.el.span(
                        rx.el.span(item.percent, "%", class_name="font-serif text-2xl font-bold text-ink"),
                        rx.cond(item.status == "Finished", "", rx.el.span(" so far", class_name="text-sm text-muted")),
                    ),
                ),
                rx.el.span(
                    rx.cond(item.status == "Finished", "Review", rx.cond(item.status == "Paused", "Resume", "Continue")),
                    class_name=f"{LINK} max-sm:sr-only",
                ),
                icon("chevron", class_name="-rotate-90 self-center text-accent sm:hidden"),
                class_name="flex shrink-0 items-baseline gap-2 whitespace-nowrap sm:gap-4",
            ),
            href=item.href,
            class_name="flex items-center justify-between gap-4 px-5 py-4 no-underline hover:bg-paper",
        ),
        key=item.id.to_string(),
    )
