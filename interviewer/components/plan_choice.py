"""Choosing the plan of an interview: its length, the topics to focus on, follow-ups, the level, and the programming language.

Nothing is sent until the form is submitted: CSS `:has()` shows what belongs to the selected length and to the switch. The class
`PLAN` goes on an element around both the form and the summary next to it. The inputs have no IDs, because with IDs Reflex would
send checkboxes as
booleans.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import reflex as rx

from interviewer.components.forms import FIELD
from interviewer.interviews.plan import (
    FOCUS_QUESTIONS,
    LANGUAGES,
    MAX_FOCUS_TOPICS,
    SHORT,
    STANDARD,
    Plan,
    Preset,
    focus,
    plan_duration,
    plan_size,
)
from interviewer.interviews.topics import TOPICS, Level, Topic
from interviewer.state.interview import InterviewState
from interviewer.state.plan_form import FOLLOW_UPS, LANGUAGE, LENGTH, LEVEL, topic_field
from interviewer.wording import counted

PLAN = "group/plan"
_SHOWN = {
    Preset.STANDARD: "hidden group-has-[[value=standard]:checked]/plan:block",
    Preset.SHORT: "hidden group-has-[[value=short]:checked]/plan:block",
    Preset.FOCUS: "hidden group-has-[[value=focus]:checked]/plan:block",
}
_WITH_FOLLOW_UPS = f"hidden group-has-[[name={FOLLOW_UPS}]:checked]/plan:block"
_WITHOUT_FOLLOW_UPS = f"group-has-[[name={FOLLOW_UPS}]:checked]/plan:hidden"
_LEGEND = "font-serif text-xl font-bold"
_BOX = (
    "flex min-h-11 cursor-pointer gap-3 rounded-md border border-line px-3 py-2.5 transition-colors hover:border-muted "
    "has-[:checked]:border-accent has-[:checked]:ring-1 has-[:checked]:ring-accent"
)
# Shows the paragraph after the topics when more topics are checked than allowed.
_TOO_MANY = f"[&>{'~'.join(['label:has(:checked)'] * (MAX_FOCUS_TOPICS + 1))}~p]:block"
_INPUT = "size-5 shrink-0 accent-accent"
_SWITCH = (
    "relative mt-0.5 h-6 w-10 shrink-0 cursor-pointer appearance-none rounded-full border border-muted bg-sheet transition-colors "
    "before:absolute before:left-0.5 before:top-0.5 before:size-[1.125rem] before:rounded-full before:bg-muted "
    "before:transition-transform before:content-[''] checked:border-accent checked:bg-accent checked:before:translate-x-4 "
    "checked:before:bg-sheet motion-reduce:before:transition-none"
)


def plan_choice() -> rx.Component:
    """Return the fields of the start form that define the plan."""
    return rx.el.div(
        rx.el.fieldset(
            rx.el.legend("Length", class_name=_LEGEND),
            rx.el.p("An interview costs one credit, whatever its length.", class_name="mt-1 text-sm text-muted"),
            rx.el.div(
                _length(Preset.STANDARD, "Standard", STANDARD, "two per topic"),
                _length(Preset.SHORT, "Short", SHORT, "one per topic"),
                _length(Preset.FOCUS, "Focus", focus([1]), "on the topics you choose"),
                class_name="mt-3 grid gap-3 sm:grid-cols-3",
            ),
        ),
        _topics(),
        _follow_ups(),
        rx.el.div(
            _select("Level", LEVEL, InterviewState.choice.level, "Match the job description", list(Level)),
            _select("Programming language", LANGUAGE, InterviewState.choice.language, "Any", list(LANGUAGES)),
            class_name="mt-6 grid gap-4 sm:grid-cols-2",
        ),
        class_name="mt-8",
    )


def _length(preset: Preset, name: str, plan: Plan, about: str) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="radio",
            name=LENGTH,
            value=preset.value,
            default_checked=InterviewState.choice.preset == preset.value,
            class_name=f"mt-0.5 {_INPUT}",
        ),
        rx.el.span(
            rx.el.span(name, class_name="block font-semibold leading-6"),
            rx.el.span(f"{counted(plan.total, 'question')}, {about}", class_name="block text-sm text-muted"),
            *_either(plan, plan_duration, rx.el.span, "text-sm text-muted"),
            class_name="min-w-0",
        ),
        class_name=_BOX,
    )


def _either(
    plan: Plan, words: Callable[[Plan], str], element: Callable[..., rx.Component], class_name: str = ""
) -> tuple[rx.Component, rx.Component]:
    """Return what is said of the plan without and with follow-ups, each shown only when the switch is off or on."""
    return (
        element(words(plan), class_name=f"block {_WITHOUT_FOLLOW_UPS} {class_name}"),
        element(words(replace(plan, follow_ups=True)), class_name=f"{_WITH_FOLLOW_UPS} {class_name}"),
    )


def _follow_ups() -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            role="switch",
            name=FOLLOW_UPS,
            value="yes",
            default_checked=InterviewState.choice.follow_ups,
            aria_labelledby="follow-ups-name",
            aria_describedby="follow-ups-about",
            class_name=_SWITCH,
        ),
        rx.el.span(
            rx.el.span("Follow-up questions", id="follow-ups-name", class_name="block font-semibold leading-6"),
            rx.el.span(
                "The interviewer may ask about what you left out. Your replies count toward your score.",
                id="follow-ups-about",
                class_name="block text-sm text-muted",
            ),
            class_name="min-w-0",
        ),
        class_name=f"{_BOX} mt-6",
    )


def _topics() -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend("Topics to focus on", class_name="font-semibold"),
        rx.el.p(
            f"Choose 1 to {MAX_FOCUS_TOPICS}. We'll split the {FOCUS_QUESTIONS} questions evenly between them.",
            class_name="mt-1 text-sm text-muted",
        ),
        rx.el.div(
            *[_topic(topic) for topic in TOPICS],
            rx.el.p(
                f"Choose at most {MAX_FOCUS_TOPICS} topics.", role="alert", class_name="hidden text-sm text-bad sm:col-span-2"
            ),
            class_name=f"mt-3 grid gap-3 sm:grid-cols-2 {_TOO_MANY}",
        ),
        class_name=f"mt-5 {_SHOWN[Preset.FOCUS]}",
    )


def _topic(topic: Topic) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            name=topic_field(topic.id),
            value="yes",
            default_checked=InterviewState.choice.topics.contains(topic.id),
            class_name=_INPUT,
        ),
        rx.el.span(topic.name, class_name="min-w-0 leading-5"),
        class_name=f"{_BOX} items-center",
    )


def _select(label: str, name: str, chosen: rx.Var[str], nothing: str, values: list[str]) -> rx.Component:
    """Return a labeled select. `nothing` is the label of the empty option, and `chosen` is the initial value."""
    return rx.el.div(
        rx.el.label(label, html_for=name, class_name="mb-1.5 block font-semibold"),
        rx.el.select(
            rx.el.option(nothing, value=""),
            *[rx.el.option(str(value).capitalize() if value in set(Level) else value, value=str(value)) for value in values],
            id=name,
            name=name,
            default_value=chosen,
            class_name=FIELD,
        ),
    )


def course() -> rx.Component:
    """Return the summary of the selected plan: its topics and question counts."""
    return rx.el.div(
        _course(Preset.STANDARD, STANDARD),
        _course(Preset.SHORT, SHORT),
        rx.el.div(
            *_either(
                focus([1]),
                lambda plan: f"{counted(FOCUS_QUESTIONS, 'question')} on the topics you choose, {plan_duration(plan)}.",
                rx.el.p,
            ),
            rx.el.ol(
                *[
                    rx.el.li(
                        topic.name,
                        class_name=f"hidden py-2 group-has-[[name=topic-{topic.id}]:checked]/plan:block",
                    )
                    for topic in TOPICS
                ],
                class_name="mt-4 divide-y divide-line border-y border-line",
            ),
            class_name=_SHOWN[Preset.FOCUS],
        ),
        class_name="mt-2",
    )


def _course(preset: Preset, plan: Plan) -> rx.Component:
    return rx.el.div(
        *_either(plan, lambda one: f"{plan_size(one)}, {plan_duration(one)}.", rx.el.p),
        rx.el.ol(
            *[
                rx.el.li(
                    rx.el.span(str(number), class_name="w-6 shrink-0 font-serif text-xl font-bold text-accent"),
                    rx.el.span(topic.name, class_name="min-w-0 flex-1"),
                    rx.el.span(counted(topic.questions, "question"), class_name="shrink-0 text-sm text-muted"),
                    class_name="flex items-baseline gap-2 py-2",
                )
                for number, topic in enumerate(plan.topics, 1)
            ],
            class_name="mt-4 divide-y divide-line border-y border-line",
        ),
        class_name=_SHOWN[preset],
    )
