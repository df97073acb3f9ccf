"""An account's secrets do not appear in logs, and the work done for a request does not reveal whether an account exists."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from interviewer.accounts import signup
from interviewer.errors import AppError
from interviewer.wiring import Services
from tests.support.signup import NEW, PASSWORD, link_token, reset_token
from tests.support.turns import answered, started

EMAIL, UNKNOWN = "ada@example.com", "nobody@example.com"


async def test_no_token_password_or_answer_is_logged(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("sqlalchemy").setLevel(logging.WARNING)
    answer = "My own words about a queue in front of a slow service."
    await services.accounts.request_verification(EMAIL, "Ada", PASSWORD)
    verification = await link_token(services)
    user = await services.accounts.verify(verification)
    cookie = await services.sessions.open(user)
    issued = await services.tokens.issue(user)
    renewed = await services.tokens.refresh(issued.refresh, user.id)
    for wrong in (services.accounts.sign_in(EMAIL, "a wrong password"), services.tokens.refresh(issued.refresh, user.id)):
        with pytest.raises(AppError):
            await wrong
    interview_id, turn = await started(services, user)
    await answered(services, user, interview_id, turn, answer)
    await services.accounts.request_reset(EMAIL)
    reset = await reset_token(services)
    await services.accounts.reset_password(reset, NEW)
    for secret in (
        EMAIL,
        PASSWORD,
        NEW,
        "a wrong password",
        verification,
        reset,
        cookie,
        issued.access,
        issued.refresh,
        renewed.access,
        renewed.refresh,
        answer,
    ):
        assert secret not in caplog.text


async def test_database_error_hides_statement_parameters(services: Services) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with services.database.transaction() as session:
            await session.execute(text("SELECT CAST(:answer AS integer) / 0"), {"answer": 4711})
    assert "4711" not in str(caught.value)


@asynccontextmanager
async def work(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, int]]:
    """Count how often a password is hashed or verified, because that takes most of the time."""
    done = {"hashes": 0}
    counted = signup._passwords

    class Counting:
        def hash(self, password: str) -> str:
            done["hashes"] += 1
            return str(counted.hash(password))

        def verify(self, password: str, password_hash: str) -> bool:
            done["hashes"] += 1
            return bool(counted.verify(password, password_hash))

        def handler(self, scheme: str) -> Counting:
            return self

        def using(self, *, salt: bytes) -> Counting:
            assert len(salt) == 16
            return self

        def needs_update(self, password_hash: str) -> bool:
            return bool(counted.needs_update(password_hash))

    with monkeypatch.context() as patched:
        patched.setattr(signup, "_passwords", Counting())
        yield done


Try = Callable[[Services, str], Coroutine[Any, Any, object]]


@pytest.mark.parametrize(
    ("attempt", "hashes"),
    [
        (lambda services, email: services.accounts.sign_in(email, "not the password"), 1),
        (lambda services, email: services.accounts.request_verification(email, "Ada", PASSWORD), 1),
        (lambda services, email: services.accounts.request_reset(email), 0),
    ],
    ids=["sign-in", "sign-up", "reset"],
)
async def test_known_and_unknown_address_cost_the_same_hashes(
    services: Services, monkeypatch: pytest.MonkeyPatch, attempt: Try, hashes: int
) -> None:
    await services.accounts.request_verification(EMAIL, "Ada", PASSWORD)
    await services.accounts.verify(await link_token(services))
    await services.mail_sender.settle()
    outcomes = []
    for email in (EMAIL, UNKNOWN):
        async with work(monkeypatch) as done:
            try:
                outcome = str(await attempt(services, email))
            except AppError as error:
                outcome = error.user_message
        await services.mail_sender.settle()
        outcomes.append((outcome, done["hashes"]))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][1] == hashes
