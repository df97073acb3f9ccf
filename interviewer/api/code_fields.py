"""How the OpenAPI document describes what comes with code: its language and the results of its tests.

`interviews.code_run` checks the fields, with an error for each.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from interviewer.interviews.code_run import MAX_ERROR, MAX_GOT, MAX_LANGUAGE, MOST_SECONDS
from interviewer.interviews.code_view import RunView
from interviewer.interviews.exercise import MAX_CASES, MAX_NAME

LANGUAGE: dict[str, Any] = {
    "type": ["string", "null"],
    "maxLength": MAX_LANGUAGE,
    "pattern": "^ *[A-Za-z][A-Za-z0-9+#.-]* *$|^$",
    "description": "The programming language of the code in `message`, such as `python`. Python code that doesn't compile scores "
    "at most 2. Leave it out if the message isn't code.",
}
_CASE: dict[str, Any] = {
    "type": "object",
    "required": ["name", "passed"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
        "passed": {"type": "boolean"},
        "got": {"type": "string", "maxLength": MAX_GOT, "description": "JSON text of what the code returned."},
        "error": {"type": "string", "maxLength": MAX_ERROR, "description": "The error with which the code stopped."},
        "seconds": {"type": "number", "minimum": 0, "maximum": MOST_SECONDS},
    },
}
TEST_RESULTS: dict[str, Any] = {
    "type": ["object", "null"],
    "required": ["outcome"],
    "properties": {
        "outcome": {"enum": ["ran", "syntax", "timeout", "unavailable"]},
        "cases": {"type": "array", "maxItems": MAX_CASES, "items": _CASE},
    },
    "description": "The results of the question's tests, run by the client: one for each test, by its name. They decide the key "
    "points that the tests show. Only for questions with tests, and only with `language`. `syntax`: the code doesn't compile, so "
    "all tests failed. `unavailable` counts as not run.",
}


class CaseDocument(BaseModel):
    """A test with its result. `input` and what follows are there only if it failed."""

    name: str
    passed: bool
    hidden: bool = Field(description="Whether the test runs only when the answer is sent.")
    seconds: float
    input: str | None = None
    expected: str | None = None
    got: str | None = None
    error: str | None = None


class ResultsDocument(BaseModel):
    """The results of a question's tests, which the candidate's browser or program reported."""

    outcome: Literal["ran", "syntax", "timeout", "not_run"]
    language: str
    passed: int
    total: int
    cases: list[CaseDocument]


def results_document(run: RunView | None) -> ResultsDocument | None:
    """Return the API's representation of the results, or None if the question has no tests."""
    return ResultsDocument.model_validate(run.document()) if run else None
