"""The code editor and Python in Chromium: when their files load, whether text is kept, and what a program can and cannot do."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from interviewer.components.code_box import PYODIDE
from tests.support.code import open_editor, practice, run, speak, text
from tests.support.site import Site, ready, sign_up, start_interview

pytestmark = pytest.mark.browser

CODE = "def double(n):\n    return 2 * n\n\n\nprint(double(21))\n"
HEAVY = re.compile(r"mirror-|dist-|pyodide|pglite|-worker|runner-|run-script")
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
    assert not any(re.search(r"pyodide|pglite|-worker|runner-|run-script", url) for url in asked), "Run loads what runs code"
    assert problems == []


def test_keyboard_indents_leaves_and_sends_and_language_is_kept(site: Site, page: Page) -> None:
    practice(page, site)
    open_editor(page)
    language = page.get_by_label("Language")
    expect(language).to_have_value("python")
    for name in ("Java", "C#", "Kotlin", "Rust", "C++", "Plain text", "Go"):
        speak(page, name)
        expect(page.get_by_role("button", name="Run")).to_have_count(0)
        expect(page.get_by_text("Not run here")).to_be_visible()
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
    assert run(page, "print('\\x1b[31mred\\x1b[0m')", "^Finished in") == "red\n"


def test_endless_programs_are_stopped(site: Site, page: Page) -> None:
    practice(page, site)
    open_editor(page)
    # Python is interrupted, and goes on with the next program without being loaded again.
    looped = run(page, "print('begun')\nwhile True:\n    pass", "^Stopped after 10 seconds")
    assert looped.startswith("begun\n")
    expect(page.locator(".cm-fault")).to_have_count(1)
    assert run(page, CODE, "^Finished in") == "42\n"
    expect(page.locator(".cm-fault")).to_have_count(0)
    # A program that catches the interrupt is ended with its worker.
    page.clock.install()
    deaf = "print('begun')\nwhile True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"
    page.get_by_label("Your answer").fill(deaf)
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


def test_tests_in_a_program_and_missing_input_are_explained(site: Site, page: Page) -> None:
    practice(page, site)
    open_editor(page)
    asked = run(page, "name = input('Name? ')", "^Ended with an error")
    assert "EOFError: input() has nothing to read here: call your function with values instead\n" in asked
    failed = run(page, "def test_sum():\n    assert 1 + 1 == 3\n\ndef test_rest():\n    assert True\n", "^Ended with an error")
    assert "test_sum: failed\ntest_rest: passed\n" in failed
    assert "AssertionError: left side is 2, right side is 3" in failed
    expect(page.locator(".cm-fault")).to_have_text("    assert 1 + 1 == 3")
    case = "import unittest\n\nclass Sums(unittest.TestCase):\n    def test_sum(self):\n        self.assertEqual(1 + 1, {})\n"
    assert "OK" in run(page, case.format(2), "^Finished in")
    shown = run(page, case.format(3) + "\nunittest.main()\n", "^Ended with an error")
    assert "AssertionError: 2 != 3" in shown
    assert "\x1b" not in shown
    assert "no module 'numpy' here, only Python's standard library" in run(page, "import numpy", "^Ended with an error")
    assert run(page, "import asyncio\nprint(asyncio.run(asyncio.sleep(0.01, 'awake')))", "^Finished in") == "awake\n"


def test_program_cannot_reach_the_api_or_the_network(site: Site, page: Page) -> None:
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(urlsplit(request.url).path))
    practice(page, site)
    open_editor(page)
    output = run(page, f"ADDRESS = {site.url!r}\n{TRIES}", "^(Finished in|Ended with an error)")
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
