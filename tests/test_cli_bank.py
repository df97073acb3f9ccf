"""`interviewer bank check` reports problems and exits with status 1."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from typer.testing import CliRunner

from interviewer.cli import app, bank
from interviewer.grading.bank.loader import BankQuestion, load_bank

INDEX = "databases-composite-index-order"


def check(monkeypatch: pytest.MonkeyPatch, questions: Mapping[str, BankQuestion]) -> tuple[int, str]:
    monkeypatch.setattr(bank, "load_bank", lambda: questions)
    result = CliRunner().invoke(app, ["bank", "check"])
    return result.exit_code, result.output


def test_small_bank_and_duplicate_question_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = load_bank()[INDEX]
    twin = asked.model_copy(update={"id": "databases-twin"})
    status, said = check(monkeypatch, {asked.id: asked, twin.id: twin})
    assert status == 1
    assert "databases: 2 questions, 50 are needed" in said
    assert f"{INDEX} and databases-twin ask nearly the same" in said
    assert "2 questions, " in said


def test_low_scoring_model_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = load_bank()[INDEX]
    poor = asked.model_copy(update={"model_answer": "It depends on very many things, and one would have to look at them all."})
    status, said = check(monkeypatch, {poor.id: poor})
    assert status == 1
    assert re.search(rf"{INDEX}: the model answer scores [0-8]: ", said)


def test_unreadable_bank_is_one_sentence_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable() -> Mapping[str, BankQuestion]:
        raise ValueError("the question id 'x' is used twice")

    monkeypatch.setattr(bank, "load_bank", unreadable)
    result = CliRunner().invoke(app, ["bank", "check"])
    assert (result.exit_code, result.output.strip()) == (
        1,
        "The question bank could not be read: the question id 'x' is used twice",
    )
