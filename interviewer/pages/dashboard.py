"""The dashboard: credits, what is running, what is done, what can be bought."""

from __future__ import annotations

import reflex as rx

from interviewer.components.billing import credits_card, notices, shop
from interviewer.components.forms import LINK, alert
from interviewer.components.layout import card, shell
from interviewer.components.skills import SECTION_TITLE, scores_over_time, skill_list, suggestions
from interviewer.components.verdict import disclosure
from interviewer.state.billing import BillingState
from interviewer.state.dashboard import DashboardState
from interviewer.state.models import SummaryItem
from interviewer.state.session import SessionState
from interviewer.state.skills import SkillsState


def dashboard() -> rx.Component:
    """Return the dashboard."""
    return shell(
        rx.el.h1(
            rx.cond(SessionState.username != "", f"Hello {SessionState.username}", "Dashboard"),
            class_name="break-words font-serif text-3xl font-bold",
        ),
        rx.el.div(alert(DashboardState.error), class_name="mt-4"),
        rx.cond(
            DashboardState.loaded & BillingState.loaded,
            _content(),
            rx.el.div(class_name="skeleton mt-6 h-64", aria_label="Loading"),
        ),
    )


def _content() -> rx.Component:
    return rx.el.div(
        notices(),
        credits_card(),
        rx.cond(DashboardState.unfinished.length() > 0, _list("In progress", DashboardState.unfinished)),
        rx.cond(
            DashboardState.points.length() > 1,
            scores_over_time(DashboardState.points, DashboardState.line, DashboardState.since, DashboardState.until),
        ),
        rx.cond(SkillsState.loaded, _skills_and_practice()),
        rx.cond(DashboardState.finished.length() > 0, _list("Finished", DashboardState.finished), _nothing_yet()),
        shop(),
        class_name="mt-6 space-y-8",
    )


def _skills_and_practice() -> rx.Component:
    return rx.fragment(
        alert(SkillsState.error, id="skills-error"),
        rx.cond(SkillsState.weakest.length() > 0, _skills()),
        rx.cond(SkillsState.suggestions.length() > 0, _practice()),
    )


def _skills() -> rx.Component:
    return card(
        rx.el.h2("Skills", class_name=SECTION_TITLE),
        rx.el.p("Over all your interviews, the weakest first.", class_name="mb-2 text-sm text-muted"),
        skill_list(SkillsState.weakest, "Your weakest skills"),
        rx.cond(
            SkillsState.others.length() > 0,
            disclosure(f"The other skills ({SkillsState.others.length()})", skill_list(SkillsState.others, "Your other skills")),
        ),
        id="skills",
    )


def _practice() -> rx.Component:
    return rx.el.section(
        rx.el.h2("What to practise next", class_name=SECTION_TITLE),
        rx.el.p(
            rx.cond(
                SkillsState.weakest.length() > 0,
                "Questions for your weakest skills. ",
                "One question of each topic to begin with. ",
            ),
            "Practising costs no credit and changes no interview's score.",
            rx.cond(SkillsState.practice_words != "", f" {SkillsState.practice_words}.", ""),
            class_name="mb-3 text-sm text-muted",
        ),
        suggestions(SkillsState.suggestions, "What to practise next"),
        rx.cond(
            SkillsState.practised.length() > 0,
            rx.el.div(
                disclosure("What you have practised", suggestions(SkillsState.practised, "What you have practised")),
                class_name="mt-4",
            ),
        ),
        id="practice",
    )


def _list(title: str, items: rx.Var[list[SummaryItem]]) -> rx.Component:
    return rx.el.section(
        rx.el.h2(title, class_name="mb-3 font-serif text-xl font-bold"),
        rx.el.ul(
            rx.foreach(items, _item), class_name="divide-y divide-line overflow-hidden rounded-lg border border-line bg-sheet"
        ),
    )


def _item(item: rx.Var[SummaryItem]) -> rx.Component:
    return rx.el.li(
        rx.el.a(
            rx.el.div(
                rx.el.p(item.title, class_name="truncate font-medium text-ink"),
                rx.el.p(item.started, " · ", item.progress, class_name="text-sm text-muted"),
                class_name="min-w-0",
            ),
            rx.el.div(
                rx.cond(item.percent != "", rx.el.span(item.percent, " %", class_name="font-serif text-2xl font-bold")),
                rx.el.span(
                    rx.cond(item.status == "Finished", "Review", rx.cond(item.status == "Paused", "Resume", "Continue")),
                    class_name=LINK,
                ),
                class_name="flex shrink-0 items-baseline gap-4",
            ),
            href=item.href,
            class_name="flex items-center justify-between gap-4 px-5 py-4 no-underline hover:bg-paper",
        )
    )


def _nothing_yet() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Finished", class_name="mb-3 font-serif text-xl font-bold"),
        card(
            rx.el.p("Nothing finished yet. Your reports will be here, with the score of every answer.", class_name="text-muted")
        ),
    )
