"""Results of tests as browsers and API clients report them: what is accepted, and what follows for marks and score."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interviewer.errors import Unprocessable
from interviewer.interviews.code_check import CodeCheck, check_code
from interviewer.interviews.code_run import (
    BAD_LANGUAGE,
    MALFORMED,
    NO_CODE,
    NO_TESTS,
    UNKNOWN_TEST,
    WRONG_LANGUAGE,
    Code,
    code_of_form,
    code_of_request,
    stored_run,
)
from interviewer.interviews.code_text import is_python, python_problem, without_comments
from interviewer.interviews.code_view import run_view
from interviewer.interviews.exchange import Author, Kind, Said
from interviewer.interviews.exercise import page_text
from interviewer.interviews.rubric import Mark, Rubric
from tests.support.tested_code import CODE, EXERCISE, NAMES, TESTED, form, results, sent

RUBRIC = Rubric.model_validate(TESTED)


def check(code: Code = NO_CODE, text: str = CODE, *earlier: Said) -> CodeCheck:
    return check_code(RUBRIC, [*earlier, Said(Author.USER, Kind.ANSWER, text, code.fitting(RUBRIC.exercise))], "code")


# -- what is accepted ------------------------------------------------------------------------------------------------


def test_results_survive_storing() -> None:
    run = sent("zero").checked(RUBRIC.exercise).run
    assert run
    assert stored_run("python", json.loads(json.dumps(run.document()))) == run
    assert stored_run(None, None) is None


@pytest.mark.parametrize(
    "given",
    [
        "text",
        [],
        {},
        results(outcome="fine"),
        results() | {"cases": "x"},
        results() | {"cases": [{"name": "small"}]},
        results() | {"cases": [{"name": "small", "passed": 1}]},
        results() | {"cases": [{"name": "small", "passed": True, "got": "x" * 301}]},
        results() | {"cases": [{"name": "small", "passed": True, "error": "x" * 501}]},
        results() | {"cases": [{"name": "small", "passed": True, "seconds": -1}]},
        results() | {"cases": [{"name": "small", "passed": True, "seconds": float("nan")}]},
        results() | {"cases": [{"name": str(n), "passed": True} for n in range(13)]},
    ],
)
def test_malformed_results_are_refused(given: Any) -> None:
    with pytest.raises(Unprocessable, match="isn't valid"):
        code_of_request("python", given)
    assert code_of_form("python", json.dumps(given)) == Code("python")


@pytest.mark.parametrize("language", [7, "x" * 21, "<b>", "-", ["python"]])
def test_malformed_languages_are_refused(language: Any) -> None:
    with pytest.raises(Unprocessable, match=BAD_LANGUAGE[:20]):
        code_of_request(language, None)
    assert code_of_form(language, "") == NO_CODE


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (code_of_request("go", results()), WRONG_LANGUAGE),
        (code_of_request(None, results()), WRONG_LANGUAGE),
        (code_of_request("python", results() | {"cases": [{"name": "other", "passed": True}]}), UNKNOWN_TEST),
        (code_of_request("python", results() | {"cases": [{"name": "small", "passed": True}] * 2}), UNKNOWN_TEST),
        (code_of_request("python", results(outcome="syntax")), MALFORMED),
    ],
)
def test_results_that_do_not_fit_are_refused(code: Code, message: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        code.checked(RUBRIC.exercise)
    assert refused.value.user_message == message
    assert code.fitting(RUBRIC.exercise) == Code(code.language)


def test_results_need_a_question_with_tests() -> None:
    with pytest.raises(Unprocessable, match=NO_TESTS[:30]):
        sent().checked(None)


def test_missing_results_failed_and_unavailable_counts_as_not_run() -> None:
    some = code_of_request("python", {"outcome": "timeout", "cases": results()["cases"][:1]}).checked(RUBRIC.exercise).run
    assert some
    assert [(one.name, one.passed) for one in some.cases] == [("small", True), *((name, False) for name in NAMES[1:])]
    assert code_of_request("python", {"outcome": "unavailable"}).checked(RUBRIC.exercise) == Code("python")


def test_control_characters_are_removed() -> None:
    raw = results("zero")
    raw["cases"][2] |= {"got": "a\0b", "error": "c\x1bd"}
    run = code_of_form("python", json.dumps(raw | {"language": "python"})).run
    assert run
    assert (run.cases[2].got, run.cases[2].error) == ("ab", "cd")


@pytest.mark.parametrize("field", ["", "x", "[" * 9000, "null", "x" * 60_001, None, 7])
def test_page_field_that_is_no_json_is_dropped(field: Any) -> None:
    assert code_of_form("python", field) == Code("python")


def test_language_of_a_form_may_be_in_the_results() -> None:
    assert code_of_form("", form()).language == "python"


def test_page_gets_neither_marks_nor_solutions() -> None:
    shown = json.loads(page_text(RUBRIC.exercise, "x"))
    assert shown["cases"][2] == {
        "name": "zero",
        "visible": False,
        "input": "[2]",
        "expected": "4",
        "error": False,
        "call": "call",
        "seconds": 5.0,
        "data": "",
    }
    assert shown["languages"] == {"python": {"starter": EXERCISE["python"]["starter"], "harness": ""}}
    assert page_text(None, "x") == ""


# -- what follows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failed", "marks", "cap"),
    [
        ((), "hit hit", 10),
        (("zero",), "missed hit", 10),
        (("small", "big"), "hit hit", 10),
        (("zero", "negative"), "missed missed", 2),
        (NAMES, "missed missed", 2),
    ],
)
def test_tests_decide_the_points_that_they_prove(failed: tuple[str, ...], marks: str, cap: int) -> None:
    found = check(sent(*failed))
    assert " ".join(mark.value for mark in found.proven.values()) == marks
    assert found.cap == cap


def test_latest_results_count_and_words_after_them_change_nothing() -> None:
    first = Said(Author.USER, Kind.ANSWER, CODE, sent("zero").checked(RUBRIC.exercise))
    asked = Said(Author.INTERVIEWER, Kind.FOLLOW_UP, "And zero?")
    assert check(sent(), CODE, first, asked).proven == {0: Mark.HIT, 1: Mark.HIT}
    assert check(NO_CODE, "I forgot that.", first, asked).proven == {0: Mark.MISSED, 1: Mark.HIT}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (sent(), "Your code passed all 4 tests."),
        (
            sent("zero"),
            "Your code passed 3 of 4 tests. The test “zero” returned 7 instead of 4.",
        ),
        (
            sent(*NAMES),
            "Your code passed 0 of 4 tests. The test “small” returned 7 instead of 0. The test “big” returned 7 "
            "instead of 2. 2 more tests fail. No hidden test passed, so your score for this answer is at most 2.",
        ),
        (
            code_of_request("python", {"outcome": "syntax", "cases": [{"name": "small", "passed": False, "error": "bad colon"}]}),
            "Your code doesn't compile, so your score for this answer is at most 2. The error is: bad colon.",
        ),
        (
            code_of_request(
                "python",
                results()
                | {"cases": [*results()["cases"][:3], {"name": "negative", "passed": False, "error": "ValueError: x."}]},
            ),
            "Your code passed 3 of 4 tests. The test “negative” ended with “ValueError: x” instead of returning 6.",
        ),
        (Code("python"), ""),
    ],
)
def test_summary_says_what_failed(code: Code, said: str) -> None:
    assert check(code).summary == said


def test_view_names_hidden_tests_and_what_failed() -> None:
    view = run_view(check(sent("zero")))
    assert view
    assert (view.passed, view.summary, [one.visible for one in view.cases]) == (
        3,
        "3 of 4 tests passed.",
        [True, True, False, False],
    )
    assert view.document()["cases"][2] == {
        "name": "zero",
        "passed": False,
        "hidden": True,
        "seconds": 0.002,
        "input": "[2]",
        "expected": "4",
        "got": "7",
        "error": "",
    }
    not_run = run_view(check())
    assert not_run
    assert (not_run.outcome, not_run.cases) == ("not_run", ())
    assert run_view(CodeCheck()) is None


# -- code that cannot be compiled ------------------------------------------------------------------------------------

BROKEN = "def double(n:\n    return 2 * n"


@pytest.mark.parametrize(
    ("text", "language", "line"),
    [
        (BROKEN, "python", 1),
        (BROKEN, "", 1),
        (f"My answer:\n\n{BROKEN}", "python", 3),
        (f"Here it is:\n```python\n{BROKEN}\n```\nIt doubles.", "", 1),
        (f"```\n{BROKEN}\n```", "python", 1),
        ("import re\n\ndef double(n):\n    x = (1, 2\n    return x\n\nThat is all.", "python", 4),
    ],
)
def test_python_that_does_not_parse_is_capped(text: str, language: str, line: int) -> None:
    found = check(Code(language), text)
    assert found.problem
    assert found.problem.line == line
    assert (found.cap, set(found.proven.values())) == (2, {Mark.MISSED})
    assert f"line {line}" in found.summary


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (CODE, "python"),
        (f"My answer:\n\n{CODE}\n\nIt runs in constant time, doesn't it?", "python"),
        ("I would double it with a shift, because that's quick.", "python"),
        ("I'd write a function that returns 2 * n for n = 1 (or more).", ""),
        ("def double(n)\n  2 * n\nend", "ruby"),
        ("func double(n int) int {\n\treturn 2 * n\n}", "go"),
        (f"```go\nfunc double(\n```\n```python\n{CODE}\n```", ""),
        ("def first[T](items: list[T]) -> T:\n    return items[0]", "python"),
        (f"def double(n):\n    return {'-' * 15_000}n", "python"),
        ("def double(n):\n    return re.compile('\\d')", "python"),
        ("", "python"),
    ],
)
def test_other_answers_are_not_capped(text: str, language: str) -> None:
    assert check(Code(language), text).problem is None


def test_results_count_rather_than_the_parser() -> None:
    assert check(sent(), BROKEN).cap == 10


def test_prose_questions_are_not_parsed() -> None:
    assert check_code(RUBRIC, [Said(Author.USER, Kind.ANSWER, BROKEN, Code("python"))], "text").problem is None


def test_python_is_recognized() -> None:
    assert is_python("x", "python")
    assert is_python("```py\nx\n```", "")
    assert is_python(CODE, "", frozenset({"double"}))
    assert not is_python(CODE, "", frozenset({"other"}))
    assert not is_python("def double(n)\n  2 * n\nend", "", frozenset({"double"}))
    assert python_problem("```js\nlet x = (;\n```") is None


@pytest.mark.parametrize(
    ("code", "language", "left"),
    [
        ("x = 1  # one\n# two\ny = '# three'", "python", "x = 1  \n\ny = '# three'"),
        ('def f():\n    """Says it."""\n    return """kept"""', "python", 'def f():\n    \n    return """kept"""'),
        ("let a = 1; // one\n/* two\nthree */ let b = 'http://x'; // '", "javascript", "let a = 1; \n let b = 'http://x'; "),
        ("SELECT 1 -- one\nFROM t /* two */", "sql", "SELECT 1 \nFROM t "),
        ("I don't know # that\nx // y", "", "I don't know \nx "),
        ("Prose # stays.\n```python\nx = 1 # goes\n```\nMore # stays.", "", "Prose # stays.\nx = 1 \nMore # stays."),
        ('"""never closed', "python", ""),
        ("x = 5 // 2", "python", "x = 5 // 2"),
    ],
)
def test_comments_are_left_out(code: str, language: str, left: str) -> None:
    assert without_comments(code, language) == left


def test_reply_with_a_fragment_does_not_undo_the_tests() -> None:
    first = Said(Author.USER, Kind.ANSWER, CODE, sent().checked(RUBRIC.exercise))
    asked = Said(Author.INTERVIEWER, Kind.FOLLOW_UP, "And zero?")
    broken = code_of_request("python", {"outcome": "syntax", "cases": []})
    assert check(broken, "elif not x:\n    return 0", first, asked).proven == {0: Mark.HIT, 1: Mark.HIT}
    assert check(sent(*NAMES), "# It still holds.", first, asked).cap == 10


def test_reply_with_a_fragment_is_no_broken_program() -> None:
    rubric = RUBRIC.model_copy(update={"exercise": None})
    said = [
        Said(Author.USER, Kind.ANSWER, CODE, Code("python")),
        Said(Author.INTERVIEWER, Kind.FOLLOW_UP, "And zero?"),
        Said(Author.USER, Kind.ANSWER, "I'd add\n```python\nelif not x:\n    return 0\n```", Code("python")),
    ]
    assert check_code(rubric, said, "code").cap == 10
    assert check_code(rubric, said[1:], "code").cap == 2


@pytest.mark.parametrize(
    "prose",
    ["with a sort it takes O(n log n)", "if it's empty we return 0, so that costs O(1)", "for each item I'd call (and log) it"],
)
def test_prose_in_the_editor_is_no_broken_program(prose: str) -> None:
    assert python_problem(prose) is None


def test_tests_that_a_models_solution_fails_are_left_out() -> None:
    part = {**EXERCISE["python"], "reference": CODE}
    rubric = Rubric.model_validate({**TESTED, "exercise": {**EXERCISE, "python": part}})
    dropped = [{"name": name, "passed": False, "dropped": True} for name in NAMES[2:]]
    code = code_of_request("python", results() | {"cases": [*results()["cases"][:2], *dropped]})
    found = check_code(rubric, [Said(Author.USER, Kind.ANSWER, CODE, code.checked(rubric.exercise))], "code")
    assert found.summary == "Your code passed all 2 tests."
    assert found.cap == 10
    with pytest.raises(Unprocessable, match="isn't valid"):
        code.checked(RUBRIC.exercise)


def test_failed_test_names_the_error_at_the_end_of_a_traceback() -> None:
    trace = 'Traceback (most recent call last):\n  File "answer.py", line 3, in half\n    return {}[x]\nKeyError: 2\n'
    cases = [*results()["cases"][:3], {"name": "negative", "passed": False, "error": trace}]
    summary = check(code_of_request("python", results() | {"cases": cases})).summary
    assert "The test “negative” ended with “KeyError: 2 (line 3)” instead of" in summary


def test_forged_language_in_the_results_is_dropped() -> None:
    assert code_of_form("", json.dumps(results() | {"language": "\0"})) == NO_CODE


def test_prose_in_the_editor_counts_as_not_run() -> None:
    broken = code_of_request("python", {"outcome": "syntax", "cases": []})
    found = check(broken, "I would measure first, and then decide what to index.")
    assert (found.run, found.cap) == (None, 10)
    assert check(broken, "def double(x)\n    return 2 * x").cap == 2
