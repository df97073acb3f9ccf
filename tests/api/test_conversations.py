"""Follow-ups, clarifications and hints through the API, and what clients see of them that did not ask for any."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import select, update
from sqlmodel import col

from interviewer.core.columns import utcnow
from interviewer.core.users import User
from interviewer.errors import InterviewerTimeout
from interviewer.interviews.events import Replied, Started
from interviewer.interviews.exchange import NO_MORE_CLARIFICATIONS, NO_MORE_HINTS, Kind
from interviewer.interviews.message_api import (
    ALREADY_BEGUN,
    ANOTHER_QUESTION,
    OTHER_ANSWER,
    OTHER_MESSAGE,
    REPLAYED_FOR,
    Sent,
)
from interviewer.interviews.plan import STANDARD, requested
from interviewer.interviews.tables import Message, Verdict
from interviewer.wiring import Services, build
from tests.support.api_calls import STREAM, error_of, started, stored
from tests.support.interviewer import ScriptedInterviewer
from tests.support.sse import ServerSent, events, written

WHY, HOW = "Why the first thing?", "And how would you measure it?"
TURNS = {"X-Interview-Turns": "1"}
DUNNO = "I don't know."
MATTERS = "What matters most here?"

Document = dict[str, Any]


async def sent(
    program: httpx2.AsyncClient, id: int, message: str | None, *, how: str = "append", headers: Any = None, **body: Any
) -> httpx2.Response:
    given = body if message is None else {"message": message, **body}
    return await program.post(f"/api/conversations/{how}/{id}", json=given, headers=headers or {})


def key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


def messages_of(answer: httpx2.Response, number: int = 1) -> list[Document]:
    """Return the messages of a question on the first topic."""
    assert answer.status_code in (200, 201), answer.text
    found: list[Document] = answer.json()["conversation"]["topics"]["1"]["questions"][str(number)]["messages"]
    return found


def spoken(answer: httpx2.Response, number: int = 1) -> list[tuple[str, str | None, str]]:
    """Return the author, kind and text of the messages after a question."""
    found = []
    for message in messages_of(answer, number)[1:]:
        text = message["content"]
        if message["author"] == "interviewer":
            content = json.loads(text)
            text = content.get("follow_up", content.get("feedback"))
        found.append((message["author"], message.get("kind"), text))
    return found


def current(answer: httpx2.Response) -> tuple[int, int]:
    """Return the topic ID and question number of the current question."""
    assert answer.status_code in (200, 201), answer.text
    conversation = answer.json()["conversation"]
    return conversation["current_topic"], conversation["current_question_number"]


async def texts(services: Services) -> list[tuple[str, str]]:
    """Return the kind and text of every message of a user, oldest first."""
    async with services.database.transaction() as session:
        statement = select(col(Message.kind), col(Message.content)).where(col(Message.author) == "user")
        return [(kind, text) for kind, text in (await session.execute(statement.order_by(col(Message.id)))).all()]


async def forget_deliveries(services: Services) -> None:
    """Mark all replies as undelivered, as if the process had been killed before it recorded their delivery."""
    await services.receipts.close()
    async with services.database.transaction() as session:
        await session.execute(update(Message).where(col(Message.author) == "user").values(reply_owed=True))


@pytest.fixture
async def id(program: httpx2.AsyncClient) -> int:
    """An interview that was started over the API with follow-ups."""
    return await started(program, follow_ups=True, questions_per_topic=2, topics=[1])


@pytest.fixture
async def page_id(services: Services, user: User) -> int:
    """An interview that was started in the pages with follow-ups."""
    plan = requested({"follow_ups": True, "topics": [1]})
    found = [event async for event in services.interviews.start(user.id, "", plan=plan)]
    assert isinstance(found[0], Started)
    return found[0].interview_id


async def on_page(services: Services, user: User, id: int, text: str, kind: Kind = Kind.ANSWER) -> None:
    """Say something about the current question in the pages."""
    view = await services.interviews.view(user.id, id)
    async for _ in services.interviews.answer(user.id, id, view.turns[-1].question_id, text, uuid4(), kind=kind):
        pass


# -- a conversation --------------------------------------------------------------------------------------------------


async def test_follow_up_is_one_more_message_in_the_question(
    program: httpx2.AsyncClient, interviewer: ScriptedInterviewer, id: int
) -> None:
    interviewer.follow_ups = [WHY]
    answer = await sent(program, id, "the first thing", how="create")
    assert current(answer) == (1, 1)
    content = json.loads(messages_of(answer)[2]["content"])
    assert content == {
        "kind": "follow_up",
        "topic": "Introduction",
        "subtopic": "Subtopic",
        "question": "Question 1.1?",
        "follow_up": WHY,
    }
    assert answer.json() == (await program.get(f"/api/conversations/{id}")).json()
    assert (await program.get(f"/api/interviews/{id}")).json()["interview"]["number_questions_answered"] == 1
    answer = await sent(program, id, "the second thing")
    assert current(answer) == (1, 2)
    first = [("user", "answer", "the first thing"), ("interviewer", "follow_up", WHY), ("user", "answer", "the second thing")]
    assert spoken(answer) == first
    verdict = messages_of(answer, 2)[0]
    assert (json.loads(verdict["content"])["score"], "kind" in verdict) == (8, False), "both answers count"
    finished = await sent(program, id, "the third thing")
    assert current(finished) == (0, 0)
    assert [kind for _, kind, _ in spoken(finished, 2)] == ["answer", None]


async def test_clarification_and_hint_leave_the_question_open(program: httpx2.AsyncClient, services: Services, id: int) -> None:
    asked = await sent(program, id, "  How many users are there?\n", kind="clarification", how="create")
    assert current(asked) == (1, 1)
    reply = "Assume the usual clarification."
    said = [("user", "clarification", "How many users are there?"), ("interviewer", "clarification", reply)]
    assert spoken(asked) == said
    assert (await program.get(f"/api/interviews/{id}")).json()["interview"]["number_questions_answered"] == 0
    hinted = await sent(program, id, None, kind="hint")
    assert spoken(hinted)[2:] == [("user", "hint", ""), ("interviewer", "hint", "Assume the usual hint.")]
    assert "score" not in json.loads(messages_of(hinted)[-1]["content"])
    answer = await sent(program, id, "the first thing", how="create")
    assert current(answer) == (1, 2), "nothing was answered before, so it is the first answer"
    assert error_of(await sent(program, id, "the second thing", how="create")) == (409, ALREADY_BEGUN)
    assert await stored(services, Verdict) == 1


async def test_skip_ends_the_question(program: httpx2.AsyncClient, interviewer: ScriptedInterviewer, id: int) -> None:
    interviewer.follow_ups = [WHY]
    await sent(program, id, "the first thing", how="create")
    answer = await sent(program, id, None, kind="skip")
    assert current(answer) == (1, 2)
    assert spoken(answer)[-1] == ("user", "skip", "")
    assert json.loads(messages_of(answer, 2)[0]["content"])["score"] == 5, "what was answered before the skip counts"
    answer = await sent(program, id, "ignored", kind="skip")
    assert json.loads(messages_of(answer, 2)[-1]["content"])["score"] == 0


async def test_used_up_clarifications_and_hints_are_refused(program: httpx2.AsyncClient, id: int) -> None:
    for number in (1, 2):
        assert (await sent(program, id, f"Which scale, attempt {number}?", kind="clarification")).status_code == 201
    for headers in ({}, STREAM):
        refused = await sent(program, id, "And which budget?", kind="clarification", headers=headers)
        assert error_of(refused) == (409, NO_MORE_CLARIFICATIONS)
    assert (await sent(program, id, None, kind="hint")).status_code == 201
    assert error_of(await sent(program, id, None, kind="hint")) == (409, NO_MORE_HINTS)
    assert error_of(await sent(program, id, "", kind="clarification")) == (400, "Missing message")
    for odd in ("follow_up", "final_answer", "", 7):
        assert error_of(await sent(program, id, "text", kind=odd)) == (400, "Invalid request body")
    assert (await sent(program, id, "the first thing", kind=None)).status_code == 201


async def test_question_is_taken_for_a_clarification_only_with_follow_ups(
    program: httpx2.AsyncClient, services: Services, id: int
) -> None:
    assert current(await sent(program, id, MATTERS, how="create")) == (1, 1)
    assert current(await sent(program, id, MATTERS, kind="answer")) == (1, 2), "a client that names the kind is right"
    plain = await started(program)
    answer = await sent(program, plain, MATTERS, how="create")
    assert current(answer) == (1, 2)
    assert "kind" not in json.dumps(answer.json())
    assert [kind for kind, _ in await texts(services)] == ["clarification", "answer", "answer"]


async def test_clarification_without_follow_ups_is_shown_to_who_asks(
    program: httpx2.AsyncClient, interviewer: ScriptedInterviewer
) -> None:
    plain = await started(program)
    interviewer.follow_ups = [WHY]
    asked = await sent(program, plain, MATTERS, kind="clarification")
    assert spoken(asked)[-1] == ("interviewer", "clarification", "Assume the usual clarification.")
    assert spoken(await program.get(f"/api/conversations/{plain}")) == []
    assert len(spoken(await program.get(f"/api/conversations/{plain}", headers=TURNS))) == 2
    answer = await sent(program, plain, "the first thing", how="create")
    assert (current(answer), spoken(answer)) == ((1, 2), [("user", None, "the first thing")])
    assert interviewer.follow_ups == [WHY], "without follow-ups, none is asked"


# -- clients that did not ask ----------------------------------------------------------------------------------------


async def test_turns_of_the_pages_are_hidden_from_old_clients(
    program: httpx2.AsyncClient, services: Services, user: User, interviewer: ScriptedInterviewer, page_id: int
) -> None:
    interviewer.follow_ups = [WHY, HOW, "And a third one?"]
    await on_page(services, user, page_id, MATTERS)
    await on_page(services, user, page_id, "", Kind.HINT)
    shown = await program.get(f"/api/conversations/{page_id}")
    assert (spoken(shown), current(shown)) == ([], (1, 1))
    await on_page(services, user, page_id, "the first thing")
    shown = await program.get(f"/api/conversations/{page_id}")
    assert (spoken(shown), current(shown)) == ([("user", None, "the first thing")], (1, 1))
    assert (await program.get(f"/api/interviews/{page_id}")).json()["interview"]["number_questions_answered"] == 1
    assert len(spoken(await program.get(f"/api/conversations/{page_id}", headers=TURNS))) == 6
    answer = await sent(program, page_id, "the second thing")
    assert current(answer) == (1, 2)
    assert spoken(answer) == [("user", None, "the first thing\n\nthe second thing")]
    assert json.loads(messages_of(answer, 2)[0]["content"])["score"] == 4, "what was said only after the hint counts half"
    finished = await sent(program, page_id, MATTERS)
    assert current(finished) == (0, 0), "no clarification, and no follow-up"
    assert spoken(finished, 2)[0] == ("user", None, MATTERS)
    assert interviewer.follow_ups == [HOW, "And a third one?"]


async def test_old_client_completes_an_answer_of_the_pages_without_a_follow_up(
    program: httpx2.AsyncClient, services: Services, user: User, interviewer: ScriptedInterviewer, page_id: int
) -> None:
    interviewer.follow_ups, interviewer.judge_errors = [WHY], [InterviewerTimeout()]
    await on_page(services, user, page_id, "the first thing")
    stream = events((await sent(program, page_id, "", headers=STREAM)).text)
    assert written(stream, "follow_up") == ""
    assert written(stream, "feedback") == "Well said."
    assert stream[-1].data["conversation"]["current_question_number"] == 2


async def test_client_that_asks_gets_follow_ups_in_interviews_of_the_pages(
    program: httpx2.AsyncClient, interviewer: ScriptedInterviewer, page_id: int
) -> None:
    interviewer.follow_ups = [WHY]
    answer = await sent(program, page_id, "the first thing", how="create", headers=TURNS)
    assert (current(answer), spoken(answer)[-1]) == ((1, 1), ("interviewer", "follow_up", WHY))
    for odd in ("0", "true", ""):
        shown = await program.get(f"/api/conversations/{page_id}", headers={"X-Interview-Turns": odd})
        assert spoken(shown) == [("user", None, "the first thing")]


# -- retries ---------------------------------------------------------------------------------------------------------


async def test_key_of_an_earlier_message_replays_its_own_reply(
    program: httpx2.AsyncClient, services: Services, interviewer: ScriptedInterviewer, id: int
) -> None:
    interviewer.follow_ups = [WHY, HOW]
    first = await sent(program, id, DUNNO, how="create", headers=key("0"))
    assert (await sent(program, id, "whatever", headers=key("0"))).json() == first.json()
    second = await sent(program, id, DUNNO, headers=key("1"))
    assert spoken(second)[-1] == ("interviewer", "follow_up", HOW), "the same text with another key is a new answer"
    for name, reply in (("0", WHY), ("1", HOW)):
        stream = events((await sent(program, id, DUNNO, headers=key(name) | STREAM)).text)
        assert ({one.name for one in stream}, written(stream, "follow_up")) == ({"follow_up", "done"}, reply)
        assert stream[-1].data == second.json()
    assert current(await sent(program, id, "the first thing", headers=key("2"))) == (1, 2)
    stream = events((await sent(program, id, DUNNO, headers=key("1") | STREAM)).text)
    assert ({one.name for one in stream}, written(stream, "follow_up")) == ({"follow_up", "done"}, HOW)
    stream = events((await sent(program, id, DUNNO, headers=key("2") | STREAM)).text)
    assert written(stream, "feedback") == "Well said."
    assert [text for _, text in await texts(services)] == [DUNNO, DUNNO, "the first thing"]


async def test_expired_key_can_be_used_for_the_same_question(
    program: httpx2.AsyncClient, services: Services, interviewer: ScriptedInterviewer, id: int
) -> None:
    interviewer.follow_ups = [WHY]
    await sent(program, id, DUNNO, how="create", headers=key("0"))
    async with services.database.transaction() as session:
        await session.execute(update(Message).values(created_at=utcnow() - REPLAYED_FOR * 1.01))
    assert current(await sent(program, id, "the first thing", headers=key("0"))) == (1, 2)
    assert len(await texts(services)) == 2


async def test_message_without_a_reply_accepts_only_itself(
    program: httpx2.AsyncClient, services: Services, interviewer: ScriptedInterviewer, id: int
) -> None:
    interviewer.follow_ups = [WHY]
    await sent(program, id, DUNNO, how="create", headers=key("0"))
    interviewer.judge_errors = [InterviewerTimeout()]
    assert (await sent(program, id, "the first thing", headers=key("1"))).status_code == 503
    for headers in ({}, key("0"), key("1"), key("2")):
        assert error_of(await sent(program, id, DUNNO, headers=headers)) == (409, OTHER_ANSWER)
        for kind in ("hint", "skip"):
            assert error_of(await sent(program, id, "", kind=kind, headers=headers)) == (409, OTHER_ANSWER)
    assert error_of(await sent(program, id, "the second thing", how="create")) == (409, ALREADY_BEGUN)
    assert current(await sent(program, id, "")) == (1, 2)
    interviewer.reply_errors = [InterviewerTimeout(), InterviewerTimeout()]
    assert (await sent(program, id, MATTERS, kind="clarification")).status_code == 503
    assert error_of(await sent(program, id, "the second thing")) == (409, OTHER_MESSAGE)
    assert (await sent(program, id, MATTERS)).status_code == 503
    assert spoken(await sent(program, id, ""), 2)[-1][:2] == ("interviewer", "clarification")
    assert [kind for kind, _ in await texts(services)] == ["answer", "answer", "clarification"]


async def test_undelivered_follow_up_is_replayed_once(
    program: httpx2.AsyncClient, services: Services, interviewer: ScriptedInterviewer, id: int
) -> None:
    interviewer.follow_ups = [WHY, HOW]
    first = await sent(program, id, DUNNO, how="create")
    await forget_deliveries(services)
    assert (await sent(program, id, DUNNO)).json() == first.json(), "the client never received it"
    second = await sent(program, id, DUNNO)
    assert spoken(second)[-1] == ("interviewer", "follow_up", HOW), "now it has it, so it answers the follow-up"
    await forget_deliveries(services)
    named = await sent(program, id, DUNNO, topic_id=1, question_id=1)
    assert named.json() == second.json(), "naming the open question does not make it a new answer"
    await forget_deliveries(services)
    assert current(await sent(program, id, DUNNO, headers=key("new"))) == (1, 2)
    assert [text for _, text in await texts(services)] == [DUNNO] * 3


async def test_undelivered_hint_is_replayed_once(program: httpx2.AsyncClient, services: Services, id: int) -> None:
    first = await sent(program, id, None, kind="hint")
    await forget_deliveries(services)
    assert error_of(await sent(program, id, "")) == (400, "Missing message")
    assert (await sent(program, id, None, kind="hint")).json() == first.json()
    assert error_of(await sent(program, id, None, kind="hint")) == (409, NO_MORE_HINTS)
    await forget_deliveries(services)
    assert current(await sent(program, id, None, kind="skip")) == (1, 2), "a skip is not the hint again"


async def test_delivery_is_recorded_for_each_message(
    program: httpx2.AsyncClient, services: Services, interviewer: ScriptedInterviewer, id: int
) -> None:
    interviewer.follow_ups = [WHY]
    await sent(program, id, "the first thing", how="create")
    await forget_deliveries(services)
    await sent(program, id, "the second thing")
    await services.receipts.close()
    async with services.database.transaction() as session:
        statement = select(col(Message.reply_owed)).where(col(Message.author) == "user").order_by(col(Message.number))
        assert list((await session.execute(statement)).scalars()) == [True, False]


async def test_named_closed_question_replays_the_reply_to_each_message(
    program: httpx2.AsyncClient, services: Services, interviewer: ScriptedInterviewer, id: int
) -> None:
    interviewer.follow_ups = [WHY]
    await sent(program, id, "the first thing", how="create")
    await sent(program, id, "the second thing")
    place: Document = {"topic_id": 1, "question_id": 1}
    stream = events((await sent(program, id, "the first thing", headers=STREAM, **place)).text)
    assert (written(stream, "follow_up"), written(stream, "feedback")) == (WHY, "")
    stream = events((await sent(program, id, "the second thing", headers=STREAM, **place)).text)
    assert (written(stream, "feedback"), written(stream, "question")) == ("Well said.", "Question 1.2?")
    for message, kind in (("the third thing", "answer"), ("", "answer"), ("", "hint"), ("", "skip")):
        assert error_of(await sent(program, id, message, kind=kind, **place)) == (409, ANOTHER_QUESTION)
    assert len(await texts(services)) == 2


async def test_repeated_create_replays_the_first_follow_up(
    program: httpx2.AsyncClient, services: Services, interviewer: ScriptedInterviewer, id: int
) -> None:
    interviewer.follow_ups = [WHY]
    first = await sent(program, id, DUNNO, how="create")
    assert (await sent(program, id, DUNNO, how="create")).json() == first.json()
    for message, kind in (("the first thing", "answer"), (MATTERS, "clarification"), ("", "hint")):
        assert error_of(await sent(program, id, message, how="create", kind=kind)) == (409, ALREADY_BEGUN)
    assert await texts(services) == [("answer", DUNNO)]


@pytest.mark.parametrize("text", [DUNNO, "the first thing, in a sentence with a good deal more than eight words"])
async def test_concurrent_equal_answers_get_one_follow_up(
    program: httpx2.AsyncClient, services: Services, interviewer: ScriptedInterviewer, id: int, text: str
) -> None:
    interviewer.follow_ups = [WHY, HOW]
    answers = await asyncio.gather(*(sent(program, id, text, how="create") for _ in range(5)))
    assert {spoken(answer)[-1] for answer in answers} == {("interviewer", "follow_up", WHY)}
    assert [one for _, one in await texts(services)] == [text]


async def test_late_equal_answer_gets_the_reply_of_the_first(
    program: httpx2.AsyncClient, services: Services, user: User, interviewer: ScriptedInterviewer, id: int
) -> None:
    """Two requests read the open question; the second one stores its answer only after the first one's follow-up."""
    interviewer.follow_ups = [WHY, HOW]
    before = await services.interviews.load(user.id, id)
    question = before.rows[0].question.id
    await sent(program, id, DUNNO, how="create")

    async def late(text: str) -> list[str]:
        given = (user.id, id, question, text, uuid4(), before)
        return [type(event).__name__ async for event in services.interviews.answer(*given, is_new=True)]

    assert await late(DUNNO) == ["Stored", "Replied"]
    with pytest.raises(Exception, match="in the meantime"):
        await late("the first thing")
    assert [text for _, text in await texts(services)] == [DUNNO]


async def test_other_worker_waits_for_the_follow_up_to_its_message(
    program: httpx2.AsyncClient, services: Services, user: User, interviewer: ScriptedInterviewer, id: int
) -> None:
    interviewer.follow_ups = [WHY]
    interviewer.gate.clear()
    other = build(services.settings, database=services.database, interviewer=interviewer)
    here = asyncio.create_task(sent(program, id, DUNNO, how="create", headers=key("0")))
    async with asyncio.timeout(10):
        while not await texts(services):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    reply = await other.programs.reply(user.id, id, Sent(DUNNO, "0"))

    async def there() -> list[Any]:
        return [event async for event in reply.events]

    waiting = asyncio.create_task(there())
    await asyncio.sleep(0.1)
    interviewer.gate.set()
    assert spoken(await here)[-1] == ("interviewer", "follow_up", WHY)
    assert current(await sent(program, id, "the first thing")) == (1, 2)
    *_, last = await waiting
    assert (type(last), last.turn.messages[-1].text) == (Replied, WHY), "not the verdict on the message after it"
    assert len(await texts(services)) == 2
    await other.interviews.close()


async def test_paused_interview_refuses_a_message(program: httpx2.AsyncClient, interviewer: ScriptedInterviewer, id: int) -> None:
    interviewer.follow_ups = [WHY]
    await sent(program, id, DUNNO, how="create")
    await program.patch(f"/api/interviews/{id}", json={"status": "paused"})
    for message, kind in ((DUNNO, "answer"), (MATTERS, "clarification"), ("", "hint"), ("", "skip")):
        assert error_of(await sent(program, id, message, kind=kind)) == (409, "Interview is not active")


# -- streams ---------------------------------------------------------------------------------------------------------


def resumed(whole: list[ServerSent], index: int, rest: list[ServerSent]) -> str:
    return written(whole[: index + 1] + rest, "follow_up")


@pytest.mark.parametrize("kind", ["answer", "clarification", "hint"])
async def test_stream_of_a_follow_up_resumes_after_any_event(
    program: httpx2.AsyncClient, interviewer: ScriptedInterviewer, id: int, kind: str
) -> None:
    interviewer.follow_ups = [WHY]
    headers = key("stream") | STREAM
    whole = events((await sent(program, id, "the first thing", kind=kind, headers=headers)).text)
    text = WHY if kind == "answer" else f"Assume the usual {kind}."
    assert [one.name for one in whole] == ["follow_up", "follow_up", "done"]
    assert written(whole, "follow_up") == text
    ids = [int(one.id) for one in whole]
    assert ids == sorted(set(ids)), "an increasing number"
    await sent(program, id, "the second thing")
    for index, event in enumerate(whole):
        again = await sent(program, id, "the first thing", kind=kind, headers=headers | {"Last-Event-ID": event.id})
        assert resumed(whole, index, events(again.text)) == text, f"after event {index}"


async def test_follow_up_failing_in_a_stream_is_an_error_event(
    program: httpx2.AsyncClient, interviewer: ScriptedInterviewer, id: int
) -> None:
    interviewer.follow_ups, interviewer.judge_errors = [WHY], [InterviewerTimeout()]
    stream = events((await sent(program, id, "the first thing", headers=STREAM)).text)
    assert [one.name for one in stream] == ["follow_up", "error"]
    stream = events((await sent(program, id, "", headers=STREAM)).text)
    assert (written(stream, "follow_up"), stream[-1].name) == (WHY, "done")


async def test_plan_without_follow_ups_asks_none(program: httpx2.AsyncClient, interviewer: ScriptedInterviewer) -> None:
    interviewer.follow_ups = [WHY]
    assert STANDARD.follow_ups is False
    id = await started(program)
    assert current(await sent(program, id, "the first thing", how="create", headers=TURNS)) == (1, 2)
