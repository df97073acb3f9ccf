"""The figures of a report: conclusion, total score, scores by topic and skill, and what to take away."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import LINK
from interviewer.components.ink import band_stroke, ring
from interviewer.components.layout import SECTION_TITLE, card
from interviewer.components.tones import band_text
from interviewer.interviews.rubric import MAX_SCORE
from interviewer.interviews.wording import NO_TOPIC_SCORE
from interviewer.reports import wording
from interviewer.reports.readiness import PASS_PERCENT
from interviewer.state.conclusion import ConclusionItem, ReportItem
from interviewer.state.report import AreaItem, FocusItem, ReportFields, WrongItem


def conclusion(
    found: rx.Var[ConclusionItem], percent: rx.Var[str], total: rx.Var[int], judged: rx.Var[int], *, level: str = "h2"
) -> rx.Component:
    """Return the conclusion in words, beside the total score. `level` is the element of the headline."""
    return rx.el.div(
        rx.cond(percent != "", _total(found, percent, total, judged)),
        rx.el.div(
            getattr(rx.el, level)(
                found.headline,
                class_name="text-balance break-words font-serif text-2xl font-bold leading-tight sm:text-[1.75rem]",
            ),
            rx.el.ul(
                rx.foreach(found.reasons, lambda reason: rx.el.li(reason)),
                class_name="mt-3 list-disc space-y-1 pl-5 text-muted marker:text-line",
            ),
            class_name="min-w-0 flex-1",
        ),
        class_name="flex flex-col gap-x-10 gap-y-5 sm:flex-row sm:items-start",
    )


def _total(found: rx.Var[ConclusionItem], percent: rx.Var[str], total: rx.Var[int], judged: rx.Var[int]) -> rx.Component:
    """Return the percentage in a ring in the color of its band, with the pass mark and the points."""
    return rx.el.p(
        ring(
            rx.el.span(percent, "%", class_name="whitespace-nowrap font-serif text-5xl font-bold leading-none text-ink"),
            class_name="h-24 w-40 shrink-0",
        ),
        rx.el.span(
            rx.el.span(found.meaning, class_name="block font-semibold first-letter:uppercase"),
            rx.el.span(wording.PASS_MARK, class_name="block text-sm text-muted"),
            rx.el.span(total, " of ", judged * MAX_SCORE, " points", class_name="block text-sm text-muted"),
        ),
        class_name=band_text(found.score_band, "flex shrink-0 items-center gap-x-4 gap-y-2 sm:w-40 sm:flex-col sm:items-start"),
    )


def takeaways(state: type[ReportFields]) -> rx.Component:
    """Return what to work on first, and the wrong statements to unlearn."""
    return rx.el.div(
        rx.cond(
            state.judged > 0,
            rx.el.section(
                rx.el.h2(wording.FOCUS, class_name=SECTION_TITLE),
                rx.cond(
                    state.focus.length() > 0,
                    rx.el.ol(
                        rx.foreach(state.focus, _focus),
                        class_name=rx.cond(
                            state.focus.length() > 2, "mt-3 grid gap-4 md:grid-cols-3", "mt-3 grid gap-4 md:grid-cols-2"
                        ),
                    ),
                    rx.el.p(wording.NO_FOCUS, class_name="mt-2 text-muted"),
                ),
                id="focus",
                class_name="scroll-mt-16 lg:scroll-mt-4",
            ),
        ),
        rx.cond(
            state.wrong.length() > 0,
            rx.el.section(
                rx.el.h2(wording.WRONG, class_name=SECTION_TITLE),
                rx.el.p(wording.WRONG_NOTE, class_name="mt-1 text-sm text-muted"),
                rx.el.ul(rx.foreach(state.wrong, _wrong), class_name="mt-2 divide-y divide-line"),
                rx.cond(state.more_wrong != "", rx.el.p(state.more_wrong, class_name="mt-1 text-sm text-muted")),
                id="wrong",
                class_name="scroll-mt-16 lg:scroll-mt-4",
            ),
        ),
        class_name="space-y-8 empty:hidden",
    )


def _focus(one: rx.Var[FocusItem]) -> rx.Component:
    return rx.el.li(
        rx.el.h3(one.area, class_name="font-semibold leading-snug"),
        rx.el.p(one.lesson, class_name="mt-1 break-words font-serif text-lg leading-snug"),
        rx.el.p(one.evidence, class_name="mt-2 text-sm text-muted"),
        rx.el.div(
            rx.cond(
                one.practice != "",
                rx.el.a(
                    "Practice this", rx.el.span(": ", one.practice, class_name="sr-only"), href=one.practice_href, class_name=LINK
                ),
            ),
            _to_question(one.position, one.href),
            class_name="mt-auto flex min-h-11 flex-wrap items-center gap-x-5 pt-1 print:hidden",
        ),
        class_name="flex flex-col rounded-lg border border-line bg-sheet p-4",
    )


def _wrong(one: rx.Var[WrongItem]) -> rx.Component:
    return rx.el.li(
        rx.el.p(
            rx.el.span("You said ", class_name="text-muted"),
            rx.el.mark("“", one.quote, "”", class_name="wrong"),
            class_name="break-words",
        ),
        rx.el.p(
            rx.el.span("Correct: ", class_name="font-semibold text-good"),
            one.correction,
            " ",
            _to_question(one.position, one.href),
            class_name="mt-1 break-words",
        ),
        class_name="py-3",
    )


def _to_question(position: rx.Var[int], href: rx.Var[str]) -> rx.Component:
    """Return a link to a question on the page, which bypasses the client-side router."""
    return rx.el.a(
        "Question ",
        position,
        href=href,
        custom_attrs={"reloadDocument": True},
        class_name="whitespace-nowrap text-sm text-muted underline underline-offset-4 hover:text-ink",
    )


def topic_bars(topics: rx.Var[list[ReportItem]], class_name: str = "mt-5 space-y-3") -> rx.Component:
    """Return the scores by topic as labeled bars with a notch at the pass mark."""
    return rx.el.ul(rx.foreach(topics, _bar), class_name=class_name, aria_label=wording.TOPICS)


def _bar(topic: rx.Var[ReportItem]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(topic.name),
            rx.cond(
                topic.judged,
                rx.el.span(
                    band_stroke(topic.band),
                    rx.el.span(f"{topic.percent}%", class_name="font-serif font-bold"),
                    rx.el.span(", ", topic.meaning, class_name="sr-only"),
                    class_name=band_text(topic.band, "inline-flex shrink-0 items-center gap-1.5 whitespace-nowrap"),
                ),
                rx.el.span(NO_TOPIC_SCORE, class_name="whitespace-nowrap text-muted"),
            ),
            class_name="flex items-end justify-between gap-4",
        ),
        rx.el.div(
            rx.el.div(
                rx.el.div(
                    class_name=band_text(topic.band, "h-full rounded-full bg-current"), style={"width": f"{topic.percent}%"}
                ),
                class_name="h-2 overflow-hidden rounded-full bg-line",
            ),
            rx.el.span(class_name="absolute -inset-y-0.5 w-0.5 bg-ink", style={"left": f"{PASS_PERCENT}%"}),
            class_name="relative mt-1",
            aria_hidden="true",
        ),
    )


def scores(topics: rx.Var[list[ReportItem]], skills: rx.Var[list[AreaItem]]) -> rx.Component:
    """Return a card with the scores by topic and by skill, side by side on wide screens."""
    return card(
        rx.el.div(
            rx.el.div(
                rx.el.h2(wording.TOPICS, class_name=SECTION_TITLE),
                rx.el.p(f"The line marks {PASS_PERCENT}%, which passes.", class_name="mt-1 text-sm text-muted"),
                topic_bars(topics, "mt-4 space-y-3"),
            ),
            rx.cond(
                skills.length() > 0,
                rx.el.div(
                    rx.el.h2(wording.SKILLS, class_name=SECTION_TITLE),
                    rx.el.p(wording.SKILLS_NOTE, class_name="mt-1 text-sm text-muted"),
                    rx.el.ul(rx.foreach(skills, _skill), class_name="mt-2 divide-y divide-line", aria_label=wording.SKILLS),
                    id="skills",
                    class_name="scroll-mt-16 lg:scroll-mt-4",
                ),
            ),
            class_name="grid gap-x-12 gap-y-7 md:grid-cols-2",
        ),
        id="score",
        class_name="scroll-mt-16 lg:scroll-mt-4",
    )


def _skill(skill: rx.Var[AreaItem]) -> rx.Component:
    """Return one skill with its mean score and its questions."""
    return rx.el.li(
        rx.el.p(
            rx.el.span(skill.name, class_name="block break-words leading-snug"),
            rx.el.span(skill.asked, class_name="block text-sm leading-snug text-muted"),
            class_name="min-w-0",
        ),
        rx.el.p(
            band_stroke(skill.band),
            rx.el.span(
                rx.el.span(skill.mean, class_name="font-serif text-lg font-bold"),
                rx.el.span(f"/{MAX_SCORE}", class_name="text-sm text-muted"),
            ),
            rx.el.span(", ", skill.meaning, class_name="sr-only"),
            class_name=band_text(skill.band, "inline-flex shrink-0 items-center gap-1.5"),
        ),
        class_name="flex items-center justify-between gap-4 py-1.5",
    )
