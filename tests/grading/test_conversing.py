"""Simulated candidates hold whole conversations with the built-in interviewer, with follow-ups, clarifications, and hints."""

from __future__ import annotations

from statistics import mean

import pytest

from interviewer.grading.conversation import surely_makes
from interviewer.grading.judge import mark_answer
from interviewer.interviews.exchange import Kind
from tests.support import conversing
from tests.support.conversing import CANDIDATES, CORRECTION, Talked, converse

pytestmark = pytest.mark.slow

# The judge was not trained on any of these. Eight conversations for each candidate.
QUESTIONS = conversing.words()[::5]


async def conversations(name: str, *, follow_ups: bool = True) -> list[Talked]:
    return [await converse(about, CANDIDATES[name], follow_ups=follow_ups) for about in QUESTIONS]


def mean_score(talked: list[Talked]) -> float:
    return mean(one.verdict.score for one in talked)


async def test_candidates_score_in_order_of_what_they_say() -> None:
    """One test, because each conversation takes about a second and several claims need the same ones."""
    talked = {name: await conversations(name) for name in CANDIDATES}
    score = {name: mean_score(found) for name, found in talked.items()}
    alone = {name: mean_score(await conversations(name, follow_ups=False)) for name in ("vague", "wrong")}

    assert score["strong"] >= 9
    assert score["strong"] > score["hint_taker"] + 3, "what is said only after the hint counts half"
    assert score["strong"] > score["vague"] > score["corrected"] >= score["wrong"] >= score["silent"] == 0

    assert score["vague"] > alone["vague"] + 0.2, "good replies to follow-ups count"
    assert score["late_hint_taker"] < score["vague"], "and less after a hint"
    assert score["corrected"] > alone["wrong"]
    assert score["wrong"] <= 1

    asking = [one.verdict.marks for one in talked["clarifier"]]
    assert asking == [one.verdict.marks for one in talked["strong"]], "a clarifying question changes no mark"
    assert all([said.kind for said in one.said][:2] == [Kind.CLARIFICATION] * 2 for one in talked["clarifier"])

    assert sum(one.follow_ups for one in talked["vague"]) >= len(QUESTIONS) / 2
    assert not any(one.follow_ups for one in talked["silent"])
    assert all(one.follow_ups <= 1 for found in talked.values() for one in found)


def test_corrections_are_recognized_and_insisting_rarely_is() -> None:
    """The judge reads about half of the corrections, and takes one of ten wrong replies for right."""
    corrected = insisted = 0
    for about in conversing.words():
        question = about.question
        index = max(range(len(question.key_points)), key=lambda one: question.key_points[one].weight)
        for reply, makes in ((CORRECTION + about.made[index], True), (about.wrong[index], False)):
            found = surely_makes(mark_answer(question.prompt.strip(), question.rubric, reply, question.kind), index)
            corrected += found and makes
            insisted += found and not makes
    assert corrected >= 3 * insisted
    assert corrected >= len(conversing.words()) / 3
    assert insisted <= len(conversing.words()) / 6
