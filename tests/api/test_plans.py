"""The options for starting an interview through the API: topics, length, level and language, and where they show."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from interviewer.core.users import User
from interviewer.interviews.plan import BAD_COUNT, BAD_FOLLOW_UPS, BAD_LANGUAGE, BAD_LEVEL, BAD_TOPICS, SHORT, focus, too_many
from interviewer.interviews.tables import Interview
from interviewer.wiring import Services
from tests.support.api_calls import STREAM, said, started, stored
from tests.support.interviewer import ScriptedInterviewer


async def shown(program: httpx2.AsyncClient, id: int) -> dict[str, Any]:
    found: dict[str, Any] = (await program.get(f"/api/interviews/{id}")).json()["interview"]
    return found


async def test_defaults_are_unchanged(program: httpx2.AsyncClient) -> None:
    id = await started(program)
    interview = await shown(program, id)
    assert (interview["number_questions"], interview["length"], interview["difficulty"]) == (12, 30, "mid-level")
    assert interview["prompt"] == "A mid-level backend interview: 6 topics, 12 questions."
    nulls = dict.fromkeys(("topics", "questions_per_topic", "level", "programming_language", "follow_ups", "resume"))
    assert (await shown(program, await started(program, **nulls)))["number_questions"] == 12


@pytest.mark.parametrize(
    ("options", "asked", "minutes", "summary"),
    [
        ({"topics": [4], "questions_per_topic": 1}, [(4, 1)], 3, "1 topic, 1 question"),
        ({"questions_per_topic": 1}, [(id, 1) for id in range(1, 7)], 15, "6 topics, 6 questions"),
        ({"topics": [5, 2]}, [(5, 1), (5, 2), (2, 1), (2, 2)], 10, "2 topics, 4 questions"),
        ({"topics": [2], "questions_per_topic": 6}, [(2, n) for n in range(1, 7)], 15, "1 topic, 6 questions"),
        ({"questions_per_topic": 3}, [(id, n) for id in range(1, 7) for n in (1, 2, 3)], 45, "6 topics, 18 questions"),
    ],
)
async def test_whole_interview_follows_its_options(
    program: httpx2.AsyncClient, options: dict[str, Any], asked: list[tuple[int, int]], minutes: int, summary: str
) -> None:
    id = await started(program, **options)
    total = len(asked)
    interview = await shown(program, id)
    assert (interview["number_questions"], interview["length"]) == (total, minutes)
    assert interview["prompt"] == f"A mid-level backend interview: {summary}."
    for number, (topic, question) in enumerate(asked):
        conversation = (await program.get(f"/api/conversations/{id}")).json()["conversation"]
        assert (conversation["current_topic"], conversation["current_question_number"]) == (topic, question)
        answer = await said(program, id, f"the first thing, {number}", "create" if number == 0 else "append")
        assert answer.status_code == 201, answer.text
    conversation = answer.json()["conversation"]
    assert (conversation["current_topic"], conversation["current_subtopic"]) == (0, "finished")
    found = {(int(topic), int(n)) for topic, one in conversation["topics"].items() for n in one["questions"]}
    assert (found, list(conversation["topics"])) == (set(asked), ["1", "2", "3", "4", "5", "6"])
    last = conversation["topics"][str(asked[-1][0])]["questions"][str(asked[-1][1])]["messages"]
    assert [message["author"] for message in last] == ["interviewer", "user", "interviewer"]
    assert [message["question_id"] for message in last] == [asked[-1][1]] * 3
    assert json.loads(last[-1]["content"])["next_question"] == ""
    interview = await shown(program, id)
    assert (interview["status"], interview["number_questions_answered"], interview["score"]) == ("finished", total, 50)
    [past] = (await program.get("/api/user/dashboard")).json()["past_interviews"]
    assert (past["id"], past["score"]) == (id, 50)
    assert (await said(program, id, "one more")).status_code == 409


async def test_question_is_named_by_its_number_in_the_plan(program: httpx2.AsyncClient) -> None:
    id = await started(program, topics=[6, 1], questions_per_topic=1)
    body = {"message": "the first thing", "topic_id": 6, "question_id": 1}
    assert (await program.post(f"/api/conversations/create/{id}", json=body)).status_code == 201
    wrong = {"message": "the second thing", "topic_id": 1, "question_id": 2}
    assert (await program.post(f"/api/conversations/append/{id}", json=wrong)).status_code == 409
    assert (await program.post(f"/api/conversations/append/{id}", json={**wrong, "question_id": 1})).status_code == 201


async def test_level_and_language_reach_the_interviewer(program: httpx2.AsyncClient, interviewer: ScriptedInterviewer) -> None:
    options = {"level": "senior", "programming_language": "go", "follow_ups": True}
    id = await started(program, job_description="Junior backend engineer with Python", **options)
    assert (await shown(program, id))["difficulty"] == "senior"
    [brief] = interviewer.question_briefs
    assert (brief.level, brief.programming_language) == ("senior", "Go")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"topics": []}, BAD_TOPICS),
        ({"topics": [1, 1]}, BAD_TOPICS),
        ({"topics": [7]}, BAD_TOPICS),
        ({"topics": "1"}, BAD_TOPICS),
        ({"questions_per_topic": 0}, BAD_COUNT),
        ({"questions_per_topic": "2"}, BAD_COUNT),
        ({"questions_per_topic": 6}, too_many(36)),
        ({"level": "staff"}, BAD_LEVEL),
        ({"programming_language": "COBOL"}, BAD_LANGUAGE),
        ({"follow_ups": "yes"}, BAD_FOLLOW_UPS),
    ],
)
async def test_invalid_options_cost_nothing(
    program: httpx2.AsyncClient, services: Services, options: dict[str, Any], message: str
) -> None:
    for headers in ({}, STREAM):
        answer = await program.post("/api/interviews", json=options, headers=headers)
        assert (answer.status_code, answer.json()) == (400, {"error": message})
    assert await stored(services, Interview) == 0
    assert (await program.get("/api/user/dashboard")).json()["individual_credits"] == 3


async def test_choice_in_the_pages_does_not_apply_to_the_api(program: httpx2.AsyncClient, services: Services, user: User) -> None:
    assert [event async for event in services.interviews.start(user.id, "", plan=focus([3]), remember=True)]
    assert (await shown(program, await started(program)))["number_questions"] == 12
    assert await services.interviews.last_choice(user.id) == focus([3])


async def test_key_keeps_the_plan_of_its_first_start(program: httpx2.AsyncClient, services: Services, user: User) -> None:
    headers = {"Idempotency-Key": "short"}
    first = await program.post("/api/interviews", json={"questions_per_topic": 1}, headers=headers)
    again = await program.post("/api/interviews", json={"questions_per_topic": 3}, headers=headers)
    assert first.json() == again.json()
    assert (await services.interviews.view(user.id, first.json()["interview_id"])).plan == SHORT
