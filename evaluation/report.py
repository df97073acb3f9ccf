"""The evaluation report as one self-contained HTML page. All input is escaped, because answers may be hostile."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from evaluation import charts, measures
from evaluation.run import Outcome
from evaluation.summary import (
    CALIBRATION_HEAD,
    Summary,
    calibration_rows,
    compared,
    overview,
    question_head,
    question_rows,
)
from interviewer.interviews.rubric import MAX_SCORE

WORST = 10
FAILURES = 20
MAX_SHOWN = 600

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --dim: #60646c; --line: #d9d9e0; --paper: #fcfcfd; --mark: #0d74ce; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #edeef0; --dim: #b0b4ba; --line: #43484e; --paper: #111113; --mark: #70b8ff; }
}
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
h1, .text { overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; }
th { color: var(--dim); font-weight: 600; }
.figures td + td, .figures th + th { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
.text { min-width: 14rem; unicode-bidi: isolate; white-space: pre-wrap; }
.charts { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); }
figure { margin: 0; } figcaption { color: var(--dim); }
svg { display: block; height: auto; max-width: 100%; } svg text { fill: var(--dim); font-size: 11px; }
svg .cell { fill: var(--ink); font-size: 9px; }
svg .axis, svg .diagonal, svg .curve, svg .even { stroke: var(--dim); } svg .axis, svg .curve { fill: none; }
svg .curve { stroke: var(--mark); } svg .diagonal { stroke-dasharray: 4 4; } svg .even { stroke-width: .6; }
"""


def page(summary: Summary) -> str:
    """Render the complete HTML page."""
    pairs = compared(summary.outcomes)
    table = measures.counts(
        measures.rounded([MAX_SCORE * grade for _, _, grade in pairs]), measures.rounded([score for _, score, _ in pairs])
    )
    drawn = (
        ("Human against predicted", charts.heat_map(table)),
        ("Calibration", charts.calibration_curve(summary.all.calibration)),
        ("Errors", charts.histogram(score - MAX_SCORE * grade for _, score, grade in pairs)),
    )
    parts = [
        f"<h1>{escape(summary.title)}</h1>",
        _table((), overview(summary)),
        "<h2>Charts</h2>",
        '<div class="charts">',
        *(f"<figure>{svg}<figcaption>{escape(name)}</figcaption></figure>" for name, svg in drawn),
        "</div>",
        "<h2>Calibration by predicted score</h2>",
        _table(CALIBRATION_HEAD, calibration_rows(summary.all), "figures"),
        "<h2>By question</h2>",
        _table(question_head(summary), question_rows(summary), "figures"),
        *_furthest_off(summary),
        *_failures(summary.outcomes),
    ]
    return "\n".join([_head(summary.title), *parts, "</body>", "</html>", ""])


def _head(title: str) -> str:
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>"
    )


def _furthest_off(summary: Summary) -> list[str]:
    """Return the section with the answers whose scores differ most from the human grade. Ties keep the input order."""
    pairs = sorted(compared(summary.outcomes), key=lambda pair: -abs(pair[1] - MAX_SCORE * pair[2]))[:WORST]
    if not pairs:
        return []
    rows = [
        (
            str(outcome.record.id),
            outcome.record.question,
            outcome.record.answer,
            f"{MAX_SCORE * grade:.1f}",
            f"{score:.1f}",
        )
        for outcome, score, grade in pairs
    ]
    return ["<h2>Furthest off</h2>", _table(("id", "question", "answer", "human", "predicted"), rows)]


def _failures(outcomes: Sequence[Outcome]) -> list[str]:
    failed = [outcome for outcome in outcomes if outcome.score is None]
    if not failed:
        return []
    rows = [(str(outcome.record.id), outcome.error) for outcome in failed[:FAILURES]]
    return [f"<h2>Not judged: {len(failed)}, the first of them</h2>", _table(("id", "why"), rows)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "plain") -> str:
    """Return an HTML table. All header and body cells are escaped."""
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    above = f"<thead><tr>{names}</tr></thead>" if head else ""
    return f'<div class="scroll"><table class="{kind}">{above}<tbody>{lines}</tbody></table></div>'


def _cell(text: str) -> str:
    short = text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
    kind = ' class="text"' if len(short) > 60 else ""
    return f"<td{kind}>{escape(short)}</td>"
