"""Read, normalize, and budget: the parts of the model server's client that need no server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from interviewer.errors import (
    InterviewerBadOutput,
    InterviewerBusy,
    InterviewerError,
    InterviewerLoading,
    InterviewerMisconfigured,
    InterviewerQuota,
    InterviewerRefused,
    InterviewerTooLong,
)
from interviewer.interviews.evidence import proven_quote
from interviewer.interviews.job import MAX_LINES, JobFindings
from interviewer.interviews.model_server import normalizing
from interviewer.interviews.model_server.budget import estimated_tokens, fitted
from interviewer.interviews.model_server.capabilities import KEPT_FOR, Capabilities, Learned
from interviewer.interviews.model_server.failures import as_error, failure_of
from interviewer.interviews.model_server.messages import Order, body_of, with_lengths, without_bounds
from interviewer.interviews.model_server.options import Format, ServerOptions, address_of, first_token_seconds
from interviewer.interviews.model_server.reading import MAX_CHATTER, GrowingReply
from interviewer.interviews.prompts import QUESTION_SCHEMA, verdict_schema
from interviewer.interviews.rubric import Mark, MarkedPoint
from interviewer.interviews.topics import AnswerKind, Level

FIELDS = ("question", "key_points")
DOCUMENT = {"question": "What would you measure first?", "key_points": [{"point": "time"}]}
TEXT = json.dumps(DOCUMENT)
POINTS = ("Names the first", "Names the second", "Names the third")


def shown(text: str) -> tuple[str, list[int], dict[str, Any]]:
    """Return what is shown of a reply that arrives by character, where the pieces come, and the object."""
    growing, places, pieces = GrowingReply(FIELDS, FIELDS[:1]), [], []
    for place, character in enumerate(text):
        for _, piece in growing.feed(character):
            places.append(place)
            pieces.append(piece)
    document = growing.document()
    pieces += [piece for _, piece in growing.rest(document)]
    return "".join(pieces), places, document


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"```json\n{TEXT}\n```",
        f"Sure, here it is:\n{TEXT}\nAnything else?",
        f"<think>First {{draft}}: {TEXT.upper()}</think>\n{TEXT}",
        f'{{"result": {TEXT}}}',
        f"[{TEXT}]",
        f"<|channel|>analysis<|message|>hm<|end|><|channel|>final<|message|>{TEXT}",
    ],
)
def test_shown_field_streams_as_soon_as_it_begins(text: str) -> None:
    said, places, document = shown(text)
    assert (said, document) == (DOCUMENT["question"], DOCUMENT)
    assert places[0] <= text.rindex("What") + 1
    assert len(places) > 10


def test_reasoning_is_never_shown() -> None:
    """Neither in tags, nor in front of a closing tag without an opening one."""
    reasoning = 'I draft {"question": "A secret thought?"} and more. ' + "Let me think. " * (MAX_CHATTER // 10)
    for text in (f"<think>{reasoning}</think>{TEXT}", f"{'Hm. ' * MAX_CHATTER}{reasoning}</think>{TEXT}"):
        assert shown(text)[0] == DOCUMENT["question"]


def test_line_breaks_inside_strings_are_accepted() -> None:
    assert shown('{"question": "a\nb", "key_points": []}')[2]["question"] == "a\nb"


@pytest.mark.parametrize(
    "text", ["", "no JSON", "{", '{"other": 1}', '{"question": {"type": "string"}}', "{" * 50_000, "[" * 50_000]
)
def test_reply_without_the_object_is_refused(text: str) -> None:
    growing = GrowingReply(FIELDS, FIELDS[:1])
    growing.feed(text)
    with pytest.raises(InterviewerBadOutput):
        growing.document()


@pytest.mark.parametrize("loop", [" ", "\n", "x", "and so on ", "\n\t"])
def test_loops_are_noticed(loop: str) -> None:
    growing = GrowingReply(FIELDS)
    growing.feed('{"question": "' + "A question that is long enough, with all its words. " * 3)
    assert not growing.is_stuck
    for _ in range(300):
        growing.feed(loop * 4)
    assert growing.is_stuck


@pytest.mark.parametrize(
    ("given", "level"),
    [("Senior", "senior"), ("mid", "mid-level"), ("Mid Level", "mid-level"), ("Junior/Entry", "junior"), (None, "junior")],
)
def test_level_is_normalized(given: object, level: str) -> None:
    assert normalizing.level_of(given, Level.JUNIOR) == level


def test_words_for_kind_and_nature_are_normalized() -> None:
    assert [normalizing.kind_of(one) for one in ("Code", "coding", None, "text")] == [AnswerKind.CODE] * 2 + [AnswerKind.TEXT] * 2
    assert [normalizing.nature_of(one) for one in ("Answer", "Off-Topic", "non answer", 5)] == [
        "answer",
        "off_topic",
        "non_answer",
        "answer",
    ]


@pytest.mark.parametrize(
    ("given", "marks"),
    [
        (["hit", "Missed", "PARTIAL"], "hit missed partial"),
        ({"0": "hit", "1": {"mark": "no"}, "2": "partly"}, "hit missed partial"),
        ([{"key_point": f"{n}", "mark": "Fully met"} for n in (1, 2, 3)], "hit hit hit"),
        ([{"key_point": point, "mark": "wrong"} for point in POINTS], "contradicted contradicted contradicted"),
        ([{"key_point": n, "mark": mark} for n in range(3) for mark in ("hit", "missed")], "hit hit hit"),
        ([{"key_point": 900 + n, "mark": "hit"} for n in (7, 1, 4)], "hit hit hit"),
        ([{"key_point": n, "mark": mark} for n, mark in ((0, "hit"), (0, "missed"), (1, "partial"))], "hit missed partial"),
        ([{"key_point": n, "mark": mark} for n, mark in ((2, "hit"), (0, "missed"), (1, "partial"))], "missed partial hit"),
    ],
)
def test_marks_are_normalized(given: object, marks: str) -> None:
    found = normalizing.marks_of(given, POINTS)
    assert (" ".join(mark.mark for mark in found), [mark.key_point for mark in found]) == (marks, [0, 1, 2])


@pytest.mark.parametrize(
    "given", [None, [], "hit", [{"key_point": 0, "mark": "hit"}], [{"key_point": n, "mark": "hmm"} for n in range(3)], [None] * 3]
)
def test_incomplete_marks_are_refused(given: object) -> None:
    with pytest.raises(InterviewerBadOutput):
        normalizing.marks_of(given, POINTS)


def test_question_keeps_its_heaviest_points() -> None:
    points = [{"point": f"Point {n}", "weight": n} for n in range(9)]
    reply = normalizing.question_of({"question": "What?", "key_points": [*points, "A plain string", None, {"point": ""}]}, None)
    assert [point["point"] for point in reply["rubric"]["key_points"]] == [f"Point {n}" for n in (3, 4, 5, 6, 7, 8)]
    assert {point["weight"] for point in reply["rubric"]["key_points"]} == {3}
    assert reply["rubric"]["model_answer"], "made from the points"


@pytest.mark.parametrize(("given", "kept"), [("aaa bbb ccc AAA", "aaa bbb ccc"), ("aaa bbb aaa", "aaa bbb aaa")])
def test_repeated_points_are_dropped_if_enough_are_left(given: str, kept: str) -> None:
    points = normalizing.question_of({"question": "What?", "key_points": given.split()}, None)["rubric"]["key_points"]
    assert " ".join(point["point"] for point in points) == kept


@pytest.mark.parametrize("given", [{}, {"stack": "Python\nGo", "level": None}, {"title": ["a", "b"], "stack": ["x" * 999] * 99}])
def test_job_profile_is_never_refused(given: dict[str, Any]) -> None:
    found = JobFindings.model_validate(normalizing.job_of(given))
    assert len(found.stack) <= MAX_LINES


def test_job_profile_has_what_is_nice_to_have() -> None:
    assert normalizing.job_of({"nice_to_have": "Kafka\nRedis"})["nice_to_have"] == ["Kafka", "Redis"]


@pytest.mark.parametrize(
    ("quote", "proven"),
    [
        ("measure the latency", "measure the latency"),
        ("“Measure the latency”", "Measure the latency"),
        ("I measure … guesses mislead", "guesses mislead"),
        ("I measure ... guesses mislead", "guesses mislead"),
        ("guesses mislead … I measure", ""),
        ("I measure … nothing", ""),
        ("…", ""),
        ("", ""),
        ("something else", ""),
    ],
)
def test_quotes_are_proven_by_the_answer(quote: str, proven: str) -> None:
    answer = "First I measure the latency, because guesses mislead."
    assert proven_quote(answer, quote) == proven
    marks, unproven = normalizing.with_proven_quotes([MarkedPoint(key_point=0, mark=Mark.HIT, quote=quote)], answer)
    assert (bool(unproven), marks[0].quote) == (not proven, proven or quote)


def test_oldest_history_is_shortened_first() -> None:
    history = [{"question": f"Question {n}? " * 20, "answer": f"Answer {n}. " * 150} for n in range(12)]
    request = json.dumps({"topic": "Databases", "job": "word " * 3_000, "asked_so_far": history})
    sizes = []
    for room in (16_000, 9_000, 5_000, 2_500, 1_500):
        found = json.loads(text := fitted(request, room))
        assert found["topic"] == "Databases"
        assert estimated_tokens(text) <= room
        assert found["asked_so_far"][-1]["question"] == history[-1]["question"]
        sizes.append((len(json.dumps(found["asked_so_far"])), len(found["job"])))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[1][0] < sizes[0][0]
    assert sizes[1][1] == len("word " * 3_000), "the job comes after the history"
    assert sizes[-1][1] < 2_000


def test_long_resume_is_shortened_with_a_mark() -> None:
    """So that no model quotes the shortened line as a whole one."""
    resume = "\n".join(f"Moved billing system {n} to Kafka" for n in range(500))
    found = json.loads(fitted(json.dumps({"topic": "Introduction", "job": "A job.", "resume": resume}), 2_000))
    assert (found["topic"], found["job"]) == ("Introduction", "A job.")
    assert " […] " in found["resume"]
    assert len(found["resume"]) < len(resume) / 4


def test_essentials_are_never_shortened() -> None:
    request = json.dumps({"question": "What?", "answer": "word " * 9_000})
    assert fitted(request, 100) == request


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, '{"error": {"message": "bad key"}}', InterviewerMisconfigured),
        (402, "", InterviewerQuota),
        (429, '{"error": {"code": "insufficient_quota"}}', InterviewerQuota),
        (429, "slow down", InterviewerBusy),
        (529, '{"type": "error", "error": {"type": "overloaded_error"}}', InterviewerBusy),
        (503, '{"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}', InterviewerLoading),
        (400, '{"error": {"code": "context_length_exceeded"}}', InterviewerTooLong),
        (400, '{"error": {"code": "content_filter", "message": "The response was filtered"}}', InterviewerRefused),
        (400, '[{"error": {"message": "API key not valid", "status": "INVALID_ARGUMENT"}}]', InterviewerMisconfigured),
        (500, "<html>oops</html>", InterviewerError),
        (0, '{"error": "model \\"x\\" not found, try pulling it first"}', InterviewerMisconfigured),
    ],
)
def test_each_failure_has_its_own_error(status: int, body: str, error: type[Exception]) -> None:
    assert type(as_error(failure_of(status, body))) is error


@pytest.mark.parametrize(
    "body", [None, b"\xff\xfe", "null", "[]", "{}", '{"error": 7}', '{"detail": [{"msg": "x"}]}', "x" * 100_000]
)
def test_any_body_makes_a_short_reason(body: object) -> None:
    reason = as_error(failure_of(400, body)).reason
    assert reason.startswith("HTTP 400")
    assert len(reason) < 320


def test_secrets_are_not_in_the_reason() -> None:
    secrets = ("my-configured-key", "sk-proj-abcdefghij", "gsk_abcdefghijk", "Bearer abc.def", "0123456789abcdef0123456789abcdef")
    reason = as_error(failure_of(401, f'{{"message": "wrong: {" and ".join(secrets)}"}}', secret=secrets[0])).reason
    assert not [secret for secret in secrets if secret in reason]
    assert reason.count("(secret)") == len(secrets)


def test_findings_expire() -> None:
    now = [0.0]
    learned = Learned(Capabilities(), lambda: now[0])
    learned.note(Capabilities(format=Format.OBJECT))
    now[0] = KEPT_FOR - 1
    assert learned.now().format is Format.OBJECT
    now[0] = KEPT_FOR + 1
    assert learned.now() == Capabilities()


@pytest.mark.parametrize(
    ("given", "url", "query"),
    [
        ("http://localhost:8080/v1/", "http://localhost:8080/v1", {}),
        ("http://localhost:8080/v1/chat/completions", "http://localhost:8080/v1", {}),
        (
            "https://x.openai.azure.com/openai/deployments/d?api-version=1",
            "https://x.openai.azure.com/openai/deployments/d",
            {"api-version": "1"},
        ),
    ],
)
def test_base_url_is_read(given: str, url: str, query: dict[str, str]) -> None:
    address = address_of(given)
    assert (address.url, dict(address.query)) == (url, query)


def test_private_servers_get_time_to_load_a_model() -> None:
    private = ("http://localhost:1/v1", "http://10.0.0.3/v1", "http://ollama:11434/v1", "http://gpu.local/v1")
    assert {first_token_seconds(None, 60, url) for url in private} == {180}
    assert {first_token_seconds(None, 60, url) for url in (None, "https://api.example.com/v1", "http://8.8.8.8")} == {60}
    assert first_token_seconds(7, 60, private[0]) == 7


def test_grammar_names_each_key_point_to_mark() -> None:
    marks = with_lengths(verdict_schema(3))["properties"]["marks"]
    assert [one["properties"]["key_point"] for one in marks["prefixItems"]] == [{"const": place} for place in range(3)]
    assert (marks["minItems"], marks["maxItems"], "items" in marks) == (3, 3, False)
    assert "items" in with_lengths(verdict_schema(3, "follow_up"))["properties"]["marks"], "there may be no marks"
    assert without_bounds(marks)["prefixItems"]


def test_reply_of_a_small_server_is_limited() -> None:
    order = Order("Judge.", "{}", verdict_schema(3), "verdict")
    small = Capabilities(format=Format.OBJECT, object_schema=True)
    limits = [
        body_of(order, "m", asked, ServerOptions(), None)["max_tokens"]
        for asked in (Capabilities(), small, replace(small, reasons=True))
    ]
    assert limits == [4_096, 1_536, 4 * 4_096]


@pytest.mark.parametrize("schema", [QUESTION_SCHEMA, verdict_schema(3), verdict_schema(6, "follow_up", "clarification")])
def test_schemas_are_strict_without_string_lengths(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)
    assert '"minItems"' in text
    assert not {"minLength", "maxLength", "pattern", "format"} & set(text.replace('"', " ").split())
    assert not [word for word in ("minItems", "maxItems", "minimum", "maximum") if word in json.dumps(without_bounds(schema))]
