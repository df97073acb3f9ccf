"""A résumé over HTTP: reading a file for the start form, and the text in a request that starts an interview."""

from __future__ import annotations

import logging

import httpx2
import pytest

from interviewer import wiring
from interviewer.accounts.browser_sessions import COOKIE
from interviewer.core.mail_console import Outbox
from interviewer.core.rate_limits import LIMITS, Action
from interviewer.core.users import User
from interviewer.interviews.resume_files import FILE_TOO_LARGE, MAX_FILE
from interviewer.interviews.user_text import MAX_RESUME, NO_RESUME
from interviewer.settings import Settings
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.api_calls import error_of, started
from tests.support.interviewer import ScriptedInterviewer
from tests.support.resumes import LATENCY, RESUME, docx, pdf


@pytest.fixture
async def browser(client: httpx2.AsyncClient, services: Services, user: User) -> httpx2.AsyncClient:
    """The client, with a browser session."""
    client.headers["Cookie"] = f"{COOKIE}={await services.sessions.open(user)}"
    return client


async def test_file_is_read_for_a_signed_in_user(browser: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for file in (pdf(), docx()):
        answer = await browser.post("/session/resume", content=file)
        assert answer.status_code == 200
        assert list(answer.json()) == ["text"]
        assert LATENCY in answer.json()["text"]
    assert LATENCY not in caplog.text


async def test_signed_out_clients_and_other_sites_are_refused(browser: httpx2.AsyncClient) -> None:
    foreign = await browser.post("/session/resume", content=pdf(), headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403
    for cookie in ("", f"{COOKIE}=made-up"):
        answer = await browser.post("/session/resume", content=pdf(), headers={"Cookie": cookie})
        assert error_of(answer) == (401, "Unauthorized")


async def test_unusable_and_large_files_get_an_error(browser: httpx2.AsyncClient) -> None:
    status, said = error_of(await browser.post("/session/resume", content=b"Ada Byron"))
    assert status == 400
    assert "isn't a PDF or .docx file" in said
    answer = await browser.post("/session/resume", content=b"%PDF-" + b"x" * MAX_FILE)
    assert error_of(answer) == (413, FILE_TOO_LARGE)


async def test_files_are_rate_limited(client: httpx2.AsyncClient, services: Services, user: User, new_user: NewUser) -> None:
    assert services.database
    limited = wiring.build(
        Settings(_env_file=None, rate_limits=True), database=services.database, mailer=Outbox(), interviewer=ScriptedInterviewer()
    )
    wiring.use(limited)
    most = int(LIMITS[Action.UPLOAD].account.partition("/")[0])
    secrets = [await services.sessions.open(one) for one in (user, await new_user())]
    for _ in range(most):
        answer = await client.post("/session/resume", content=b"", headers={"Cookie": f"{COOKIE}={secrets[0]}"})
        assert answer.status_code == 400
    answers = [await client.post("/session/resume", content=b"", headers={"Cookie": f"{COOKIE}={secret}"}) for secret in secrets]
    assert [answer.status_code for answer in answers] == [429, 400]
    assert int(answers[0].headers["Retry-After"]) > 0


async def test_program_starts_with_a_resume(program: httpx2.AsyncClient, services: Services, user: User) -> None:
    id = await started(program, resume=f"  {RESUME}\r\n")
    assert (await services.interviews.load(user.id, id)).resume == RESUME
    for path in (f"/api/interviews/{id}", f"/api/conversations/{id}", "/api/user/dashboard"):
        answer = await program.get(path)
        assert answer.status_code == 200
        assert LATENCY not in answer.text


@pytest.mark.parametrize(
    ("resume", "status", "said"),
    [
        ("12345 67890 " * 20, 400, NO_RESUME),
        ("x" * 21_000, 413, f"Your résumé has 21,000 characters; at most {MAX_RESUME:,} are allowed."),
        (["Ada"], 400, "Invalid request body"),
    ],
)
async def test_unusable_resume_starts_nothing(
    program: httpx2.AsyncClient, services: Services, user: User, resume: object, status: int, said: str
) -> None:
    assert error_of(await program.post("/api/interviews", json={"resume": resume})) == (status, said)
    assert (await services.dashboard.balances(user.id)).usable == 3
