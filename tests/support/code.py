"""Helpers for tests of the code editor: exercises given to a page, programs that are run, and what a form sends."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.support.site import Site, ready, sign_up

QUESTION = "databases-composite-index-order"
# The variables of the pages' states as the server sends them: the exercise, and the question that it belongs to.
_EXERCISE = re.compile(r'"exercise_rx_state_":"(?:[^"\\]|\\.)*",?')
_QUESTION = '"question_rx_state_":'
_FORM = '"__reflex_form_data__":'
DOUBLE: dict[str, Any] = {
    "id": "double",
    "compare": "value",
    "languages": {
        "python": {"starter": 'def double(n: int) -> int:\n    """Return n times two."""\n', "harness": ""},
        "javascript": {
            "starter": "/** Return n times two. */\nfunction double(n) {\n}\n",
            "starter_typescript": "/** Return n times two. */\nfunction double(n: number): number {\n}\n",
            "harness": "",
        },
    },
    "sql": None,
    "cases": [
        {"name": "one", "visible": True, "input": "[1]", "expected": "2"},
        {"name": "a text is refused", "visible": True, "input": '["a"]', "error": True},
        {"name": "a fraction", "visible": False, "input": "[0.1]", "expected": "0.2"},
        {"name": "below zero", "visible": False, "input": "[-4]", "expected": "-8", "seconds": 1},
    ],
}
RIGHT = {
    "python": "def double(n):\n    if isinstance(n, str):\n        raise TypeError(n)\n    return n * 2\n",
    "javascript": "function double(n) {\n  if (typeof n !== 'number') throw new TypeError(n);\n  return n * 2;\n}\n",
    "typescript": "function double(n: number): number {\n  if (typeof n !== 'number') throw TypeError();\n  return n * 2;\n}\n",
}
TOTALS: dict[str, Any] = {
    "id": "totals",
    "compare": "value",
    "languages": {},
    "sql": {
        "schema": "CREATE TABLE orders (id bigint PRIMARY KEY, name text NOT NULL, cost numeric(10, 2));",
        "starter": "-- Columns of the result: name, total\nSELECT\n",
        "check": "",
        "ordered": False,
    },
    "cases": [
        {
            "name": "costs are added",
            "visible": True,
            "data": "INSERT INTO orders VALUES (1, 'Ann', 1.5), (2, 'Ann', 2), (3, 'Bo', 4);",
            "expected": '[["Bo", 4], ["Ann", 3.5]]',
        },
        {"name": "no orders", "visible": False, "data": "", "expected": "[]"},
    ],
}


def give(page: Page, exercise: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Give the page's coding questions `exercise`, as the server does for some. Returns the forms that the page sends."""
    forms: list[dict[str, Any]] = []

    def connect(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def to_page(message: str | bytes) -> None:
            given = message.decode() if isinstance(message, bytes) else message
            text = json.dumps(json.dumps(exercise)) if exercise else '""'
            found = _QUESTION in given
            route.send(
                _EXERCISE.sub("", given).replace(_QUESTION, f'"exercise_rx_state_":{text},{_QUESTION}') if found else given
            )

        def to_server(message: str | bytes) -> None:
            start = str(message).find(_FORM)
            if start >= 0:
                forms.append(dict(json.JSONDecoder().raw_decode(str(message), start + len(_FORM))[0]))
            server.send(message)

        server.on_message(to_page)
        route.on_message(to_server)

    page.route_web_socket(re.compile(r"/_event"), connect)
    return forms


def practice(page: Page, site: Site, question: str = QUESTION) -> Locator:
    """Open a practice question as a new user and return the answer box."""
    sign_up(page, site)
    page.goto(f"{site.url}/practice?question={question}")
    ready(page)
    return page.get_by_label("Your answer")


def open_editor(page: Page) -> None:
    page.get_by_role("button", name="Switch to code").click()
    expect(page.locator(".cm-content")).to_be_visible()


def speak(page: Page, language: str) -> None:
    page.get_by_label("Language").select_option(label=language)


def text(page: Page) -> str:
    """Return the answer that the form would submit."""
    return page.locator("textarea#answer").input_value()


def status(page: Page, pattern: str) -> Locator:
    """Wait until a status matches `pattern`."""
    found = page.get_by_role("status").filter(has_text=re.compile(pattern))
    expect(found).to_be_visible(timeout=90_000)
    return found


def run(page: Page, code: str, ends: str) -> str:
    """Run a program and wait until the status matches `ends`. Returns the program's output, or "" if there is none."""
    page.get_by_label("Your answer").fill(code)
    page.get_by_role("button", name="Run").click()
    status(page, ends)
    output = page.get_by_role("region", name="Output")
    return output.inner_text() if output.count() else ""


def results(form: dict[str, Any]) -> dict[str, Any]:
    """Return the test results that a form has sent."""
    return dict(json.loads(form["test_results"]))
