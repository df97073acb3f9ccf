"""Giving a résumé in the start form: pasted, and read from a PDF and a .docx file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.resumes import LATENCY, LINES, RESUME, docx, pdf
from tests.support.site import Site, at_question, ready, sign_up

pytestmark = pytest.mark.browser

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def open_form(site: Site, page: Page) -> None:
    sign_up(page, site)
    page.goto(f"{site.url}/interview")
    ready(page)
    expect(page.get_by_label("Your résumé (optional)")).to_have_value("")


def choose(page: Page, name: str, kind: str, data: bytes) -> None:
    page.get_by_label("Read a PDF or .docx").set_input_files({"name": name, "mimeType": kind, "buffer": data})


def test_files_are_read_into_the_box_and_used(site: Site, page: Page) -> None:
    open_form(site, page)
    box, status = page.get_by_label("Your résumé (optional)"), page.locator("[data-resume-status]")
    box.fill("Typed before")
    choose(page, "cv.pdf", "application/pdf", pdf())
    expect(status).to_contain_text("We read cv.pdf.")
    expect(box).to_have_value(re.compile(re.escape(LATENCY)))
    page.get_by_role("button", name="Undo").click()
    expect(box).to_have_value("Typed before")
    expect(box).to_be_focused()
    choose(page, "cv.docx", WORD, docx(cells=("Terraform", "Go")))
    expect(status).to_contain_text("We read cv.docx.")
    expect(box).to_have_value(re.compile(rf"{re.escape(LATENCY)}[\s\S]*Terraform\nGo$"))
    page.get_by_role("radio", name=re.compile("^Short")).check()
    page.get_by_label("Level").select_option("mid-level")
    page.get_by_role("button", name="Start for 1 credit").click()
    at_question(page, 1, 6)
    lines = "|".join(re.escape(line.strip("- .")) for line in LINES)
    expect(page.locator("#room")).to_contain_text(re.compile(f"Your résumé says: “({lines})[.]”"))
    # The form of the next interview doesn't show it unasked.
    page.goto(f"{site.url}/dashboard")
    page.goto(f"{site.url}/interview")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name=re.compile("Start another|Start a new")).first.click()
    expect(box).to_have_value("")
    page.get_by_role("button", name="Use your last résumé").click()
    expect(box).to_have_value(re.compile(re.escape(LATENCY)))


def test_unreadable_files_lose_nothing(site: Site, page: Page) -> None:
    open_form(site, page)
    box, status = page.get_by_label("Your résumé (optional)"), page.locator("[data-resume-status]")
    box.fill(RESUME)
    for name, data, said in (
        ("photo.pdf", b"\x89PNG" + b"x" * 100, "isn't a PDF or .docx file"),
        ("cut.pdf", pdf()[:400], "may be damaged"),
        ("big.pdf", b"%PDF-" + b"x" * 2_100_000, "at most 2 MB"),
    ):
        choose(page, name, "application/pdf", data)
        expect(status).to_contain_text(said)
        expect(status).to_have_attribute("data-kind", "bad")
        expect(box).to_have_value(RESUME)
    page.get_by_label("Job description").fill("Backend engineer with Python and PostgreSQL")
    box.fill("12345 67890 " * 20)
    page.get_by_role("button", name="Start for 1 credit").click()
    expect(page.locator("#alert")).to_contain_text("doesn't look like a résumé")
    expect(box).to_have_value("12345 67890 " * 20)
    expect(page.get_by_label("Job description")).to_have_value("Backend engineer with Python and PostgreSQL")
    expect(page.get_by_role("button", name="Start for 1 credit")).to_be_enabled()


def test_file_button_works_with_the_keyboard(site: Site, page: Page, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_form(site, page)
    page.get_by_label("Your résumé (optional)").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Read a PDF or .docx")).to_be_focused()
    # A listener that stays keeps Playwright from letting the browser's own dialog through between two waits.
    page.on("filechooser", lambda _: None)
    for number, key in enumerate(("Enter", "Space")):
        (tmp_path / f"cv{number}.pdf").write_bytes(pdf())
        with page.expect_file_chooser() as opened:
            page.keyboard.press(key)
        opened.value.set_files(tmp_path / f"cv{number}.pdf")
        expect(page.locator("[data-resume-status]")).to_contain_text(f"We read cv{number}.pdf.")
        expect(page.get_by_label("Read a PDF or .docx")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
