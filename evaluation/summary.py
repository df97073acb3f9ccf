"""The results of an evaluation: measures for all answers and by question, and their formatting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from evaluation import measures
from evaluation.measures import Bin, Consistency
from evaluation.run import Outcome
from interviewer.interviews.rubric import MAX_SCORE
from interviewer.operator.usage import Prices

UNDEFINED = "n/a"
QUESTION_HEAD = (
    "question",
    "answers",
    "compared",
    "human",
    "predicted",
    "Pearson",
    "kappa",
    "RMSE",
    "MAE",
    "off > 3",
    "median (s)",
)
CALIBRATION_HEAD = ("predicted", "answers", "mean prediction", "mean human grade")


@dataclass(frozen=True, slots=True)
class Figures:
    """The measures of a set of answers. Undefined measures are None.

    Means, RMSE, and MAE are from 0 to 1, `far_off` is a share from 0 to 1, `seconds` is the median duration of a grading, and
    `cost` is in USD.
    """

    answers: int
    judged: int
    compared: int
    mean_grade: float | None
    mean_prediction: float | None
    pearson: float | None
    kappa: float | None
    rmse: float | None
    mae: float | None
    far_off: float | None
    calibration: tuple[Bin, ...]
    consistency: Consistency | None
    seconds: float | None
    calls: int
    failed_runs: int
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Summary:
    """The measures of all answers and of each question, in input order."""

    title: str
    wall_seconds: float
    outcomes: tuple[Outcome, ...]
    all: Figures
    by_question: dict[str, Figures]


def summarise(title: str, outcomes: Sequence[Outcome], wall_seconds: float, prices: Prices) -> Summary:
    """Compute the measures of an evaluation. `title` names the interviewer and the data."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.record.question_id, []).append(outcome)
    by_question = {question_id: figures(group, prices) for question_id, group in groups.items()}
    return Summary(title, wall_seconds, tuple(outcomes), figures(outcomes, prices), by_question)


def compared(outcomes: Sequence[Outcome]) -> list[tuple[Outcome, float, float]]:
    """Return each answer that has both a score (0 to 10) and a human grade (0 to 1), as (outcome, score, grade)."""
    return [
        (outcome, outcome.score, outcome.record.grade)
        for outcome in outcomes
        if outcome.score is not None and outcome.record.grade is not None
    ]


def figures(outcomes: Sequence[Outcome], prices: Prices) -> Figures:
    """Compute the measures of these answers."""
    pairs = compared(outcomes)
    scores, grades = [score for _, score, _ in pairs], [grade for _, _, grade in pairs]
    shares, points = [score / MAX_SCORE for score in scores], [MAX_SCORE * grade for grade in grades]
    runs = [run for outcome in outcomes for run in outcome.runs]
    prompt, cached = sum(run.spent.prompt for run in runs), sum(run.spent.cached for run in runs)
    completion = sum(run.spent.completion for run in runs)
    return Figures(
        answers=len(outcomes),
        judged=sum(outcome.score is not None for outcome in outcomes),
        compared=len(pairs),
        mean_grade=sum(grades) / len(pairs) if pairs else None,
        mean_prediction=sum(shares) / len(pairs) if pairs else None,
        pearson=measures.pearson(shares, grades),
        kappa=measures.weighted_kappa(measures.rounded(scores), measures.rounded(points)),
        rmse=measures.rmse(shares, grades),
        mae=measures.mean_absolute_error(shares, grades),
        far_off=measures.share_far_off(scores, points),
        calibration=tuple(measures.calibration(shares, grades)),
        consistency=measures.consistency([outcome.scores for outcome in outcomes]),
        seconds=median(run.seconds for run in runs) if runs else None,
        calls=len(runs),
        failed_runs=sum(run.score is None for run in runs),
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost=prices.cost(prompt, cached, completion) if prompt + completion else None,
    )


def overview(summary: Summary) -> list[tuple[str, str]]:
    """Return the name and formatted value of each measure over all answers. Measures that do not apply are left out."""
    found = summary.all
    rows = [
        ("answers", f"{found.answers}, of which {found.judged} judged and {found.compared} compared with a human grade"),
        ("Pearson correlation", number(found.pearson)),
        ("quadratic weighted kappa", number(found.kappa)),
        ("RMSE (0 to 1)", number(found.rmse)),
        ("mean absolute error (0 to 1)", number(found.mae)),
        ("off by more than 3 points", percent(found.far_off)),
        ("mean prediction / human grade", f"{number(found.mean_prediction)} / {number(found.mean_grade)}"),
    ]
    if found.calls > found.answers:
        same, spread = (found.consistency.same, found.consistency.spread) if found.consistency else (None, None)
        rows += [("same rounded score in all runs", percent(same)), ("mean standard deviation (points)", number(spread))]
    if found.failed_runs:
        rows.append(("gradings that failed", f"{found.failed_runs} of {found.calls}"))
    rows += [
        ("wall time", f"{summary.wall_seconds:.1f} s"),
        ("median time of a grading", UNDEFINED if found.seconds is None else f"{found.seconds:.3f} s"),
    ]
    if found.prompt_tokens + found.completion_tokens:
        rows.append(("tokens", f"{found.prompt_tokens} prompt, {found.completion_tokens} completion"))
    if found.cost is not None:
        rows.append(("cost (USD)", f"{found.cost:.4f}"))
    return rows


def calibration_rows(found: Figures) -> list[tuple[str, ...]]:
    """Return the rows of the calibration table, whose header is `CALIBRATION_HEAD`."""
    return [
        (f"{bin.low:.1f} to {bin.high:.1f}", str(bin.count), number(bin.prediction), number(bin.grade))
        for bin in found.calibration
    ]


def question_rows(summary: Summary) -> list[tuple[str, ...]]:
    """Return the rows of the per-question table, whose header is `question_head`."""
    return [(question_id, *_question_cells(found, _repeated(summary))) for question_id, found in summary.by_question.items()]


def question_head(summary: Summary) -> tuple[str, ...]:
    """Return the header of the per-question table. The consistency columns appear only if there are repeated runs."""
    return (*QUESTION_HEAD, *(("same score", "deviation") if _repeated(summary) else ()))


def _repeated(summary: Summary) -> bool:
    return summary.all.calls > summary.all.answers


def _question_cells(found: Figures, repeated: bool) -> list[str]:
    cells = [
        str(found.answers),
        str(found.compared),
        *map(number, (found.mean_grade, found.mean_prediction, found.pearson, found.kappa, found.rmse, found.mae)),
        percent(found.far_off),
        number(found.seconds),
    ]
    if repeated:
        one = found.consistency
        cells += [percent(one.same), number(one.spread)] if one else [UNDEFINED, UNDEFINED]
    return cells


def number(value: float | None) -> str:
    """Format a measure with three decimals, or as "n/a" if it is None."""
    return UNDEFINED if value is None else f"{value:.3f}"


def percent(share: float | None) -> str:
    """Format a share from 0 to 1 as a percentage, or as "n/a" if it is None."""
    return UNDEFINED if share is None else f"{100 * share:.1f} %"
