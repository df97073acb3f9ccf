"""Tests that a language model writes with its code questions, and results of tests in its verdicts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from interviewer.interviews import replies
from interviewer.interviews.exchange import Author, Kind, Said
from interviewer.interviews.exercise import Exercise, page_text
from interviewer.interviews.interviewer import AnswerBrief, Piece, QuestionBrief
from interviewer.interviews.model_server.exercises import exercise_of, runnable_languages
from interviewer.interviews.openai_client import OpenAIInterviewer
from interviewer.interviews.rubric import Rubric
from interviewer.interviews.verdicts import unseen
from tests.support import openai_server
from tests.support.openai_server import Behavior, schema_of
from tests.support.tested_code import CODE, TESTED, sent

CASES = [{"name": f"case {n}", "input": f"[{n}]", "expected": f"{2 * n}"} for n in range(6)]
WRITTEN: dict[str, Any] = {
    "language": "python",
    "function": "double",
    "starter": "def double(n: int) -> int:\n    ...",
    "reference": "def double(n):\n    return 2 * n",
    "cases": CASES,
}
JAVASCRIPT = {**WRITTEN, "language": "TypeScript", "starter": "", "reference": "function double(n) {\n  return 2 * n;\n}"}
CODING = QuestionBrief(2, 1, must_be_code=True)


@pytest.fixture
def behavior() -> Behavior:
    return Behavior()


@pytest.fixture
async def model(behavior: Behavior) -> AsyncIterator[OpenAIInterviewer]:
    with openai_server.running(behavior) as url:
        model = OpenAIInterviewer(model="some-model", api_key=None, base_url=url, options=openai_server.limits(2.0))
        yield model
        await model.close()


def question(exercise: object) -> dict[str, Any]:
    data = {"topic": "Coding", "kind": "code"}
    return {**openai_server.reply("question", data, Behavior()), "exercise": exercise}


# -- asking ----------------------------------------------------------------------------------------------------------


async def test_code_question_brings_its_tests_to_the_page(model: OpenAIInterviewer, behavior: Behavior) -> None:
    behavior.given = [question(WRITTEN)]
    asked = await replies.ask(model, CODING, unseen)
    shown = json.loads(page_text(asked.rubric.exercise, "question-1"))
    assert shown["languages"]["python"] == {
        "starter": WRITTEN["starter"],
        "harness": "call = double",
        "reference": WRITTEN["reference"],
    }
    assert [case["visible"] for case in shown["cases"]] == [True, True, False, False, False, False]
    assert asked.rubric.exercise
    assert asked.rubric.exercise.points == frozenset()


@pytest.mark.parametrize("exercise", [None, "x", {}, {**WRITTEN, "reference": "def double(n:"}, {**WRITTEN, "cases": CASES[:3]}])
async def test_unusable_tests_never_lose_the_question(model: OpenAIInterviewer, behavior: Behavior, exercise: object) -> None:
    behavior.given = [question(exercise)]
    asked = await replies.ask(model, CODING, unseen)
    assert asked.rubric.exercise is None
    assert len(behavior.requests) == 1


async def test_reply_cut_off_in_its_tests_keeps_the_question(model: OpenAIInterviewer, behavior: Behavior) -> None:
    long = {**WRITTEN, "reference": f"{CODE}\n" + "# more\n" * 400}
    behavior.given, behavior.faults = [question(long)], ["length"]
    asked = await replies.ask(model, CODING, unseen)
    assert asked.prompt.startswith("Question 1")
    assert (asked.rubric.exercise, len(asked.rubric.key_points), len(behavior.requests)) == (None, 3, 1)


@pytest.mark.parametrize(
    ("brief", "languages"),
    [
        (CODING, ["", "python", "javascript"]),
        (QuestionBrief(2, 1, must_be_code=False, programming_language="Python"), ["", "python"]),
        (QuestionBrief(2, 1, must_be_code=True, programming_language="TypeScript"), ["", "javascript"]),
        (QuestionBrief(2, 1, must_be_code=True, programming_language="Go"), None),
        (QuestionBrief(3, 1, must_be_code=False), None),
    ],
)
async def test_tests_are_requested_only_where_they_can_run(
    model: OpenAIInterviewer, behavior: Behavior, brief: QuestionBrief, languages: list[str] | None
) -> None:
    await replies.ask(model, brief, unseen)
    exercise = schema_of(behavior.requests[0])["properties"].get("exercise")
    assert (exercise and exercise["properties"]["language"]["enum"]) == languages


def test_other_shapes_of_tests_are_understood() -> None:
    found = exercise_of(JAVASCRIPT, runnable_languages("JavaScript"))
    assert found
    assert found["javascript"]["starter"] == "function double(n) {\n}\n"
    assert found["javascript"]["harness"] == "const call = (...values) => double(...values);"
    fenced = exercise_of({**WRITTEN, "reference": f"Here:\n```python\n{CODE}\n```", "starter": None}, runnable_languages(""))
    assert fenced
    assert fenced["python"] | {"harness": ""} == Exercise.model_validate(fenced).python.model_dump() | {"harness": ""}  # type: ignore[union-attr]
    assert fenced["python"]["starter"] == "def double(n):\n    ...\n"
    odd = [
        {"name": "a", "input": 3, "expected": [6]},
        {"name": "a", "input": "4", "expected": "8"},
        {"input": "word", "expected": "no JSON"},
    ]
    mixed = exercise_of({**WRITTEN, "cases": [*odd, None, {"name": "x"}, *CASES]}, runnable_languages(""))
    assert mixed
    assert [(one["input"], one["expected"]) for one in mixed["cases"][:2]] == [("[3]", "[6]"), ('["word"]', '"no JSON"')]


@pytest.mark.parametrize(
    "change",
    [
        {"language": "go"},
        {"language": None},
        {"function": "double(n)"},
        {"function": "other"},
        {"reference": ""},
        {"reference": f"{CODE}\n" + "# x\n" * 9000},
        {"cases": [{**one, "input": "[" * 9000} for one in CASES]},
        {"cases": [{**one, "expected": float("nan")} for one in CASES]},
        {"cases": "x"},
    ],
)
def test_tests_that_cannot_be_used_are_dropped(change: dict[str, Any]) -> None:
    assert exercise_of({**WRITTEN, **change}, runnable_languages("")) is None


def test_no_tests_in_a_language_that_was_not_chosen() -> None:
    assert exercise_of(JAVASCRIPT, runnable_languages("Python")) is None


# -- judging ---------------------------------------------------------------------------------------------------------


async def judged(model: OpenAIInterviewer, *failed: str) -> tuple[int, str]:
    rubric = Rubric.model_validate(TESTED)
    said = Said(Author.USER, Kind.ANSWER, CODE, sent(*failed).checked(rubric.exercise))
    brief = AnswerBrief(2, "code", "Double?", TESTED, CODE, said=(said,))
    found = await replies.judge(model, brief, unseen)
    return found.score, " ".join(mark.mark for mark in found.marks)


async def test_tests_overrule_the_models_marks(model: OpenAIInterviewer) -> None:
    # The fake server marks the first key point as covered, the second as partly covered, and the third as missed.
    assert await judged(model, "zero") == (3, "missed hit missed")
    assert await judged(model) == (8, "hit hit missed")


async def test_results_are_data_in_the_request_for_a_verdict(model: OpenAIInterviewer, behavior: Behavior) -> None:
    await judged(model, "zero")
    [instructions, data] = [one["content"] for one in behavior.requests[0]["messages"]]
    assert "decided by the tests" in instructions
    request = openai_server.data_of(behavior.requests[0])
    assert request
    tests = request["tests"]
    assert (tests["passed"], tests["total"]) == (3, 4)
    assert tests["failed"] == [{"name": "zero", "input": "[2]", "expected": "4", "got": "7", "error": ""}]
    assert tests["decided"] == [{"key_point": 0, "mark": "missed"}, {"key_point": 1, "mark": "hit"}]
    assert data


async def test_answer_without_tests_has_the_usual_prompt(model: OpenAIInterviewer, behavior: Behavior) -> None:
    brief = AnswerBrief(2, "code", "Double?", TESTED, CODE)
    [item async for item in model.judge(brief) if isinstance(item, Piece)]
    assert "The code was run" not in behavior.requests[0]["messages"][0]["content"]
    assert "tests" not in (openai_server.data_of(behavior.requests[0]) or {"tests": "no data"})
