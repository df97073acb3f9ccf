"""The API's OpenAPI document: complete, valid, and matching the API's real responses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import jsonschema_rs
import pytest
import schemathesis

from interviewer import api

ROUTES = {
    "GET /health": {200, 503},
    "GET /live": {200},
    "GET /ready": {200, 503},
    "POST /api/auth/check-email": {200, 400},
    "POST /api/auth/request-verification": {200, 400},
    "POST /api/users": {201, 400, 401, 409},
    "GET /api/users/{user_id}": {200, 400, 401},
    "DELETE /api/users/delete/{user_id}": {200, 400, 401, 502},
    "POST /api/auth/login": {200, 400, 401},
    "GET /api/auth/github/start": {303, 503},
    "POST /api/auth/github": {200, 400, 401, 502},
    "POST /api/auth/token": {200, 400, 401},
    "POST /api/auth/request-reset": {200, 400},
    "POST /api/auth/reset-password": {200, 400, 401},
    "POST /api/interviews": {201, 400, 401, 402, 503},
    "GET /api/interviews/{interview_id}": {200, 400, 401, 404},
    "PATCH /api/interviews/{interview_id}": {200, 400, 401, 404},
    "POST /api/conversations/create/{interview_id}": {201, 400, 401, 409, 413, 422, 503},
    "POST /api/conversations/append/{interview_id}": {201, 400, 401, 409, 413, 422, 503},
    "GET /api/conversations/{interview_id}": {200, 400, 401},
    "POST /api/jd": {200, 400, 401, 503},
    "GET /api/user/dashboard": {200, 401},
    "POST /api/payment/checkout": {200, 400, 401, 409, 502},
    "POST /api/payment/cancel": {200, 401, 409, 502},
    "POST /api/payment/resume": {200, 401, 409, 502},
    "POST /api/payment/change-plan": {200, 400, 401, 409, 502},
    "POST /api/webhooks/billing": {200, 400, 401, 413, 500, 503},
}
STREAMING = [route for route in ROUTES if route.split()[1].startswith(("/api/interviews", "/api/conv")) and 503 in ROUTES[route]]
JSON = "application/json"

Document = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Document:
    """The document as clients receive it."""
    found: Document = json.loads(json.dumps(api.build().openapi()))
    return found


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def contents(document: Document) -> Iterator[tuple[str, Document]]:
    """Yield the content of every request and response body in the document, with a name."""
    for route, operation in operations(document):
        sent = [("body", operation["requestBody"])] if "requestBody" in operation else []
        for name, part in [*sent, *operation["responses"].items()]:
            for kind, content in part.get("content", {}).items():
                yield f"{route} {name} {kind}", content


def resolved(document: Document, schema: Document) -> Document:
    found: Document = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def test_document_is_valid_openapi_3_1(document: Document) -> None:
    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(document).validate()


def test_document_has_exactly_these_routes_and_statuses(document: Document) -> None:
    described = {route: {int(status) for status in operation["responses"]} for route, operation in operations(document)}
    assert set(described) == set(ROUTES)
    for route, statuses in ROUTES.items():
        common = {405} | ({429, 503} if " /api/" in route else set())
        common |= {400, 413} if "requestBody" in document["paths"][route.split()[1]][route.split()[0].lower()] else set()
        common |= {400} if route in {"GET /api/auth/github/start", "GET /api/user/dashboard"} else set()
        extra = {409, 503} if route == "POST /api/auth/github" else set()  # connected with another GitHub account; not configured
        assert described[route] == statuses | common | extra, route


def test_every_operation_has_a_name_a_summary_and_a_known_tag(document: Document) -> None:
    found = dict(operations(document))
    names = [operation["operationId"] for operation in found.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z]+([A-Z][a-zA-Z]+)*", name) for name in names), names
    explained = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert {tag for operation in found.values() for tag in operation["tags"]} == explained
    assert all(len(operation["tags"]) == 1 and operation["summary"] in operation["description"] for operation in found.values())


def test_every_body_has_a_schema_and_valid_examples(document: Document) -> None:
    count = 0
    for name, content in contents(document):
        schema = content["schema"]
        assert "$ref" in schema or "oneOf" in schema or schema["type"] in {"string", "object"}, name
        examples = [one["value"] for one in content.get("examples", {}).values()]
        examples += [content["example"]] if "example" in content else []
        examples = examples or resolved(document, schema)["examples"]
        assert examples, name
        rules = {**schema, "components": document["components"]}
        for example in examples:
            jsonschema_rs.validate(rules, example)
            count += 1
    assert count > 200


# Errors with an additional field for programs.
MORE_THAN_WORDS = {
    ("POST /api/interviews", "402"): "Refused",
    ("POST /api/payment/resume", "409"): "Elsewhere",
    ("POST /api/payment/change-plan", "409"): "Elsewhere",
}


def test_every_error_has_the_error_schema(document: Document) -> None:
    for route, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400 and not (route in {"GET /health", "GET /ready"} and status == "503"):
                assert list(response["content"]) == [JSON], (route, status)
                model = MORE_THAN_WORDS.get((route, status), "Error")
                assert response["content"][JSON]["schema"] == {"$ref": f"#/components/schemas/{model}"}
            for header, statuses in (("Retry-After", {"429", "503"}), ("Allow", {"405"})):
                assert (header in response.get("headers", {})) == (status in statuses), (route, status)
    assert "HTTPValidationError" not in json.dumps(document)


def test_every_json_success_has_its_own_model(document: Document) -> None:
    for name, content in contents(document):
        if re.search(f" 20[01] {JSON}", name):
            fields = resolved(document, content["schema"])
            assert fields.get("properties") or "POST /api/jd" in name or fields["title"] == "Nothing", name


def test_required_authentication_is_described(document: Document) -> None:
    schemes = document["components"]["securitySchemes"]
    assert {(scheme["type"], scheme["scheme"]) for scheme in schemes.values()} == {("http", "bearer")}
    needed = {route: [*one] for route, operation in operations(document) for one in operation.get("security", [])}
    assert needed.pop("POST /api/auth/token") == ["refreshToken"]
    assert set(map(tuple, needed.values())) == {("accessToken",)}
    open_to_all = ("/live", "/health", "/ready", "/api/auth/", "/api/webhooks/")
    assert set(needed) == {
        route for route in ROUTES if not route.split()[1].startswith(open_to_all) and route != "POST /api/users"
    }


@pytest.mark.parametrize("route", STREAMING)
def test_streaming_routes_describe_their_events(document: Document, route: str) -> None:
    operation = dict(operations(document))[route]
    assert set(operation["responses"]["201"]["content"]) == {JSON, "text/event-stream"}
    description = operation["responses"]["201"]["content"]["text/event-stream"]["schema"]["description"]
    assert all(f"event: {name}" in description for name in ("question", "feedback", "score", "follow_up", "done", "error"))
    headers = {one["name"] for one in operation["parameters"] if one["in"] == "header"}
    turns = {"X-Interview-Turns"} if "conversations" in route else set()
    assert headers == {"Idempotency-Key", "Last-Event-ID"} | turns
    assert len(STREAMING) == 3


def test_only_parameters_for_clients_are_described(document: Document) -> None:
    found = {one["name"] for _, operation in operations(document) for one in operation.get("parameters", [])}
    assert found == {
        *("user_id", "interview_id", "Idempotency-Key", "Last-Event-ID", "X-Interview-Turns", "X-Signature"),
        *("limit", "before", "next", "connect"),
    }


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("Tier", {"tier": "individual"}, [{}, {"tier": "gold"}, {"tier": None}]),
        ("Plan", {"tier": "pro"}, [{"tier": "individual"}]),
        ("Change", {"status": "paused"}, [{}, {"status": "finished"}]),
        ("Start", {}, [{"job_description": "x" * 30_001}, {"job_description": 7}]),
        ("Start", {"job_description": None}, []),
        ("Answer", {"message": "", "conversation_id": None}, [{"message": "x" * 20_001}, {"conversation_id": [1]}]),
        ("Answer", {"kind": "hint"}, [{"kind": "follow_up"}, {"kind": "final_answer"}, {"kind": ""}]),
        ("Answer", {"kind": None}, [{"kind": 1}]),
        ("SignUp", {"email": "a@example.com", "username": "A", "password": "12345678", "x": 1}, [{"email": "a@example.com"}]),
        ("Credentials", {"email": "a@example.com", "password": "1"}, [{"email": "a@example.com"}, {"password": "1"}]),
        ("Renewal", {"user_id": 1}, [{}, {"user_id": 0}, {"user_id": "1"}]),
    ],
)
def test_request_schemas_match_what_is_accepted(document: Document, name: str, good: Document, bad: list[Document]) -> None:
    rules = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    jsonschema_rs.validate(rules, good)
    for one in bad:
        with pytest.raises(jsonschema_rs.ValidationError):
            jsonschema_rs.validate(rules, one)


async def test_document_is_served(client: httpx2.AsyncClient, document: Document) -> None:
    answer = await client.get("/api/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, JSON)
    assert answer.json() == document


async def test_docs_page_loads_nothing_external(client: httpx2.AsyncClient) -> None:
    page = await client.get("/api/docs")
    assert page.status_code == 200
    assert "<title>Interviewer · API</title>" in page.text
    assert "//" not in re.sub(r"<!--.*?-->", "", page.text)
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    kinds = {"js": "text/javascript", "css": "text/css"}
    for address in addresses:
        if address.startswith("/api/"):
            answer = await client.get(address)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(kinds.pop(address.partition("?")[0].rpartition(".")[2]))
            assert "immutable" in answer.headers["cache-control"]
            assert len(answer.content) > 100_000
    assert not kinds


@pytest.mark.parametrize("name", ["redoc.standalone.js", "../core.py", "%2e%2e%2fcore.py", "x"])
async def test_docs_serve_no_other_file(client: httpx2.AsyncClient, name: str) -> None:
    answer = await client.get(f"/api/docs/assets/{name}")
    assert answer.status_code in {400, 404}
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("method", ["TRACE", "PUT", "QUERY", "MOVE"])
@pytest.mark.parametrize("path", ["/live", "/health", "/ready", "/api/auth/login", "/api/users/7", "/api/docs"])
async def test_wrong_method_gets_405_with_the_allowed_ones(client: httpx2.AsyncClient, path: str, method: str) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == ("POST" if path == "/api/auth/login" else "GET")
    assert answer.json() == {"error": "Method not allowed"}


@pytest.mark.parametrize("path", ["/live", "/health", "/ready", "/api/auth/login", "/api/users/7", "/api/docs"])
async def test_options_returns_the_allowed_methods(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.options(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["allow"] == ("POST" if path == "/api/auth/login" else "GET")
    assert (await client.options("/api/nothing")).status_code == 404
