"""The button that requests a second verdict, and both verdicts side by side."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import SECONDARY, alert
from interviewer.components.prose import prose
from interviewer.components.verdict import disclosure
from interviewer.interviews.rubric import MAX_SCORE
from interviewer.interviews.wording import SECOND_VERDICT
from interviewer.state.appeal import AppealState
from interviewer.state.models import PairItem, TurnItem


def appeal(turn: rx.Var[TurnItem]) -> rx.Component:
    """Return both verdicts if the turn was appealed, or the offer of a second verdict if it can be appealed.

    Otherwise, nothing is shown.
    """
    return rx.cond(turn.appealed, _both(turn), rx.cond(turn.may_appeal, _offer(turn)))


def _offer(turn: rx.Var[TurnItem]) -> rx.Component:
    hearing = AppealState.hearing == turn.question_id
    return rx.el.section(
        rx.el.h3("Does this score look wrong?", class_name="font-medium"),
        rx.el.p(
            "Have your answer scored again by an interviewer that hasn't seen this verdict. "
            "Your score will be the average of the two, whether that's higher or lower. You can do this once per question.",
            class_name="mt-1 text-sm text-muted",
        ),
        rx.cond(
            AppealState.error_of == turn.question_id, rx.el.div(alert(AppealState.error, id="appeal-error"), class_name="mt-3")
        ),
        rx.el.button(
            rx.cond(hearing, "Scoring again…", "Get a second opinion"),
            type="button",
            on_click=AppealState.ask(turn.question_id),
            disabled=AppealState.hearing != 0,
            aria_busy=hearing,
            class_name=f"{SECONDARY} mt-3",
        ),
        class_name="border-t border-line py-4",
    )


def _both(turn: rx.Var[TurnItem]) -> rx.Component:
    return rx.el.section(
        rx.el.h3("Two verdicts", class_name="font-medium"),
        rx.el.p(
            "The first verdict gave ",
            rx.el.strong(turn.first_score),
            ", the second ",
            rx.el.strong(turn.second_score),
            ". The score is their average: ",
            rx.el.strong(turn.score, f" out of {MAX_SCORE}"),
            ".",
            role="status",
            class_name="mt-1",
        ),
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    rx.el.th("Key point", scope="col", class_name="py-2 pr-3 font-medium"),
                    rx.el.th("First", scope="col", class_name="py-2 pr-3 font-medium"),
                    rx.el.th("Second", scope="col", class_name="py-2 font-medium"),
                ),
                class_name="text-left text-muted",
            ),
            rx.el.tbody(rx.foreach(turn.pairs, _pair), class_name="divide-y divide-line"),
            class_name="mt-3 w-full text-sm",
        ),
        disclosure(SECOND_VERDICT, prose(turn.second_feedback)),
        class_name="border-t border-line pt-4",
    )


def _pair(pair: rx.Var[PairItem]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(pair.point, class_name="py-2 pr-3 align-top break-words"),
        rx.el.td(pair.first, class_name="whitespace-nowrap py-2 pr-3 align-top"),
        rx.el.td(rx.cond(pair.differs, rx.el.mark(pair.second), pair.second), class_name="whitespace-nowrap py-2 align-top"),
    )
