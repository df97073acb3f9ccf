"""Train the built-in grader: `python -m tests.calibration.fit` prints how well it grades questions left out of training
and writes interviewer/grading/grading.json.

Figures of words in context are trained only where onnxruntime is installed; without it that
part of the parameter file is kept as it is.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interviewer.grading import regression, regression_grading
from interviewer.grading.encoders import Encoder, contextual
from interviewer.grading.features import FALLING, measure
from tests.calibration.boosting import Boosting, Floats, boosted, signed_ridge
from tests.calibration.data import Graded, saf, short, strangers

PARAMETERS = Path(regression_grading.__file__).with_name(regression.PARAMETERS)
SETTINGS = Boosting()
RIDGE_PENALTY = 300.0
STRANGER_WEIGHT = 0.5
# The line for short references: what carries over best, and answers weighted as in a course, where most of them are good.
SHORT_FEATURES = ("keyed",)
SHORT_PENALTY, GOOD, GOOD_WEIGHT = 10.0, 0.7, 3.0


@dataclass(frozen=True)
class Measured:
    """Answers with their features; `rows` has one row an answer and one column a name."""

    graded: list[Graded]
    names: list[str]
    rows: Floats

    @property
    def grades(self) -> Floats:
        return np.array([each.grade for each in self.graded])

    def of(self, field: str) -> NDArray[np.str_]:
        """Return the group or module of each answer."""
        return np.array([getattr(each, field) for each in self.graded])


def measured(graded: list[Graded], encoder: Encoder | None) -> Measured:
    """Measure every answer; those that are none get figures of a word that says nothing, and no model sees them."""
    figures = [
        measure(each.question, each.reference, regression_grading.worded(each.question, each.answer) or "nothing", encoder)
        for each in graded
    ]
    names = sorted(figures[0])
    return Measured(graded, names, np.array([[figure[name] for name in names] for figure in figures]))


def _signs(names: list[str]) -> Floats:
    return np.array([-1.0 if name in FALLING else 1.0 for name in names])


def _line_of(names: list[str], slope: Floats, intercept: float) -> dict[str, Any]:
    return {"names": names, "intercept": round(intercept, 6), "weights": [round(float(weight), 6) for weight in slope]}


def train(rows: Floats, grades: Floats, weights: Floats, names: list[str]) -> dict[str, Any]:
    """Return a model, but for its line for short references, as the parameter file stores it."""
    signs = _signs(names)
    slope, intercept = signed_ridge(rows, grades, weights, signs, penalty=RIDGE_PENALTY)
    base, trees = boosted(rows, grades, weights, signs, SETTINGS)
    return {
        "line": _line_of(names, slope, intercept),
        "base": round(base, 6),
        "trees": [asdict(tree) for tree in trees],
    }


def short_line(answers: Measured, others: Measured, kind: str, without: str = "") -> dict[str, Any]:
    """Return the line for short references as the parameter file stores it, trained without one group of the questions.

    Answers to other questions steepen it; its level is that of the answers to the question.
    """
    names = [f"{kind}_{name}" for name in SHORT_FEATURES]
    columns = [answers.names.index(name) for name in names]
    seen, seen_others = answers.of("group") != without, others.of("group") != without
    own = np.where(answers.grades >= GOOD, GOOD_WEIGHT, 1.0)[seen]
    rows = np.vstack([answers.rows[seen], others.rows[seen_others]])[:, columns]
    grades = np.concatenate([answers.grades[seen], others.grades[seen_others]])
    weights = np.concatenate([own, np.full(seen_others.sum(), STRANGER_WEIGHT)])
    slope, _ = signed_ridge(rows, grades, weights, _signs(names), penalty=SHORT_PENALTY)
    level = own @ (answers.grades[seen] - answers.rows[seen][:, columns] @ slope) / own.sum()
    return _line_of(names, slope, float(level))


def fit(answers: Measured, others: Measured, line: dict[str, Any], without: set[str], field: str = "group") -> dict[str, Any]:
    """Train on the answers to all questions but those of `without`; `line` is the one for short references."""
    seen = ~np.isin(answers.of(field), list(without)) & ~blank(answers)
    seen_others = ~np.isin(others.of(field), list(without))
    rows = np.vstack([answers.rows[seen], others.rows[seen_others]])
    grades = np.concatenate([answers.grades[seen], others.grades[seen_others]])
    weights = np.concatenate([np.ones(seen.sum()), np.full(seen_others.sum(), STRANGER_WEIGHT)])
    return {**train(rows, grades, weights, answers.names), "short": line}


def blank(answers: Measured) -> NDArray[np.bool_]:
    """Tell which answers are none, which the grader settles without its model."""
    return np.array([regression_grading.is_non_attempt(each.question, each.answer) for each in answers.graded])


def settled(answers: Measured, index: int, model: regression.Model) -> float:
    """Return the grade that the grader gives to one answer with `model`."""
    each, figures = answers.graded[index], dict(zip(answers.names, answers.rows[index], strict=True))
    if regression_grading.is_non_attempt(each.question, each.answer):
        return 0.0
    return regression_grading.settle(figures, model, each.question, each.reference, each.answer)


def left_out(answers: Measured, others: Measured, line: dict[str, Any], field: str) -> Floats:
    """Return the grade of each answer by a model that saw no answer of its question or module."""
    predicted = np.zeros(len(answers.graded))
    none = blank(answers)
    for group in sorted(set(answers.of(field))):
        model = regression.model_of(fit(answers, others, line, {group}, field))
        for index in np.flatnonzero((answers.of(field) == group) & ~none):
            predicted[index] = settled(answers, int(index), model)
    return predicted


def short_left_out(answers: Measured, others: Measured, stored: dict[str, Any], kind: str) -> Floats:
    """Return the grade of each short answer with a line that saw no answer of its question, and all of the networks."""
    predicted = np.zeros(len(answers.graded))
    for group in sorted(set(answers.of("group"))):
        model = regression.model_of({**stored, "short": short_line(answers, others, kind, group)})
        for index in np.flatnonzero(answers.of("group") == group):
            predicted[index] = settled(answers, int(index), model)
    return predicted


def pearson(first: Floats, second: Floats) -> float:
    """Return the correlation, 0 where one side does not vary."""
    return float(np.corrcoef(first, second)[0, 1]) if first.std() > 0 and second.std() > 0 else 0.0


def rmse(first: Floats, second: Floats) -> float:
    """Return the root of the mean squared difference."""
    return float(np.sqrt(((first - second) ** 2).mean()))


def _line(name: str, predicted: Floats, grades: Floats) -> str:
    return f"{name:<34}{len(grades):>6}{pearson(predicted, grades):>9.3f}{rmse(predicted, grades):>8.3f}"


def short_report(tuned: Measured, others: Measured, kept_back: Measured, stored: dict[str, Any], kind: str) -> str:
    """Return the rows of the short answers on programming, with questions left out and with those never trained on."""
    model = regression.model_of(stored)
    found = np.array([settled(kept_back, index, model) for index in range(len(kept_back.graded))])
    return "\n".join(
        [
            _line("programming, questions left out", short_left_out(tuned, others, stored, kind), tuned.grades),
            _line("programming, questions kept back", found, kept_back.grades),
        ]
    )


def report(answers: Measured, others: Measured, line: dict[str, Any]) -> str:
    """Return the tables: left out by question and by module, pooled and for each question."""
    grades, written = answers.grades, ~blank(answers)
    by_question, by_module = left_out(answers, others, line, "group"), left_out(answers, others, line, "module")
    lines = [f"{'':<34}{'n':>6}{'Pearson':>9}{'RMSE':>8}", _line("questions left out, pooled", by_question, grades)]
    lines.append(_line("  without empty answers", by_question[written], grades[written]))
    lines.append(_line("modules left out, pooled", by_module, grades))
    lines.append(_line("  without empty answers", by_module[written], grades[written]))
    groups = answers.of("group")
    each = {group: groups == group for group in sorted(set(groups))}
    lines += [_line(f"  question {group}", by_question[rows], grades[rows]) for group, rows in each.items()]
    mean = np.mean([pearson(by_question[rows], grades[rows]) for rows in each.values()])
    error = np.mean([rmse(by_question[rows], grades[rows]) for rows in each.values()])
    lines.append(f"{'mean over questions':<40}{mean:>9.3f}{error:>8.3f}")
    return "\n".join(lines)


def main() -> None:
    """Train both models, print their tables and write the parameter file."""
    stored = json.loads(PARAMETERS.read_text(encoding="utf-8")) if PARAMETERS.exists() else {}
    graded, foreign = saf(), strangers(saf())
    kinds: dict[str, Encoder | None] = {"static": None}
    if (encoder := contextual()) is not None:
        kinds["context"] = encoder
    for kind, used in kinds.items():
        answers, others = measured(graded, used), measured(foreign, used)
        tuned, elsewhere = measured(short("tuned"), used), measured(strangers(short("tuned")), used)
        kept_back = measured(short("kept_back"), used)
        line = short_line(tuned, elsewhere, kind)
        sys.stdout.write(f"\n{kind}\n{report(answers, others, line)}\n")
        stored[kind] = fit(answers, others, line, set())
        sys.stdout.write(f"{short_report(tuned, elsewhere, kept_back, stored[kind], kind)}\n")
    PARAMETERS.write_text(json.dumps(stored, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
