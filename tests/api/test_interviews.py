"""Interviews through the API: every row of the wire contract about interviews and conversations."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest
from sqlalchemy import select, update
from sqlmodel import col

from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.errors import InterviewerBusy, InterviewerTimeout
from interviewer.interviews.message_api import REPLAYED_FOR
from interviewer.interviews.tables import Interview, Message, Verdict
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.api_calls import STREAM, error_of, said, started, stored
from tests.support.interviewer import ScriptedInterviewer
from tests.support.sse import ServerSent, events, written

# -- starting --------------------------------------------------------------------------------------------------------


async def test_start_asks_the_first_question_and_costs_a_credit(program: httpx2.AsyncClient) -> None:
    answer = await program.post("/api/interviews", json={"job_description": "Senior backend engineer with Python", "other": 1})
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"interview_id", "conversation_id", "first_question"}
    assert body["first_question"] == "Question 1.1?"
    board = (await program.get("/api/user/dashboard")).json()
    assert board["individual_credits"] == 2
    assert [one["id"] for one in board["past_interviews"]] == [body["interview_id"]]
    assert "score" not in board["past_interviews"][0]
    assert (board["plan"], board["status"], board["subscription_credits"]) == ("free", "inactive", 0)


async def test_start_without_a_credit_is_refused(client: httpx2.AsyncClient, services: Services, new_user: NewUser) -> None:
    poor = await services.tokens.issue(await new_user(0), "test", renewable=False)
    answer = await client.post("/api/interviews", json={}, headers={"Authorization": f"Bearer {poor.access}"})
    message = "You do not have enough credits to start a new interview or your subscription has expired."
    assert (answer.status_code, answer.json()["error"]) == (402, message)


async def test_failed_start_returns_the_credit(program: httpx2.AsyncClient, interviewer: ScriptedInterviewer) -> None:
    interviewer.ask_errors = [InterviewerTimeout()]
    answer = await program.post("/api/interviews", json={})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert (await program.get("/api/user/dashboard")).json()["individual_credits"] == 3


@pytest.mark.parametrize(("text", "status"), [("x" * 30_001, 413), ("%PDF" + "\x00\x01" * 50, 400)])
async def test_invalid_job_description_costs_nothing(program: httpx2.AsyncClient, text: str, status: int) -> None:
    for path in ("/api/interviews", "/api/jd"):
        assert (await program.post(path, json={"job_description": text})).status_code == status
    assert (await program.get("/api/user/dashboard")).json()["individual_credits"] == 3


async def test_repeated_key_starts_once(program: httpx2.AsyncClient, services: Services) -> None:
    headers = {"Idempotency-Key": "start-1"}
    answers = await asyncio.gather(*(program.post("/api/interviews", json={}, headers=headers) for _ in range(8)))
    answers.append(await program.post("/api/interviews", json={}, headers=headers))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert await stored(services, Interview) == 1
    other = await program.post("/api/interviews", json={}, headers={"Idempotency-Key": "start-2"})
    assert other.json()["interview_id"] != answers[0].json()["interview_id"]


async def test_key_of_a_failed_start_can_start_again(program: httpx2.AsyncClient, interviewer: ScriptedInterviewer) -> None:
    interviewer.ask_errors = [InterviewerBusy()]
    headers = {"Idempotency-Key": "again"}
    assert (await program.post("/api/interviews", json={}, headers=headers)).status_code == 503
    assert (await program.post("/api/interviews", json={}, headers=headers)).status_code == 201


# -- a whole interview -----------------------------------------------------------------------------------------------


async def test_whole_interview_matches_the_conversation_object(program: httpx2.AsyncClient) -> None:
    id = await started(program)
    for number in range(12):
        answer = await said(program, id, f"the first and second thing, answer {number}", "create" if number == 0 else "append")
        assert answer.status_code == 201, answer.text
    conversation = answer.json()["conversation"]
    assert conversation == (await program.get(f"/api/conversations/{id}")).json()["conversation"]
    assert (conversation["current_topic"], conversation["current_subtopic"], conversation["current_question_number"]) == (
        0,
        "finished",
        0,
    )
    assert [conversation["topics"][str(number)]["name"] for number in range(1, 7)] == [
        "Introduction",
        "Coding",
        "System Design",
        "Databases and Data Management",
        "Behavioral",
        "General Backend Knowledge",
    ]
    questions = [conversation["topics"][str(topic)]["questions"][str(number)] for topic in range(1, 7) for number in (1, 2)]
    assert [(one["topic_id"], one["question_number"]) for one in questions] == [(t, n) for t in range(1, 7) for n in (1, 2)]
    first, *others = [one["messages"][0] for one in questions]
    assert (first["author"], first["content"]) == ("interviewer", "Question 1.1?")
    for index, message in enumerate(others, 1):
        content = json.loads(message["content"])
        assert set(content) == {
            "topic",
            "subtopic",
            "question",
            "score",
            "feedback",
            "next_topic",
            "next_subtopic",
            "next_question",
        }
        assert content["question"] == questions[index - 1]["prompt"]
        assert content["next_question"] == questions[index]["prompt"]
        assert (content["score"], content["feedback"]) == (8, "Well said.")
    user_message, last = questions[-1]["messages"][1:]
    assert (user_message["author"], user_message["question_id"], user_message["topic_id"]) == ("user", 2, 6)
    final = json.loads(last["content"])
    assert (final["next_topic"], final["next_subtopic"], final["next_question"], final["score"]) == ("", "", "", 8)
    interview = (await program.get(f"/api/interviews/{id}")).json()["interview"]
    assert interview["status"] == "finished"
    assert (interview["number_questions"], interview["number_questions_answered"], interview["length"]) == (12, 12, 30)
    assert (interview["score_numerator"], interview["score"]) == (96, 80)
    assert (await program.get("/api/user/dashboard")).json()["past_interviews"][0]["score"] == 80
    assert error_of(await said(program, id, "more")) == (409, "Interview is not active")


async def test_interview_shows_its_job_but_no_rubric(program: httpx2.AsyncClient) -> None:
    id = await started(program, job_description="Staff engineer for a payment platform in Go")
    interview = (await program.get(f"/api/interviews/{id}")).json()["interview"]
    assert interview["difficulty"] == "senior"
    assert interview["jd_summary"].startswith("### JD Context")
    assert "score" not in interview
    assert interview["first_question"] == "Question 1.1?"
    everything = json.dumps(interview) + (await program.get(f"/api/conversations/{id}")).text
    assert "Names the first thing" not in everything
    assert "The first thing, the second thing" not in everything


async def test_topics_not_reached_have_no_questions(program: httpx2.AsyncClient) -> None:
    id = await started(program)
    conversation = (await program.get(f"/api/conversations/{id}")).json()["conversation"]
    assert [topic["questions"] != {} for topic in conversation["topics"].values()] == [True] + [False] * 5
    assert (conversation["current_topic"], conversation["current_question_number"]) == (1, 1)


# -- refusals --------------------------------------------------------------------------------------------------------


async def test_missing_malformed_and_foreign_ids_are_refused(
    program: httpx2.AsyncClient, services: Services, new_user: NewUser
) -> None:
    owner = await new_user(1)
    events = [event async for event in services.interviews.start(owner.id, "")]
    foreign = getattr(events[0], "interview_id", 0)
    for id in (foreign, 999_999):
        assert error_of(await program.get(f"/api/interviews/{id}")) == (404, "Interview not found")
        assert error_of(await program.patch(f"/api/interviews/{id}", json={"status": "paused"})) == (404, "Interview not found")
        assert error_of(await program.get(f"/api/conversations/{id}")) == (400, "Invalid ID")
        assert error_of(await said(program, id, "hello", "create")) == (400, "Invalid ID")
        assert error_of(await said(program, id, "hello")) == (400, "Invalid ID")
    for odd in ("abc", "-1", "0", "1.5", "99999999999999999999999", "%00", "²"):
        assert (await program.get(f"/api/interviews/{odd}")).status_code == 400
        assert error_of(await program.get(f"/api/conversations/{odd}")) == (400, "Invalid ID")
        assert error_of(await said(program, odd, "hello")) == (400, "Invalid ID")  # type: ignore[arg-type]
    for method, path in (
        ("GET", "/api/interviews"),
        ("GET", "/api/interviews/"),
        ("PATCH", "/api/interviews/"),
        ("GET", "/api/conversations"),
        ("GET", "/api/conversations/"),
        ("POST", "/api/conversations/create/"),
        ("POST", "/api/conversations/append"),
    ):
        assert error_of(await program.request(method, path, json={})) == (400, "Missing ID"), path


async def test_invalid_messages_are_refused(program: httpx2.AsyncClient) -> None:
    id = await started(program)
    assert error_of(await said(program, id, "", "create")) == (400, "Missing message")
    assert error_of(await said(program, id, "  \n")) == (400, "Missing message")
    assert (await said(program, id, "x" * 20_001)).status_code == 413
    answer = await program.post(f"/api/conversations/append/{id}", json={"message": "hi", "conversation_id": 4711})
    assert error_of(answer) == (400, "Invalid ID")
    answer = await program.post(f"/api/conversations/append/{id}", content=b"{", headers={"Content-Type": "application/json"})
    assert error_of(answer) == (400, "Invalid request body")
    answer = await program.post(f"/api/conversations/append/{id}", json={"message": ["a"]})
    assert error_of(answer) == (400, "Invalid request body")
    assert error_of(await program.delete(f"/api/interviews/{id}")) == (405, "Method not allowed")
    assert error_of(await program.get(f"/api/conversations/create/{id}")) == (405, "Method not allowed")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/interviews"),
        ("GET", "/api/interviews/1"),
        ("PATCH", "/api/interviews/1"),
        ("POST", "/api/conversations/create/1"),
        ("POST", "/api/conversations/append/1"),
        ("GET", "/api/conversations/1"),
        ("POST", "/api/jd"),
        ("GET", "/api/user/dashboard"),
    ],
)
async def test_every_route_needs_a_token(client: httpx2.AsyncClient, method: str, path: str) -> None:
    assert error_of(await client.request(method, path, json={})) == (401, "Unauthorized")


async def test_pause_and_resume(program: httpx2.AsyncClient) -> None:
    id = await started(program)
    for odd in ("finished", "starting", "", None, 7, ["paused"]):
        assert error_of(await program.patch(f"/api/interviews/{id}", json={"status": odd})) == (400, "Invalid status")
    assert error_of(await program.patch(f"/api/interviews/{id}", json={"status": "active"})) == (400, "Invalid status transition")
    answer = await program.patch(f"/api/interviews/{id}", json={"status": "paused"})
    assert (answer.status_code, answer.json()["interview"]["status"]) == (200, "paused")
    assert error_of(await said(program, id, "an answer", "create")) == (409, "Interview is not active")
    assert (await program.patch(f"/api/interviews/{id}", json={"status": "active"})).status_code == 200
    assert (await said(program, id, "an answer", "create")).status_code == 201


async def test_finished_interview_cannot_be_paused(program: httpx2.AsyncClient, services: Services) -> None:
    id = await started(program)
    async with services.database.transaction() as session:
        await session.execute(update(Interview).values(status="finished"))
    assert error_of(await program.patch(f"/api/interviews/{id}", json={"status": "paused"})) == (400, "Invalid status transition")


# -- retries ---------------------------------------------------------------------------------------------------------


async def test_failed_verdict_is_retried_with_the_same_text_or_none(
    program: httpx2.AsyncClient, services: Services, interviewer: ScriptedInterviewer
) -> None:
    id = await started(program)
    interviewer.judge_errors = [InterviewerTimeout(), InterviewerTimeout()]
    answer = await said(program, id, "the first thing", "create")
    assert answer.status_code == 503
    half = (await program.get(f"/api/conversations/{id}")).json()["conversation"]["topics"]["1"]["questions"]
    assert json.loads(half["2"]["messages"][0]["content"])["score"] is None, "the question is stored, the verdict is not"
    assert (await said(program, id, "another answer")).status_code == 409
    assert (await said(program, id, "the first thing")).status_code == 503
    answer = await said(program, id, "")
    assert answer.status_code == 201
    assert await stored(services, Message) == 1
    assert await stored(services, Verdict) == 1
    assert len(interviewer.question_briefs) == 2, "the question was asked once"


DUNNO = "I don't know."


async def answers_of(services: Services) -> list[str]:
    async with services.database.transaction() as session:
        return list((await session.execute(select(col(Message.content)).order_by(col(Message.id)))).scalars())


def question_of(answer: httpx2.Response) -> tuple[int, int]:
    """Return the topic ID and question number of the current question in a response."""
    conversation = answer.json()["conversation"]
    return conversation["current_topic"], conversation["current_question_number"]


@pytest.mark.parametrize("streamed", [{}, STREAM])
@pytest.mark.parametrize("keyed", [True, False])
async def test_same_answer_to_all_twelve_questions_finishes(
    program: httpx2.AsyncClient, services: Services, keyed: bool, streamed: dict[str, str]
) -> None:
    id = await started(program)
    for number in range(12):
        key = {"Idempotency-Key": f"dunno-{number}"} if keyed else {}
        answer = await said(program, id, DUNNO, "append" if number else "create", **key, **streamed)
        assert answer.status_code == 201
    assert await answers_of(services) == [DUNNO] * 12
    assert error_of(await said(program, id, DUNNO)) == (409, "Interview is not active")


async def test_repeated_create_means_the_first_question(program: httpx2.AsyncClient, services: Services) -> None:
    id = await started(program)
    first = await said(program, id, "the first thing", "create")
    assert (await said(program, id, "the first thing", "create")).json() == first.json()
    assert error_of(await said(program, id, "something else", "create")) == (
        409,
        "The interview has already started with a different first answer.",
    )
    assert await answers_of(services) == ["the first thing"]


async def test_undelivered_reply_is_replayed_once(program: httpx2.AsyncClient, services: Services) -> None:
    id = await started(program)
    first = await said(program, id, DUNNO, "create")
    await forget_deliveries(services)
    assert (await said(program, id, DUNNO)).json() == first.json(), "the client never received it"
    assert question_of(await said(program, id, DUNNO)) == (2, 1), "now it has it"
    await forget_deliveries(services)
    assert question_of(await said(program, id, "Something else.")) == (2, 2), "a different text is not a repetition"
    await forget_deliveries(services)
    keyed = await said(program, id, "Something else.", **{"Idempotency-Key": "new"})
    assert question_of(keyed) == (3, 1), "a new key means a new answer"


async def forget_deliveries(services: Services) -> None:
    """Mark all replies as undelivered, as if the process had been killed before it recorded their delivery."""
    await services.receipts.close()
    async with services.database.transaction() as session:
        await session.execute(update(Message).values(reply_owed=True))


async def test_key_replays_its_reply_for_a_day_whatever_the_text(
    program: httpx2.AsyncClient, services: Services, interviewer: ScriptedInterviewer
) -> None:
    id = await started(program)
    key = {"Idempotency-Key": "answer-1"}
    first = await said(program, id, "the first thing", "create", **key)
    again = await said(program, id, "something else entirely", "append", **key)
    assert again.json() == first.json()
    assert (await said(program, id, "next", "append", **{"Idempotency-Key": "answer-2"})).status_code == 201
    assert (await said(program, id, "", "append", **key)).status_code == 201
    assert len(interviewer.answer_briefs) == 2
    async with services.database.transaction() as session:
        await session.execute(update(Message).values(created_at=utcnow() - REPLAYED_FOR * 1.01))
    assert (await said(program, id, "after a day", **key)).status_code == 201
    assert (await answers_of(services))[2:] == ["after a day"]
    assert (await said(program, id, "and again", **key)).status_code == 201
    assert len(await answers_of(services)) == 3


async def test_unjudged_answer_accepts_only_its_own_text(
    program: httpx2.AsyncClient, services: Services, interviewer: ScriptedInterviewer
) -> None:
    id = await started(program)
    await said(program, id, DUNNO, "create")
    interviewer.judge_errors = [InterviewerTimeout()] * 3
    key = {"Idempotency-Key": "answer-2"}
    assert (await said(program, id, "the second thing", **key)).status_code == 503
    for headers in ({}, key, {"Idempotency-Key": "another"}):
        assert (await said(program, id, "something else", **headers)).status_code == 409
        assert (await said(program, id, DUNNO, **headers)).status_code == 409
    assert (await said(program, id, "the second thing", "create", **{"Idempotency-Key": "another"})).status_code == 503
    assert (await said(program, id, "")).status_code == 503
    assert question_of(await said(program, id, "the second thing")) == (2, 1)
    assert await answers_of(services) == [DUNNO, "the second thing"]


async def named(program: httpx2.AsyncClient, id: int, message: str, topic: Any, number: Any, **headers: str) -> httpx2.Response:
    body = {"message": message, "topic_id": topic, "question_id": number}
    return await program.post(f"/api/conversations/append/{id}", json=body, headers=headers)


async def test_named_question_is_never_taken_for_another(program: httpx2.AsyncClient, services: Services) -> None:
    id = await started(program)
    first = await named(program, id, DUNNO, 1, 1)
    assert (first.status_code, question_of(first)) == (201, (1, 2))
    assert question_of(await named(program, id, DUNNO, 1, 1)) == (1, 2), "the same reply again"
    assert (await named(program, id, "something else", 1, 1)).status_code == 409
    assert (await named(program, id, "", 1, 1)).status_code == 409
    for topic, number in ((1, 3), (2, 1), (7, 1), (0, 0), (-1, 10**30)):
        assert (await named(program, id, DUNNO, topic, number)).status_code == 409
    for half in ((1, None), (None, 1)):
        answer = await named(program, id, DUNNO, *half)
        assert error_of(answer) == (400, "topic_id and question_id identify a question together. Send both or neither.")
    assert error_of(await named(program, id, DUNNO, "one", 1)) == (400, "Invalid request body")
    assert question_of(await named(program, id, DUNNO, 1, 2)) == (2, 1)
    assert (await named(program, id, DUNNO, 1, 1)).status_code == 201
    assert (await said(program, id, DUNNO, "create", **{"Idempotency-Key": "x"})).status_code == 201
    assert await answers_of(services) == [DUNNO] * 2


async def test_named_earlier_question_streams_its_whole_reply(program: httpx2.AsyncClient) -> None:
    id = await started(program)
    whole = events((await said(program, id, DUNNO, "create", **STREAM)).text)
    await said(program, id, "the second thing")
    again = events((await named(program, id, DUNNO, 1, 1, **STREAM)).text)
    for name in ("feedback", "question"):
        assert written(again, name) == written(whole, name)


async def test_concurrent_equal_answers_are_judged_once(
    program: httpx2.AsyncClient, services: Services, interviewer: ScriptedInterviewer
) -> None:
    id = await started(program)
    answers = await asyncio.gather(*(said(program, id, "the first thing", "create") for _ in range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(interviewer.answer_briefs) == 1
    assert await stored(services, Message) == 1


# -- streams ---------------------------------------------------------------------------------------------------------


def names(stream: list[ServerSent]) -> list[str]:
    found: list[str] = []
    for event in stream:
        if not found or found[-1] != event.name:
            found.append(event.name)
    return found


async def test_start_streams_the_question(program: httpx2.AsyncClient) -> None:
    answer = await program.post("/api/interviews", json={}, headers=STREAM)
    assert answer.status_code == 201
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    stream = events(answer.text)
    assert names(stream) == ["question", "done"]
    assert written(stream, "question") == "Question 1.1?"
    assert set(stream[-1].data) == {"interview_id", "conversation_id", "first_question"}


async def test_turn_streams_feedback_score_and_question(program: httpx2.AsyncClient) -> None:
    id = await started(program)
    stream = events((await said(program, id, "the first and second thing", "create", **STREAM)).text)
    assert written(stream, "feedback") == "Well said."
    assert written(stream, "question") == "Question 1.2?"
    assert [event.data for event in stream if event.name == "score"] == [{"score": 8}]
    assert stream[-1].name == "done"
    assert stream[-1].data == (await program.get(f"/api/conversations/{id}")).json()
    ids = [int(event.id) for event in stream]
    assert ids == sorted(set(ids)), "an increasing number"


async def test_stream_resumes_after_any_event(program: httpx2.AsyncClient) -> None:
    id = await started(program)
    key = {"Idempotency-Key": "stream-1", **STREAM}
    whole = events((await said(program, id, "the first thing", "create", **key)).text)
    for index, event in enumerate(whole):
        rest = events((await said(program, id, "the first thing", "create", **key, **{"Last-Event-ID": event.id})).text)
        both = whole[: index + 1] + rest
        for name in ("feedback", "question"):
            assert written(both, name) == written(whole, name), f"after event {index}"
        assert [one.data for one in both if one.name == "score"] == [{"score": 5}]
        assert both[-1].data == whole[-1].data


async def test_failure_in_a_stream_is_an_event(program: httpx2.AsyncClient, interviewer: ScriptedInterviewer) -> None:
    id = await started(program)
    interviewer.judge_errors = [InterviewerTimeout()]
    stream = events((await said(program, id, "the first thing", "create", **STREAM)).text)
    assert stream[-1].name == "error"
    assert stream[-1].data["status"] == 503
    assert "Nothing was lost" in stream[-1].data["error"]
    stream = events((await said(program, id, "", "append", **STREAM)).text)
    assert stream[-1].name == "done"


async def test_errors_before_a_stream_are_a_plain_status(program: httpx2.AsyncClient) -> None:
    id = await started(program)
    assert error_of(await said(program, id, "", "create", **STREAM)) == (400, "Missing message")
    assert (await said(program, id, "x" * 20_001, "create", **STREAM)).status_code == 413
    await program.patch(f"/api/interviews/{id}", json={"status": "paused"})
    assert error_of(await said(program, id, "hello", "create", **STREAM)) == (409, "Interview is not active")


# -- lists and job descriptions --------------------------------------------------------------------------------------


async def test_long_histories_are_paginated(program: httpx2.AsyncClient, database: Database, user: User) -> None:
    async with database.transaction() as session:
        session.add_all(
            [Interview(user_id=user.id, status="finished", interviewer="test", model="", answers_judged=0) for _ in range(7)]
        )
    everything = [one["id"] for one in (await program.get("/api/user/dashboard")).json()["past_interviews"]]
    assert everything == sorted(everything, reverse=True)
    assert len(everything) == 7
    pages: list[int] = []
    while len(pages) < 7:
        before = f"&before={pages[-1]}" if pages else ""
        pages += [one["id"] for one in (await program.get(f"/api/user/dashboard?limit=3{before}")).json()["past_interviews"]]
    assert pages == everything
    for odd in ("limit=0", "limit=501", "limit=x", "before=0", "before=99999999999"):
        assert (await program.get(f"/api/user/dashboard?{odd}")).status_code == 400


async def test_job_description_is_returned_as_a_summary(program: httpx2.AsyncClient, interviewer: ScriptedInterviewer) -> None:
    answer = await program.post("/api/jd", json={"job_description": "Senior engineer for a bank, with Python and PostgreSQL"})
    assert answer.status_code == 200
    assert answer.json().startswith("### JD Context\n")
    assert "Python" in answer.json()
    for odd in ({}, {"job_description": ""}, {"job_description": "  "}):
        assert error_of(await program.post("/api/jd", json=odd)) == (400, "Invalid job description")
    interviewer.job_errors = [InterviewerBusy()]
    answer = await program.post("/api/jd", json={"job_description": "Senior engineer for a bank, with Python"})
    assert answer.status_code == 503
