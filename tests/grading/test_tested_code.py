"""Verdicts on code: what its tests decide, what broken code may score, and what comments cannot prove."""

from __future__ import annotations

import pytest

from interviewer.grading.bank.loader import load_bank
from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.interviews import replies
from interviewer.interviews.code_run import CaseResult, Code, CodeRun, Outcome
from interviewer.interviews.events import Event, FeedbackPiece
from interviewer.interviews.exchange import Author, Kind, Said
from interviewer.interviews.interviewer import AnswerBrief
from interviewer.interviews.rubric import FAILED_CODE_CAP, Judgement, Mark
from interviewer.interviews.topics import CODING

DURATION = load_bank()["coding-parse-duration"]
# It does not compile, never checks the whole text, and claims everything in comments.
BROKEN = """
import re

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}

# A table maps each unit to its number of seconds: a minute is 60, an hour 3600, and a day 86400.
# I split the text into pairs of a number and a unit, multiply each pair out, and add them up.
# The whole string has to match, with fullmatch, so no leftovers or garbage are silently accepted.
# Bad input raises a ValueError that shows the text, instead of returning a default.
# I'd test the empty string, 10 with no unit, an unknown unit like 5w, a negative -5m, zero, and the decimal 1.5h.
def parse_duration(text):
    total = 0
    for number, unit in re.findall(r"([0-9]+)([dhms])", text:
        total += int(number) * UNITS[unit]
    return total
"""
MENDED = BROKEN.replace("text:\n", "text):\n")


def results(passed: bool | set[str], outcome: Outcome = Outcome.RAN) -> CodeRun:
    exercise = DURATION.asked_rubric.exercise
    assert exercise
    cases = tuple(
        CaseResult(name=case.name, passed=one, got="" if one else "5")
        for case in exercise.cases
        for one in [passed if isinstance(passed, bool) else case.name in passed]
    )
    return CodeRun(language="python", outcome=outcome, cases=cases)


async def judged(answer: str, code: Code, published: list[Event] | None = None) -> Judgement:
    brief = AnswerBrief(
        CODING.id,
        DURATION.kind.value,
        DURATION.prompt,
        DURATION.asked_rubric.model_dump(mode="json"),
        answer,
        said=(Said(Author.USER, Kind.ANSWER, answer, code),),
    )
    return await replies.judge(BuiltinInterviewer(), brief, (published if published is not None else []).append)


@pytest.mark.parametrize("code", [Code("python"), Code()], ids=["said to be Python", "language unknown"])
async def test_broken_program_with_the_right_comments_scores_two(code: Code) -> None:
    found = await judged(BROKEN, code)
    assert found.score <= FAILED_CODE_CAP
    assert "doesn't compile" in found.feedback
    assert "line 12 (`for number" in found.feedback


async def test_comments_prove_no_behavior_of_code_that_compiles() -> None:
    found = await judged(MENDED, Code("python"))
    assert [mark.mark for mark in found.marks][2:4] == [Mark.MISSED, Mark.MISSED]
    assert found.score < 7
    assert not any(mark.quote.startswith("#") for mark in found.marks[:4])


async def test_model_answer_is_still_read_without_results() -> None:
    assert (await judged(DURATION.model_answer, Code("python"))).score >= 9


async def test_passing_tests_prove_what_words_do_not_say() -> None:
    published: list[Event] = []
    found = await judged("def parse_duration(text):\n    return solve(text)", Code("python", results(passed=True)), published)
    decided = DURATION.asked_rubric.exercise
    assert decided
    assert {mark.key_point for mark in found.marks if mark.tested and mark.mark is Mark.HIT} == decided.points
    assert found.feedback.startswith("Your code passed all ")
    assert "".join(event.text for event in published if isinstance(event, FeedbackPiece)) == found.feedback
    assert "“”" not in found.feedback


async def test_failing_tests_overrule_good_words() -> None:
    found = await judged(DURATION.model_answer, Code("python", results(passed=False)))
    assert found.score <= FAILED_CODE_CAP
    assert "No hidden test passed" in found.feedback
    assert not any(words in found.feedback for words in ("complete answer", "You covered it", "strong answer"))


async def test_follow_up_asks_nothing_that_tests_decide() -> None:
    exercise = DURATION.asked_rubric.exercise
    assert exercise
    brief = AnswerBrief(
        CODING.id,
        DURATION.kind.value,
        DURATION.prompt,
        DURATION.asked_rubric.model_dump(mode="json"),
        MENDED,
        said=(Said(Author.USER, Kind.ANSWER, MENDED, Code("python", results(passed=False))),),
        may_follow_up=True,
    )
    reply = await replies.judge_or_reply(BuiltinInterviewer(), brief, lambda _event: None)
    probes = [DURATION.key_points[point].probe for point in exercise.points]
    assert not (isinstance(reply, replies.Reply) and any(probe in reply.text for probe in probes))
