"""What is shown of the tests of an answer's code, once it has a verdict: each test with its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from interviewer.interviews.code_check import CodeCheck
from interviewer.interviews.code_run import Outcome
from interviewer.interviews.exercise import Exercise
from interviewer.wording import counted

NOT_RUN = "not_run"
# The results come from the candidate's own machine, so every place that shows them says so. Reports may have other readers.
TITLE, RUN_BY, REPORTED_BY = "Tests", "Run in your browser", "Reported by the candidate's browser or program"
NOT_RUN_TEXT = "Not run. The answer was only read."


@dataclass(frozen=True, slots=True)
class CaseView:
    """One test with its result. `input` is what the test passes to the code, or the rows that it puts into the tables.

    `got` or `error` is what came of it, and `expected` what should have.
    """

    name: str
    visible: bool
    passed: bool
    input: str
    expected: str
    got: str
    error: str
    seconds: float

    def document(self) -> dict[str, Any]:
        """Return the test as data for programs. What a test got is of interest only if it failed."""
        known = {"name": self.name, "passed": self.passed, "hidden": not self.visible, "seconds": self.seconds}
        if self.passed:
            return known
        return known | {"input": self.input, "expected": self.expected, "got": self.got, "error": self.error}


@dataclass(frozen=True, slots=True)
class RunView:
    """The results of a question's tests. `outcome` is an `Outcome`, or NOT_RUN."""

    language: str
    outcome: str
    cases: tuple[CaseView, ...] = ()

    @property
    def passed(self) -> int:
        """The number of tests that passed."""
        return sum(case.passed for case in self.cases)

    @property
    def summary(self) -> str:
        """A sentence with the outcome."""
        if self.outcome == NOT_RUN:
            return NOT_RUN_TEXT
        counts = f"{self.passed} of {counted(len(self.cases), 'test')} passed."
        if self.outcome == Outcome.SYNTAX:
            return f"The code doesn't compile. {counts}"
        return f"Stopped, because it took too long. {counts}" if self.outcome == Outcome.TIMEOUT else counts

    def document(self) -> dict[str, Any]:
        """Return the results as data for programs."""
        found = {"outcome": self.outcome, "language": self.language, "passed": self.passed, "total": len(self.cases)}
        return found | {"cases": [case.document() for case in self.cases]}


def case_time(seconds: float) -> str:
    """Format the time that a test took: "3 ms", "1.2 s", or "" if it is unknown."""
    if seconds <= 0:
        return ""
    return f"{max(1, round(seconds * 1000))} ms" if seconds < 1 else f"{seconds:.1f} s"


def result_of(case: CaseView) -> str:
    """Return the word for a test's result, with the time that it took: "Passed, 3 ms"."""
    time = case_time(case.seconds)
    return ("Passed" if case.passed else "Failed") + (f", {time}" if time else "")


def details_of(case: CaseView) -> list[tuple[str, str]]:
    """Return what went wrong in a failed test, as labels and texts. Empty if it passed."""
    if case.passed:
        return []
    came = ("Error", case.error) if case.error else ("Got", case.got)
    return [(label, text) for label, text in (("Input", case.input), ("Expected", case.expected), came) if text]


def run_view(check: CodeCheck) -> RunView | None:
    """Return the view of the results that count for an answer, or None if the question has no tests."""
    if check.exercise is None:
        return None
    if check.run is None:
        return RunView("", NOT_RUN)
    results = {one.name: one for one in check.run.cases}
    cases = tuple(
        CaseView(
            case.name,
            case.visible,
            results[case.name].passed,
            case.data if check.exercise.sql else case.input,
            "an error" if case.error else case.expected,
            results[case.name].got,
            results[case.name].error,
            results[case.name].seconds,
        )
        for case in check.exercise.cases
        if case.name in results
    )
    return RunView(check.run.language, check.run.outcome.value, cases)


def exercise_of(rubric: dict[str, Any]) -> Exercise | None:
    """Return the exercise in a stored rubric, or None if it has none."""
    stored = rubric.get("exercise")
    return Exercise.model_validate(stored) if stored else None
