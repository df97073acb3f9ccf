"""Verdicts on code: what its tests decide, what broken code may score, and what comments cannot prove."""

from __future__ import annotations

import pytest

from interviewer.grading.bank.loader import load_bank
from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.interviews import replies
from interviewer.interviews.code_run import CaseResult, Code, CodeRun, Outcome
from interviewer.interviews.events import Event
from interviewer.interviews.exchange import Author, Kind, Said
from interviewer.interviews.interviewer import AnswerBrief
from interviewer.interviews.rubric import FAILED_CODE_CAP, Judgement
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
