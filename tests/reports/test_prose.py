"""Parsing of questions, feedback, and model answers, including hostile ones."""

from __future__ import annotations

import pytest

from interviewer.reports.prose import Block, Span, blocks, model_answer
from tests.support.steps import steps


@pytest.mark.parametrize(
    "unit",
    ["  x\n\n", "    a\n\nb;\n\n", "• x\n", "```\n", "`a", "`", "- ", "> ", "* * ", "[](", "word ", "\t", "\n"],
)
def test_work_to_parse_hostile_text_is_linear(unit: str) -> None:
    """The longer text has the maximum length of a stored text. `tests/test_patterns.py` checks the regular expressions."""
    text = unit * (8_000 // len(unit))
    whole, half = steps(lambda: blocks(text)), steps(lambda: blocks(text[: len(text) // 2]))
    assert whole < 2.1 * half
    assert whole < 10 * len(text)


def test_deep_nesting_is_one_list_with_one_line() -> None:
    assert blocks("- " * 50_000) == [Block("list", [], ["- " * 49_999])]


def test_code_separated_by_blank_lines_is_one_block() -> None:
    assert blocks("  a\n\n  b\n\nc;\n\n\n") == [Block("code", [Span("  a\n\n  b\n\nc;", True)])]


def test_unfenced_answer_to_a_code_question_is_code() -> None:
    assert model_answer("return 1\n", "code") == [Block("code", [Span("return 1", True)])]
    assert [block.kind for block in model_answer("Like this:\n```\nreturn 1\n```", "code")] == ["text", "code"]
    assert [block.kind for block in model_answer("Some words.", "text")] == ["text"]


@pytest.mark.parametrize(
    "imports",
    [
        "import json\nimport logging",
        "from collections import defaultdict",
        "import asyncio\n\nfrom typing import Protocol",
        'import { z } from "zod"',
        "import time\n\nMAX_WAIT = 30",
        "package main",
        "#include <vector>",
    ],
)
def test_imports_before_code_are_code(imports: str) -> None:
    code = f"{imports}\n\n\ndef first(items):\n    return items[0]"
    assert [block.kind for block in blocks(code)] == ["code"]
    assert [block.kind for block in blocks(f"Import only what you need.\n\n{code}")] == ["text", "code"]


def test_prose_about_imports_is_prose() -> None:
    text = "From there, import the module you need.\n\n  x = 1"
    assert [block.kind for block in blocks(text)] == ["text", "code"]
