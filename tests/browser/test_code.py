"""The code editor and Python in Chromium: when their files load, whether text is kept, and what a program can and cannot do."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from interviewer.components.code_box import PYODIDE
from tests.support.site import Site, ready, sign_up, start_interview

pytestmark = pytest.mark.browser

QUESTION = "databases-composite-index-order"
CODE = "def double(n):\n    return 2 * n\n\n\nprint(double(21))\n"
HEAVY = re.compile(r"mirror-|dist-|pyodide|python-worker")
# Each line tries one way to escape the sandbox, and prints the outcome.
TRIES = """
import js, pyodide_js
from pyodide.code import run_js
from pyodide.http import pyfetch
import urllib.request

async def fetched():
    return await pyfetch("/api/openapi.json")

async def loaded():
    await pyodide_js.loadPackage("/api/openapi.json")
    raise OSError("left out")

for name, way in {
    "js": lambda: js.fetch("/api/openapi.json"),
    "text": lambda: run_js("fetch('/api/openapi.json')"),
    "function": lambda: pyodide_js.loadPackage.constructor("return fetch('/api/openapi.json')")(),
    "urllib": lambda: urllib.request.urlopen(ADDRESS + "/api/openapi.json"),
    "pyfetch": fetched,
    "package": loaded,
}.items():
    try:
        made = way()
        print(name, "got", await made if hasattr(made, "__await__") else made)
    except BaseException as error:
        print(name, "failed")
"""


def practice(page: Page, site: Site) -> Locator:
    """Open a practice question as a new user and return the answer box."""
    sign_up(page, site)
    page.goto(f"{site.url}/practice?question={QUESTION}")
    ready(page)
    return page.get_by_label("Your answer")


def open_editor(page: Page) -> None:
    page.get_by_role("button", name="Switch to code").click()
    expect(page.locator(".cm-content")).to_be_visible()


def text(page: Page) -> str:
    """Return the answer that the form would submit."""
    return page.locator("textarea#answer").input_value()


def run(page: Page, code: str, ends: str) -> str:
    """Run a program and wait until the status matches `ends`. Returns the program's output, or "" if there is none."""
    page.get_by_label("Your answer").fill(code)
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("status").filter(has_text=re.compile(ends))).to_be_visible(timeout=60_000)
    output = page.get_by_role("region", name="Output")
    return output.inner_text() if output.count() else ""


def test_editor_loads_on_demand_and_keeps_every_character(site: Site, page: Page) -> None:
    asked: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    box = practice(page, site)
    box.fill("Zwölf\n\n\tBoxkämpfer  \n")
    assert [url for url in asked if HEAVY.search(url)] == []
    open_editor(page)
    assert text(page) == "Zwölf\n\n\tBoxkämpfer  \n"
    expect(box).to_have_count(1)
    expect(page.get_by_role("textbox", name="Your answer", exact=True)).to_contain_text("Boxkämpfer")
    long = "\n".join(f"value_{number} = {number}  # line {number}" for number in range(500))
    for written in (long, CODE):
        # Uses the keyboard, because the DOM has only the visible lines, so only the editor itself can select all of a long text.
        page.locator(".cm-content").click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(written)
        expect(page.locator("textarea#answer")).to_have_value(written)
    page.get_by_role("button", name="Switch to text").click()
    expect(page.locator(".cm-content")).to_have_count(0)
    expect(box).to_have_value(CODE)
    box.fill(CODE + "# seen")
    open_editor(page)
    expect(page.locator(".cm-content")).to_contain_text("# seen")
    page.reload()
    ready(page)
    expect(page.locator(".cm-content")).to_contain_text("# seen")
    assert text(page) == CODE + "# seen"
    assert {urlsplit(url).netloc for url in asked if not url.startswith("data:")} == {urlsplit(site.url).netloc}
    assert not any("pyodide" in url for url in asked), "Run loads Python"
    assert problems == []


def test_keyboard_indents_leaves_and_sends_and_language_is_kept(site: Site, page: Page) -> None:
    practice(page, site)
    open_editor(page)
    language = page.get_by_label("Language")
    expect(language).to_have_value("python")
    for name in ("Java", "JavaScript, TypeScript", "Rust", "C++", "SQL", "Plain text", "Go"):
        language.select_option(label=name)
        expect(page.get_by_role("button", name="Run")).to_have_count(0)
    editor = page.locator(".cm-content")
    editor.click()
    page.keyboard.type("func main() {")
    expect(editor.locator("span", has_text="func").first).to_have_css("font-weight", "600")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("x := 1")
    assert text(page).startswith("func main() {\n\t\tx := 1\n") or text(page).startswith("func main() {\n\tx := 1\n")
    expect(editor).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send answer")).to_be_focused()
    expect(editor).to_have_attribute("aria-describedby", "answer-hint code-hint")
    expect(page.locator("#code-hint")).to_contain_text("To leave the box, press Escape, then Tab.")
    page.get_by_text("Your answer", exact=True).click()
    expect(editor).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Verdict")).to_be_visible()
    page.reload()
    ready(page)
    expect(language).to_have_value("go")


def test_failed_editor_load_leaves_the_plain_box(site: Site, page: Page) -> None:
    page.route("**/assets/mirror-*", lambda route: route.abort())
    box = practice(page, site)
    page.get_by_role("button", name="Switch to code").click()
    expect(page.get_by_text("We couldn't load the code editor.")).to_be_visible()
    box.fill(CODE)
    expect(box).to_have_value(CODE)
    page.get_by_role("button", name="Send answer").click()
    expect(page.get_by_role("heading", name="Verdict")).to_be_visible()


def test_programs_print_fail_and_are_stopped(site: Site, page: Page) -> None:
    practice(page, site)
    open_editor(page)
    page.context.route("**/pyodide.mjs", lambda route: route.abort())
    run(page, CODE, "^We couldn't load Python")
    page.context.unroute("**/pyodide.mjs")
    assert run(page, CODE, "^Finished in") == "42\n"
    assert run(page, "x = 1", "printed nothing") == ""
    failed = run(page, "import sys\nprint('first', file=sys.stderr)\n\ndef f():\n    return 1 / 0\n\nf()", "^Ended with an error")
    assert failed.startswith('first\nTraceback (most recent call last):\n  File "answer.py", line 7, in <module>\n')
    assert failed.endswith("ZeroDivisionError: division by zero\n")
    assert "_pyodide" not in failed, "only the program's own lines"
    assert "SyntaxError" in run(page, "print('a'", "^Ended with an error")
    much = run(page, "print('y' * 5_000_000)\nraise ValueError('at the end')", "^Ended with an error")
    assert 20_000 < len(much) < 21_000
    assert "ValueError: at the end" in much
    expect(page.get_by_text("Only the first 20,000 characters are shown.")).to_be_visible()
    page.clock.install()
    page.get_by_label("Your answer").fill("print('begun')\nwhile True:\n    pass")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("region", name="Output")).to_have_text("begun\n")
    page.clock.fast_forward(10_500)
    expect(page.get_by_text("Stopped after 10 seconds")).to_be_visible()
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Running…")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("status").filter(has_text="Stopped.")).to_be_visible()
    for _ in range(100):
        if not page.workers:
            return
        page.wait_for_timeout(50)
    raise AssertionError("the program still runs")


def test_program_cannot_reach_the_api_or_the_network(site: Site, page: Page) -> None:
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(urlsplit(request.url).path))
    practice(page, site)
    open_editor(page)
    output = run(page, f"ADDRESS = {site.url!r}\n{TRIES}", "^Finished in")
    for way in ("js", "text", "function", "urllib", "pyfetch", "package"):
        assert f"{way} failed" in output
    assert " got " not in output
    assert [path for path in asked if path.startswith("/api/")] == []
    assert {path for path in asked if "pyodide" in path} == {
        f"/assets/pyodide/{PYODIDE}/{name}"
        for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
    }
    # Whatever a program gains access to, the browser keeps the worker from importing a script that any page may load.
    load = "path => import(path).then(() => 'loaded', () => 'refused')"
    assert page.evaluate(load, "/drafts.js") == "loaded"
    assert page.workers[0].evaluate(load, "/drafts.js") == "refused"


def test_interview_loads_no_editor_in_advance(site: Site, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sign_up(page, site)
    start_interview(page)
    page.get_by_label("Your answer").fill("prose")
    assert [url for url in asked if HEAVY.search(url)] == []
    open_editor(page)
    expect(page.locator(".cm-content")).to_have_text("prose")
