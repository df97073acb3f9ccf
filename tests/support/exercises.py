"""Run the solutions of the bank's exercises: Python and JavaScript in one process each, SQL in PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from interviewer.grading.bank.exercise_files import BankExercise, BankLanguage, BankSql, function_names
from interviewer.interviews.exercise import Case
from tests.support.node import node

Outcome = dict[str, Any]
REFERENCE = "reference"
PYTHON, JAVASCRIPT, SQL = "python", "javascript", "sql"
_FOLDER = Path(__file__).parent
_PROGRAMS = {
    PYTHON: [sys.executable, str(_FOLDER / "run_exercises.py")],
    JAVASCRIPT: [node(), str(_FOLDER / "run_exercises.mjs")],
}
# Seconds for a case of a wrong solution. A solution that is only too slow takes more than twice the case's own limit.
_PATIENCE = 1.0
_RUN_SECONDS = 240
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Solution:
    """A reference or wrong solution of an exercise in one language, and the cases to run."""

    id: str
    language: str
    label: str
    code: str
    part: BankLanguage | BankSql
    cases: Sequence[Case]
    unordered: bool

    @property
    def is_reference(self) -> bool:
        """Whether it must pass all cases."""
        return self.label == REFERENCE

    def limit(self, case: Case) -> float:
        """Return the seconds that a case may take."""
        return case.seconds if self.is_reference else min(case.seconds, _PATIENCE)

    def job(self) -> dict[str, Any]:
        """Return what the programs read."""
        assert isinstance(self.part, BankLanguage)
        only = None if self.part.harness else function_names(self.language, self.part.starter)[0]
        return {
            "code": self.code,
            "harness": self.part.harness,
            "cases": [
                {"call": only or case.call, "input": json.loads(case.input), "seconds": self.limit(case)} for case in self.cases
            ],
        }


def solutions(exercises: Iterable[tuple[str, BankExercise]], language: str) -> list[Solution]:
    """Return the solutions in one language. Wrong ones run only hidden cases, the quick ones first."""
    found = []
    for id, exercise in exercises:
        part: BankLanguage | BankSql | None = getattr(exercise, language)
        if part is None:
            continue
        unordered = not part.ordered if isinstance(part, BankSql) else exercise.compare == "unordered"
        found.append(Solution(id, language, REFERENCE, part.reference, part, exercise.cases, unordered))
        hidden = sorted(
            (case for case in exercise.cases if not case.visible), key=lambda case: "seconds" in case.model_fields_set
        )
        for number, code in enumerate(part.wrong, 1):
            found.append(Solution(id, language, f"wrong {number}", code, part, hidden, unordered))
    return found


def problems(found: Sequence[Solution], database_url: str = "") -> Iterator[str]:
    """Run solutions of one language. Yield a sentence for each reference that fails and each wrong solution that passes."""
    ran = _in_database(found, database_url) if found and found[0].language == SQL else _in_program(found)
    for solution, outcomes in zip(found, ran, strict=True):
        pairs = list(zip(solution.cases, outcomes, strict=False))
        passed = [passes(solution, case, outcome) for case, outcome in pairs]
        name = f"{solution.id}: the {solution.language} {solution.label} solution"
        if not solution.is_reference:
            if all(passed) and len(passed) == len(solution.cases):
                yield f"{name} passes all hidden cases"
            continue
        for (case, outcome), good in zip(pairs, passed, strict=True):
            if not good:
                yield f"{name} fails {case.name!r}: {json.dumps(outcome)[:300]}"
        if len(pairs) < len(solution.cases):
            yield f"{name} is stopped after {len(pairs)} cases"


def passes(solution: Solution, case: Case, outcome: Outcome) -> bool:
    """Return whether the outcome of a case is the expected one."""
    if outcome.get("timeout"):
        return False
    if case.error or "error" in outcome:
        return case.error and "error" in outcome
    got, wanted = outcome["value"], json.loads(case.expected)
    if solution.unordered and isinstance(got, list) and isinstance(wanted, list):
        got, wanted = sorted(got, key=_sorting), sorted(wanted, key=_sorting)
    return same(got, wanted)


def same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal. Numbers may differ by rounding."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int) and isinstance(other, int):
        return one == other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= _TOLERANCE * max(1, abs(one), abs(other))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


def _sorting(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _in_program(found: Sequence[Solution]) -> list[list[Outcome]]:
    """Run Python or JavaScript solutions in one process."""
    if not found:
        return []
    jobs = json.dumps([solution.job() for solution in found])
    program = _PROGRAMS[found[0].language]
    done = subprocess.run(program, input=jobs, capture_output=True, text=True, timeout=_RUN_SECONDS, check=False)
    lines = done.stdout.splitlines()
    assert len(lines) == len(found), f"the runner stopped after {len(lines)} of {len(found)} solutions: {done.stderr[-1000:]}"
    return [json.loads(line) for line in lines]


def _in_database(found: Sequence[Solution], url: str) -> Iterator[list[Outcome]]:
    """Run SQL solutions, each case in an empty schema."""
    with psycopg.connect(url, autocommit=True) as connection:
        for solution in found:
            outcomes: list[Outcome] = []
            for case in solution.cases:
                outcomes.append(_queried(connection, solution, case))
                if not solution.is_reference and not passes(solution, case, outcomes[-1]):
                    break
            yield outcomes


def _queried(connection: psycopg.Connection[Any], solution: Solution, case: Case) -> Outcome:
    part = solution.part
    assert isinstance(part, BankSql)
    connection.execute("ROLLBACK; DROP SCHEMA public CASCADE; CREATE SCHEMA public; SET timezone = 'UTC'")
    _execute(connection, part.schema_)
    _execute(connection, case.data)
    connection.execute(f"SET statement_timeout = {int(solution.limit(case) * 1000)}")
    try:
        rows = _execute(connection, solution.code)
        return {"value": _execute(connection, part.check) if part.check else rows}
    except psycopg.errors.QueryCanceled:
        return {"timeout": True}
    except psycopg.Error as error:
        return {"error": str(error)}
    finally:
        connection.execute("ROLLBACK; SET statement_timeout = 0")


def _execute(connection: psycopg.Connection[Any], statements: str) -> list[list[Any]]:
    """Execute statements and return the rows of the last one that returns any."""
    rows: list[list[Any]] = []
    if not statements.strip():
        return rows
    cursor = connection.execute(statements.encode())
    while True:
        if cursor.description:
            rows = [[_json_value(value) for value in row] for row in cursor.fetchall()]
        if not cursor.nextset():
            return rows


def _json_value(value: Any) -> Any:
    """Return a value of a row as JSON holds it. Times are texts, as PostgreSQL prints them."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat(" ").removesuffix(":00") if value.tzinfo else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, timedelta) else value
