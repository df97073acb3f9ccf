"""The tests of a coding question on the pages: what the answer box gets, and what it sends."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from interviewer.core.users import User
from interviewer.grading.likeness import ShippedBank
from interviewer.interviews.exercise import page_text
from interviewer.state.interview import InterviewState
from interviewer.state.practice import PracticeState
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.state_pages import OpenPage, Page, begun, loaded, run, send
from tests.support.tested_code import CODE, TESTED, form

DURATION = "coding-parse-duration"
ANSWER = f"{CODE}\n# the third"


@pytest.fixture
async def user(new_user: NewUser, interviewer: ScriptedInterviewer) -> User:
    interviewer.rubric = TESTED
    return await new_user()


async def test_open_question_brings_its_tests(open_page: OpenPage, user: User) -> None:
    page = await begun(open_page, user)
    assert json.loads(page.exercise)["id"] == f"question-{page.question.question_id}"
    assert "Names the first thing" not in page.exercise
    again = await loaded(open_page, user)
    assert again.exercise == page.exercise


async def test_results_count_and_the_next_question_has_its_own(open_page: OpenPage, user: User) -> None:
    page = await begun(open_page, user)
    first = page.exercise
    await send(page, ANSWER, language="python", test_results=form("zero"))
    assert (page.last.score, page.last.test_summary) == (5, "3 of 4 tests passed.")
    assert page.exercise not in ("", first)


async def test_last_answer_leaves_no_tests(open_page: OpenPage, user: User) -> None:
    page = Page(await open_page(InterviewState, user))
    await run(InterviewState.load, page)
    await run(InterviewState.start, page, {"job": "", "preset": "focus", "topics": "2"})
    while page.phase == "live":
        await send(page, ANSWER, language="python", test_results=form())
    assert (page.phase, page.exercise) == ("finished", "")


@pytest.mark.parametrize("results", ["", "{", "[]", form(outcome="fine"), form() + " " * 70_000])
async def test_results_that_are_malformed_lose_no_answer(open_page: OpenPage, user: User, results: str) -> None:
    page = await begun(open_page, user)
    await send(page, ANSWER, language="python", test_results=results)
    assert page.last.judged
    assert page.last.test_summary == "Not run. The answer was only read."


async def test_practice_stores_results_and_shows_them(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    user = await new_user(0)
    page = Page(await open_page(PracticeState, user, url=f"http://localhost/practice?question={DURATION}"))
    await run(PracticeState.load, page)
    exercise = ShippedBank().exercise(DURATION)
    assert exercise
    assert page.exercise == page_text(exercise, DURATION)
    assert "reference" not in json.loads(page.exercise)["languages"]["python"]
    cases = [{"name": case.name, "passed": case.visible, "got": "5"} for case in exercise.cases]
    sent = {"answer": CODE, "question": DURATION, "try": page.try_id, "language": "python"}
    for _ in range(2):
        results = json.dumps({"language": "python", "outcome": "ran", "cases": cases})
        await run(PracticeState.submit, page, sent | {"test_results": results})
    assert page.verdict.score <= 2
    assert [one.passed for one in page.verdict.tests] == [case.visible for case in exercise.cases]
    assert any(mark.note.startswith("Failed: ") for mark in page.verdict.marks)
    view = await services.practice.question(user.id, DURATION)
    assert view.count == 1
    again = await services.practice.attempt(user.id, DURATION, CODE, UUID(str(sent["try"])))
    assert again.run
    assert again.run.outcome == "ran"
    [kept] = (await services.personal.export(user.id))["practice"]
    assert (kept["language"], kept["test_results"]["outcome"]) == ("python", "ran")
