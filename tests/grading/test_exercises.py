"""The exercises of the bank: their files, and their solutions, which really run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from interviewer.grading.bank.exercise_files import BankExercise, exercise_ids, load_exercise
from interviewer.grading.bank.loader import load_bank
from interviewer.grading.likeness import ShippedBank
from interviewer.interviews.exercise import MAX_PAGE_TEXT, page_text
from interviewer.interviews.topics import CODING
from tests.support.exercises import JAVASCRIPT, PYTHON, SQL, problems, solutions

DOUBLE: dict[str, Any] = {
    "python": {
        "starter": 'def double(n: int) -> int:\n    """Double."""\n',
        "reference": "def double(n):\n    return 2 * n\n",
        "wrong": ["def double(n): return n * n", "def double(n):\n    while True: pass"],
    },
    "javascript": {
        "starter": "function double(n) {\n}",
        "reference": "const double = (n) => 2 * n;",
        "wrong": ["function double(n) { return n * n; }", "function double(n) { for (;;); }"],
    },
    "cases": [
        {"name": str(n), "visible": n < 2, "input": f"[{n}]", "expected": str(2 * n), "proves": [1]} for n in (0, 1, 3, 4, 5, 6)
    ],
}
ROWS: dict[str, Any] = {
    "sql": {
        "schema": "CREATE TABLE names (name text, amount numeric);",
        "starter": "SELECT",
        "reference": "SELECT name, amount FROM names ORDER BY name;",
        "wrong": ["SELECT name FROM names;", "SELEC"],
    },
    "cases": [
        {
            "name": str(n),
            "visible": n < 2,
            "data": f"INSERT INTO names VALUES ('Bo', {n}.5), ('Ann', 1)",
            "expected": f'[["Bo", {n}.5], ["Ann", 1]]',
            "proves": [1],
        }
        for n in range(6)
    ],
}


def all_exercises() -> list[tuple[str, BankExercise]]:
    return [(id, found) for id in sorted(exercise_ids()) if (found := load_exercise(id))]


def test_every_exercise_belongs_to_a_question() -> None:
    bank = load_bank()
    for id, exercise in all_exercises():
        assert bank[id].topic == CODING.slug or exercise.sql, id
        assert bank[id].asked_rubric.exercise == exercise.exercise, id


def test_pages_get_no_solution_and_no_key_point() -> None:
    for id in sorted(exercise_ids()):
        text = page_text(ShippedBank().exercise(id), id)
        assert len(text) <= MAX_PAGE_TEXT
        shown = json.loads(text)
        assert set(shown) == {"id", "compare", "languages", "sql", "cases"}
        assert all(set(part) <= {"starter", "starter_typescript", "harness"} for part in shown["languages"].values())
        assert not any("proves" in case for case in shown["cases"])
        assert set(shown["sql"] or ()) <= {"schema", "starter", "check", "ordered"}


@pytest.mark.parametrize("language", [PYTHON, JAVASCRIPT, SQL])
def test_references_pass_and_wrong_solutions_fail(language: str, make_database: Callable[[str], str]) -> None:
    url = make_database("exercises").replace("+psycopg", "") if language == SQL else ""
    assert list(problems(solutions(all_exercises(), language), url)) == []


@pytest.mark.parametrize("language", [PYTHON, JAVASCRIPT])
def test_runner_finds_what_is_wrong(language: str) -> None:
    part = {
        "starter": DOUBLE[language]["starter"],
        "reference": DOUBLE[language]["wrong"][1],
        "wrong": [DOUBLE[language]["reference"]] * 2,
    }
    found = BankExercise.model_validate({**DOUBLE, language: part, "cases": [{**one, "seconds": 0.3} for one in DOUBLE["cases"]]})
    assert list(problems(solutions([("double", found)], language))) == [
        f"double: the {language} reference solution fails '0': {{\"timeout\": true}}",
        f"double: the {language} reference solution is stopped after 1 cases",
        f"double: the {language} wrong 1 solution passes all hidden cases",
        f"double: the {language} wrong 2 solution passes all hidden cases",
    ]
    assert list(problems(solutions([("double", BankExercise.model_validate(DOUBLE))], language))) == []


def test_rows_count_in_any_order(make_database: Callable[[str], str]) -> None:
    url = make_database("rows").replace("+psycopg", "")
    assert list(problems(solutions([("rows", BankExercise.model_validate(ROWS))], SQL), url)) == []
    ordered = BankExercise.model_validate({**ROWS, "sql": {**ROWS["sql"], "ordered": True}})
    assert len(list(problems(solutions([("rows", ordered)], SQL), url))) == 6


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"python": {**DOUBLE["python"], "more": ""}},
        {"python": {**DOUBLE["python"], "wrong": ["x"]}},
        {"python": {**DOUBLE["python"], "starter": "def a(): ...\ndef b(): ..."}},
        {"sql": ROWS["sql"]},
        {"cases": DOUBLE["cases"][:5]},
        {"cases": [{**one, "visible": True} for one in DOUBLE["cases"]]},
        {"cases": [{**one, "proves": []} for one in DOUBLE["cases"]]},
        *(
            {"cases": [{**DOUBLE["cases"][0], **wrong}, *DOUBLE["cases"][1:]]}
            for wrong in (
                {"name": "1"},
                {"name": "x" * 61},
                {"input": "{"},
                {"input": "{}"},
                {"expected": "NaN"},
                {"error": True},
                {"expected": ""},
                {"seconds": 31},
                {"call": "big"},
                {"more": 1},
                {"proves": [7]},
                {"proves": [0]},
            )
        ),
    ],
)
def test_malformed_exercises_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BankExercise.model_validate({**DOUBLE, **change})
