"""Invalid input counts as an attempt and does not block the event loop."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar

import pytest

from interviewer.core.rate_limits import LIMITS, Action
from interviewer.core.users import normalized_email
from interviewer.errors import BadRequest, InvalidFields, TooManyRequests, Unauthorized
from interviewer.wiring import Services
from tests.support.signup import PASSWORD, link_token, reset_token, signed_up
from tests.support.steps import steps

CLIENT, ELSEWHERE = "203.0.113.7", "198.51.100.4"
SLOW_PASSWORD = "!@{7|05(+[4831$<69" * 14
Try = Callable[[Services, str, int], Awaitable[object]]

INVALID: dict[str, tuple[Action, Try]] = {
    "check-email": (Action.CHECK_EMAIL, lambda it, client, number: it.accounts.email_exists(f"x{number}", client)),
    "sign-up address": (
        Action.SIGN_UP,
        lambda it, client, number: it.accounts.request_verification(f"x{number}", "Ada", PASSWORD, client),
    ),
    "sign-up name": (
        Action.SIGN_UP,
        lambda it, client, number: it.accounts.request_verification(f"a{number}@example.com", "", PASSWORD, client),
    ),
    "sign-up password": (
        Action.SIGN_UP,
        lambda it, client, number: it.accounts.request_verification(f"a{number}@example.com", "Ada", "password1", client),
    ),
    "request-reset": (Action.RESET, lambda it, client, number: it.accounts.request_reset(f"x{number}", client)),
}


@pytest.mark.parametrize("case", INVALID)
async def test_invalid_input_counts_as_an_attempt(services: Services, case: str) -> None:
    action, attempt = INVALID[case]
    allowed = int(LIMITS[action].client.partition("/")[0])
    for number in range(allowed):
        with pytest.raises(BadRequest):
            await attempt(services, CLIENT, number)
    with pytest.raises(TooManyRequests):
        await attempt(services, CLIENT, allowed)
    with pytest.raises(BadRequest):
        await attempt(services, ELSEWHERE, allowed)


async def test_weak_passwords_count_against_a_reset_link(services: Services) -> None:
    await signed_up(services)
    await services.accounts.request_reset("ada@example.com")
    token = await reset_token(services)
    for _ in range(60):
        with pytest.raises(InvalidFields) as caught:
            await services.accounts.reset_password(token, "short", CLIENT)
        assert set(caught.value.fields) == {"password"}
    with pytest.raises(TooManyRequests):
        await services.accounts.reset_password(token, "short", CLIENT)


async def test_dead_link_is_refused_before_the_password(services: Services) -> None:
    with pytest.raises(Unauthorized):
        await services.accounts.reset_password("dead", "short")
    with pytest.raises(Unauthorized):
        await services.accounts.confirm_with_new_password("dead", "short")


async def test_sign_up_names_every_wrong_field(services: Services) -> None:
    with pytest.raises(InvalidFields) as caught:
        await services.accounts.request_verification("x", "", "password1")
    assert list(caught.value.fields) == ["email", "username", "password"]
    assert caught.value.user_message == "This isn't a valid email address."
    assert "easy to guess" in caught.value.fields["password"]


class Watched(str):
    """A password that records the threads in which its length is read, which is the first check."""

    threads: ClassVar[set[int]] = set()

    def __len__(self) -> int:
        self.threads.add(threading.get_ident())
        return super().__len__()


async def test_passwords_are_estimated_in_threads(services: Services) -> None:
    await services.accounts.request_verification("bob@example.com", "Bob", PASSWORD)
    link = await link_token(services)
    await signed_up(services)
    await services.accounts.request_reset("ada@example.com")
    reset = await reset_token(services)
    for work in (
        services.accounts.request_verification("eve@example.com", "Eve", Watched("password1")),
        services.accounts.confirm_with_new_password(link, Watched("password1")),
        services.accounts.reset_password(reset, Watched("password1")),
    ):
        Watched.threads.clear()
        with pytest.raises(InvalidFields, match="easy to guess"):
            await work
        assert Watched.threads
        assert threading.get_ident() not in Watched.threads


async def test_slowest_password_is_accepted(services: Services) -> None:
    """`test_passwords.py` shows that the work to estimate the strength of this password is bounded."""
    await services.accounts.request_verification("bob@example.com", "Bob", SLOW_PASSWORD)
    assert await link_token(services)


@pytest.mark.parametrize(
    "email", ["a" * 150_000, "a@" * 75_000, "a." * 75_000 + "@example.com", "ä" * 150_000 + "@b.de", " " * 150_000, '"' * 150_000]
)
def test_huge_addresses_are_refused_without_parsing_them(email: str) -> None:
    assert steps(lambda: _assert_invalid(email)) < 5_000


@pytest.mark.parametrize("piece", ["a", "a.", "ä", "@", '"', "\N{KELVIN SIGN}", "a@", "xn--"])
def test_work_to_check_the_longest_addresses_is_bounded(piece: str) -> None:
    """The limit is about 30 steps per character. Parsing that is quadratic in the length would take 100,000."""
    for email in ((piece * 320)[:308] + "@example.com", "a@" + (piece * 320)[:313] + ".com"):
        assert steps(partial(_assert_invalid, email)) < 10_000


def _assert_invalid(email: str) -> None:
    with pytest.raises(BadRequest, match=r"This isn't a valid email address\."):
        normalized_email(email)
