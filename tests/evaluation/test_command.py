"""`interviewer eval` end to end, with the built-in interviewer and with a fake model server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from evaluation.graders import BuiltinGrader, Graded, NotGraded
from evaluation.records import Record, load
from evaluation.report import page
from evaluation.run import evaluate, prediction
from evaluation.summary import overview, summarise
from interviewer.cli import app
from interviewer.grading.reference import rubric_from_reference
from interviewer.interviews.interviewer import Usage
from interviewer.operator.usage import Prices
from interviewer.settings import get_settings
from tests.evaluation.test_records import LINE, SHORT_ANSWERS, written
from tests.support import openai_server

Run = Callable[..., Result]
THREE = {"key_points": [{"point": f"point {number}", "weight": weight} for number, weight in enumerate((3, 2, 1))]}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return a function that runs the command in the test's folder, without a database or model unless the settings name one."""

    def run(*arguments: object, **environment: str) -> Result:
        monkeypatch.chdir(tmp_path)
        get_settings.cache_clear()
        for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "DATABASE_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(app, ["eval", *map(str, arguments)])

    yield run
    get_settings.cache_clear()


def predictions(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def assert_one_sentence(result: Result, words: str) -> None:
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert len(result.stderr.strip().splitlines()) == 1
    assert words in result.stderr


def test_builtin_scores_are_compared_with_human_grades(run: Run, tmp_path: Path) -> None:
    options = ("--interviewer", "builtin", "--repeats", 2, "--concurrency", 2, "--report", "made/report.html")
    result = run(SHORT_ANSWERS, *options, "--out", "p.jsonl")
    assert result.exit_code == 0, result.stderr
    found = predictions(tmp_path / "p.jsonl")
    assert [one["id"] for one in found] == [record.id for record in load(SHORT_ANSWERS)]
    assert all(set(one) == {"id", "score"} and 0 <= one["score"] <= 10 for one in found)
    for words in (
        "Pearson correlation",
        "quadratic weighted kappa",
        "0.9 to 1.0",
        "connection-pool",
        "same rounded score in all runs",
    ):
        assert words in result.stdout
    assert "24 of 24 graded" in result.stderr
    assert (tmp_path / "made" / "report.html").read_text().count("<svg") == 3
    assert not list(tmp_path.glob("**/.*.part"))
    again = run(SHORT_ANSWERS, "--interviewer", "builtin", "--out", "again.jsonl", "--limit", 4)
    assert again.exit_code == 0
    assert predictions(tmp_path / "again.jsonl") == found[:4]


def test_malformed_line_leaves_output_unchanged(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text("before")
    path = written(tmp_path, LINE, "{")
    assert_one_sentence(run(path.name, "--interviewer", "builtin", "--out", "p.jsonl"), "line 2")
    assert (tmp_path / "p.jsonl").read_text() == "before"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["answers.jsonl", "p.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--interviewer", "openai", "--out", "p.jsonl"), "OPENAI_API_KEY"),
        (("--interviewer", "builtin", "--out", "answers.jsonl"), "different files"),
        (("--interviewer", "builtin", "--out", "."), "is a folder"),
        (("--interviewer", "builtin", "--out", "answers.jsonl/p.jsonl"), "cannot be written"),
    ],
)
def test_unusable_arguments_are_one_sentence_error(run: Run, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    path = written(tmp_path, LINE)
    assert_one_sentence(run(path.name, *arguments), words)
    assert path.read_text() == json.dumps(LINE)


def test_model_judges_by_rubric_with_unrounded_score(run: Run, tmp_path: Path) -> None:
    behaviour = openai_server.Behavior()
    lines = [{**LINE, "id": 1, "rubric": THREE}, {**LINE, "id": 2}, {**LINE, "id": 3, "answer": " \n"}]
    with openai_server.running(behaviour) as url:
        result = run(
            written(tmp_path, *lines),
            *("--interviewer", "openai", "--out", "p.jsonl", "--report", "r.html", "--concurrency", 1),
            OPENAI_BASE_URL=url,
            OPENAI_MODEL="some-model",
            OPENAI_PRICE_INPUT="2",
            OPENAI_PRICE_OUTPUT="10",
        )
    assert result.exit_code == 0, result.stderr
    # First answer: weight 3 made, 2 partial, 1 missed. Second: one key point, derived from a short reference answer. Third:
    # empty, which needs no model call.
    assert predictions(tmp_path / "p.jsonl") == [
        {"id": 1, "score": 10 * 4 / 6},
        {"id": 2, "score": 10.0},
        {"id": 3, "score": 0.0},
    ]
    assert [body["model"] for body in behaviour.requests] == ["some-model"] * 2
    sent = json.loads(behaviour.requests[1]["messages"][-1]["content"])
    assert [one["point"] for one in sent["key_points"]] == ["It makes lookups fast."]
    assert "3000 prompt, 400 completion" in result.stdout
    assert "0.0100" in result.stdout


@pytest.mark.parametrize("at_once", [1, 3])
def test_failed_answer_has_no_score_and_others_keep_theirs(run: Run, tmp_path: Path, at_once: int) -> None:
    behaviour = openai_server.Behavior(faults=["broken", "", "401"] if at_once == 1 else ["401"])
    lines = [{**LINE, "id": f"a{number}", "rubric": THREE} for number in range(4)]
    with openai_server.running(behaviour) as url:
        options = ("--interviewer", "openai", "--out", "p.jsonl", "--concurrency", at_once)
        result = run(written(tmp_path, *lines), *options, OPENAI_BASE_URL=url)
    assert result.exit_code == 1
    assert "one answer could not be graded" in result.stderr
    assert "Pearson" in result.stdout
    found = predictions(tmp_path / "p.jsonl")
    assert [one["id"] for one in found] == ["a0", "a1", "a2", "a3"]
    (failed,) = [one for one in found if one["score"] is None]
    assert failed["error"].endswith(".")
    # An invalid reply is retried once.
    assert found[0]["score"] is not None or at_once > 1


class Stub:
    """A grader that returns the score written in the answer, and fails or crashes if the answer says so."""

    async def grade(self, record: Record) -> Graded:
        if record.answer == "fail":
            raise NotGraded("It did not.", Usage(5, 2, 1))
        if record.answer == "crash":
            raise KeyError("x")
        return Graded(float(record.answer.split()[0]), 10, 3)

    async def close(self) -> None:
        """Do nothing."""


def record(answer: str, grade: float | None = 0.5, **given: Any) -> Record:
    return Record(given.get("id", answer), given.get("question_id", "q"), given.get("question", "Q?"), "R", answer, grade)


async def test_crashing_grader_loses_only_one_answer() -> None:
    outcomes = await evaluate([record("7"), record("crash"), record("fail"), record("3")], Stub(), repeats=2, concurrency=3)
    assert [outcome.score for outcome in outcomes] == [7.0, None, None, 3.0]
    assert [json.loads(prediction(outcome)).get("error") for outcome in outcomes] == [
        None,
        "The grader failed: KeyError: 'x'",
        "It did not.",
        None,
    ]
    found = summarise("t", outcomes, 1.0, Prices()).all
    assert (found.answers, found.judged, found.failed_runs, found.prompt_tokens, found.completion_tokens) == (4, 2, 4, 50, 14)


@pytest.mark.parametrize("records", [[record("7", None)], [record("7")], [record("fail")], [record("7"), record("7", 0.5)]])
async def test_undefined_measures_are_shown_as_not_available(records: list[Record]) -> None:
    summary = summarise("t", await evaluate(records, Stub(), repeats=2), 1.0, Prices())
    assert dict(overview(summary))["Pearson correlation"] == "n/a"
    assert dict(overview(summary))["quadratic weighted kappa"] in {"n/a", "0.000"}
    assert "n/a" in page(summary)


async def test_report_escapes_all_input() -> None:
    attack = "</td></svg><script>alert(1)</script><img src=x onerror=alert(1)> \ud800"
    hostile = [record(f"9 {attack}", 0.0, id=attack, question_id=attack, question=attack), record("fail", id=attack)]
    outcomes = await evaluate(hostile, Stub())
    html = page(summarise(attack, outcomes, 1.0, Prices()))
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("</svg>") == 3
    assert "&lt;script&gt;alert(1)" in html
    assert "http" not in html.replace("http-equiv", "")


async def test_report_shows_ten_largest_errors() -> None:
    records = [record(f"{number / 2} of {number}", 0.0) for number in range(15)]
    html = page(summarise("t", await evaluate(records, Stub()), 1.0, Prices()))
    shown = [number for number in range(15) if f"<td>{number / 2} of {number}</td>" in html]
    assert shown == list(range(5, 15))


async def test_builtin_grader_uses_rubric_if_present() -> None:
    rubric = rubric_from_reference("Why an index?", "It makes lookups fast.\nWrites get slow.")

    def ruled(answer: str) -> Record:
        return Record("a", "q", "Why an index?", "", answer, rubric=rubric)

    grader = BuiltinGrader()
    assert (await grader.grade(ruled("It makes lookups fast. It makes writes slow, too."))).score > 5
    assert (await grader.grade(ruled("I don't know"))).score == 0
    with pytest.raises(NotGraded, match="longer"):
        await grader.grade(ruled("x" * 30_000))


@pytest.mark.slow
def test_command_needs_no_configuration_or_database(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("interviewer")
    environment = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    arguments = ["eval", written(tmp_path, LINE).name, "--interviewer", "builtin", "--out", "p.jsonl"]
    result = subprocess.run(
        [command, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr.startswith("1 of 1 graded, ")
    assert [one["id"] for one in predictions(tmp_path / "p.jsonl")] == ["a1"]
