"""Parsing of questions, feedback and model answers, including hostile ones."""

from __future__ import annotations

import time

import pytest

from interviewer.reports.prose import Block, Span, blocks, model_answer


@pytest.mark.parametrize(
    "unit",
    ["  x\n\n", "    a\n\nb;\n\n", "• x\n", "```\n", "`a", "`", "- ", "> ", "* * ", "[](", "word ", "\t", "\n"],
)
def test_hostile_text_is_parsed_quickly(unit: str) -> None:
    """The text is ten times as long as any stored text.

    At the limit of 3 seconds, parsing a stored text would take 0.3 seconds.
    """
    text = unit * (80_000 // len(unit))
    spent = []
    for _ in range(2):
        began = time.process_time()
        blocks(text)
        spent.append(time.process_time() - began)
    assert min(spent) < 3


def test_deep_nesting_is_one_list_with_one_line() -> None:
    assert blocks("- " * 50_000) == [Block("list", [], ["- " * 49_999])]


def test_code_separated_by_blank_lines_is_one_block() -> None:
    assert blocks("  a\n\n  b\n\nc;\n\n\n") == [Block("code", [Span("  a\n\n  b\n\nc;", True)])]


def test_unfenced_answer_to_a_code_question_is_code() -> None:
    assert model_answer("return 1\n", "code") == [Block("code", [Span("return 1", True)])]
    assert [block.kind for block in model_answer("Like this:\n```\nreturn 1\n```", "code")] == ["text", "code"]
    assert [block.kind for block in model_answer("Some words.", "text")] == ["text"]
