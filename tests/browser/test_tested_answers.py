"""Coding questions of the bank with their own tests, from the starter to the verdict, in each language that runs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, text

from interviewer.grading.bank.exercise_files import load_exercise
from tests.support.code import practice, speak
from tests.support.site import Site, box_of, ready, sign_up

pytestmark = pytest.mark.browser

DURATION, TOTALS, PERCENTILES = "coding-parse-duration", "coding-sql-customer-totals", "coding-js-response-time-percentiles"
# A program that does not compile, but says in comments everything that the question asks for.
BROKEN = """
# I split the text into pairs of a number and a unit and sum them, so 1h30m becomes 3,600 plus 1,800 seconds.
# A small table has the factors: d is 86400, h is 3600, m is 60, s is 1.
# fullmatch checks that the entire string was consumed, so 5mabc, the empty string and a missing unit are refused with ValueError.
# I'd test 90s, 1h30m, 2d, the empty string, 5, abc, 1x30m, and a huge number.
def parse_duration(text)
    return sum(int(number * UNITS[unit] for number, unit in pairs
"""


def send(page: Page, code: str) -> str:
    """Send an answer and return the text of its verdict."""
    box_of(page).fill(code)
    page.get_by_role("button", name=re.compile("Send answer|Try again")).click()
    expect(page.get_by_role("heading", name="Verdict")).to_be_visible(timeout=90_000)
    return page.locator("main").inner_text()


def open_question(site: Site) -> str:
    """Return the bank ID of the question that was asked last on a site."""
    engine = create_engine(site.database_url)
    with engine.connect() as connection:
        id = connection.execute(text("SELECT bank_id FROM questions ORDER BY id DESC LIMIT 1")).scalar_one()
    engine.dispose()
    return str(id)


@pytest.mark.parametrize(
    ("id", "language", "label"),
    [
        (DURATION, "python", "Python"),
        (DURATION, "javascript", "JavaScript"),
        (DURATION, "javascript", "TypeScript"),
        (TOTALS, "sql", "SQL"),
        (PERCENTILES, "javascript", "JavaScript"),
    ],
)
def test_reference_passes_all_tests_in_the_page(site: Site, page: Page, id: str, language: str, label: str) -> None:
    practice(page, site, id)
    expect(page.locator(".cm-content")).to_be_visible()
    speak(page, label)
    exercise = load_exercise(id)
    assert exercise
    said = send(page, getattr(exercise, language).reference)
    assert f"Your code passed all {len(exercise.cases)} tests." in said


@pytest.mark.parametrize(("id", "language"), [(DURATION, "python"), (PERCENTILES, "javascript"), (TOTALS, "sql")])
def test_wrong_solution_fails_tests_that_are_named(site: Site, page: Page, id: str, language: str) -> None:
    practice(page, site, id)
    expect(page.locator(".cm-content")).to_be_visible()
    exercise = load_exercise(id)
    assert exercise
    said = send(page, getattr(exercise, language).wrong[0])
    passed = re.search(rf"Your code passed (\d+) of {len(exercise.cases)} tests\. The test “(.+?)” ", said)
    assert passed
    assert int(passed[1]) < len(exercise.cases)
    assert passed[2] in {case.name for case in exercise.cases}
    page.get_by_text("Tests", exact=True).click()
    expect(page.get_by_text(passed[2]).last).to_be_visible()


def test_program_that_only_claims_in_comments_scores_at_most_two(site: Site, page: Page) -> None:
    practice(page, site, DURATION)
    expect(page.locator(".cm-content")).to_be_visible()
    said = send(page, BROKEN)
    assert "Your code doesn't compile, so your score for this answer is at most 2." in said
    score = re.search(r"(\d+) out of 10:", said)
    assert score
    assert int(score[1]) <= 2


def test_interview_runs_the_tests_of_its_coding_questions(site: Site, page: Page) -> None:
    sign_up(page, site)
    page.goto(f"{site.url}/interview")
    ready(page)
    page.get_by_role("radio", name=re.compile("^Focus")).check()
    page.get_by_role("checkbox", name="Coding").check()
    page.get_by_label("Programming language").select_option(label="Python")
    page.get_by_role("switch", name="Follow-up questions").uncheck()
    page.get_by_role("button", name="Start for 1 credit").click()
    tested = 0
    for number in range(1, 7):
        expect(page.get_by_text(re.compile(rf"^Question {number} of 6"))).to_be_visible()
        box = box_of(page)
        exercise = load_exercise(open_question(site))
        solution = exercise.python if exercise else None
        box.fill(solution.reference if solution else "I would measure first.")
        page.get_by_role("button", name="Send answer").click()
        if solution:
            expect(page.get_by_text(re.compile(r"^Your code passed all \d+ tests\.")).first).to_be_visible(timeout=90_000)
            tested += 1
            break
        expect(page.get_by_role("heading", name="Verdict")).to_be_visible()
    assert tested


@pytest.mark.parametrize("width", [1280, 390])
def test_whole_answer_by_keyboard(site: Site, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    practice(page, site, DURATION)
    exercise = load_exercise(DURATION)
    assert exercise
    assert exercise.javascript
    expect(page.locator(".cm-content")).to_be_visible()
    language = page.get_by_label("Language")
    language.focus()
    page.keyboard.type("JavaScript")
    expect(language).to_have_value("javascript")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Run")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".cm-content")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(exercise.javascript.reference)
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Run")).to_be_focused()
    page.keyboard.press("Enter")
    visible = sum(case.visible for case in exercise.cases)
    expect(page.get_by_role("status").filter(has_text=f"{visible} of {visible} tests passed.")).to_be_visible(timeout=60_000)
    page.keyboard.press("Tab")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text(f"Your code passed all {len(exercise.cases)} tests.").first).to_be_visible(timeout=60_000)
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
