"""An exercise: the tests of a coding question, which run in the candidate's browser.

It is stored in the question's rubric, so that an asked question keeps the tests it was asked with. What a page gets of it is
`page_text`. Reference and wrong solutions of the question bank are not part of it.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# The maximum length of `page_text` in characters.
MAX_PAGE_TEXT = 60_000
MAX_CASES, MAX_NAME = 12, 60
MAX_CODE, MAX_DATA, MAX_JSON = 12_000, 8_000, 4_000
# Seconds that a case may take.
CASE_SECONDS, MAX_SECONDS = 5.0, 30.0
# The number of key points that a question has at most.
MAX_POINTS = 6
# The function that a harness defines, unless a case names another.
CALL = "call"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Case(_Frozen):
    """One test. `input` and `expected` are JSON texts: the arguments, and what the function returns or the query's rows.

    With `error`, the call must raise an error instead. `data` are SQL statements that fill the tables. `proves` are the key
    points that the behavior shows, counted from 1.
    """

    name: str = Field(min_length=1, max_length=MAX_NAME)
    visible: bool = False
    input: str = Field(default="", max_length=MAX_JSON)
    expected: str = Field(default="", max_length=MAX_JSON)
    error: bool = False
    call: str = Field(default=CALL, pattern=r"^[A-Za-z_]\w*$", max_length=MAX_NAME)
    seconds: float = Field(default=CASE_SECONDS, gt=0, le=MAX_SECONDS)
    data: str = Field(default="", max_length=MAX_DATA)
    proves: tuple[Annotated[int, Field(ge=1, le=MAX_POINTS)], ...] = ()

    @model_validator(mode="after")
    def _has_one_outcome(self) -> Self:
        if bool(self.expected) == self.error:
            raise ValueError(f"{self.name}: either `expected` or `error` is needed")
        if self.expected:
            parsed_json(self.expected)
        return self


class LanguagePart(_Frozen):
    """What a candidate who writes one language starts with, and the harness that calls what they wrote.

    `reference` is the solution of a language model to its own question, with which the browser checks the tests. It is empty for
    questions of the bank.
    """

    starter: str = Field(min_length=1, max_length=MAX_CODE)
    starter_typescript: str = Field(default="", max_length=MAX_CODE)
    harness: str = Field(default="", max_length=MAX_CODE)
    reference: str = Field(default="", max_length=MAX_CODE)


class SqlPart(_Frozen):
    """The tables of a question that asks for SQL. `check` is a query whose rows count instead of those of the candidate's."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    schema_: str = Field(alias="schema", min_length=1, max_length=MAX_CODE)
    starter: str = Field(default="", max_length=MAX_CODE)
    check: str = Field(default="", max_length=MAX_CODE)
    ordered: bool = False


class Exercise(_Frozen):
    """The tests of a question: for functions in one or two languages, or for SQL. Names of cases are unique."""

    compare: str = Field(default="value", pattern=r"^(value|unordered)$")
    python: LanguagePart | None = None
    javascript: LanguagePart | None = None
    sql: SqlPart | None = None
    cases: tuple[Case, ...] = Field(min_length=1, max_length=MAX_CASES)

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if bool(self.python or self.javascript) == bool(self.sql):
            raise ValueError("needs either functions or SQL")
        if len({case.name for case in self.cases}) < len(self.cases):
            raise ValueError("two cases have the same name")
        if not self.hidden:
            raise ValueError("needs a hidden case")
        if any(not isinstance(parsed_json(case.input), list) for case in self.cases if not self.sql):
            raise ValueError("an input is no list of arguments")
        if len(page_text(self, "")) > MAX_PAGE_TEXT:
            raise ValueError(f"is longer than {MAX_PAGE_TEXT} characters")
        return self

    @property
    def hidden(self) -> tuple[Case, ...]:
        """The cases that run only when the answer is sent."""
        return tuple(case for case in self.cases if not case.visible)

    @property
    def points(self) -> frozenset[int]:
        """The indexes of the key points that the tests decide, counted from 0."""
        return frozenset(point - 1 for case in self.cases for point in case.proves)

    @property
    def languages(self) -> frozenset[str]:
        """The languages whose code can be tested."""
        found = {"python": self.python, "javascript": self.javascript, "typescript": self.javascript, "sql": self.sql}
        return frozenset(name for name, part in found.items() if part)

    @property
    def has_reference(self) -> bool:
        """Whether pages check the tests with a solution first, as those that a language model wrote."""
        return any(part.reference for part in (self.python, self.javascript) if part)

    def proving(self, point: int) -> tuple[Case, ...]:
        """Return the cases that decide a key point, given by its index."""
        return tuple(case for case in self.cases if point + 1 in case.proves)


def parsed_json(text: str) -> Any:
    """Return the value of a JSON text. Raises ValueError if it is none; NaN and Infinity are none, as in browsers."""

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def page_text(exercise: Exercise | None, id: str) -> str:
    """Return what a page gets of an exercise as JSON text, or "" if there is none. `id` identifies the question.

    It says which cases there are, but not which key points they prove.
    """
    if exercise is None:
        return ""
    parts = {"python": exercise.python, "javascript": exercise.javascript}
    document = {
        "id": id,
        "compare": exercise.compare,
        "languages": {name: _part(part) for name, part in parts.items() if part},
        "sql": exercise.sql.model_dump() if exercise.sql else None,
        "cases": [case.model_dump(exclude={"proves"}) for case in exercise.cases],
    }
    return json.dumps(document, ensure_ascii=False)


def _part(part: LanguagePart) -> dict[str, str]:
    """Return a language's part. The reference and the TypeScript starter are left out if there are none."""
    optional = {name for name in ("reference", "starter_typescript") if not getattr(part, name)}
    return part.model_dump(exclude=optional)
