"""Grade every answer and write the predictions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import TextIO

from evaluation.graders import Grader, NotGraded
from evaluation.records import Record
from interviewer.errors import StartupError
from interviewer.interviews.interviewer import Usage

# Called with the number of finished gradings, how many of those failed, and the total.
Progress = Callable[[int, int, int], None]


@dataclass(frozen=True, slots=True)
class Run:
    """One grading of one answer.

    If it failed, `score` (0 to 10) is None and `error` is set. `seconds` is its duration and `spent` its token usage.
    """

    score: float | None
    error: str
    seconds: float
    spent: Usage


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer with all its runs, in order."""

    record: Record
    runs: tuple[Run, ...]

    @property
    def scores(self) -> list[float]:
        """The scores of the successful runs, in order."""
        return [run.score for run in self.runs if run.score is not None]

    @property
    def score(self) -> float | None:
        """The unrounded mean score. None if no run succeeded."""
        return fmean(self.scores) if self.scores else None

    @property
    def error(self) -> str:
        """The error of the last run if no run succeeded, otherwise ""."""
        return "" if self.scores else self.runs[-1].error


async def evaluate(
    records: Sequence[Record], grader: Grader, *, repeats: int = 1, concurrency: int = 1, progress: Progress | None = None
) -> list[Outcome]:
    """Grade every record `repeats` times, with at most `concurrency` gradings at once. Outcomes are in the order of the records.

    A failed grading is recorded and does not stop the others.
    """
    made: list[list[Run | None]] = [[None] * repeats for _ in records]
    todo = iter([(index, repeat) for repeat in range(repeats) for index in range(len(records))])
    done = failed = 0

    async def work() -> None:
        nonlocal done, failed
        for index, repeat in todo:
            run = await _graded(grader, records[index])
            made[index][repeat] = run
            done += 1
            failed += run.score is None
            if progress:
                progress(done, failed, len(records) * repeats)

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())
    return [Outcome(record, tuple(run for run in runs if run is not None)) for record, runs in zip(records, made, strict=True)]


async def _graded(grader: Grader, record: Record) -> Run:
    began = perf_counter()
    try:
        graded = await grader.grade(record)
    except NotGraded as error:
        return Run(None, str(error), perf_counter() - began, error.spent)
    except Exception as error:
        # One answer that breaks a grader must not cost the results of the others.
        return Run(None, f"The grader failed: {type(error).__name__}: {error}", perf_counter() - began, Usage(0, 0, 0))
    spent = Usage(graded.prompt_tokens, graded.cached_tokens, graded.completion_tokens)
    return Run(graded.score, "", perf_counter() - began, spent)


def prediction(outcome: Outcome) -> str:
    """Return the JSON line of an answer: its ID and score, plus the error if the score is null."""
    document = {"id": outcome.record.id, "score": outcome.score}
    return json.dumps({**document, "error": outcome.error} if outcome.score is None else document)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Yield a temporary file that replaces `path` if the block succeeds. Otherwise `path` is unchanged.

    Creates missing parent folders. Raises StartupError if `path` is a folder or the file cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.is_dir():
            raise StartupError(f"{path} is a folder; a file is to be written.")
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("x", encoding="utf-8", errors="replace", newline="\n") as file:
            yield file
        unfinished.replace(path)
    except OSError as error:
        raise StartupError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
