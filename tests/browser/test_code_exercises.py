"""Coding questions with tests in Chromium: the language and the starter, Run, and what is sent with an answer."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.code import DOUBLE, RIGHT, TOTALS, give, open_editor, practice, results, run, speak, status, text
from tests.support.site import Site, ready, sign_up, start_interview

pytestmark = pytest.mark.browser

STARTER = str(DOUBLE["languages"]["python"]["starter"])


def changed(exercise: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(exercise), **changes}


def cases(page: Page) -> Locator:
    return page.get_by_role("list", name="Tests").get_by_role("listitem")


def sent(page: Page, forms: list[dict[str, Any]]) -> dict[str, Any]:
    """Wait for the verdict and return the form that was sent last."""
    expect(page.get_by_role("heading", name="Verdict")).to_be_visible(timeout=60_000)
    return forms[-1]


def test_starter_is_put_in_and_never_replaces_a_draft(site: Site, page: Page) -> None:
    forms = give(page, DOUBLE)
    practice(page, site)
    open_editor(page)
    editor = page.locator(".cm-content")
    expect(page.locator("textarea#answer")).to_have_value(STARTER)
    expect(page.get_by_label("Language")).to_have_value("python")
    speak(page, "TypeScript")
    assert text(page) == DOUBLE["languages"]["javascript"]["starter_typescript"]
    speak(page, "Go")
    assert text(page) == ""
    expect(page.get_by_text("Not run here")).to_be_visible()
    speak(page, "SQL")
    expect(page.get_by_text("No tests in this language")).to_be_visible()
    speak(page, "Python")
    assert text(page) == STARTER
    editor.click()
    page.keyboard.press("Control+z")
    assert text(page) != STARTER, "it can be undone"
    page.keyboard.press("Control+y")
    assert text(page) == STARTER
    assert page.evaluate("Object.keys(localStorage).filter(name => name.startsWith('draft:'))") == []
    page.get_by_role("button", name="Send answer").click()
    expect(page.get_by_text("The box has only the code that you started with.")).to_be_visible()
    expect(editor).to_be_focused()
    assert forms == []
    page.get_by_role("button", name="Switch to text").click()
    expect(editor).to_have_count(0)
    expect(page.get_by_label("Your answer")).to_have_value("")
    open_editor(page)
    expect(page.locator("textarea#answer")).to_have_value(STARTER)
    editor.fill("mine")
    speak(page, "JavaScript")
    assert text(page) == "mine"
    page.reload()
    ready(page)
    expect(editor).to_have_text("mine")
    expect(page.get_by_label("Language")).to_have_value("javascript")


def test_language_is_the_questions(site: Site, page: Page) -> None:
    give(page, TOTALS)
    practice(page, site)
    page.evaluate("localStorage.setItem('code-language', 'rust')")
    open_editor(page)
    language = page.get_by_label("Language")
    expect(language).to_have_value("sql")
    expect(page.locator("textarea#answer")).to_have_value(TOTALS["sql"]["starter"])
    for given, kept, opens in (
        (changed(DOUBLE, languages={"javascript": DOUBLE["languages"]["javascript"]}), "python", "javascript"),
        (DOUBLE, "typescript", "typescript"),
        (DOUBLE, "rust", "python"),
        (None, "rust", "rust"),
    ):
        page.unroute_all()
        give(page, given)
        page.evaluate("kept => localStorage.setItem('code-language', kept)", kept)
        page.reload()
        ready(page)
        expect(page.locator(".cm-content")).to_be_visible()
        expect(language).to_have_value(opens)


@pytest.mark.parametrize("language", ["Python", "JavaScript", "TypeScript"])
def test_run_lists_the_visible_cases(site: Site, page: Page, language: str) -> None:
    give(page, DOUBLE)
    practice(page, site)
    open_editor(page)
    speak(page, language)
    wrong = RIGHT[language.lower()].replace("n * 2", "n * 3")
    run(page, wrong, r"^1 of 2 tests passed\.$")
    expect(cases(page)).to_have_count(2)
    expect(cases(page).nth(1)).to_contain_text("✓ Passed")
    failed = cases(page).nth(0)
    expect(failed).to_contain_text("✗ Failed")
    expect(failed.get_by_role("definition")).to_have_text(["[1]", "2", "3"])
    passed = cases(page).nth(1).locator("summary")
    passed.focus()
    page.keyboard.press("Enter")
    expect(cases(page).nth(1).get_by_text("an error", exact=True)).to_be_visible()
    run(page, RIGHT[language.lower()], r"^2 of 2 tests passed\.$")
    printing = {"Python": "print('seen')", "JavaScript": "console.log('seen');", "TypeScript": "console.log('seen');"}[language]
    assert run(page, RIGHT[language.lower()] + printing, r"^2 of 2 tests passed\.$") == "seen\n"
    run(page, "x", r"^0 of 2 tests passed\.$")
    expect(page.locator(".cm-fault")).to_have_text("x")
    run(page, "x = (", r"^Ended with an error")
    expect(cases(page)).to_have_count(0)


def test_sending_runs_all_cases_and_sends_their_results(site: Site, page: Page) -> None:
    forms = give(page, DOUBLE)
    practice(page, site)
    open_editor(page)
    code = RIGHT["python"].replace("    return", "    if n < 0:\n        while True:\n            pass\n    return")
    page.get_by_label("Your answer").fill(code)
    page.locator(".cm-content").press("Control+Enter")
    page.get_by_role("button", name="Send answer").dblclick()
    form = sent(page, forms)
    assert len(forms) == 1
    assert form["language"] == "python"
    assert form["answer"] == code
    made = results(form)
    assert (made["language"], made["outcome"]) == ("python", "ran")
    assert [(one["name"], one["passed"]) for one in made["cases"]] == [
        ("one", True),
        ("a text is refused", True),
        ("a fraction", True),
        ("below zero", False),
    ]
    assert made["cases"][0]["got"] == "2"
    assert made["cases"][3]["error"] == "Stopped after 1 second, in line 6."
    status(page, r"^3 of 4 tests passed\.$")
    expect(cases(page)).to_have_count(2)
    page.get_by_label("Your answer").fill("def double(n) return 2 * n")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("list", name="Your attempts").get_by_role("listitem")).to_have_count(2, timeout=60_000)
    made = results(forms[-1])
    assert made["outcome"] == "syntax"
    assert [one["passed"] for one in made["cases"]] == [False] * 4
    assert "SyntaxError" in made["cases"][0]["error"]
    page.get_by_role("button", name="Switch to text").click()
    expect(page.locator(".cm-content")).to_have_count(0)
    page.get_by_label("Your answer").fill("I would multiply it by two.")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("list", name="Your attempts").get_by_role("listitem")).to_have_count(3)
    assert (forms[-1]["language"], forms[-1]["test_results"]) == ("", "")


def test_tests_can_be_stopped_skipped_and_take_too_long(site: Site, page: Page) -> None:
    slow = changed(DOUBLE, cases=[{"name": str(n), "input": "[1]", "expected": "2", "seconds": 9} for n in range(4)])
    forms = give(page, slow)
    practice(page, site)
    open_editor(page)
    speak(page, "JavaScript")
    page.get_by_label("Your answer").fill("function double(n) {\n  for (;;);\n}\n")
    page.get_by_role("button", name="Send answer").click()
    status(page, r"^Running the tests… 1 of 4$")
    page.get_by_label("Your answer").press("a")
    assert "a" not in text(page).replace("for", ""), "the code cannot change while it is tested"
    page.get_by_role("button", name="Stop").click()
    status(page, r"^Stopped\. Your answer wasn't sent\.$")
    assert forms == []
    page.get_by_role("button", name="Send answer").click()
    page.get_by_role("button", name="Send without the tests").click()
    form = sent(page, forms)
    assert results(form) == {"language": "javascript", "outcome": "unavailable", "cases": []}
    page.wait_for_timeout(100)
    page.get_by_label("Your answer").fill("function double(n) {\n  for (;;) n++;\n}\n")
    page.get_by_role("button", name="Try again").click()
    status(page, r"^0 of 4 tests passed\. Stopped after 20 seconds\.$")
    made = results(forms[-1])
    assert made["outcome"] == "timeout"
    assert [one["error"] for one in made["cases"]] == [
        "Stopped after 9 seconds.",
        "Stopped after 9 seconds.",
        "Stopped after 9 seconds.",
        "Not run: the tests took longer than 20 seconds.",
    ]


def test_answer_is_sent_when_the_runtime_does_not_load(site: Site, page: Page) -> None:
    forms = give(page, DOUBLE)
    practice(page, site)
    open_editor(page)
    page.context.route("**/pyodide.mjs", lambda route: route.abort())
    page.get_by_label("Your answer").fill(RIGHT["python"])
    page.get_by_role("button", name="Send answer").click()
    assert results(sent(page, forms)) == {"language": "python", "outcome": "unavailable", "cases": []}
    expect(page.get_by_text("We couldn't run the tests. Your answer was sent without them.")).to_be_visible()


def test_cases_that_a_models_own_solution_fails_are_dropped(site: Site, page: Page) -> None:
    given = copy.deepcopy(DOUBLE)
    given["languages"]["python"]["reference"] = RIGHT["python"]
    given["cases"][0]["expected"] = "3"
    forms = give(page, given)
    practice(page, site)
    open_editor(page)
    run(page, RIGHT["python"], r"^1 of 1 test passed\.$")
    page.get_by_role("button", name="Send answer").click()
    made = results(sent(page, forms))
    assert [(one["name"], one["passed"]) for one in made["cases"]] == [
        ("a text is refused", True),
        ("a fraction", True),
        ("below zero", True),
        ("one", False),
    ]
    assert [one["name"] for one in made["cases"] if one.get("dropped")] == ["one"]


def test_sql_cases_compare_rows(site: Site, page: Page) -> None:
    forms = give(page, TOTALS)
    practice(page, site)
    open_editor(page)
    run(page, "SELECT name, cost FROM orders;", r"^0 of 1 test passed\.$")
    expect(cases(page).first).to_contain_text('[["Ann",1.5],["Ann",2],["Bo",4]]')
    page.get_by_label("Your answer").fill("SELECT name, sum(cost) AS total FROM orders GROUP BY name;")
    page.get_by_role("button", name="Send answer").click()
    made = results(sent(page, forms))
    assert (made["language"], made["outcome"]) == ("sql", "ran")
    assert [one["passed"] for one in made["cases"]] == [True, True]
    assert sorted(json.loads(made["cases"][0]["got"])) == [["Ann", 3.5], ["Bo", 4]]


def test_interview_sends_results_too(site: Site, page: Page) -> None:
    forms = give(page, DOUBLE)
    sign_up(page, site)
    start_interview(page)
    forms.clear()
    open_editor(page)
    page.get_by_label("Your answer").fill(RIGHT["python"])
    page.get_by_role("button", name="Send answer").click()
    expect(page.locator("#feedback")).to_be_visible(timeout=60_000)
    assert [one["passed"] for one in results(forms[0])["cases"]] == [True] * 4
