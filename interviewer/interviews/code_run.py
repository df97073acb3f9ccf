"""The results of a candidate's tests, as the browser or an API client reports them, and the language of the answer.

They come from the candidate's own machine. They count for the score of that answer, are shown with it, and are used for nothing
else.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from interviewer.errors import Unprocessable
from interviewer.interviews.exercise import MAX_CASES, MAX_NAME, Exercise
from interviewer.interviews.user_text import without_controls

MAX_GOT, MAX_ERROR, MAX_LANGUAGE = 300, 500, 20
# More than all cases with their texts have. Longer form fields are not parsed.
MAX_FORM_FIELD = 60_000
# No test suite takes longer than this, in seconds.
MOST_SECONDS = 3_600.0
NOT_RUN = "This test didn't run."
MALFORMED = "The field test_results isn't valid. See the API's documentation for its shape."
NO_TESTS = "This question has no tests, so test_results can't be taken for it."
WRONG_LANGUAGE = "This question's tests don't run in the language in the field language."
UNKNOWN_TEST = "The field test_results names a test that this question doesn't have, or names one twice."
BAD_LANGUAGE = "The field language must be the name of a programming language, with at most 20 characters."
_LANGUAGE = re.compile(r"[a-z][a-z0-9+#.-]*")


class Outcome(StrEnum):
    """How the tests ended. Of code that doesn't compile (`SYNTAX`), all fail. `UNAVAILABLE` counts as not run."""

    RAN = "ran"
    SYNTAX = "syntax"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"


class CaseResult(BaseModel):
    """The result of one test. `got` is the JSON text of what the code returned, and `error` the error that it raised.

    A test that a language model wrote is `dropped` if the model's own solution fails it.
    """

    model_config = ConfigDict(frozen=True)

    name: str = Field(min_length=1, max_length=MAX_NAME)
    passed: StrictBool
    got: str = Field(default="", max_length=MAX_GOT)
    error: str = Field(default="", max_length=MAX_ERROR)
    seconds: float = Field(default=0.0, ge=0, le=MOST_SECONDS, allow_inf_nan=False)
    dropped: StrictBool = Field(default=False, exclude=True)


class CodeRun(BaseModel):
    """The results of all tests of a question, in the order of its exercise."""

    model_config = ConfigDict(frozen=True)

    language: str = Field(max_length=MAX_LANGUAGE)
    outcome: Outcome
    cases: tuple[CaseResult, ...] = Field(default=(), max_length=MAX_CASES)

    def document(self) -> dict[str, Any]:
        """Return the results as they are stored, without the language, which has its own column."""
        return self.model_dump(mode="json", exclude={"language"})


@dataclass(frozen=True, slots=True)
class Code:
    """What comes with an answer that is code: its language, and the results of its tests. Both may be missing."""

    language: str = ""
    run: CodeRun | None = None

    def fitting(self, exercise: Exercise | None) -> Code:
        """Return the same without results that do not fit the question."""
        try:
            return self.checked(exercise)
        except Unprocessable:
            return Code(self.language)

    def checked(self, exercise: Exercise | None) -> Code:
        """Return the same with a result for each test of the question. Raises Unprocessable if the results do not fit it."""
        return Code(self.language, _checked(self.run, exercise) if self.run else None)


NO_CODE = Code()


def code_of_request(language: object, results: object) -> Code:
    """Return what an API client sends with an answer. Raises Unprocessable if it is malformed."""
    name = _language(language)
    if results is None:
        return Code(name)
    if not isinstance(results, dict):
        raise Unprocessable(MALFORMED)
    return Code(name, _run({**results, "language": name}))


def code_of_form(language: object, results: object) -> Code:
    """Return what a page sends with an answer. What is malformed is dropped, so that it loses no answer."""
    try:
        name = _language(language)
    except Unprocessable:
        name = ""
    text = results if isinstance(results, str) else ""
    if not text or len(text) > MAX_FORM_FIELD:
        return Code(name)
    try:
        run = _run(json.loads(text))
        return Code(name or _language(run.language), run)
    except (Unprocessable, ValueError, RecursionError):
        return Code(name)


def stored_run(language: str | None, document: object) -> CodeRun | None:
    """Return stored results, or None if there are none."""
    return CodeRun.model_validate({**document, "language": language or ""}) if isinstance(document, dict) else None


def _language(raw: object) -> str:
    """Return the name of a language in lowercase, or "" if there is none. Raises Unprocessable for anything else."""
    if raw is None or raw == "":
        return ""
    name = raw.strip().lower() if isinstance(raw, str) else ""
    if len(name) > MAX_LANGUAGE or not _LANGUAGE.fullmatch(name):
        raise Unprocessable(BAD_LANGUAGE)
    return name


def _run(raw: object) -> CodeRun:
    try:
        run = CodeRun.model_validate(raw)
    except ValidationError:
        raise Unprocessable(MALFORMED) from None
    cases = tuple(
        one.model_copy(update={"got": without_controls(one.got), "error": without_controls(one.error)}) for one in run.cases
    )
    return run.model_copy(update={"cases": cases})


def _checked(run: CodeRun, exercise: Exercise | None) -> CodeRun | None:
    """Return the results in the order of the exercise. A test without one failed. Returns None if nothing was run.

    Dropped tests are left out. Only questions with a solution to check the tests with have any.
    """
    if exercise is None:
        raise Unprocessable(NO_TESTS)
    if run.language not in exercise.languages:
        raise Unprocessable(WRONG_LANGUAGE)
    if run.outcome is Outcome.UNAVAILABLE:
        return None
    found = {one.name: one for one in run.cases}
    if len(found) < len(run.cases) or found.keys() - {case.name for case in exercise.cases}:
        raise Unprocessable(UNKNOWN_TEST)
    if run.outcome is Outcome.SYNTAX and any(one.passed for one in run.cases):
        raise Unprocessable(MALFORMED)
    dropped = {one.name for one in run.cases if one.dropped}
    if dropped and not exercise.has_reference:
        raise Unprocessable(MALFORMED)
    cases = tuple(
        found.get(case.name, CaseResult(name=case.name, passed=False, error=NOT_RUN))
        for case in exercise.cases
        if case.name not in dropped
    )
    return run.model_copy(update={"cases": cases}) if cases else None
