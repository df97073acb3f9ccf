"""Answers with results of tests in an interview: what is stored, judged, shown, and sent to a language model."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import select

from interviewer.core.users import User
from interviewer.interviews.code_run import Code
from interviewer.interviews.events import FeedbackPiece
from interviewer.interviews.exchange import Kind
from interviewer.interviews.plan import Plan, even
from interviewer.interviews.tables import Message
from interviewer.interviews.views import TurnView
from interviewer.reports.lessons import Lessons
from interviewer.reports.markdown import markdown
from interviewer.reports.pdf import pdf
from interviewer.reports.reports import report_of
from interviewer.reports.skills import InterviewReport
from interviewer.state.models import turn_item
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.pdf import read
from tests.support.tested_code import CODE, TESTED, sent
from tests.support.turns import started

ONE = even([2], 1)
TALK = replace(ONE, follow_ups=True)
# It makes only the third key point, which no test proves.
ANSWER = f"{CODE}\n# the third"


@pytest.fixture
async def user(new_user: NewUser, interviewer: ScriptedInterviewer) -> User:
    interviewer.rubric = TESTED
    return await new_user()


async def answered(services: Services, user: User, *codes: Code, plan: Plan = ONE) -> tuple[int, TurnView, str]:
    """Answer a question once for each of `codes`. Return the interview's ID, the turn, and the streamed feedback."""
    interview_id, turn = await started(services, user, plan=plan)
    assert json.loads(turn.exercise)["id"] == f"question-{turn.question_id}"
    pieces = []
    for number, code in enumerate(codes):
        text = f"{ANSWER} {number}"
        async for event in services.interviews.answer(user.id, interview_id, turn.question_id, text, uuid4(), code=code):
            pieces += [event.text] if isinstance(event, FeedbackPiece) else []
    [turn] = (await services.interviews.view(user.id, interview_id)).turns
    return interview_id, turn, "".join(pieces)


@pytest.mark.parametrize(
    ("code", "score", "marks"),
    [
        (sent(), 10, "hit hit hit"),
        (sent("zero"), 5, "missed hit hit"),
        (sent("zero", "negative"), 2, "missed missed hit"),
        (Code("python"), 2, "missed missed hit"),
    ],
)
async def test_tests_decide_marks_and_score(services: Services, user: User, code: Code, score: int, marks: str) -> None:
    _, turn, _ = await answered(services, user, code)
    assert turn.verdict
    assert (turn.verdict.score, " ".join(mark.mark for mark in turn.verdict.marks)) == (score, marks)


async def test_feedback_begins_with_the_tests_also_while_streaming(services: Services, user: User) -> None:
    _, turn, streamed = await answered(services, user, sent("zero"))
    assert turn.verdict
    assert turn.verdict.feedback == streamed
    assert streamed.startswith("Your code passed 3 of 4 tests. The test “zero” returned 7 instead of 4.\n\nWell said.")


async def test_results_are_stored_once_with_the_message(services: Services, user: User) -> None:
    interview_id, turn = await started(services, user, plan=ONE)
    id = uuid4()
    for code in (sent("zero"), sent()):
        events = services.interviews.answer(user.id, interview_id, turn.question_id, ANSWER, id, code=code)
        [event async for event in events]
    async with services.database.transaction() as session:
        [message] = (await session.execute(select(Message))).scalars().all()
    assert message.language == "python"
    assert message.test_results
    assert [one["passed"] for one in message.test_results["cases"]] == [True, True, False, True]


async def test_results_that_do_not_fit_lose_no_answer(services: Services, user: User) -> None:
    _, turn, _ = await answered(services, user, sent(language="javascript"))
    assert turn.verdict
    assert turn.verdict.run
    assert turn.verdict.run.outcome == "not_run"
    assert turn.messages[0].code == Code("javascript")


async def test_results_after_a_follow_up_count(services: Services, user: User, interviewer: ScriptedInterviewer) -> None:
    interviewer.follow_ups = ["And zero?"]
    _, turn, _ = await answered(services, user, sent("zero"), sent(), plan=TALK)
    assert turn.verdict
    assert [mark.mark for mark in turn.verdict.marks] == ["hit", "hit", "hit"]


async def test_tests_that_pass_only_after_the_hint_count_half(
    services: Services, user: User, interviewer: ScriptedInterviewer
) -> None:
    interviewer.follow_ups = ["And zero?"]
    interview_id, turn = await started(services, user, plan=TALK)
    said = [(ANSWER, Kind.ANSWER, sent("zero")), ("", Kind.HINT, Code()), (f"{ANSWER} again", Kind.ANSWER, sent())]
    for text, kind, code in said:
        events = services.interviews.answer(user.id, interview_id, turn.question_id, text, uuid4(), kind=kind, code=code)
        [event async for event in events]
    [turn] = (await services.interviews.view(user.id, interview_id)).turns
    assert turn.verdict
    assert [mark.after_hint for mark in turn.verdict.marks] == [True, False, False]


async def test_second_verdict_follows_the_tests(services: Services, user: User, interviewer: ScriptedInterviewer) -> None:
    interview_id, turn, _ = await answered(services, user, sent("zero", "negative"))
    interviewer.marks = [{"key_point": n, "mark": "hit", "quote": "return"} for n in range(3)]
    view = await services.appeals.hear(user.id, interview_id, turn.question_id)
    verdict = view.turns[0].verdict
    assert verdict
    assert verdict.appeal
    assert verdict.appeal.score == 2
    assert [mark.mark for mark in verdict.appeal.marks] == ["missed", "missed", "hit"]


async def test_comments_prove_no_behavior(services: Services, user: User, interviewer: ScriptedInterviewer) -> None:
    interviewer.marks = [
        {"key_point": 0, "mark": "hit", "quote": "the third"},
        {"key_point": 1, "mark": "hit", "quote": "return 2 * n"},
        {"key_point": 2, "mark": "hit", "quote": "the third"},
    ]
    _, turn, _ = await answered(services, user, Code("python"))
    assert turn.verdict
    assert [mark.mark for mark in turn.verdict.marks] == ["missed", "hit", "hit"]


async def test_skipped_question_shows_no_tests(services: Services, user: User) -> None:
    interview_id, turn = await started(services, user, plan=ONE)
    events = services.interviews.answer(user.id, interview_id, turn.question_id, "", uuid4(), kind=Kind.SKIP)
    [event async for event in events]
    [turn] = (await services.interviews.view(user.id, interview_id)).turns
    assert turn.verdict
    assert (turn.verdict.run, turn.verdict.final, turn.exercise) == (None, True, "")


# -- what is shown ---------------------------------------------------------------------------------------------------


async def test_page_report_and_files_show_the_tests(services: Services, user: User) -> None:
    interview_id, turn, _ = await answered(services, user, sent("zero"))
    item = turn_item(turn)
    assert item.test_summary == "3 of 4 tests passed."
    assert [(one.name, one.passed, one.hidden, one.got, one.time) for one in item.tests][2:] == [
        ("zero", False, True, "7", "2 ms"),
        ("negative", True, True, "", "2 ms"),
    ]
    assert [mark.note for mark in item.marks] == ["Failed: “zero”.", "The test for this passed.", ""]
    view = await services.interviews.view(user.id, interview_id)
    report = report_of(view, InterviewReport(Lessons(), (), (), {}))
    written, printed = markdown(report), read(pdf(report)).text
    assert "3 of 4 tests passed. Reported by the candidate's browser or program." in written
    assert "- **Failed, 2 ms**: zero\n  - Input: `[2]`\n  - Expected: `4`\n  - Got: `7`" in written
    assert "(The test for this passed.)" in written
    for words in (
        "3 of 4 tests passed. Reported by the candidate's browser or program.",
        "Failed, 2 ms: zero",
        "Expected: 4",
        "Failed: “zero”.",
    ):
        assert words in " ".join(printed.split())


async def test_code_that_was_not_run_is_marked(services: Services, user: User) -> None:
    interview_id, turn, _ = await answered(services, user, Code())
    item = turn_item(turn)
    assert (item.test_summary, item.tests) == ("Not run. The answer was only read.", [])
    view = await services.interviews.view(user.id, interview_id)
    assert "Not run. The answer was only read." in markdown(report_of(view, InterviewReport(Lessons(), (), (), {})))


async def test_own_data_includes_the_tests(services: Services, user: User) -> None:
    await answered(services, user, sent("zero"))
    [question] = (await services.personal.export(user.id))["interviews"][0]["questions"]
    assert (question["tests"]["passed"], question["tests"]["total"]) == (3, 4)
    assert question["messages"][0]["language"] == "python"
    assert len(question["messages"][0]["test_results"]["cases"]) == 4
    json.dumps(question)
