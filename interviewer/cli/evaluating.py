"""`interviewer eval`: compare an interviewer's scores with human grades."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from interviewer.cli.opening import load_settings, one_sentence_errors
from interviewer.cli.printing import say, shown, table
from interviewer.errors import StartupError
from interviewer.wording import form

if TYPE_CHECKING:
    from evaluation.graders import Grader
    from evaluation.records import Record
    from evaluation.run import Outcome
    from evaluation.summary import Summary
    from interviewer.operator.usage import Prices

# Seconds between progress lines.
PROGRESS_EVERY = 5.0


class Which(StrEnum):
    """The interviewer to evaluate."""

    BUILTIN = "builtin"
    OPENAI = "openai"


# More threads do not speed up the built-in grader, but a model server handles concurrent requests.
AT_ONCE = {Which.BUILTIN: 1, Which.OPENAI: 4}


def evaluate(
    file: Annotated[
        Path, typer.Argument(help="Answers with grades: JSON Lines, Short Answer Feedback XML, or a folder of XML files.")
    ],
    interviewer: Annotated[Which, typer.Option(help="The interviewer that grades.")],
    out: Annotated[Path, typer.Option(help="File to write the predictions to, one JSON object per line.")],
    report: Annotated[Path | None, typer.Option(help="File to write an HTML report to.")] = None,
    repeats: Annotated[int, typer.Option(min=1, max=100, help="How many times to grade each answer.")] = 1,
    limit: Annotated[int | None, typer.Option(min=1, help="Maximum number of answers to grade.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, max=256, help="Number of answers to grade at once.")] = None,
) -> None:
    """Compare an interviewer's scores with human grades.

    Predictions are scores from 0 to 10, in the order of the input. If an answer could not be graded, its score is null, and the
    command exits with status 1.
    """
    with one_sentence_errors():
        failed = _evaluate(file, interviewer, out, report, repeats, limit, concurrency or AT_ONCE[interviewer])
    if failed:
        typer.echo(
            f"interviewer: {form(failed, 'one answer', f'{failed} answers')} could not be graded; see {shown(out)} for reasons.",
            err=True,
        )
        raise typer.Exit(1)


def _evaluate(file: Path, which: Which, out: Path, report: Path | None, repeats: int, limit: int | None, at_once: int) -> int:
    """Run the evaluation, write and print the results, and return the number of answers without a score.

    Raises StartupError if the evaluation tools are not installed, if two of the files are the same, if `which` is a model and
    none is configured, or if a file cannot be read or written.
    """
    if find_spec("evaluation") is None:
        raise StartupError(
            "The evaluation tools come with the source code, not with the installed package. Run this command in a checkout."
        )
    # These imports take about a second, too long for `--help`.
    from evaluation.records import load
    from evaluation.report import page
    from evaluation.run import prediction, replacing
    from evaluation.summary import summarise

    # load_settings() changes the working directory, so resolve relative paths first.
    file, out, report = file.absolute(), out.absolute(), report.absolute() if report else None
    _refuse_overwriting(file, out, report)
    records = load(file, limit)
    _tell_of_repeated_ids(records)
    grader, model, prices = _grader(which)
    with contextlib.ExitStack() as files:
        predictions = files.enter_context(replacing(out))
        html = files.enter_context(replacing(report)) if report else None
        began = perf_counter()
        outcomes = asyncio.run(_graded(records, grader, repeats, at_once))
        summary = summarise(f"{model} on {file.name}", outcomes, perf_counter() - began, prices)
        predictions.writelines(f"{prediction(outcome)}\n" for outcome in outcomes)
        if html:
            html.write(page(summary))
    _print(summary)
    return summary.all.answers - summary.all.judged


def _refuse_overwriting(file: Path, out: Path, report: Path | None) -> None:
    places = [path.resolve() for path in (file, out, report) if path]
    if len(set(places)) < len(places):
        raise StartupError("FILE, --out and --report must be three different files.")


def _tell_of_repeated_ids(records: Sequence[Record]) -> None:
    repeated = sum(count > 1 for count in Counter(record.id for record in records).values())
    if repeated:
        typer.echo(f"interviewer: {repeated} IDs appear more than once; match predictions by line order instead.", err=True)


def _grader(which: Which) -> tuple[Grader, str, Prices]:
    """Return the grader, its display name, and the token prices.

    Raises StartupError if `which` is OPENAI and no model is configured.
    """
    from evaluation.graders import BuiltinGrader, InterviewerGrader
    from interviewer.operator.usage import Prices

    if which is Which.BUILTIN:
        return BuiltinGrader(), "builtin", Prices()
    settings = load_settings()
    if not settings.uses_openai:
        raise StartupError("No model is configured. Set OPENAI_API_KEY, or OPENAI_BASE_URL for your own server.")
    from interviewer import wiring

    interviewer = wiring.choose_interviewer(settings)
    name = f"{interviewer.name} ({interviewer.model}, prompts {interviewer.prompt_version})"
    return InterviewerGrader(interviewer), name, wiring.choose_prices(settings)


async def _graded(records: Sequence[Record], grader: Grader, repeats: int, at_once: int) -> list[Outcome]:
    from evaluation.run import evaluate

    try:
        return await evaluate(records, grader, repeats=repeats, concurrency=at_once, progress=_ProgressReporter())
    finally:
        await grader.close()


class _ProgressReporter:
    """Reports progress on standard error, every few seconds and at the end."""

    def __init__(self) -> None:
        self._began = self._last_report = perf_counter()

    def __call__(self, done: int, failed: int, total: int) -> None:
        now = perf_counter()
        if now - self._last_report < PROGRESS_EVERY and done < total:
            return
        self._last_report = now
        but = f", {failed} failed" if failed else ""
        typer.echo(f"{done} of {total} graded{but}, {now - self._began:.0f} s", err=True)


def _print(summary: Summary) -> None:
    from evaluation import summary as tables

    table((shown(summary.title), ""), tables.overview(summary))
    say()
    table(tables.CALIBRATION_HEAD, tables.calibration_rows(summary.all))
    say()
    table(tables.question_head(summary), tables.question_rows(summary))
