"""The exercises of the question bank: tests, starters, and solutions, one file for each question that has one.

A file is read when its question is asked. Reference and wrong solutions are for the tests of the exercises; the `exercise` that
is asked, stored, and sent to pages has none of them.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from interviewer.interviews.exercise import CALL, MAX_CODE, Case, Exercise, LanguagePart, SqlPart

MIN_WRONG, MAX_WRONG = 2, 8
VISIBLE, HIDDEN = range(2, 4), range(4, 9)
_FUNCTIONS = {
    "python": re.compile(r"(?m)^(?:async )?def (\w+)"),
    "javascript": re.compile(r"(?m)^(?:async )?function\*? ?(\w+)|^const (\w+) ="),
}
Solution = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CODE)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Solved(_Strict):
    """A reference solution, and typical wrong ones, each of which fails a hidden case."""

    reference: Solution
    wrong: tuple[Solution, ...] = Field(min_length=MIN_WRONG, max_length=MAX_WRONG)

    @property
    def shown(self) -> dict[str, Any]:
        """What pages may have."""
        return self.model_dump(exclude={"reference", "wrong"}, by_alias=True)


class BankLanguage(_Solved):
    """One language of an exercise."""

    starter: Solution
    starter_typescript: str = Field(default="", max_length=MAX_CODE)
    harness: str = Field(default="", max_length=MAX_CODE)


class BankSql(_Solved):
    """The SQL of an exercise."""

    schema_: Solution = Field(alias="schema")
    starter: str = Field(default="", max_length=MAX_CODE)
    check: str = Field(default="", max_length=MAX_CODE)
    ordered: bool = False


class BankCase(Case):
    """A case as it is in a file, with no other keys than those of `Case`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class BankExercise(_Strict):
    """An exercise file."""

    compare: str = "value"
    python: BankLanguage | None = None
    javascript: BankLanguage | None = None
    sql: BankSql | None = None
    cases: tuple[BankCase, ...]

    @model_validator(mode="after")
    def _can_be_run(self) -> Self:
        visible = sum(case.visible for case in self.cases)
        if visible not in VISIBLE or len(self.cases) - visible not in HIDDEN:
            raise ValueError(f"{visible} visible and {len(self.cases) - visible} hidden cases")
        if not any(case.proves for case in self.cases):
            raise ValueError("no case proves a key point")
        for language, part in (("python", self.python), ("javascript", self.javascript)):
            if part and not part.harness:
                if len(function_names(language, part.starter)) != 1:
                    raise ValueError(f"{language}: a starter without a harness defines exactly one function")
                if any(case.call != CALL for case in self.cases):
                    raise ValueError(f"{language}: only a harness defines another function to call")
        _ = self.exercise
        return self

    @property
    def exercise(self) -> Exercise:
        """The exercise without its solutions."""
        return Exercise(
            compare=self.compare,
            python=LanguagePart.model_validate(self.python.shown) if self.python else None,
            javascript=LanguagePart.model_validate(self.javascript.shown) if self.javascript else None,
            sql=SqlPart.model_validate(self.sql.shown) if self.sql else None,
            cases=tuple(Case.model_validate(case.model_dump()) for case in self.cases),
        )


def function_names(language: str, code: str) -> list[str]:
    """Return the names of the functions that code defines at its top level."""
    return [next(name for name in found.groups() if name) for found in _FUNCTIONS[language].finditer(code)]


def _folder() -> Traversable:
    return resources.files("interviewer.grading.bank") / "exercises"


@cache
def exercise_ids() -> frozenset[str]:
    """Return the IDs of the questions that have an exercise."""
    return frozenset(file.name.removesuffix(".toml") for file in _folder().iterdir() if file.name.endswith(".toml"))


@cache
def load_exercise(question_id: str) -> BankExercise | None:
    """Return the exercise of a question, or None if it has none. Raises pydantic's ValidationError for an invalid file."""
    if question_id not in exercise_ids():
        return None
    text = (_folder() / f"{question_id}.toml").read_text(encoding="utf-8")
    return BankExercise.model_validate(tomllib.loads(text))
