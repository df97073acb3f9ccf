"""What `interviewer doctor` finds out about a model server: by one question and one verdict, whatever the server sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from interviewer.interviews.openai_client import OpenAIInterviewer
from interviewer.operator.health_checks import Check, Health
from interviewer.operator.model_checks import of_model_server
from tests.support import openai_server
from tests.support.openai_server import Behavior
from tests.support.server_failures import failing
from tests.support.server_quirks import working
from tests.support.serving import served

OPTIONS = openai_server.limits(5)


def client(url: str) -> OpenAIInterviewer:
    return OpenAIInterviewer(model="some-model", api_key="sk-confidential", base_url=url, options=OPTIONS)


async def check(url: str) -> Check:
    interviewer = client(url)
    try:
        found = await of_model_server(interviewer, OPTIONS, url, client)
    finally:
        await interviewer.close()
    assert "confidential" not in found.message
    return found


async def checked(behavior: Behavior) -> Check:
    with openai_server.running(behavior) as url:
        return await check(url)


async def test_good_server_is_ok_after_one_question_and_one_verdict() -> None:
    behavior = Behavior(models=["some-model"])
    found = await checked(behavior)
    assert found.health is Health.OK
    assert "responds and has some-model; it asked a question and judged an answer (json_schema, streamed" in found.message
    assert len(behavior.requests) == 3, "the last one is a long prompt"


async def test_doctor_notices_a_prompt_cut_without_a_word() -> None:
    found = await checked(Behavior(models=["some-model"], cuts_at=4_096))
    assert "context of 4,096 tokens" in found.message
    assert "set OPENAI_CONTEXT_TOKENS=4096, or load the model with a larger context" in found.message
    assert "context of 8,192 tokens" in (await checked(Behavior(models=["some-model"], cuts_at=8_192))).message


@pytest.mark.parametrize(
    ("quirk", "said"),
    [
        ("no-schema", "set OPENAI_RESPONSE_FORMAT=json_object"),
        ("no-format", "set OPENAI_RESPONSE_FORMAT=none"),
        ("verified-to-stream", "set OPENAI_STREAM=off"),
        ("context-exceeded-once", "set OPENAI_CONTEXT_TOKENS=4096"),
    ],
)
async def test_doctor_says_what_to_set(quirk: str, said: str) -> None:
    found = await checked(Behavior(models=["some-model"], quirk=working()[quirk]))
    assert said in found.message
    assert found.health is Health.OK


@pytest.mark.parametrize("name", failing())
async def test_failure_is_reported_with_its_reason(name: str) -> None:
    quirk = failing()[name]
    found = await checked(Behavior(models=["some-model"], quirk=quirk))
    assert found.health is Health.FAILED
    assert quirk.reason in found.message


async def test_unlisted_model_is_named_with_those_that_are_listed() -> None:
    found = await checked(Behavior(models=["another", "third"]))
    assert found.health is Health.WARNING
    assert "does not list some-model: check OPENAI_MODEL; it has another, third" in found.message


@contextmanager
def listing(body: bytes, behavior: Behavior) -> Iterator[str]:
    """Serve the API with another body for the list of models."""

    async def models(_request: Request) -> Response:
        return Response(body)

    app = openai_server.build(behavior)
    app.router.routes.insert(0, Route("/v1/models", models))
    with served(app) as url:
        yield f"{url}/v1"


@pytest.mark.parametrize(
    "body",
    [
        b'["some-model"]',
        b'{"models": [{"name": "some-model:latest"}]}',
        b"<html></html>",
        b"",
        b"null",
        b"[[1]]",
        b'{"data": 7}',
        b"\xff",
    ],
)
async def test_any_list_of_models_is_survived(body: bytes) -> None:
    with listing(body, Behavior()) as url:
        found = await check(url)
    assert found.health in (Health.OK, Health.WARNING)
    assert "asked a question and judged an answer" in found.message


async def test_corrected_base_url_is_named() -> None:
    """For a web page at the configured address, as for any other 404."""

    async def page(_request: Request) -> Response:
        return Response("<html>Welcome</html>", media_type="text/html")

    app = openai_server.build(Behavior(models=["some-model"]))
    app.router.routes.append(Route("/models", page))
    with served(app) as url:
        for wrong in (url, f"{url}/", f"{url}/chat/completions"):
            found = await check(wrong)
            assert found.health is Health.FAILED
            assert f"set OPENAI_BASE_URL={url}/v1" in found.message
        assert (await check(f"{url}/v1/chat/completions")).health is Health.OK


async def test_server_that_is_not_there_is_named() -> None:
    found = await check("http://127.0.0.1:9/v1")
    assert found.health is Health.FAILED
    assert "OPENAI_BASE_URL" in found.message


async def test_anything_else_that_listens_is_survived() -> None:
    async def echo(request: Request) -> Response:
        return Response(await request.body(), media_type="application/json")

    with served(Starlette(routes=[Route("/{path:path}", echo, methods=["GET", "POST"])])) as url:
        assert (await check(f"{url}/v1")).health is Health.FAILED
