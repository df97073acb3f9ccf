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
    expect(page.locator("#said-question")).to_have_text(re.compile(r"^The interview is finished\. \w"))
    expect(page.get_by_text("70% passes")).to_be_visible()
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
    expect(page.get_by_role("heading", name="What to practice next")).to_be_visible()
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
    expect(other.locator("#questions ol > li")).to_have_count(12)
    expect(other.locator('meta[name="robots"]')).to_have_attribute("content", "noindex, nofollow")
    other.get_by_role("button", name="Open all").click()
    shown = other.locator("main").inner_text()
    for seen in ("Answer 12.", "What to work on first", "70% passes"):
        assert seen in shown
    for hidden in ("Grace", "@example.com", "Practice it again", "Practice this", "second opinion", "requirements"):
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


# A third of the 17,600 and 28,980 pixels that a report with unfolded answers needed.
@pytest.mark.parametrize(("width", "height", "longest"), [(1280, 800, 5_870), (390, 844, 9_660), (360, 640, 9_660)])
def test_report_is_short_and_begins_with_the_conclusion(report: Page, width: int, height: int, longest: int) -> None:
    report.set_viewport_size({"width": width, "height": height})
    assert report.evaluate("document.documentElement.scrollHeight") <= longest
    assert not report.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    expect(report.locator("#conclusion h2")).to_be_in_viewport()
    expect(report.locator("#conclusion h2")).to_have_text(re.compile(r"interview|Close|Ready|Not ready"))
    titles = report.locator("article h2").all_inner_texts()
    assert titles[1] == "What to work on first"
    assert titles[-3:] == ["Questions and answers", "The job's requirements", "What to practice next"]
    lessons = report.locator("#focus li")
    expect(lessons).to_have_count(3)
    for one in lessons.all():
        expect(one.get_by_role("link", name=re.compile("^Practice this"))).to_have_attribute("href", re.compile("question="))
    expect(report.locator(".answer[open]")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 360])
def test_contents_open_the_answer_within_the_page(report: Page, width: int) -> None:
    report.set_viewport_size({"width": width, "height": 800})
    report.evaluate("window.here = true")
    if width < 1024:
        report.locator("summary", has_text="On this page").click()
    report.locator('nav a[href$="#question-7"]:visible').click()
    expect(report).to_have_url(re.compile(r"#question-7$"))
    report.wait_for_function("Math.abs(document.getElementById('question-7').getBoundingClientRect().top) < 80")
    expect(report.locator("#question-7 details.answer")).to_have_attribute("open", "")
    expect(report.get_by_text("Answer 7.").first).to_be_visible()
    expect(report.locator("[data-contents]")).not_to_have_attribute("open", "")
    assert not report.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert report.evaluate("window.here"), "the page was not reloaded"


def test_answers_open_by_keyboard_by_link_and_all_at_once(report: Page) -> None:
    opened = report.locator(".answer[open]")
    first = report.locator("#question-1 summary").first
    first.focus()
    report.keyboard.press("Enter")
    expect(opened).to_have_count(1)
    expect(report.get_by_text("Answer 1.", exact=False).first).to_be_visible()
    report.get_by_role("button", name="Open all").click()
    expect(opened).to_have_count(12)
    report.get_by_role("button", name="Close all").click()
    expect(opened).to_have_count(0)
    report.goto(f"{report.url.partition('#')[0]}#question-9")
    report.reload()
    ready(report)
    expect(opened).to_have_count(1)
    expect(report.locator("#question-9")).to_be_in_viewport()


def test_missing_report_says_so(site: Site, report: Page) -> None:
    report.goto(f"{site.url}/interview/987654")
    expect(report.get_by_role("heading", name="Report not found")).to_be_visible()
    expect(report.get_by_role("button", name="Share")).to_have_count(0)
