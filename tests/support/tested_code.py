"""A question with tests, and the results that a browser would report for it."""

from __future__ import annotations

import json
from typing import Any

from interviewer.interviews.code_run import Code, code_of_request
from tests.support.interviewer import RUBRIC

NAMES = ("small", "big", "zero", "negative")
# Two visible and two hidden tests. The hidden ones prove the first and the second key point.
EXERCISE: dict[str, Any] = {
    "python": {"starter": "def double(n: int) -> int:\n    ...\n"},
    "cases": [
        {
            "name": name,
            "visible": number < 2,
            "input": f"[{number}]",
            "expected": str(2 * number),
            "proves": {2: [1], 3: [2]}.get(number, []),
        }
        for number, name in enumerate(NAMES)
    ],
}
TESTED: dict[str, Any] = {**RUBRIC, "exercise": EXERCISE}
CODE = "def double(n):\n    return 2 * n"


def results(*failed: str, outcome: str = "ran", **more: Any) -> dict[str, Any]:
    """Return results in which these tests failed, each with the value 7."""
    cases = [
        {"name": name, "passed": name not in failed, "got": "7" if name in failed else "0", "error": "", "seconds": 0.002}
        for name in NAMES
    ]
    return {"outcome": outcome, "cases": cases, **more}


def sent(*failed: str, language: str = "python") -> Code:
    """Return what comes with an answer in which these tests failed."""
    return code_of_request(language, results(*failed))


def form(*failed: str, **more: Any) -> str:
    """Return the same as the form field of a page."""
    return json.dumps(results(*failed, language="python", **more))
