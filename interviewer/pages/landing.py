"""The landing page: the product, a marked sample answer, how it works, prices, and data protection."""

from __future__ import annotations

import re

import reflex as rx

from interviewer.components.billing import prices
from interviewer.components.forms import LINK, PRIMARY, SECONDARY
from interviewer.components.icons import icon
from interviewer.components.ink import ring
from interviewer.components.layout import SMALL_TITLE, shell
from interviewer.components.verdict import disclosure
from interviewer.interviews.plan import FIRST_CHOICE, MAX_FOCUS_TOPICS, SHORT, STANDARD, plan_duration
from interviewer.interviews.rubric import MAX_SCORE, Mark
from interviewer.interviews.samples import SAMPLE_VERDICT, SampleMark
from interviewer.interviews.topics import TOPICS
from interviewer.interviews.wording import MARKS, MODEL_ANSWER

_TITLE = "font-serif text-2xl font-bold"


def landing() -> rx.Component:
    """Return the landing page."""
    return shell(_hero(), _course(), _trust(), prices(), _data(), width="max-w-6xl")


def _hero() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h1(
                "Practice for your backend interview. ",
                rx.el.span("Know what each answer was worth, and why.", class_name="marker"),
                class_name="font-serif text-4xl font-bold leading-[1.12] tracking-tight sm:text-5xl",
            ),
            rx.el.p(
                f"Paste a job description and answer {STANDARD.total} questions, or {SHORT.total} if you're short on time. "
                "After each one, see which key points you covered (with quotes from your answer), which you missed, and what to say next time.",
                class_name="mt-5 max-w-xl text-lg text-muted",
            ),
            rx.el.div(
                rx.el.a("Try a free interview", icon("arrow"), href="/signup", class_name=PRIMARY),
                rx.el.a("Sign in", href="/login", class_name=SECONDARY),
                class_name="mt-7 flex flex-wrap gap-3",
            ),
            rx.el.p(
                f"Your first interview is free. No credit card needed. It takes {plan_duration(FIRST_CHOICE)}.",
                class_name="mt-4 text-sm text-muted",
            ),
            _steps(),
        ),
        _excerpt(),
        class_name="grid items-start gap-10 lg:grid-cols-[5fr_6fr] lg:gap-14",
    )


def _steps() -> rx.Component:
    steps = (
        ("Paste a job description", "or start without one for a general backend interview."),
        ("Answer as you would in a real interview", "in words or in code. Pause whenever you need to."),
        ("Read your verdict", "with the reason for every point. The next question is already on its way."),
    )
    return rx.el.ol(
        *[
            rx.el.li(
                rx.el.span(
                    number,
                    class_name="flex size-8 shrink-0 items-center justify-center rounded-full border-2 border-accent font-serif text-lg font-bold leading-none text-accent",
                ),
                rx.el.p(rx.el.span(title, class_name="font-semibold"), ", ", text, class_name="pt-0.5"),
                class_name="flex gap-3.5",
            )
            for number, (title, text) in enumerate(steps, 1)
        ],
        aria_label="How it works",
        class_name="mt-10 space-y-4 border-t border-line pt-8 max-lg:hidden",
    )


def _excerpt() -> rx.Component:
    sample = SAMPLE_VERDICT
    made = [mark for mark in sample.marks if mark.quote]
    return rx.el.article(
        rx.el.div(
            rx.el.div(
                rx.el.p("Sample question · ", sample.topic, class_name="text-sm font-medium text-muted"),
                rx.el.h2(sample.question, class_name="mt-2 font-serif text-xl font-bold leading-snug"),
            ),
            rx.el.p(
                ring(
                    rx.el.span(sample.score, class_name="font-serif text-4xl font-bold leading-none"),
                    rx.el.span(f"/{MAX_SCORE}", class_name="text-base"),
                ),
                class_name="-mr-1 -mt-1 shrink-0 -rotate-6 text-good sm:-mr-3 sm:-mt-3",
            ),
            class_name="flex items-start justify-between gap-4",
        ),
        rx.el.h3("The answer", class_name=f"mb-1.5 mt-5 {SMALL_TITLE}"),
        rx.el.p(*_highlighted(sample.answer, [mark.quote for mark in made]), class_name="leading-relaxed"),
        rx.el.h3(f"The verdict: {len(made)} of {len(sample.marks)} key points covered", class_name=f"mb-2 mt-5 {SMALL_TITLE}"),
        rx.el.ul(*[_mark(mark) for mark in sample.marks[3:6]], class_name="mb-4 space-y-2"),
        disclosure(
            "Every key point, with quotes", rx.el.ul(*[_mark(mark, proof=True) for mark in sample.marks], class_name="space-y-3")
        ),
        disclosure(MODEL_ANSWER, rx.el.p(sample.model_answer)),
        rx.el.p(
            rx.el.span("Next time: ", class_name="font-semibold"),
            sample.next_time,
            class_name="border-t border-line pt-4 text-muted",
        ),
        id="excerpt",
        aria_label="A sample answer and its verdict",
        class_name="scroll-mt-6 rounded-lg border border-line bg-sheet p-5 shadow-[0_1px_2px_rgb(0_0_0/0.05),0_12px_32px_-12px_rgb(0_0_0/0.18)] sm:p-7",
    )


def _highlighted(answer: str, quotes: list[str]) -> list[rx.Component]:
    pieces = re.split("(" + "|".join(re.escape(quote) for quote in quotes) + ")", answer)
    return [rx.el.mark(piece) if piece in quotes else rx.el.span(piece) for piece in pieces if piece]


def _mark(mark: SampleMark, *, proof: bool = False) -> rx.Component:
    symbol, tone, word = ("check", "text-good", MARKS[Mark.HIT]) if mark.quote else ("cross", "text-bad", MARKS[Mark.MISSED])
    return rx.el.li(
        icon(symbol, class_name=f"mt-1 {tone}"),
        rx.el.div(
            rx.el.p(rx.el.span(f"{word}: ", class_name="font-semibold"), mark.point),
            rx.el.p(rx.el.mark(f"“{mark.quote}”"), class_name="mt-1 text-sm") if proof and mark.quote else rx.fragment(),
        ),
        class_name="flex gap-3",
    )


def _course() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Six topics, one interview", class_name=_TITLE),
        rx.el.p(
            "From your introduction to general backend knowledge, tailored to the job description you paste. Cover them all, or focus "
            f"on up to {MAX_FOCUS_TOPICS}. Some questions pick up on something you said earlier.",
            class_name="mt-1 max-w-2xl text-muted",
        ),
        rx.el.ol(
            *[
                rx.el.li(
                    rx.el.div(class_name="h-1.5 rounded-full bg-accent", style={"opacity": f"{1 - 0.13 * place:.2f}"}),
                    rx.el.p(
                        rx.el.span(place + 1, class_name="mr-2 font-serif font-bold text-accent"),
                        topic.name,
                        class_name="mt-2 font-medium leading-snug",
                    ),
                )
                for place, topic in enumerate(TOPICS)
            ],
            class_name="mt-5 grid grid-cols-2 gap-x-4 gap-y-5 sm:grid-cols-3 lg:grid-cols-6",
        ),
        class_name="mt-16 sm:mt-20",
    )


def _trust() -> rx.Component:
    reasons = (
        (
            "The rubric comes first",
            "What a good answer covers, and how much each point counts, is set before you write a word. No one moves the goalposts.",
        ),
        (
            "Every point needs a quote",
            "A point counts only if a quote from your answer backs it up. Our software checks that the quote is really there, then adds up the score.",
        ),
        (
            "You never lose your work",
            "Your answer is saved before it's scored. Reload, pause, or switch devices: your interview picks up where you left off.",
        ),
    )
    return rx.el.section(
        rx.el.h2("What you can count on", class_name=_TITLE),
        rx.el.div(
            *[
                rx.el.div(
                    rx.el.h3(
                        icon("check", class_name="mt-1 text-good"), title, class_name="flex gap-2.5 font-serif text-xl font-bold"
                    ),
                    rx.el.p(text, class_name="mt-1.5 text-muted"),
                )
                for title, text in reasons
            ],
            class_name="mt-5 grid gap-8 md:grid-cols-3",
        ),
        class_name="mt-16 sm:mt-20",
    )


def _data() -> rx.Component:
    facts = (
        "Your answers are yours. Export them anytime. If you delete your account, we erase them.",
        "No tracking and no ads. Our pages load nothing from other sites.",
        "With the AI interviewer, your job description and answers go to the AI provider. With the built-in one, they aren't sent to anyone.",
        "Lemon Squeezy handles all payments. We never see your card number.",
    )
    return rx.el.section(
        rx.el.h2("What happens to your data", class_name=_TITLE),
        rx.el.ul(
            *[
                rx.el.li(icon("check", class_name="mt-1 text-good"), rx.el.span(fact), class_name="flex gap-2.5")
                for fact in facts
            ],
            class_name="mt-4 grid gap-x-10 gap-y-3 md:grid-cols-2",
        ),
        rx.el.p(
            "For the full story, read ",
            rx.el.a("the privacy notice", href="/privacy", class_name=LINK),
            ". You can also use Interviewer from your own programs, through ",
            rx.el.a("the API", href="/api/docs", custom_attrs={"reloadDocument": True}, class_name=LINK),
            ".",
            class_name="mt-5 text-muted",
        ),
        class_name="mt-16 sm:mt-20",
    )
