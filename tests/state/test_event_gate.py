"""The event gate: only declared events within their bounds reach Reflex, and the log contains no client input."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from reflex.istate.data import RouterData
from starlette.types import Message, Receive, Scope, Send

from interviewer.state import event_gate
from interviewer.state.account import SignupState
from interviewer.state.appeal import AppealState
from interviewer.state.bounds import BOOT, EVENTS, full_name
from interviewer.state.event_gate import (
    MAX_MESSAGE,
    MAX_REFUSED,
    MAX_REPORT_LENGTH,
    MAX_REPORTS,
    MAX_URL_LENGTH,
    VIOLATION,
    EventGate,
    Reader,
    Reason,
    Refusal,
    Violation,
)
from interviewer.state.interview import InterviewState
from interviewer.state.notices import NoticeState
from tests.support.steps import steps

ASK, SUBMIT = full_name(AppealState, "ask"), full_name(SignupState, "submit")
TOKEN = b"EIO=4&transport=websocket&token=00000000-0000-0000-0000-000000000000"


def event(name: str, payload: Any = None, **router_data: Any) -> str:
    router = {"pathname": "/login", "asPath": "/login"} | router_data
    return "42/_event," + json.dumps(["event", {"name": name, "payload": payload or {}, "router_data": router, "extra": 1}])


def passed(text: str) -> Any:
    """Return the event that the reader passes on for a message."""
    return json.loads(Reader().read(text).removeprefix("42/_event,"))[1]


def test_declared_event_passes_without_undeclared_parts() -> None:
    found = passed(event(ASK, {"question_id": 7}, query={"a": "b"}, headers={"cookie": "forged"}))
    assert found == {
        "name": ASK,
        "payload": {"question_id": 7},
        "router_data": {"pathname": "/login", "asPath": "/login", "query": {"a": "b"}},
    }


@pytest.mark.parametrize("entries", [{"__reflex_form_data__": [["email", "a"], ["email", "b"]]}, {"email": "b"}])
def test_form_passes_as_entries_and_as_an_object(entries: dict[str, Any]) -> None:
    assert passed(event(SUBMIT, {"form": entries}))["payload"] == {"form": {"email": "b"}}


@pytest.mark.parametrize(
    ("name", "payload", "reason"),
    [
        ("Q" * 30_000, {}, Reason.UNKNOWN),
        (f"{NoticeState.get_full_name()}.setvar", {"var_name": "text", "value": "x"}, Reason.UNKNOWN),
        (f"{InterviewState.get_full_name()}.setvar", {"var_name": "title", "value": "x"}, Reason.UNKNOWN),
        (full_name(SignupState, "load"), {}, Reason.UNKNOWN),
        (ASK, {}, Reason.ARGUMENTS),
        (ASK, {"question_id": 7, "more": 1}, Reason.ARGUMENTS),
        (ASK, {"question_id": "7"}, Reason.ARGUMENTS),
        (ASK, {"question_id": True}, Reason.ARGUMENTS),
        (ASK, {"question_id": -1}, Reason.ARGUMENTS),
        (ASK, {"question_id": 2**31}, Reason.ARGUMENTS),
        (ASK, {"question_id": 1.5}, Reason.ARGUMENTS),
        (SUBMIT, {"form": "text"}, Reason.ARGUMENTS),
        (SUBMIT, {"form": {"email": 1}}, Reason.ARGUMENTS),
        (SUBMIT, {"form": {"email": {"deep": "x"}}}, Reason.ARGUMENTS),
        (SUBMIT, {"form": {"__reflex_form_data__": [["email"]]}}, Reason.ARGUMENTS),
        (SUBMIT, {"form": {"__reflex_form_data__": [["a", "b"]] * 61}}, Reason.ARGUMENTS),
        (SUBMIT, {"form": {"n" * 101: "b"}}, Reason.ARGUMENTS),
        (SUBMIT, {"form": {"email": "x" * 5_001}}, Reason.LENGTH),
    ],
)
def test_event_outside_its_bounds_is_refused(name: str, payload: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(Refusal) as caught:
        Reader().read(event(name, payload))
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "2",
            "Q garbage",
            "4",
            "40",
            "42",
            '42["event",{}]',
            "40/admin,",
            "45-/_event,1",
            "451-/_event,[]",
            "43/_event,1[]",
        ),
        *("42/_event,", "42/_event,[bad", "42/_event," + "[" * 100_000, '42/_event,17["event",{}]', "42/_event,{}"),
        *(
            '42/_event,["event"]',
            '42/_event,["event","{}"]',
            '42/_event,["other",{}]',
            '42/_event,["connect",{}]',
            "40/_event,[]",
        ),
        *("42/_event,[" + "1" * 300_000 + "]", b"\0binary", None, "3" * 100),
    ],
)
def test_malformed_message_is_a_violation(text: object) -> None:
    with pytest.raises(Violation):
        Reader().read(text)


def test_url_in_an_event_is_truncated() -> None:
    address = "/login?" + "x" * 150_000
    found = passed(event(ASK, {"question_id": 1}, pathname=address, asPath=address, query={"a": "b", "c": "x" * 9_000, "d": "e"}))
    assert len(found["router_data"]["asPath"]) == MAX_URL_LENGTH
    assert found["router_data"]["query"] == {"a": "b"}
    assert len(json.dumps(found)) < 6_000
    odds: tuple[object, ...] = ([], "text", None)
    for odd in odds:
        assert passed(event(ASK, {"question_id": 1}).replace('{"pathname": "/login", "asPath": "/login"}', json.dumps(odd)))


@pytest.mark.parametrize(
    "address", ["//[", "//[QQQ]x", "/\t/[", "http://[x", "//\u2102\u2100/", "//evil.example/", "javascript:x", "/\ud800"]
)
def test_malformed_path_in_an_event_becomes_the_root(address: str) -> None:
    found = passed(event(ASK, {"question_id": 1}, asPath=address))["router_data"]
    assert found["asPath"] == "/"
    RouterData.from_router_data(found)
    for own in ("/login?next=/a%20b#c", "/a?b=//[", "", "/\u00e4"):
        assert passed(event(ASK, {"question_id": 1}, asPath=own))["router_data"]["asPath"] == own


def test_first_event_is_part_of_the_connect_message() -> None:
    reader = Reader()
    first = {"name": BOOT, "payload": {"vars": {"x": "y" * 9_999}, "hashes": ["a", "b"]}, "router_data": {"pathname": "/"}}
    router = reader.read("40/_event," + json.dumps({"event": first, "state_schema": "abc", "more": 1}))
    wanted = {"name": BOOT, "payload": {"hashes": ["a", "b"]}, "router_data": {"pathname": "/"}}
    assert json.loads(router.removeprefix("40/_event,")) == {"state_schema": "abc", "event": wanted}
    with pytest.raises(Violation):
        reader.read("40/_event,")
    assert reader.read("41/_event,") == "41/_event,"
    assert reader.read("40/_event,") == "40/_event,"


def test_page_of_another_build_connects_without_its_event() -> None:
    router = Reader().read('40/_event,{"event":{"name":"old.hydrate"},"state_schema":"abc"}')
    assert json.loads(router.removeprefix("40/_event,")) == {"state_schema": "abc"}


def test_error_reports_are_truncated_and_limited() -> None:
    reader, report = Reader(), json.dumps(["client_error", {"error_type": "e", "message": "m" * 99_999, "other": "x"}])
    for _ in range(MAX_REPORTS):
        _, router = json.loads(reader.read("42/_event," + report).removeprefix("42/_event,"))
        assert router == {"error_type": "e", "message": "m" * MAX_REPORT_LENGTH}
    with pytest.raises(Refusal):
        reader.read("42/_event," + report)
    thrown = next(name for name in EVENTS if name.endswith("handle_frontend_exception"))
    for _ in range(5):
        assert len(reader.read(event(thrown, {"info": "i" * 99_999, "component_stack": "s" * 99_999}))) < 2_000
    with pytest.raises(Refusal):
        reader.read(event(thrown, {"info": "i", "component_stack": "s"}))


def test_hostile_messages_are_rejected_with_little_work() -> None:
    """One step per character would make 300,000 steps."""

    def reject(text: str) -> None:
        with pytest.raises((Refusal, Violation)):
            Reader().read(text)

    for text in ("42/_event," + "[]," * 100_000, event("Q" * 300_000), event(ASK, {"question_id": "7" * 300_000})):
        assert steps(partial(reject, text)) < 2_000


# -- the gate as the server sees it ----------------------------------------------------------------------------------


class FakeApp:
    """A fake app behind the gate, which accepts the websocket and records what it receives."""

    def __init__(self) -> None:
        self.received: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            self.received.append(message := await receive())
            if message["type"] == "websocket.connect":
                await send({"type": "websocket.accept"})
            elif message["type"] == "websocket.disconnect":
                await send({"type": "websocket.send", "text": "a late word"})
                return


Run = Callable[..., tuple[list[Message], list[Message]]]


@pytest.fixture
def run() -> Run:
    """Return a function that sends messages through a gate, and returns what passed and what was sent back."""

    def through(*texts: object, query: bytes = TOKEN, headers: list[tuple[bytes, bytes]] | None = None) -> Any:
        behind, sent = FakeApp(), []
        coming = iter(
            [
                {"type": "websocket.connect"},
                *({"type": "websocket.receive", "text": text} for text in texts),
                {"type": "websocket.disconnect", "code": 1001},
            ]
        )

        async def receive() -> Any:
            return next(coming)

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "websocket", "path": "/_event/", "query_string": query, "headers": headers or []}
        asyncio.run(EventGate(behind)(scope, receive, send))
        return behind.received, sent

    return through


def test_too_many_refused_events_close_the_websocket(run: Run) -> None:
    good, bad = event(ASK, {"question_id": 1}), event("unknown")
    received, sent = run(good, *[bad] * MAX_REFUSED, good)
    assert [message["type"] for message in received] == [
        "websocket.connect",
        "websocket.receive",
        "websocket.receive",
        "websocket.disconnect",
    ]
    received, sent = run(good, *[bad] * (MAX_REFUSED + 1), good)
    assert received[-1] == {"type": "websocket.disconnect", "code": VIOLATION}
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"], "nothing is sent after the end"
    assert sent[-1]["code"] == VIOLATION


def test_text_that_is_too_long_shows_a_notice(run: Run) -> None:
    for text in (event(SUBMIT, {"form": {"email": "x" * 9_000}}), "x" * (MAX_MESSAGE + 1)):
        received, sent = run(text)
        assert len(received) == 2, "connected and gone, nothing between"
        [(_, router)] = [
            json.loads(message["text"].removeprefix("42/_event,"))
            for message in sent
            if "late" not in message.get("text", "late")
        ]
        assert event_gate.TOO_LONG in router["delta"][NoticeState.get_full_name()].values()


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        (b"EIO=4&transport=websocket", []),
        (b"token=", []),
        (b"token=a&token=b", []),
        (b"token=" + b"a" * 65, []),
        (b"token=%0a", []),
        (TOKEN + b"&x=" + b"y" * 500, []),
        (TOKEN, [(b"cookie", b"x" * 20_000)]),
    ],
)
def test_malformed_websocket_request_is_refused(run: Run, query: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    received, sent = run(query=query, headers=headers)
    assert received == []
    assert [(message["type"], message["code"]) for message in sent] == [("websocket.close", VIOLATION)]


def test_log_names_each_reason_once_and_never_the_content(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        run(*[event("SECRET" * 100)] * 10, event(ASK, {"question_id": "SECRET"}), "SECRET")
    router = [record.getMessage() for record in caplog.records if record.name == event_gate.__name__]
    assert len(router) == 3
    assert not any("SECRET" in line for line in router)
