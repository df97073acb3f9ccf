"""The GitHub OAuth client, against a fake GitHub server over real HTTP."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from interviewer.accounts.github_client import BUSY, EXPIRED, MISCONFIGURED, NO_ADDRESS, UNVERIFIED, GitHub
from interviewer.accounts.oauth import Identity, OAuth
from interviewer.errors import AppError, IdentityRefused, IdentityUnavailable
from tests.support import github_server
from tests.support.github_server import EMAILS, TOKEN, USER, Person

REDIRECT_URI = "https://site.example/auth/github/callback"
STATE = "state & more"
VERIFIER = "a-confidential-verifier-of-the-forty-three-characters-at-least"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ADA = Identity(1815, "Ada Lovelace", "ada@reader.example.com")
CONFIDENTIAL = ("confidential", "reader.example.com", "old.example.com")
UNREACHED = IdentityUnavailable.user_message


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, github_server.Behavior]]:
    """One server for all tests in this module, because stopping one per test would be slow."""
    behavior = github_server.Behavior()
    with github_server.running(behavior) as url:
        yield url, behavior


@pytest.fixture
def url(server: tuple[str, github_server.Behavior]) -> str:
    return server[0]


@pytest.fixture(autouse=True)
def behavior(server: tuple[str, github_server.Behavior]) -> github_server.Behavior:
    """The server's behavior, reset for each test."""
    vars(server[1]).update(vars(github_server.Behavior()))
    return server[1]


@pytest.fixture
async def github(url: str) -> AsyncIterator[GitHub]:
    async with _github(url) as github:
        yield github


@asynccontextmanager
async def _github(url: str, secret: str | None = None, seconds: float = 5) -> AsyncIterator[GitHub]:
    secret = github_server.Behavior.client_secret if secret is None else secret
    github = GitHub(github_server.Behavior.client_id, secret, base_url=f"{url}/", api_url=f"{url}/", timeout=seconds)
    try:
        yield github
    finally:
        await github.close()


def _consented(github: OAuth, consent: str) -> dict[str, str]:
    """Answer the consent page like a browser, and return the query parameters of the redirect."""
    address = github.authorize_url(state=STATE, challenge=CHALLENGE, redirect_uri=REDIRECT_URI)
    with httpx2.Client() as browser:
        page = browser.get(address)
        assert page.status_code == 200
        assert ">Authorize</a>" in page.text
        assert ">Cancel</a>" in page.text
        back = browser.get(f"{address}&consent={consent}")
    assert back.status_code == 302
    location, _, query = back.headers["Location"].partition("?")
    assert location == REDIRECT_URI
    return {name: value for name, [value] in parse_qs(query).items()}


def _issue(behavior: github_server.Behavior, *emails: dict[str, Any], name: str | None = "Ada") -> str:
    return behavior.issue_code(Person(1815, "ada-l", name, list(emails)))


def _email(address: str, primary: object, verified: object) -> dict[str, Any]:
    return {"email": address, "primary": primary, "verified": verified, "visibility": None}


async def _error_text(github: GitHub, code: str, redirect_uri: str | None = None) -> str:
    """Try to sign in. Return the full text of the error with its traceback, or an empty string if there is none."""
    try:
        await github.identify(code, verifier=None, redirect_uri=redirect_uri)
    except AppError as error:
        return "".join(traceback.format_exception(error)) + repr(error) + error.user_message
    return ""


def test_authorize_url_asks_for_minimal_scope() -> None:
    github = GitHub("an id & more", "secret")
    address = urlsplit(github.authorize_url(state=STATE, challenge=CHALLENGE, redirect_uri=REDIRECT_URI))
    assert (address.scheme, address.netloc, address.path) == ("https", "github.com", "/login/oauth/authorize")
    assert parse_qs(address.query) == {
        "client_id": ["an id & more"],
        "redirect_uri": [REDIRECT_URI],
        "scope": ["read:user user:email"],
        "state": [STATE],
        "code_challenge": [CHALLENGE],
        "code_challenge_method": ["S256"],
    }


async def test_consent_identifies_the_user(github: GitHub, behavior: github_server.Behavior) -> None:
    params = _consented(github, "yes")
    assert params["state"] == STATE
    assert await github.identify(params["code"], verifier=VERIFIER, redirect_uri=REDIRECT_URI) == ADA
    exchange, user, emails = behavior.requests[-3:]
    assert exchange.headers["accept"] == "application/json"
    assert exchange.form == {
        "client_id": behavior.client_id,
        "client_secret": behavior.client_secret,
        "code": params["code"],
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    for call in (user, emails):
        assert call.headers["accept"] == "application/vnd.github+json"
        assert call.headers["x-github-api-version"] == "2022-11-28"
        assert call.headers["user-agent"] == "interviewer"
    assert not any("cookie" in call.headers for call in (user, emails))


async def test_cancelling_returns_without_a_code(github: GitHub, behavior: github_server.Behavior) -> None:
    params = _consented(github, "no")
    assert (params["error"], params["state"]) == ("access_denied", STATE)
    assert "code" not in params
    assert not behavior.codes


async def test_earlier_consent_redirects_at_once(github: GitHub, behavior: github_server.Behavior) -> None:
    behavior.auto = True
    async with httpx2.AsyncClient() as browser:
        back = await browser.get(github.authorize_url(state=STATE, challenge=CHALLENGE, redirect_uri=REDIRECT_URI))
    [code] = parse_qs(urlsplit(back.headers["Location"]).query)["code"]
    assert await github.identify(code, verifier=VERIFIER, redirect_uri=REDIRECT_URI) == ADA


async def test_authorize_page_rejects_unknown_client(url: str, behavior: github_server.Behavior) -> None:
    stranger = GitHub("another-id", "secret", base_url=url)
    async with httpx2.AsyncClient() as browser:
        page = await browser.get(stranger.authorize_url(state=STATE, challenge=CHALLENGE, redirect_uri=REDIRECT_URI))
    assert page.status_code == 404
    await stranger.close()


async def test_code_from_another_flow_needs_no_verifier(github: GitHub, behavior: github_server.Behavior) -> None:
    assert await github.identify(behavior.issue_code(), verifier=None, redirect_uri=None) == ADA
    assert behavior.requests[0].form.keys() == {"client_id", "client_secret", "code"}


async def test_one_client_serves_many_users(github: GitHub, behavior: github_server.Behavior) -> None:
    people = [Person(number, f"p{number}", None, [_email(f"p{number}@example.com", True, True)]) for number in range(1, 9)]
    codes = [behavior.issue_code(person) for person in people]
    found = await asyncio.gather(*(github.identify(code, verifier=None, redirect_uri=None) for code in codes))
    assert found == [Identity(person.id, person.login, f"{person.login}@example.com") for person in people]
    assert not any("cookie" in received.headers for received in behavior.requests)


@pytest.mark.parametrize(
    ("name", "shown"), [("Ada", "Ada"), ("  Ada L. ", "Ada L."), ("", "ada-l"), (" \t", "ada-l"), (None, "ada-l")]
)
async def test_login_is_used_as_name_if_there_is_none(
    github: GitHub, behavior: github_server.Behavior, name: str | None, shown: str
) -> None:
    code = _issue(behavior, _email("ada@example.com", True, True), name=name)
    assert (await github.identify(code, verifier=None, redirect_uri=None)).name == shown


@pytest.mark.parametrize(
    "emails",
    [
        [],
        [_email("ada@example.com", True, False)],
        [_email("ada@example.com", False, True)],
        [_email("ada@example.com", True, False), _email("ada@other.example.com", False, True)],
    ],
)
async def test_unverified_primary_address_is_refused(
    github: GitHub, behavior: github_server.Behavior, emails: list[dict[str, Any]]
) -> None:
    with pytest.raises(IdentityRefused) as caught:
        await github.identify(_issue(behavior, *emails), verifier=None, redirect_uri=None)
    assert caught.value.user_message == UNVERIFIED


@pytest.mark.parametrize(
    ("error", "type", "message"),
    [
        ("bad_verification_code", IdentityRefused, EXPIRED),
        ("unverified_user_email", IdentityRefused, UNVERIFIED),
        ("incorrect_client_credentials", IdentityUnavailable, MISCONFIGURED),
        ("redirect_uri_mismatch", IdentityUnavailable, MISCONFIGURED),
        ("application_suspended", IdentityUnavailable, MISCONFIGURED),
        ("", IdentityUnavailable, MISCONFIGURED),
    ],
)
async def test_error_codes_with_status_200_are_distinguished(
    github: GitHub, behavior: github_server.Behavior, error: str, type: type[AppError], message: str
) -> None:
    behavior.faults[TOKEN] = f"error:{error}"
    with pytest.raises(type) as caught:
        await github.identify(behavior.issue_code(), verifier=None, redirect_uri=None)
    assert caught.value.user_message == message
    assert len(behavior.requests) == 1


async def test_wrong_secret_is_reported_as_misconfigured(url: str, behavior: github_server.Behavior) -> None:
    async with _github(url, secret="another & wrong = é") as github:
        with pytest.raises(IdentityUnavailable) as caught:
            await github.identify(behavior.issue_code(), verifier=None, redirect_uri=None)
    assert caught.value.user_message == MISCONFIGURED
    assert behavior.requests[0].form["client_secret"] == "another & wrong = é"


async def test_wrong_redirect_uri_is_reported_as_misconfigured(github: GitHub, behavior: github_server.Behavior) -> None:
    code = behavior.issue_code(None, REDIRECT_URI)
    with pytest.raises(IdentityUnavailable) as caught:
        await github.identify(code, verifier=None, redirect_uri="https://elsewhere.example/")
    assert caught.value.user_message == MISCONFIGURED


@pytest.mark.parametrize("verifier", [None, "", VERIFIER[:-1]])
async def test_code_with_challenge_needs_its_verifier(github: GitHub, verifier: str | None) -> None:
    params = _consented(github, "yes")
    with pytest.raises(IdentityRefused) as caught:
        await github.identify(params["code"], verifier=verifier, redirect_uri=REDIRECT_URI)
    assert caught.value.user_message == EXPIRED


async def test_code_works_once(github: GitHub, behavior: github_server.Behavior) -> None:
    code = behavior.issue_code()
    await github.identify(code, verifier=None, redirect_uri=None)
    with pytest.raises(IdentityRefused) as caught:
        await github.identify(code, verifier=None, redirect_uri=None)
    assert caught.value.user_message == EXPIRED


@pytest.mark.parametrize("code", ["", "made-up", "a&client_id=b", "line\nbreak", "é", "\ud800", "\x00"])
async def test_invalid_code_is_refused(github: GitHub, code: str) -> None:
    with pytest.raises(IdentityRefused) as caught:
        await github.identify(code, verifier=None, redirect_uri=None)
    assert caught.value.user_message == EXPIRED


@pytest.mark.parametrize("verifier", ["é", "\ud800"])
async def test_non_ascii_verifier_is_refused(github: GitHub, verifier: str) -> None:
    with pytest.raises(IdentityRefused):
        await github.identify("code", verifier=verifier, redirect_uri=None)


@pytest.mark.parametrize("path", [TOKEN, USER, EMAILS])
@pytest.mark.parametrize(
    "fault",
    [
        "500",
        "503",
        "204",
        "html",
        "list",
        "empty",
        "null",
        "nothing",
        "huge",
        "redirect",
        "cut",
    ],
)
async def test_unexpected_response_means_unavailable(
    github: GitHub, behavior: github_server.Behavior, path: str, fault: str
) -> None:
    behavior.faults[path] = fault
    with pytest.raises(IdentityUnavailable) as caught:
        await github.identify(behavior.issue_code(), verifier=None, redirect_uri=None)
    assert caught.value.user_message == UNREACHED
    # Nothing is retried and no redirect is followed, so the client secret and the token are sent nowhere else.
    assert [received.path for received in behavior.requests] == [TOKEN, USER, EMAILS][: [TOKEN, USER, EMAILS].index(path) + 1]


@pytest.mark.parametrize("status", ["400", "401", "403", "404", "422"])
@pytest.mark.parametrize(
    ("path", "message", "check"),
    [
        (TOKEN, MISCONFIGURED, "check GITHUB_CLIENT_ID"),
        (USER, MISCONFIGURED, "check that GITHUB_API_URL"),
        (EMAILS, NO_ADDRESS, "the sign-in needs the scope user:email"),
    ],
)
async def test_refusal_is_explained_to_user_and_operator(
    github: GitHub,
    behavior: github_server.Behavior,
    path: str,
    message: str,
    check: str,
    status: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """GitHub responds with 404 to an unknown client ID, and to a token without permission to read email addresses."""
    behavior.faults[path] = status
    with pytest.raises(IdentityUnavailable) as caught:
        await github.identify(behavior.issue_code(), verifier=None, redirect_uri=None)
    assert caught.value.user_message == message
    assert "can't reach" not in message
    assert f"GitHub refused {path} with status {status}: {check}" in caplog.text
    assert behavior.requests[-1].path == path, "nothing is retried"


@pytest.mark.parametrize("fault", ["429", "limited"])
@pytest.mark.parametrize("path", [TOKEN, USER, EMAILS])
async def test_rate_limit_is_reported_as_busy(
    github: GitHub, behavior: github_server.Behavior, path: str, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    behavior.faults[path] = fault
    with pytest.raises(IdentityUnavailable) as caught:
        await github.identify(behavior.issue_code(), verifier=None, redirect_uri=None)
    assert caught.value.user_message == BUSY
    assert "GitHub rate-limits our requests" in caplog.text


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (TOKEN, '{"error": 5}'),
        (TOKEN, '{"access_token": 5}'),
        (TOKEN, '{"access_token": ""}'),
        (TOKEN, '{"access_token": null, "token_type": "bearer"}'),
        (TOKEN, '{"access_token": "gho_confi\\r\\ndential"}'),
        (TOKEN, '{"access_token": "gho_confidéntial"}'),
        (TOKEN, '{"access_token": "gho_conf'),
        (TOKEN, "[" * 100_000),
        (USER, '{"id": true, "login": "ada-l"}'),
        (USER, '{"id": "1815", "login": "ada-l"}'),
        (USER, '{"id": 1815.0, "login": "ada-l"}'),
        (USER, '{"id": 0, "login": "ada-l"}'),
        (USER, '{"id": -1, "login": "ada-l"}'),
        (USER, '{"id": 9223372036854775808, "login": "ada-l"}'),
        (USER, '{"id": null, "login": "ada-l"}'),
        (USER, '{"login": "ada-l"}'),
        (USER, '{"id": 1815}'),
        (USER, '{"id": 1815, "login": ""}'),
        (USER, '{"id": 1815, "login": " "}'),
        (USER, '{"id": 1815, "login": "ada-l", "name": 5}'),
        (EMAILS, '{"email": "ada@reader.example.com", "primary": true, "verified": true}'),
        (EMAILS, '["ada@reader.example.com"]'),
        (EMAILS, '[{"email": "ada@reader.example.com", "primary": 1, "verified": true}]'),
        (EMAILS, '[{"email": "ada@reader.example.com", "primary": true, "verified": "true"}]'),
        (EMAILS, '[{"email": "ada@reader.example.com", "primary": true}]'),
        (EMAILS, '[{"email": null, "primary": true, "verified": true}]'),
        (EMAILS, '[{"email": " ", "primary": true, "verified": true}]'),
        (EMAILS, "[null]"),
    ],
)
async def test_malformed_response_is_neither_trusted_nor_logged(
    github: GitHub, behavior: github_server.Behavior, path: str, answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    behavior.faults[path] = f"json:{answer}"
    with caplog.at_level(logging.DEBUG):
        params = await _error_text(github, behavior.issue_code())
    assert f"IdentityUnavailable({UNREACHED!r})" in params
    _assert_discreet(params + caplog.text)


async def test_closed_port_means_unavailable() -> None:
    github = GitHub("id", "secret", base_url="http://127.0.0.1:9", api_url="http://127.0.0.1:9")
    with pytest.raises(IdentityUnavailable):
        await github.identify("code", verifier=None, redirect_uri=None)
    await github.close()


@pytest.mark.parametrize("address", ["", "nowhere", "ftp://127.0.0.1", "http://["])
async def test_invalid_base_url_means_unavailable(address: str) -> None:
    github = GitHub("id", "secret", base_url=address)
    with pytest.raises(IdentityUnavailable):
        await github.identify("code", verifier=None, redirect_uri=None)
    await github.close()


@pytest.mark.parametrize("path", [TOKEN, USER, EMAILS])
async def test_hanging_server_times_out(url: str, behavior: github_server.Behavior, path: str) -> None:
    behavior.faults[path] = "hang"
    async with _github(url, seconds=0.5) as github:
        with pytest.raises(IdentityUnavailable):
            await github.identify(behavior.issue_code(), verifier=None, redirect_uri=None)
        # The abandoned request does not affect later ones.
        behavior.faults.clear()
        assert await github.identify(behavior.issue_code(), verifier=None, redirect_uri=None) == ADA


async def test_cancelled_caller_stops_at_once(github: GitHub, behavior: github_server.Behavior) -> None:
    behavior.faults[USER] = "hang"
    task = asyncio.create_task(github.identify(behavior.issue_code(), verifier=None, redirect_uri=None))
    await asyncio.sleep(0.5)
    assert len(behavior.requests) == 2
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("path", [TOKEN, USER, EMAILS])
@pytest.mark.parametrize(
    "fault",
    ["", "error:bad_verification_code", "error:redirect_uri_mismatch", "401", "403", "500", "list", "redirect", "cut", "hang"],
)
async def test_no_secret_reaches_a_log_or_an_error(
    url: str, behavior: github_server.Behavior, caplog: pytest.LogCaptureFixture, path: str, fault: str
) -> None:
    behavior.faults[path] = fault
    with caplog.at_level(logging.DEBUG):
        async with _github(url, seconds=0.3 if fault == "hang" else 5) as github:
            params = await _error_text(github, behavior.issue_code(None, REDIRECT_URI), REDIRECT_URI)
    assert bool(params) == bool(fault)
    assert "httpcore2" in caplog.text  # the HTTP client's log is checked, too
    _assert_discreet(params + caplog.text)


async def test_logged_error_code_is_sanitized(
    github: GitHub, behavior: github_server.Behavior, caplog: pytest.LogCaptureFixture
) -> None:
    for error in ("redirect_uri_mismatch", "odd\nname " + "x" * 100):
        behavior.faults[TOKEN] = f"error:{error}"
        assert await _error_text(github, behavior.issue_code())
    named = [record.getMessage() for record in caplog.records if record.name == "interviewer.accounts.github_client"]
    assert named == [
        "GitHub refused a sign-in: redirect_uri_mismatch",
        "GitHub refused a sign-in: oddname" + "x" * 33,
    ]


async def test_closing_twice_is_harmless(github: GitHub) -> None:
    await github.close()
    await github.close()


def _assert_discreet(text: str) -> None:
    assert [word for word in CONFIDENTIAL if word in text] == []
