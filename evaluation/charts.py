"""Small charts as inline SVG. Colors come from the page's CSS variables, so they follow the light or dark theme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import sqrt

from evaluation.measures import Bin, Integers
from interviewer.interviews.rubric import MAX_SCORE

_LEFT, _TOP, _SIZE, _BELOW = 46, 10, 300, 40


def heat_map(table: Integers) -> str:
    """Return an SVG heat map of human scores (x axis) against predicted scores (y axis). The rows of `table` are human scores."""
    cell = _SIZE / len(table)
    most = max(int(table.max()), 1)
    marks = []
    for human in range(len(table)):
        for predicted in range(len(table)):
            count = int(table[human, predicted])
            x, y = _LEFT + human * cell, _TOP + _SIZE - (predicted + 1) * cell
            frame = ' class="even"' if human == predicted else ""
            marks.append(
                f'<rect{frame} x="{x:.1f}" y="{y:.1f}" width="{cell - 1:.1f}" height="{cell - 1:.1f}" rx="2" '
                f'fill="var(--mark)" fill-opacity="{0.6 * sqrt(count / most):.3f}"><title>human {human}, predicted {predicted}: '
                f"{count}</title></rect>"
            )
            if count:
                marks.append(_text(x + cell / 2, y + cell / 2 + 3, str(count), "middle", "cell"))
    middles = [(index + 0.5) / len(table) for index in range(len(table))]
    marks += _axes([(at, str(index)) for index, at in enumerate(middles)], "human score", "predicted score")
    return _svg("Human against predicted scores, as a heat map", marks)


def calibration_curve(bins: Sequence[Bin]) -> str:
    """Return an SVG plot of the mean human grade against the mean prediction, both 0 to 1, with one dot per bin.

    Dot size shows the number of answers. Empty bins are skipped.
    """
    points = [
        (_LEFT + bin.prediction * _SIZE, _TOP + _SIZE - bin.grade * _SIZE, bin)
        for bin in bins
        if bin.prediction is not None and bin.grade is not None
    ]
    most = max((bin.count for bin in bins), default=0) or 1
    marks = [f'<line class="diagonal" x1="{_LEFT}" y1="{_TOP + _SIZE}" x2="{_LEFT + _SIZE}" y2="{_TOP}"/>']
    if len(points) > 1:
        marks.append(f'<polyline class="curve" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)}"/>')
    marks += [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3 + 7 * sqrt(bin.count / most):.1f}" fill="var(--mark)"><title>predicted '
        f"{bin.prediction:.2f}, human {bin.grade:.2f}, {bin.count} answers</title></circle>"
        for x, y, bin in points
    ]
    marks += _axes([(tick / 5, f"{tick / 5:.1f}") for tick in range(6)], "mean prediction", "mean human grade")
    return _svg("Calibration: mean human grade over mean prediction, with the diagonal", marks)


def histogram(differences: Iterable[float]) -> str:
    """Return an SVG histogram of prediction errors.

    An error is the predicted minus the human score, rounded to whole points and clamped to -10 to 10.
    """
    counts = dict.fromkeys(range(-MAX_SCORE, MAX_SCORE + 1), 0)
    for difference in differences:
        counts[max(-MAX_SCORE, min(MAX_SCORE, round(difference)))] += 1
    most = max(counts.values()) or 1
    width = _SIZE / len(counts)
    marks = []
    for index, (points, count) in enumerate(counts.items()):
        height = _SIZE * count / most
        marks.append(
            f'<rect x="{_LEFT + index * width:.1f}" y="{_TOP + _SIZE - height:.1f}" width="{width - 1:.1f}" '
            f'height="{height:.1f}" fill="var(--mark)"><title>{points:+d} points: {count} answers</title></rect>'
        )
    across = [
        ((index + 0.5) / len(counts), f"{points:+d}" if points else "0") for index, points in enumerate(counts) if not index % 5
    ]
    up = [(0.0, "0"), (1.0, str(most))]
    marks += _axes(across, "predicted minus human (points)", "answers", up)
    return _svg("Histogram of the errors", marks)


def _axes(
    across: Sequence[tuple[float, str]], name: str, name_up: str, up: Sequence[tuple[float, str]] | None = None
) -> list[str]:
    """Return the SVG elements of both axes.

    Ticks are pairs of a position from 0 to 1 and a label. The y axis uses the x-axis ticks unless `up` is given.
    """
    bottom = _TOP + _SIZE
    marks = [f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{_LEFT + _SIZE}"/>']
    marks += [_text(_LEFT + at * _SIZE, bottom + 16, words, "middle") for at, words in across]
    marks += [_text(_LEFT - 6, bottom - at * _SIZE + 4, words, "end") for at, words in (across if up is None else up)]
    marks.append(_text(_LEFT + _SIZE / 2, bottom + 34, name, "middle"))
    middle = _TOP + _SIZE / 2
    turned = f'transform="rotate(-90 12 {middle:.0f})"'
    marks.append(f'<text x="12" y="{middle:.0f}" text-anchor="middle" {turned}>{escape(name_up)}</text>')
    return marks


def _text(x: float, y: float, words: str, anchor: str, kind: str = "tick") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(name: str, marks: Iterable[str]) -> str:
    size = f"0 0 {_LEFT + _SIZE + 12} {_TOP + _SIZE + _BELOW}"
    return f'<svg viewBox="{size}" role="img" aria-label="{escape(name)}">{"".join(marks)}</svg>'
