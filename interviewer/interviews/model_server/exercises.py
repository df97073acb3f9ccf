"""Turn the tests that a model writes with a code question into an exercise.

What cannot be used is dropped, never the question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from interviewer.interviews.code_text import blocks_of, python_problem
from interviewer.interviews.exercise import CALL, MAX_CODE, MAX_JSON, MAX_NAME, Exercise, parsed_json
from interviewer.interviews.user_text import without_controls

# The first cases are visible. With fewer hidden ones, tests say too little.
VISIBLE, MIN_HIDDEN, MOST = 2, 2, 8
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_LANGUAGES = {"python": "python", "py": "python", "javascript": "javascript", "js": "javascript", "typescript": "javascript"}
_HARNESS = {"python": f"{CALL} = {{}}", "javascript": f"const {CALL} = (...values) => {{}}(...values);"}
_TESTABLE = {"": ("python", "javascript"), "Python": ("python",), "JavaScript": ("javascript",), "TypeScript": ("javascript",)}


def runnable_languages(programming_language: str) -> Sequence[str]:
    """Return the languages in which an interview in this programming language can have tests. If it is empty, any is fine."""
    return _TESTABLE.get(programming_language, ())


def exercise_of(value: object, languages: Collection[str]) -> dict[str, Any] | None:
    """Return the exercise in a model's reply as a document, or None if it cannot be used in one of `languages`."""
    if not isinstance(value, Mapping):
        return None
    language = _LANGUAGES.get(_text(value.get("language")).lower(), "")
    name, reference = _text(value.get("function")).strip("()"), _code(value.get("reference"))
    if language not in languages or not _NAME.fullmatch(name) or not _defines(language, name, reference):
        return None
    starter = _code(value.get("starter"))
    starter = starter if _defines(language, name, starter) else _signature(language, name, reference)
    part = {"starter": starter, "harness": _HARNESS[language].format(name), "reference": reference}
    cases = _cases(value.get("cases"))
    if len(cases) < VISIBLE + MIN_HIDDEN:
        return None
    try:
        return Exercise.model_validate({language: part, "cases": cases}).model_dump(mode="json")
    except ValidationError:
        return None


def _text(value: object) -> str:
    return without_controls(value).strip() if isinstance(value, str) else ""


def _code(value: object) -> str:
    """Return code without Markdown fences."""
    text = without_controls(value) if isinstance(value, str) else ""
    fenced = [block.text for block in blocks_of(text) if block.is_code]
    return "\n".join(fenced or [text]).strip("\n")[: MAX_CODE + 1]


def _defines(language: str, name: str, code: str) -> bool:
    """Return whether code defines the function. Python must also compile."""
    quoted = re.escape(name)
    if language == "python":
        return bool(re.search(rf"(?m)^(?:async )?def {quoted} ?\(", code)) and python_problem(code) is None
    return bool(re.search(rf"(?m)^(?:async )?function\*? ?{quoted} ?\(|^(?:const|let) {quoted} ?=", code))


def _signature(language: str, name: str, reference: str) -> str:
    """Return a starter with only the first line of the reference's function, if that is a whole signature."""
    line = next(
        (one for one in reference.splitlines() if re.match(rf"(?:async )?(?:def|function\*?) ?{re.escape(name)} ?\(", one)), ""
    )
    if language == "python":
        return f"{line}\n    ...\n" if line.endswith(":") else f"def {name}(*values):\n    ...\n"
    return f"{line}\n}}\n" if line.endswith("{") else f"function {name}(...values) {{\n}}\n"


def _cases(value: object) -> list[dict[str, Any]]:
    """Return the cases that have a name, a list of arguments, and an expected value, each name once. The first are visible."""
    found: dict[str, dict[str, Any]] = {}
    for entry in value if isinstance(value, list) else []:
        if not isinstance(entry, Mapping):
            continue
        name = " ".join(_text(entry.get("name")).split())[:MAX_NAME].strip() or f"Case {len(found) + 1}"
        input, expected = _json(entry.get("input")), _json(entry.get("expected"))
        if name not in found and input is not None and expected is not None and len(found) < MOST:
            given = input if isinstance(json.loads(input), list) else f"[{input}]"
            found[name] = {"name": name, "visible": len(found) < VISIBLE, "input": given, "expected": expected}
    return list(found.values())


def _json(value: object) -> str | None:
    """Return a value as JSON text. A text that is no JSON stands for itself. Returns None for what is too long."""
    try:
        parsed = parsed_json(without_controls(value)) if isinstance(value, str) else value
        text = json.dumps(parsed, ensure_ascii=False, allow_nan=False)
    except RecursionError:
        return None
    except (ValueError, TypeError):
        text = json.dumps(without_controls(value), ensure_ascii=False) if isinstance(value, str) else ""
    return text if 0 < len(text) < MAX_JSON - 2 else None
