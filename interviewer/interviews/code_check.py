"""What the tests of a candidate's code show, and whether it can be compiled: the marks and the maximum score that follow.

Pure functions of what was said about a question. The results come from the candidate's own browser.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from interviewer.interviews.code_run import CaseResult, CodeRun, Outcome
from interviewer.interviews.code_text import SyntaxProblem, defined_names, has_code, is_python, python_problem, without_comments
from interviewer.interviews.exchange import Author, Kind, Said, until_hint, without_refused
from interviewer.interviews.exercise import Case, Exercise
from interviewer.interviews.rubric import FAILED_CODE_CAP, MAX_SCORE, Evidence, Mark, MarkedPoint, Rubric, folded
from interviewer.interviews.topics import AnswerKind
from interviewer.wording import counted, form

# The failed tests that the feedback names, and the maximum length of a value in it.
MAX_NAMED, MAX_SHOWN = 2, 80
_PLACE = re.compile(r'File "answer\.py", line (\d+)')
# In characters, of a test's input or expected value in a prompt.
MAX_DATA = 300


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """What is known about the code of an answer.

    `run` are the latest results of its tests, None if none were sent. `problem` says why it does not compile. `uncommented` is
    the answer without the comments in its code, empty if the question has no tests.
    """

    exercise: Exercise | None = None
    run: CodeRun | None = None
    problem: SyntaxProblem | None = None
    uncommented: str = ""

    @property
    def proven(self) -> Mapping[int, Mark]:
        """The marks that the tests decide, by the index of the key point. Of code that does not compile, all are missed."""
        if self.exercise is None or not (self.run or self.problem):
            return {}
        passed = {one.name for one in self.run.cases if one.passed} if self.run else set()
        return {
            point: Mark.HIT if all(case.name in passed for case in self.exercise.proving(point)) else Mark.MISSED
            for point in sorted(self.exercise.points)
        }

    @property
    def evidence(self) -> Evidence:
        """What counts as evidence for the marks."""
        behavior = self.exercise.points if self.exercise else frozenset()
        return Evidence(self.proven, behavior, self.uncommented)

    @property
    def hidden_passed(self) -> int:
        """The number of hidden tests that passed."""
        return sum(one.passed for one in self._hidden)

    @property
    def fails(self) -> bool:
        """Whether the code does not compile, or passes none of the hidden tests."""
        return self.problem is not None or (bool(self._hidden) and not self.hidden_passed)

    @property
    def _hidden(self) -> list[CaseResult]:
        """The results of hidden tests. Those that a language model wrote can all be wrong, and dropped."""
        hidden = {case.name for case in self.exercise.hidden} if self.exercise else set()
        return [one for one in self.run.cases if one.name in hidden] if self.run else []

    @property
    def cap(self) -> int:
        """The maximum score (0 to 10) of the answer."""
        return FAILED_CODE_CAP if self.fails else MAX_SCORE

    @property
    def summary(self) -> str:
        """What the tests showed, in sentences for the candidate. Empty if nothing was run and nothing is known to be wrong."""
        limit = f"so your score for this answer is at most {FAILED_CODE_CAP}."
        if self.problem:
            line = f" (`{_short(self.problem.text)}`)" if self.problem.text and "`" not in self.problem.text else ""
            where = f"line {self.problem.line}{line}: {self.problem.message}"
            return f"Your Python code doesn't compile, {limit} Python stops at {where}."
        if self.run is None or self.exercise is None:
            return ""
        total = len(self.run.cases)
        if self.run.outcome is Outcome.SYNTAX:
            error = next((_short(_essence(one.error)) for one in self.run.cases if one.error), "")
            return f"Your code doesn't compile, {limit}" + (f" The error is: {_ended(error)}" if error else "")
        failed = [(case, one) for case, one in _paired(self.exercise, self.run) if not one.passed]
        if not failed:
            return f"Your code passed all {counted(total, 'test')}."
        passed = f"Your code passed {total - len(failed)} of {counted(total, 'test')}."
        if self.run.outcome is Outcome.TIMEOUT:
            passed += " It was stopped because it took too long."
        named = [_failure(case, one) for case, one in _worth_naming(failed)[:MAX_NAMED]]
        rest = len(failed) - len(named)
        more = [f"{rest} more {form(rest, 'test fails', 'tests fail')}."] if rest else []
        capped = [f"No hidden test passed, {limit}"] if self.fails else []
        return " ".join([passed, *named, *more, *capped])

    def data(self) -> dict[str, Any]:
        """Return what is known as data for a language model: counts, failed tests, and decided key points, or nothing."""
        decided = [{"key_point": point, "mark": mark.value} for point, mark in self.proven.items()]
        if self.problem:
            return {"outcome": "does not compile", "line": self.problem.line, "error": self.problem.message, "decided": decided}
        if self.run is None or self.exercise is None:
            return {}
        failed = [
            {
                "name": case.name,
                "input": (case.input or case.data)[:MAX_DATA],
                "expected": case.expected[:MAX_DATA],
                "got": one.got,
                "error": one.error,
            }
            for case, one in _paired(self.exercise, self.run)
            if not one.passed
        ]
        return {
            "outcome": self.run.outcome.value,
            "passed": len(self.run.cases) - len(failed),
            "total": len(self.run.cases),
            "failed": failed,
            "decided": decided,
        }

    def note(self, point: int, mark: Mark) -> str:
        """Return on which tests the mark for a key point rests, as a sentence, or "" if it doesn't rest on tests."""
        if self.exercise is None or not (cases := self.exercise.proving(point)):
            return ""
        if self.run is None:
            return "Your code doesn't compile." if self.problem else ""
        if mark is Mark.HIT:
            return "The test for this passed." if len(cases) == 1 else f"All {len(cases)} tests for this passed."
        passed = {one.name for one in self.run.cases if one.passed}
        failed = [f"“{case.name}”" for case in cases if case.name not in passed]
        return f"Failed: {', '.join(failed)}." if failed else ""


def check_code(rubric: Rubric, said: Sequence[Said], kind: str, answer: str = "") -> CodeCheck:
    """Return what is known about the code in what was said about a question. Without `said`, `answer` is all of it.

    The latest results count in which a test passed, because a reply to a follow-up may be only a piece of the program. Without
    any results, some answer in Python must compile if the question asks for code.
    """
    exercise = rubric.exercise
    said = without_refused(said) or [Said(Author.USER, Kind.ANSWER, answer)]
    spoken = [one for one in said if one.author is Author.USER and one.kind in (Kind.ANSWER, Kind.FINAL_ANSWER)]
    is_code = kind == AnswerKind.CODE
    run = _counting(spoken) if exercise else None
    problem = _problem(exercise, spoken) if is_code and run is None else None
    texts = (without_comments(one.text, one.code.language, is_code=is_code) for one in spoken) if exercise else ()
    return CodeCheck(exercise, run, problem, "\n\n".join(texts))


def proven_before_hint(rubric: Rubric, said: Sequence[Said], kind: str) -> Mapping[int, Mark]:
    """Return the marks that the tests of what was said before the hint decide."""
    begun = until_hint(said)
    return check_code(rubric, begun, kind).proven if begun else {}


def with_code_quotes(marks: Sequence[MarkedPoint], check: CodeCheck, language: str = "") -> list[MarkedPoint]:
    """Return the marks with the comments left out of quotes from code, so that what remains of them counts."""
    found, text = [], folded(check.uncommented)
    for mark in marks:
        if check.exercise and mark.key_point in check.exercise.points and folded(mark.quote) not in text:
            quote = without_comments(mark.quote, language).strip()
            mark = mark.model_copy(update={"quote": quote}) if folded(quote) in text else mark
        found.append(mark)
    return found


def _counting(spoken: Sequence[Said]) -> CodeRun | None:
    """Return the latest results in which a test passed, or else the latest, or None if there are none.

    Prose that was written into an editor for Python is no program that fails to compile.
    """
    runs = [one.code.run for one in reversed(spoken) if one.code.run and not _is_prose(one)]
    return next((run for run in runs if any(case.passed for case in run.cases)), next(iter(runs), None))


def _is_prose(said: Said) -> bool:
    run = said.code.run
    return run is not None and run.outcome is Outcome.SYNTAX and run.language == "python" and not has_code(said.text)


def _problem(exercise: Exercise | None, spoken: Sequence[Said]) -> SyntaxProblem | None:
    """Return why no answer in Python compiles, or None."""
    part = exercise.python if exercise else None
    names = frozenset(defined_names(f"{part.starter}\n{part.reference}")) if part else frozenset[str]()
    return python_problem(*(one.text for one in spoken if is_python(one.text, one.code.language, names)))


def _paired(exercise: Exercise, run: CodeRun) -> list[tuple[Case, CaseResult]]:
    results = {one.name: one for one in run.cases}
    return [(case, results[case.name]) for case in exercise.cases if case.name in results]


def _worth_naming(failed: Sequence[tuple[Case, CaseResult]]) -> list[tuple[Case, CaseResult]]:
    """Return the failed tests, those first that ended with a wrong value or an error."""
    return sorted(failed, key=lambda pair: not (pair[1].got or pair[1].error))


def _failure(case: Case, result: CaseResult) -> str:
    """Return a sentence about a failed test: what the code did, and what was expected."""
    wanted = "raising an error" if case.error else _short(case.expected)
    if result.error:
        instead = wanted if case.error else f"returning {wanted}"
        return f"The test “{case.name}” ended with “{_short(_essence(result.error))}” instead of {instead}."
    if result.got:
        return f"The test “{case.name}” returned {_short(result.got)} instead of {wanted}."
    return f"The test “{case.name}” fails."


def _essence(error: str) -> str:
    """Return the last line of a Python traceback and the number of the candidate's line, or any other error as it is."""
    places = _PLACE.findall(error)
    last = next((line.strip() for line in reversed(error.splitlines()) if line.strip()), "")
    return f"{last.rstrip('.')} (line {places[-1]})" if places and last else error


def _short(text: str) -> str:
    flat = " ".join(text.split()).rstrip(".")
    return flat if len(flat) <= MAX_SHOWN else flat[: MAX_SHOWN - 1].rstrip() + "…"


def _ended(text: str) -> str:
    return text if text.endswith(("…", "!", "?")) else f"{text}."
