"""From what a network says about a criterion to a mark, a quote and a share of the points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.judging import Reading
from training.labels import MADE, NOTHING, PARTIAL, WRONG
from training.runtime import Floats
from training.windows import Span

# How much the reading of all sentences together counts against that of the best single one.
TOGETHER = 0.7
# How much surer than the point a contradiction has to be.
SURER = 1.0
# How much surer than a vague mention its absence has to be.
ABSENT = 1.5
# In the sentence that makes the point it need not be as sure as the point.
IN_PLACE = 0.8
# Expected shares up to the first count as nothing, from the second on as everything.
NO_SHARE, FULL_SHARE = 0.08, 0.7
BELIEF = 0.6
_BARS = np.array([{NOTHING: ABSENT, WRONG: SURER}.get(label, 1.0) for label in range(4)], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Marked:
    """The class of a point, the share of its points that it earns (0 to 1), and the sentence that shows it."""

    label: int
    share: float
    quote: Span | None


def mark(reading: Reading) -> Marked:
    """Return the mark of a key point."""
    evidence = combined(reading)
    label = _label(evidence, reading)
    if label == WRONG:
        return Marked(label, 0.0, _best(reading, WRONG))
    expected = float(evidence[MADE] + 0.5 * evidence[PARTIAL])
    share = float(np.clip((expected - NO_SHARE) / (FULL_SHARE - NO_SHARE), 0.0, 1.0))
    return Marked(label, share, None if label == NOTHING else _best(reading, label))


def asserted(reading: Reading) -> Span | None:
    """Return the sentence that asserts a false belief, or None if none does."""
    evidence = combined(reading)
    return _best(reading, MADE) if evidence[MADE] >= BELIEF and evidence[MADE] > evidence[WRONG] else None


def combined(reading: Reading) -> Floats:
    """Return a figure for each class: a mean of what all sentences say together and what the clearest one says alone."""
    clearest = reading.each.max(axis=0)
    clearest[NOTHING] = reading.each[:, NOTHING].min()
    return np.asarray(TOGETHER * reading.whole + (1 - TOGETHER) * clearest, dtype=np.float32)


def _label(evidence: Floats, reading: Reading) -> int:
    label = int((evidence / _BARS).argmax())
    return WRONG if label == MADE and _contradicted_in_place(evidence, reading) else label


def _contradicted_in_place(evidence: Floats, reading: Reading) -> bool:
    """Tell whether the sentence that makes the point says its opposite more surely, unless the answer as a whole makes it."""
    made, wrong = reading.each[int(reading.each[:, MADE].argmax()), [MADE, WRONG]]
    return bool(wrong > made and evidence[WRONG] > IN_PLACE * evidence[MADE])


def _best(reading: Reading, label: int) -> Span:
    return reading.spans[int(reading.each[:, label].argmax())]
