"""GitHub sign-in in Chromium, against a fake GitHub, and forms that work before scripts or state have loaded."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.support import github_server
from tests.support.newcomers import PASSWORD
from tests.support.raw_page import LOADED
from tests.support.site import Site, free_port, ready, sign_up_by_mail

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def at_github() -> github_server.Behavior:
    return github_server.Behavior()


@pytest.fixture(scope="module")
def github_site(make_site: Callable[..., Site], at_github: github_server.Behavior) -> Iterator[Site]:
    """A site that uses the fake GitHub."""
    with github_server.running(at_github) as url:
        port = free_port()
        yield make_site(
            GITHUB_BASE_URL=url,
            GITHUB_API_URL=url,
            GITHUB_CLIENT_ID=at_github.client_id,
            GITHUB_CLIENT_SECRET=at_github.client_secret,
            PORT=str(port),
            FRONTEND_URL=f"http://localhost:{port}/",
        )


def test_github_sign_in_returns_to_target_and_stays_connected(
    github_site: Site, at_github: github_server.Behavior, page: Page
) -> None:
    page.goto(f"{github_site.url}/interview")
    expect(page).to_have_url(re.compile("/login"))
    page.get_by_role("link", name="Continue with GitHub").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_text("You canceled the GitHub sign-in")).to_be_visible()
    page.get_by_role("link", name="Continue with GitHub").click()
    page.get_by_role("link", name="Authorize").click()
    expect(page).to_have_url(re.compile(f"^{github_site.url}/interview"))
    expect(page.get_by_role("button", name="Start for 1 credit")).to_be_visible()
    page.get_by_role("link", name="Account").click()
    expect(page.get_by_text("Connected. You can sign in with GitHub.")).to_be_visible()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("Choose a password first")).to_be_visible()


def test_github_errors_are_explained(github_site: Site, at_github: github_server.Behavior, page: Page) -> None:
    at_github.faults[github_server.TOKEN] = "500"
    page.goto(f"{github_site.url}/signup")
    page.get_by_role("link", name="Continue with GitHub").click()
    page.get_by_role("link", name="Authorize").click()
    expect(page.get_by_text("We can't reach GitHub right now")).to_be_visible()
    at_github.faults.clear()
    page.goto(f"{github_site.url}/github/callback?code=x&state=y")
    expect(page.get_by_text("couldn't match this GitHub sign-in")).to_be_visible()


def test_signed_in_user_connects_other_address_and_disconnects(
    github_site: Site, at_github: github_server.Behavior, page: Page
) -> None:
    person = at_github.person
    at_github.person = github_server.Person(
        id=99, login="grace", name="Grace", emails=[{"email": "grace@reader.example.com", "primary": True, "verified": True}]
    )
    sign_up_by_mail(page, github_site, "Grace")
    page.goto(f"{github_site.url}/account")
    page.get_by_role("link", name="Connect GitHub").click()
    page.get_by_role("link", name="Authorize").click()
    expect(page.get_by_text("Connected. You can sign in with GitHub.")).to_be_visible()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("link", name="Connect GitHub")).to_be_visible()
    at_github.person = person


def test_site_without_github_has_no_button(site: Site, page: Page) -> None:
    for path in ("/login", "/signup"):
        page.goto(f"{site.url}{path}")
        ready(page)
        expect(page.get_by_role("link", name="Continue with GitHub")).to_have_count(0)


def test_password_can_be_revealed_and_is_hidden_on_submit(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/signup")
    ready(page)
    password = page.get_by_label("Password")
    password.fill(PASSWORD)
    expect(password).to_have_attribute("type", "password")
    page.get_by_role("button", name="Show password").click()
    expect(password).to_have_attribute("type", "text")
    expect(password).to_have_value(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(password).to_have_attribute("type", "password")
    expect(page.get_by_label("Email")).to_be_focused()


def test_confirming_asks_for_the_password_or_a_new_one(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/signup")
    ready(page)
    email = f"confirm{time.time_ns()}@example.com"
    page.get_by_label("Email").fill(email)
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("link", name="development outbox").click()
    page.locator("section", has_text=email).get_by_role("link", name="Open the link").click()
    expect(page.get_by_text("You're creating an account for")).to_contain_text("Ada")
    expect(page.get_by_role("main")).to_contain_text(email)
    password, new_password = page.get_by_label("Password", exact=True), page.get_by_label("New password")
    expect(password).to_have_attribute("autocomplete", "current-password")
    link = page.url
    password.fill("not what was chosen")
    page.get_by_role("button", name="Create my account").click()
    expect(page.get_by_text("isn't the password you chose when you signed up")).to_be_visible()
    expect(password).to_be_focused()
    expect(new_password).to_be_hidden()
    page.get_by_text("Choose a new password instead").click()
    expect(password).to_be_hidden()
    new_password.fill("password1")
    page.get_by_role("button", name="Create my account").click()
    expect(page.get_by_text("easy to guess")).to_be_visible()
    expect(new_password).to_be_focused()
    new_password.fill("violet harbour lantern")
    page.get_by_role("button", name="Create my account").click()
    expect(page.get_by_text("Each interview costs one credit.")).to_be_visible()
    page.goto(link)
    expect(page.get_by_role("heading", name="This link no longer works")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Go to your dashboard").click()
    expect(page).to_have_url(re.compile("/dashboard"))


def test_password_managers_find_their_fields(site: Site, page: Page) -> None:
    for path, fields in {
        "/signup": {"Email": "email", "Password": "new-password"},
        "/login": {"Email": "username", "Password": "current-password"},
        "/reset-request": {"Email": "username"},
    }.items():
        page.goto(f"{site.url}{path}")
        for label, kind in fields.items():
            expect(page.get_by_label(label)).to_have_attribute("autocomplete", kind)


def test_open_tab_of_a_deleted_user_goes_to_sign_in(site: Site, page: Page) -> None:
    email = sign_up_by_mail(page, site)
    page.goto(f"{site.url}/interview")
    expect(page.get_by_role("button", name="Start for 1 credit")).to_be_visible()
    other = page.context.new_page()
    other.goto(f"{site.url}/account")
    other.get_by_text("I want to delete my account").click()
    other.get_by_label("Type your email address to confirm").fill(email)
    other.get_by_role("button", name="Delete my account for good").click()
    expect(other.get_by_role("link", name="Try a free interview")).to_be_visible()
    expect(page).to_have_url(re.compile("/login"))


def test_password_guessing_is_rate_limited_with_a_message(make_site: Callable[..., Site], page: Page) -> None:
    site = make_site(RATE_LIMITS="on")
    for _ in range(31):
        page.request.post(f"{site.url}/session/login", form={"email": "ada@example.com", "password": "guess"})
    page.goto(f"{site.url}/login")
    ready(page)
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Password").fill("another guess")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(re.compile("Too many attempts. Please wait"))).to_be_visible()
    site.stop()


@contextmanager
def scripts_delayed(page: Page, address: str) -> Iterator[None]:
    """Open a page whose scripts load only when the block ends, as on a slow connection. Fails if the page then has errors."""
    held: list[Route] = []
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.route("**/assets/entry.client*", lambda route: held.append(route))
    with page.expect_request("**/assets/entry.client*"):
        page.goto(address, wait_until="domcontentloaded")
    yield
    for route in held:
        route.continue_()
    page.unroute("**/assets/entry.client*")
    page.wait_for_function("() => '__reflex' in window")
    ready(page)
    assert problems == []


def test_text_typed_before_scripts_load_is_kept(site: Site, page: Page) -> None:
    with scripts_delayed(page, f"{site.url}/signup"):
        page.get_by_label("Email").fill("ada@example.com")
        page.get_by_label("Password").fill("elephant")
        page.evaluate(
            "window.dispatchEvent(new Event('offline')); window.dispatchEvent(new CustomEvent('notice', {detail: 'Hello'}))"
        )
    expect(page.get_by_label("Email")).to_have_value("ada@example.com")
    expect(page.get_by_label("Password")).to_have_value("elephant")
    expect(page.locator("[data-strength-of=password]")).to_have_text("Weak")
    expect(page.get_by_text("Hello")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    expect(page.locator("[data-strength-of=password]")).to_have_text("Strong")


def test_form_sent_before_scripts_load_is_sent_once(site: Site, page: Page) -> None:
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    email = f"early{time.time_ns()}@example.com"
    with scripts_delayed(page, f"{site.url}/signup"):
        page.get_by_label("Email").fill(email)
        page.get_by_label("Name").fill("Early")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Password").press("Enter")
        page.get_by_role("button", name="Creating account…").click()
    expect(page.get_by_text("We've sent an email to")).to_contain_text(email)
    assert not [address for address in addresses if "password" in address], "no password is in an address"
    page.get_by_role("link", name="development outbox").click()
    expect(page.locator("section", has_text=email)).to_have_count(1)


def test_form_is_sent_after_the_server_has_filled_the_page(site: Site, page: Page) -> None:
    """The page's `load` handler clears the form, so an event sent before it would lose the input."""
    filling: list[tuple[WebSocketRoute, str | bytes]] = []
    sent: list[str] = []

    def through(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def to_server(message: str | bytes) -> None:
            sent.append(str(message))
            server.send(message)

        def to_page(message: str | bytes) -> None:
            if LOADED in str(message):
                filling.append((socket, message))
            else:
                socket.send(message)

        socket.on_message(to_server)
        server.on_message(to_page)

    page.route_web_socket(re.compile("/_event"), through)
    page.goto(f"{site.url}/signup")
    page.wait_for_function("() => '__reflex' in window")
    email = f"held{time.time_ns()}@example.com"
    page.get_by_label("Email").fill(email)
    page.get_by_label("Name").fill("Held")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    expect(page.get_by_role("button", name="Creating account…")).to_be_visible()
    page.evaluate("() => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))")
    assert not [message for message in sent if email in message]
    for socket, message in filling:
        socket.send(message)
    expect(page.get_by_text("We've sent an email to")).to_contain_text(email)
    assert len([message for message in sent if email in message]) == 1
