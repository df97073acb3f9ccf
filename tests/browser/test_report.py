"""The report in Chromium: shared and unshared, printed, and downloaded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.pdf import read
from tests.support.site import Site, answer, at_question, ready, sign_up, start_interview

pytestmark = pytest.mark.browser

GOOD = "I measured first with EXPLAIN ANALYZE, then added a composite index; retries with backoff are idempotent. Γειά → 5 €."


@pytest.fixture(scope="module")
def signed_in(site: Site, browser: Browser) -> tuple[str, str]:
    """The session cookie of a user with a finished interview, and the URL of the report."""
    page = browser.new_page()
    sign_up(page, site, "Grace")
    start_interview(page, "Mid-level")
    for number in range(1, 13):
        at_question(page, number)
        answer(page, f"{GOOD} Answer {number}.")
    page.get_by_role("link", name="See every answer").click()
    expect(page).to_have_url(re.compile(r"/interview/\d+"))
    [cookie] = [one for one in page.context.cookies() if one["name"] == "interviewer_session"]
    url = page.url
    page.context.close()
    return str(cookie["value"]), url


@pytest.fixture
def report(site: Site, page: Page, signed_in: tuple[str, str]) -> Page:
    """A page with the report, opened by its owner."""
    value, url = signed_in
    page.context.add_cookies([{"name": "interviewer_session", "value": value, "url": site.url}])
    page.goto(url)
    ready(page)
    expect(page.get_by_role("heading", name="Skills")).to_be_visible()
    return page


def test_shared_link_works_signed_out_until_it_is_revoked(report: Page, browser: Browser) -> None:
    report.context.grant_permissions(["clipboard-read", "clipboard-write"])
    report.get_by_role("button", name="Share").click()
    report.get_by_role("button", name=re.compile("^Create a")).click()
    link = report.get_by_label("The link").input_value()
    report.get_by_role("button", name="Copy").click()
    expect(report.get_by_text("Link copied.")).to_be_visible()
    assert report.evaluate("navigator.clipboard.readText()") == link
    context = browser.new_context()
    other = context.new_page()
    answered = other.goto(link)
    assert answered is not None
    assert answered.headers["x-robots-tag"] == "noindex, nofollow"
    assert answered.headers["referrer-policy"] == "same-origin"
    expect(other.locator("ol > li")).to_have_count(12)
    expect(other.locator('meta[name="robots"]')).to_have_attribute("content", "noindex, nofollow")
    shown = other.locator("main").inner_text()
    assert "Answer 12." in shown
    for hidden in ("Grace", "@example.com", "Practice it again", "second opinion", "requirements"):
        assert hidden not in shown
    expect(other.get_by_role("button", name="Share")).to_have_count(0)
    expect(other.get_by_role("link", name=re.compile("Download"))).to_have_count(0)
    report.get_by_role("button", name="Stop sharing").click()
    expect(report.get_by_role("button", name="Create a link")).to_be_visible()
    for wrong in (link, link[:-1] + "x"):
        other.goto(wrong)
        expect(other.get_by_role("heading", name="No report here")).to_be_visible()
        expect(other.get_by_role("alert")).to_have_text(re.compile("^This link doesn't lead to a report"))
    context.close()


def test_both_downloads_contain_the_answers(report: Page, tmp_path: Path) -> None:
    for name, ending in (("Markdown", "md"), ("PDF", "pdf")):
        with report.expect_download() as waiting:
            report.get_by_role("link", name=f"Download as {name}").click()
        assert re.fullmatch(rf"[a-z-]+-\d{{4}}-\d\d-\d\d\.{ending}", waiting.value.suggested_filename)
        path = tmp_path / f"report.{ending}"
        waiting.value.save_as(path)
        text = read(path.read_bytes()).text if ending == "pdf" else path.read_text("utf-8")
        for part in ("Answer 12.", "Score by topic" if ending == "md" else "of 120 points", "Γειά", "5 €"):
            assert part in text
    expect(report).to_have_url(re.compile(r"/interview/\d+"))


def test_print_unfolds_everything_and_hides_controls(report: Page) -> None:
    model = report.get_by_text("A follow-up you might get").first
    expect(model).not_to_be_visible()
    report.emulate_media(media="print", color_scheme="dark")
    report.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(model).to_be_visible()
    for gone in ("header", "footer", "nav", "button"):
        for one in report.locator(gone).all():
            expect(one).not_to_be_visible()
    look = report.evaluate(
        "getComputedStyle(document.querySelector('main')).color + getComputedStyle(document.documentElement).backgroundColor"
    )
    assert look == "rgb(29, 27, 22)rgb(255, 255, 255)"
    report.evaluate("window.dispatchEvent(new Event('afterprint'))")
    report.emulate_media(media="screen")
    expect(model).not_to_be_visible()
    assert report.pdf(format="A4").count(b"/Type /Page\n") > 5


@pytest.mark.parametrize("width", [1280, 360])
def test_contents_scroll_within_the_page_without_overflow(report: Page, width: int) -> None:
    report.set_viewport_size({"width": width, "height": 800})
    assert not report.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    report.evaluate("window.here = true")
    report.get_by_role("list", name="Best and weakest answers").get_by_role("link").last.click()
    expect(report).to_have_url(re.compile(r"#question-\d+$"))
    target = report.url.rsplit("#", 1)[1]
    report.wait_for_function("id => Math.abs(document.getElementById(id).getBoundingClientRect().top) < 60", arg=target)
    assert report.evaluate("window.here"), "the page was not reloaded"


def test_missing_report_says_so(site: Site, report: Page) -> None:
    report.goto(f"{site.url}/interview/987654")
    expect(report.get_by_role("heading", name="Report not found")).to_be_visible()
    expect(report.get_by_role("button", name="Share")).to_have_count(0)
