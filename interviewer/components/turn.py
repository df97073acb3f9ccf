"""One turn of an interview: the question with its answer box, and the verdict on the last answer."""

from __future__ import annotations

import reflex as rx

from interviewer.components.answer_box import answer_box
from interviewer.components.appeal import appeal
from interviewer.components.asking import (
    STILL_LOADING,
    ask_form,
    ask_menu,
    failed,
    hint_menu,
    reply_being_written,
    reply_failed,
    skip_menu,
)
from interviewer.components.conversation import conversation
from interviewer.components.exercise_results import exercise_results
from interviewer.components.forms import PRIMARY, QUIET, SECONDARY, alert, form
from interviewer.components.icons import icon
from interviewer.components.ink import empty_ring
from interviewer.components.layout import SMALL_TITLE, card
from interviewer.components.prose import prose
from interviewer.components.verdict import answer_text, disclosure, marks_count, marks_list, model_answer, score_badge
from interviewer.interviews.exchange import Kind
from interviewer.state.interview import InterviewState

QUESTION_TEXT = "font-serif text-[1.375rem] font-bold leading-snug sm:text-[1.6875rem] sm:leading-snug"
# The same gap as in streaming text, so that nothing moves when the text is complete.
AS_WRITTEN = "space-y-[1lh]"
_TOPIC = "min-w-0 text-sm font-medium text-muted"
_TOP = "flex min-h-11 items-center justify-between gap-4"


def question() -> rx.Component:
    """Return the current question with its answer box, or the question as it is being written.

    If there is neither, a message explains why.
    """
    return card(
        rx.cond(
            InterviewState.question.question_id > 0,
            rx.fragment(
                rx.el.div(
                    rx.el.p(InterviewState.question.topic, " · ", InterviewState.question.subtopic, class_name=_TOPIC),
                    _read_button(),
                    class_name=_TOP,
                ),
                _asked(),
                rx.cond(
                    InterviewState.question.awaits == Kind.ANSWER,
                    rx.cond(~InterviewState.replying, reply_failed()),
                    rx.fragment(rx.cond(InterviewState.reply_error != "", reply_failed()), _answer_form(), ask_form()),
                ),
            ),
            rx.cond(InterviewState.asking, _question_being_asked(), _no_question()),
        ),
        id="turn",
        aria_label="The question",
        class_name="scroll-mt-4",
    )


def _asked() -> rx.Component:
    """Return the question and what was said about it. On a laptop, a long one scrolls in itself, so that the box stays in view."""
    return rx.el.div(
        rx.el.div(
            prose(InterviewState.question.prompt, id="question", class_name=QUESTION_TEXT, gap=AS_WRITTEN),
            role="heading",
            aria_level="1",
        ),
        rx.cond(
            InterviewState.question.said.length() > 0,
            rx.el.div(conversation(InterviewState.question), id="thread", class_name="mt-5"),
        ),
        rx.cond(InterviewState.replying, reply_being_written()),
        id="asked-text",
        class_name="mt-2",
    )


def _read_button() -> rx.Component:
    return rx.el.button(
        icon("speaker"),
        rx.el.span("Read aloud", class_name="off"),
        rx.el.span("Stop reading", class_name="on"),
        type="button",
        custom_attrs={"data-read": "question", "data-key": "r", "data-needs": "speaks"},
        class_name=f"{QUIET} shrink-0 text-sm",
    )


def _question_being_asked() -> rx.Component:
    is_first = InterviewState.last.question_id == 0
    return rx.el.div(
        rx.el.div(rx.el.p(rx.cond(is_first, "The first question", "The next question"), class_name=_TOPIC), class_name=_TOP),
        rx.cond(
            (InterviewState.question_tail != "") | (InterviewState.question_chunks.length() > 0),
            rx.el.p(
                rx.foreach(InterviewState.question_chunks, lambda chunk: rx.el.span(chunk)),
                rx.el.span(InterviewState.question_tail, class_name="writing"),
                id="question-growing",
                class_name=f"mt-2 whitespace-pre-line break-words {QUESTION_TEXT}",
            ),
            rx.el.div(
                rx.el.div(class_name="skeleton h-7 w-full"),
                rx.el.div(class_name="skeleton h-7 w-2/3"),
                role="img",
                class_name="mt-4 space-y-3.5",
                aria_label="Writing your question…",
            ),
        ),
        rx.el.div(
            rx.el.p(
                rx.el.span(
                    "This is taking longer than usual. You can leave this page; nothing will be lost. ", class_name="late"
                ),
                rx.el.span(STILL_LOADING, class_name="later"),
                class_name="text-sm text-muted",
            ),
            rx.cond(is_first, _give_up()),
            class_name="mt-auto flex flex-wrap items-center justify-between gap-x-4 gap-y-2 pt-6",
        ),
        class_name="flex min-h-[34rem] flex-col",
        aria_busy="true",
    )


def _give_up() -> rx.Component:
    return rx.el.button(
        rx.el.span("Cancel this interview"),
        type="button",
        on_click=InterviewState.give_up,
        custom_attrs={"data-wait": "Canceling…"},
        class_name=f"{QUIET} -ml-2 text-sm",
    )


def _no_question() -> rx.Component:
    return rx.el.div(
        rx.cond(
            InterviewState.question_error != "",
            failed(InterviewState.question_error, "Get the next question", "Loading…", id="question-error", look=PRIMARY),
            rx.el.p("That was the last question. Your report will be complete once your answer is scored.", class_name="text-lg"),
        ),
        class_name="min-h-40",
    )


def _answer_form() -> rx.Component:
    return form(
        answer_box(
            code_mode=InterviewState.code_mode,
            toggle=InterviewState.toggle_code,
            key=f"{InterviewState.question.draft}-{InterviewState.box}",
            draft=InterviewState.question.draft,
            sent=InterviewState.question.asked,
            label=rx.cond(InterviewState.question.follows_up, "Your reply", "Your answer"),
            hidden={"interview": InterviewState.interview_id, "question": InterviewState.question.question_id},
            space="mt-5",
            language=InterviewState.question.language,
            exercise=InterviewState.exercise,
        ),
        rx.el.p("", class_name="heard mt-2 text-muted italic", aria_hidden="true", custom_attrs={"data-heard": ""}),
        rx.el.p("", class_name="heard mt-2 text-sm text-muted", role="status", custom_attrs={"data-dictation": ""}),
        rx.el.div(alert(InterviewState.error), _behind(), class_name="mt-3"),
        rx.el.div(
            rx.el.button(
                rx.el.span(rx.cond(InterviewState.sending, "Sending…", "Send answer")),
                type="submit",
                disabled=InterviewState.sending,
                custom_attrs={"data-wait": "Sending…"},
                class_name=PRIMARY,
            ),
            rx.cond(~InterviewState.code_mode, _dictate_button()),
            ask_menu(),
            hint_menu(),
            skip_menu(),
            class_name="relative mt-3 flex flex-wrap items-center gap-y-2 sm:gap-x-2",
        ),
        rx.el.p(
            "Press Ctrl + Enter to send. ",
            rx.el.span("Your draft is saved in this browser until you send it.", custom_attrs={"data-draft-note": ""}),
            rx.cond(
                ~InterviewState.code_mode,
                rx.el.span(
                    " If you dictate, your browser may send the audio to the company that makes it.",
                    custom_attrs={"data-needs": "hears"},
                ),
            ),
            id="answer-hint",
            class_name="mt-3 text-sm text-muted",
        ),
        id="answer-form",
        on_submit=InterviewState.submit_answer,
    )


def _behind() -> rx.Component:
    """Return the button that loads the current question, shown after another tab or device has continued the interview."""
    return rx.cond(
        InterviewState.behind,
        rx.el.button(
            rx.el.span("Go to the current question"),
            type="button",
            on_click=InterviewState.load,
            custom_attrs={"data-wait": "Loading…"},
            class_name=f"{SECONDARY} mt-3",
        ),
    )


def _dictate_button() -> rx.Component:
    return rx.el.button(
        icon("microphone"),
        rx.el.span("Dictate", class_name="off"),
        rx.el.span("Stop dictation", class_name="on"),
        type="button",
        custom_attrs={"data-dictate": "answer", "data-key": "d", "data-needs": "hears"},
        class_name=QUIET,
    )


def feedback() -> rx.Component:
    """Return the verdict on the last answer as a margin note, streamed as it is written.

    Before the first answer, a placeholder explains what will appear here.
    """
    return rx.cond(
        InterviewState.last.question_id > 0,
        rx.el.section(
            rx.el.h2(
                rx.cond(InterviewState.last.skipped, "The question you skipped", "Your latest answer"),
                class_name=SMALL_TITLE,
            ),
            rx.cond(
                InterviewState.last.judged,
                _verdict(),
                rx.cond(InterviewState.judging, _feedback_being_written(), _not_scored()),
            ),
            rx.cond(~InterviewState.judging, _asked_and_answered()),
            _older_unscored(),
            _next_button(),
            id="feedback",
            class_name=_MARGIN,
        ),
        rx.el.p(
            "After each answer, you'll see your verdict here: your score, the key points you covered and missed, and a model answer.",
            class_name="rounded-lg border border-dashed border-line p-5 text-muted max-lg:hidden",
        ),
    )


def _next_button() -> rx.Component:
    """Return the button that leads from the verdict to the next question on a narrow screen. `assets/room.js` handles it."""
    return rx.cond(
        (InterviewState.question.question_id > 0) | InterviewState.asking | (InterviewState.question_error != ""),
        rx.el.div(
            rx.el.button(
                "Next question",
                icon("chevron"),
                type="button",
                id="next-question",
                custom_attrs={"aria-controls": "turn"},
                class_name=f"{PRIMARY} w-full",
            ),
            class_name="next-question sticky bottom-0 -mx-5 mt-2 -mb-5 rounded-b-lg border-t border-line bg-sheet px-5 py-3 sm:-mx-7 sm:-mb-7 sm:px-7",
        ),
    )


_MARGIN = (
    "scroll-mt-4 rounded-lg border border-line bg-sheet p-5 sm:p-7 lg:text-[0.9375rem] "
    "lg:rounded-none lg:border-0 lg:border-l-2 lg:border-accent lg:bg-transparent lg:py-1 lg:pl-6 lg:pr-0"
)


def _asked_and_answered() -> rx.Component:
    return disclosure(
        "The question and your answer",
        prose(InterviewState.last.prompt, class_name="mb-3 font-medium"),
        rx.cond(InterviewState.last.said.length() > 0, conversation(InterviewState.last), answer_text(InterviewState.last)),
    )


def _feedback_being_written() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            empty_ring(),
            rx.el.p("Scoring your answer", class_name="font-serif text-xl text-muted"),
            class_name="flex items-center gap-4",
        ),
        rx.cond(
            (InterviewState.feedback_tail != "") | (InterviewState.feedback_chunks.length() > 0),
            rx.el.p(
                rx.foreach(InterviewState.feedback_chunks, lambda chunk: rx.el.span(chunk)),
                rx.el.span(InterviewState.feedback_tail, class_name="writing"),
                id="feedback-growing",
                class_name="mt-4 whitespace-pre-line break-words",
            ),
            rx.el.div(
                rx.el.div(class_name="skeleton h-5 w-full"),
                rx.el.div(class_name="skeleton h-5 w-full"),
                rx.el.div(class_name="skeleton h-5 w-1/2"),
                role="img",
                class_name="mt-5 space-y-3",
                aria_label="Writing your verdict…",
            ),
        ),
        class_name="my-4 min-h-[26rem]",
        aria_busy="true",
    )


def _verdict() -> rx.Component:
    return rx.el.div(
        score_badge(InterviewState.last),
        prose(InterviewState.last.feedback, id="feedback-text", class_name="mt-4 mb-5", gap=AS_WRITTEN),
        disclosure("Every key point, with quotes", marks_list(InterviewState.last), beside=marks_count(InterviewState.last)),
        exercise_results(InterviewState.last),
        model_answer(InterviewState.last),
        appeal(InterviewState.last),
        class_name="mt-4",
    )


def _not_scored() -> rx.Component:
    return rx.el.div(failed(InterviewState.verdict_error, "Score it now", "Scoring…", id="verdict-error"), class_name="my-4")


def _older_unscored() -> rx.Component:
    return rx.cond(
        InterviewState.unscored.length() > 0,
        rx.el.div(
            rx.el.p("Answers not scored yet: ", InterviewState.unscored.length(), class_name="text-half"),
            rx.el.button(
                rx.el.span("Score now"),
                type="button",
                on_click=InterviewState.score_missing,
                disabled=InterviewState.sending,
                custom_attrs={"data-wait": "Scoring…"},
                class_name=f"{QUIET} text-sm",
            ),
            class_name="mt-2 flex flex-wrap items-center justify-between border-t border-line pt-2",
        ),
    )
