"""The API browser in Chromium, under the site's own Content Security Policy."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.site import Site

pytestmark = pytest.mark.browser


def test_api_browser_works_without_external_requests(site: Site, page: Page) -> None:
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.url}/api/docs")
    expect(page).to_have_title("Interviewer · API")
    expect(page.get_by_text("Start an interview", exact=True)).to_be_visible()
    page.get_by_text("Report that the process is running", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table").get_by_text("alive", exact=True)).to_be_visible()
    assert f"{site.url}/api/openapi.json" in asked
    assert f"{site.url}/live" in asked
    assert [url for url in asked if not url.startswith((f"{site.url}/", "data:", "blob:"))] == []
    assert said == []
