"""Lists of skills, of the job's requirements, and of suggestions for practice."""

from __future__ import annotations

from collections.abc import Mapping

import reflex as rx

from interviewer.components.forms import LINK
from interviewer.components.icons import icon
from interviewer.components.layout import SMALL_TITLE
from interviewer.components.prose import prose
from interviewer.components.verdict import disclosure
from interviewer.interviews.rubric import MAX_SCORE
from interviewer.interviews.wording import PASSING
from interviewer.reports import wording
from interviewer.reports.coverage import Standing
from interviewer.state.practice_models import RequirementItem, SkillItem, SuggestionItem


def skill_list(skills: rx.Var[list[SkillItem]], label: str) -> rx.Component:
    """Return a list of skills with their scores. `label` is its accessible name."""
    return rx.el.ul(rx.foreach(skills, skill_line), class_name="divide-y divide-line", aria_label=label)


def skill_line(skill: rx.Var[SkillItem]) -> rx.Component:
    """Return one skill: its name, mean score, number of answers, and trend."""
    return rx.el.li(
        rx.el.div(
            rx.el.p(skill.subtopic, class_name="break-words font-medium"),
            rx.el.p(skill.topic, class_name="text-sm text-muted"),
            rx.el.p(skill.answers, _trend(skill), class_name="text-sm text-muted"),
            class_name="min-w-0",
        ),
        rx.el.p(
            rx.el.span(skill.mean, class_name="font-serif text-2xl font-bold"),
            rx.el.span(f"/{MAX_SCORE}", class_name="text-sm text-muted"),
            class_name=rx.cond(skill.passed, "shrink-0 text-good", "shrink-0 text-half"),
        ),
        class_name="flex items-baseline justify-between gap-4 py-3",
    )


def _trend(skill: rx.Var[SkillItem]) -> rx.Component:
    """Return the last score and how it compares with the earlier scores. For a new skill, the result is empty."""
    return rx.match(
        skill.trend,
        (
            "up",
            rx.el.span(
                " · ", rx.el.span("↑", aria_hidden="true"), f" last score {skill.last}, trending up", class_name="text-good"
            ),
        ),
        (
            "down",
            rx.el.span(
                " · ", rx.el.span("↓", aria_hidden="true"), f" last score {skill.last}, trending down", class_name="text-bad"
            ),
        ),
        ("steady", rx.el.span(f" · last score {skill.last}, steady")),
        rx.fragment(),
    )


_SIGNS = {
    Standing.SHOWN: ("check", "mt-1 text-good"),
    Standing.PARTLY_SHOWN: ("half", "mt-1 text-half"),
    Standing.NOT_SHOWN: ("half", "mt-1 text-half"),
}


def requirements(found: Mapping[Standing, rx.Var[list[RequirementItem]]]) -> rx.Component:
    """Return the job's requirements by their standing. Those not asked about are folded."""
    not_asked = found[Standing.NOT_ASKED]
    return rx.fragment(
        rx.el.p(
            f"“Demonstrated” means you scored {PASSING} or higher on at least one question about that requirement. "
            "We match questions to requirements by their wording, so a few may be off.",
            class_name="text-sm text-muted",
        ),
        *(
            rx.cond(found[one].length() > 0, _standing(wording.STANDINGS[one], found[one], icon(sign, class_name=look)))
            for one, (sign, look) in _SIGNS.items()
        ),
        rx.cond(
            not_asked.length() > 0,
            rx.el.div(
                disclosure(
                    f"{wording.STANDINGS[Standing.NOT_ASKED]} ({not_asked.length()})",
                    rx.el.ul(rx.foreach(not_asked, lambda one: _requirement(one, rx.fragment())), class_name="space-y-3"),
                ),
                class_name="mt-5",
            ),
        ),
    )


def _standing(title: str, wanted: rx.Var[list[RequirementItem]], sign: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.el.h3(f"{title} (", wanted.length(), ")", class_name=SMALL_TITLE),
        rx.el.ul(rx.foreach(wanted, lambda one: _requirement(one, sign)), class_name="mt-3 grid gap-x-10 gap-y-3 sm:grid-cols-2"),
        class_name="mt-5",
    )


def _requirement(one: rx.Var[RequirementItem], sign: rx.Component) -> rx.Component:
    return rx.el.li(
        sign,
        rx.el.div(
            rx.el.p(one.text, class_name="break-words"),
            rx.el.p(one.kind, rx.cond(one.asked != "", f" · {one.asked}", ""), class_name="text-sm text-muted"),
            class_name="min-w-0",
        ),
        class_name="flex gap-3",
    )


def suggestions(questions: rx.Var[list[SuggestionItem]], label: str) -> rx.Component:
    """Return a list of questions, each linked to its practice page. `label` is its accessible name."""
    return rx.el.ul(
        rx.foreach(questions, _suggestion),
        class_name="divide-y divide-line overflow-hidden rounded-lg border border-line bg-sheet",
        aria_label=label,
    )


def _suggestion(one: rx.Var[SuggestionItem]) -> rx.Component:
    return rx.el.li(
        rx.el.a(
            rx.el.div(
                rx.el.p(
                    one.subtopic,
                    rx.cond(one.why != "", f" · {one.why}", ""),
                    rx.cond(one.record != "", rx.el.span(" · ", one.record, class_name="font-medium text-ink")),
                    class_name="text-sm text-muted",
                ),
                prose(one.prompt, class_name="line-clamp-2 text-ink"),
                class_name="min-w-0",
            ),
            rx.el.span("Practice", class_name=f"{LINK} shrink-0 max-sm:sr-only"),
            icon("chevron", class_name="-rotate-90 text-accent sm:hidden"),
            href=one.href,
            class_name="flex items-center justify-between gap-4 px-5 py-4 no-underline hover:bg-paper",
        )
    )
