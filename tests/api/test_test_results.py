"""The language and the results of tests that come with an answer through the API."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from interviewer.client.calls import answer
from interviewer.client.models import Exchange
from interviewer.interviews.code_run import BAD_LANGUAGE, MALFORMED, NO_TESTS, UNKNOWN_TEST, WRONG_LANGUAGE
from tests.support.api_calls import error_of, started
from tests.support.interviewer import RUBRIC, ScriptedInterviewer
from tests.support.tested_code import CODE, TESTED, results

BODY = {"message": f"{CODE} # the third", "language": "Python", "test_results": results("zero")}


@pytest.fixture
async def id(program: httpx2.AsyncClient, interviewer: ScriptedInterviewer) -> int:
    interviewer.rubric = TESTED
    return await started(program, topics=[2], questions_per_topic=1)


async def said(program: httpx2.AsyncClient, id: int, body: dict[str, Any], **headers: str) -> httpx2.Response:
    return await program.post(f"/api/conversations/append/{id}", json=body, headers=headers)


def exchange(response: httpx2.Response) -> dict[str, Any]:
    assert response.status_code == 201, response.text
    messages = response.json()["conversation"]["topics"]["2"]["questions"]["1"]["messages"]
    found: dict[str, Any] = json.loads(messages[-1]["content"])
    return found


async def test_verdict_has_the_results(program: httpx2.AsyncClient, id: int) -> None:
    found = exchange(await said(program, id, BODY))
    assert found["score"] == 5
    assert (found["tests"]["outcome"], found["tests"]["language"], found["tests"]["passed"]) == ("ran", "python", 3)
    known = Exchange.model_validate(found).tests
    assert known
    assert [(one.name, one.passed, one.hidden, one.got) for one in known.cases if not one.passed] == [("zero", False, True, "7")]


async def test_answer_without_results_is_not_run(program: httpx2.AsyncClient, id: int) -> None:
    found = exchange(await said(program, id, {"message": CODE, "language": None, "test_results": None}))
    assert (found["tests"]["outcome"], found["tests"]["cases"]) == ("not_run", [])


async def test_question_without_tests_has_no_such_field(program: httpx2.AsyncClient, interviewer: ScriptedInterviewer) -> None:
    interviewer.rubric = RUBRIC
    id = await started(program, topics=[2], questions_per_topic=1)
    assert error_of(await said(program, id, BODY)) == (422, NO_TESTS)
    assert "tests" not in exchange(await said(program, id, {"message": CODE, "language": "python"}))


async def test_python_that_does_not_parse_scores_two(program: httpx2.AsyncClient, id: int) -> None:
    found = exchange(await said(program, id, {"message": "def double(n:\n    return 'first second third'", "language": "python"}))
    assert found["score"] <= 2
    assert "line 1" in found["feedback"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_results": "x"}, MALFORMED),
        ({"test_results": []}, MALFORMED),
        ({"test_results": {"outcome": "fine"}}, MALFORMED),
        ({"test_results": results() | {"cases": [{"name": "other", "passed": True}]}}, UNKNOWN_TEST),
        ({"language": None}, WRONG_LANGUAGE),
        ({"language": "go"}, WRONG_LANGUAGE),
        ({"language": 7}, BAD_LANGUAGE),
        ({"language": "x" * 21}, BAD_LANGUAGE),
    ],
)
async def test_malformed_fields_are_refused(program: httpx2.AsyncClient, id: int, change: dict[str, Any], message: str) -> None:
    assert error_of(await said(program, id, BODY | change)) == (422, message)
    assert exchange(await said(program, id, BODY))["score"] == 5, "nothing was stored"


async def test_same_key_replays_the_verdict_whatever_the_results(program: httpx2.AsyncClient, id: int) -> None:
    key = {"Idempotency-Key": "one"}
    first = exchange(await said(program, id, BODY, **key))
    again = exchange(await said(program, id, BODY | {"test_results": results()}, **key))
    assert first == again


def test_client_sends_both_fields() -> None:
    call = answer(7, "x", None, None, None, first=False, language="python", test_results=results())
    assert call.body == {"message": "x", "language": "python", "test_results": results()}
    assert answer(7, "x", None, None, None, first=False).body == {"message": "x"}


async def test_fields_are_documented(program: httpx2.AsyncClient) -> None:
    document = (await program.get("/api/openapi.json")).json()
    body = document["components"]["schemas"]["Answer"]["properties"]
    assert body["test_results"]["properties"]["cases"]["items"]["required"] == ["name", "passed"]
    append = document["paths"]["/api/conversations/append/{interview_id}"]["post"]
    assert {one["value"]["error"] for one in append["responses"]["422"]["content"]["application/json"]["examples"].values()} >= {
        MALFORMED,
        NO_TESTS,
    }
    assert "tests" in document["components"]["schemas"]["Exchange"]["properties"]
