"""The figures of a report: total score, scores by topic, skills, and the best and weakest answer."""

from __future__ import annotations

import reflex as rx

from interviewer.components.ink import ring
from interviewer.components.layout import SECTION_TITLE, SMALL_TITLE, card
from interviewer.interviews.rubric import MAX_SCORE
from interviewer.interviews.wording import NO_TOPIC_SCORE
from interviewer.reports import wording
from interviewer.state.models import ReportItem
from interviewer.state.practice_models import SkillItem
from interviewer.state.report import PickItem


def total_line(percent: rx.Var[str], total: rx.Var[int], judged: rx.Var[int]) -> rx.Component:
    """Return the total score: a large percentage in a ring, with the points in small text."""
    return rx.el.p(
        ring(
            rx.el.span(percent, "%", class_name="whitespace-nowrap font-serif text-5xl font-bold leading-none text-ink"),
            class_name="h-28 w-48 shrink-0 text-accent",
        ),
        rx.el.span(total, " of ", judged * MAX_SCORE, " points", class_name="text-muted"),
        class_name="flex flex-wrap items-center gap-x-5 gap-y-3",
    )


def topic_bars(topics: rx.Var[list[ReportItem]]) -> rx.Component:
    """Return the scores by topic as labeled bars."""
    return rx.el.ul(rx.foreach(topics, _bar), class_name="mt-5 space-y-3", aria_label=wording.TOPICS)


def _bar(topic: rx.Var[ReportItem]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(topic.name),
            rx.el.span(
                rx.cond(topic.judged, f"{topic.percent}%", NO_TOPIC_SCORE),
                class_name=rx.cond(topic.judged, "whitespace-nowrap font-serif font-bold", "whitespace-nowrap text-muted"),
            ),
            class_name="flex items-baseline justify-between gap-4",
        ),
        rx.el.div(
            rx.el.div(class_name="h-full rounded-full bg-accent", style={"width": f"{topic.percent}%"}),
            class_name="mt-1 h-2 overflow-hidden rounded-full bg-line",
            aria_hidden="true",
        ),
    )


def figures(
    percent: rx.Var[str], total: rx.Var[int], judged: rx.Var[int], topics: rx.Var[list[ReportItem]], **attributes: object
) -> rx.Component:
    """Return a card with the total score and the scores by topic, side by side on wide screens."""
    return card(
        rx.el.h2("Score", class_name="sr-only"),
        rx.el.div(
            rx.el.div(total_line(percent, total, judged), class_name="sm:w-48"),
            rx.el.div(topic_bars(topics), class_name="min-w-0 flex-1 sm:-mt-5"),
            class_name="flex flex-col gap-x-12 gap-y-2 sm:flex-row sm:items-center",
        ),
        **attributes,
    )


def skills(strengths: rx.Var[list[SkillItem]], weaknesses: rx.Var[list[SkillItem]]) -> rx.Component:
    """Return a card with the skills of one interview: strengths in one column, weaknesses in the other."""
    return card(
        rx.el.h2("Skills", class_name=SECTION_TITLE),
        rx.el.div(
            _column(wording.STRENGTHS, strengths, wording.NO_STRENGTH, alone=weaknesses.length() == 0),
            _column(wording.WEAKNESSES, weaknesses, wording.NO_WEAKNESS, alone=strengths.length() == 0),
            class_name=rx.cond(
                (strengths.length() > 0) & (weaknesses.length() > 0),
                "mt-4 grid gap-x-12 gap-y-6 sm:grid-cols-2",
                "mt-4 grid gap-6",
            ),
        ),
    )


def _column(title: str, found: rx.Var[list[SkillItem]], nothing: str, *, alone: rx.Var[bool]) -> rx.Component:
    """Return one column of skills, or the text `nothing` if there are none.

    If `alone`, the other column is empty, and this one takes the full width.
    """
    lines = "mt-1 divide-y divide-line"
    return rx.el.div(
        rx.el.h3(title, class_name=SMALL_TITLE),
        rx.cond(
            found.length() > 0,
            rx.el.ul(
                rx.foreach(found, _skill),
                class_name=rx.cond(alone, f"{lines} gap-12 sm:columns-2 *:break-inside-avoid", lines),
                aria_label=title,
            ),
            rx.el.p(nothing, class_name="py-2 text-muted"),
        ),
    )


def _skill(skill: rx.Var[SkillItem]) -> rx.Component:
    """Return one skill with its mean score in this interview."""
    return rx.el.li(
        rx.el.div(
            rx.el.p(skill.subtopic, class_name="break-words"),
            rx.el.p(skill.topic, class_name="text-sm text-muted"),
            class_name="min-w-0",
        ),
        rx.el.p(
            rx.el.span(skill.mean, class_name="font-serif text-xl font-bold"),
            rx.el.span(f"/{MAX_SCORE}", class_name="text-sm text-muted"),
            class_name=rx.cond(skill.passed, "shrink-0 text-good", "shrink-0 text-half"),
        ),
        class_name="flex items-baseline justify-between gap-4 py-2",
    )


def picks(found: rx.Var[list[PickItem]]) -> rx.Component:
    """Return the best and the weakest answer, each linked to its question on the page."""
    return rx.el.ul(rx.foreach(found, _pick), class_name="grid gap-5 sm:grid-cols-2", aria_label=wording.EXTREMES)


def _pick(pick: rx.Var[PickItem]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.p(pick.title, class_name=SMALL_TITLE),
            rx.el.p(
                rx.el.span(pick.score, class_name="font-serif text-2xl font-bold"),
                rx.el.span(f"/{MAX_SCORE}", class_name="text-sm text-muted"),
                class_name=rx.cond(pick.passed, "whitespace-nowrap text-good", "whitespace-nowrap text-half"),
            ),
            class_name="flex items-baseline justify-between gap-4",
        ),
        rx.el.p(pick.prompt, class_name="mt-2 mb-3 break-words font-serif text-lg leading-snug"),
        rx.el.a(
            "Question ",
            pick.position,
            " · ",
            pick.topic,
            href=pick.href,
            custom_attrs={"reloadDocument": True},
            class_name="mt-auto inline-flex min-h-11 items-center self-start font-medium text-accent underline underline-offset-4 hover:no-underline",
        ),
        class_name="flex flex-col rounded-lg border border-line bg-sheet p-5",
    )
