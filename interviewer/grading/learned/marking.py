"""Turn the network's probabilities for a criterion into a mark, a quote, and a share of the points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from interviewer.grading.learned.labels import MADE, NOTHING, PARTIAL, WRONG
from interviewer.grading.learned.reading import Reading
from interviewer.grading.learned.runtime import Floats
from interviewer.grading.learned.sentences import Span
from interviewer.grading.learned.shortlist import LEAST

# The weight of the probability for all sentences together, against the one for the best single sentence.
TOGETHER = 0.7
# A point is contradicted if "wrong" has more than this many times the evidence of "made".
SURER = 1.5
# A point is missed if "nothing" has at least ABSENT times the evidence of any other class. If the answer's likeness to the key
# points is below the share ALIKE of the model answer's, this factor shrinks exponentially at the rate ESTRANGED. It also does at
# the rate APART if the likeness to the point itself is below the share NEAR.
ABSENT = 3.0
ALIKE, ESTRANGED = 0.65, 8.0
NEAR, APART = 0.7, 6.0
# A point is also contradicted if "wrong" is likelier than "made" in the sentence where "made" is likeliest, and "wrong" has more
# than this many times the evidence of "made".
IN_PLACE = 0.8
# Expected shares up to NO_SHARE earn nothing, and those from FULL_SHARE earn everything.
NO_SHARE, FULL_SHARE = 0.08, 0.7
# The minimum evidence for an asserted misconception; and the minimum evidence and likeness of a sentence for one that is corrected
# in a whole answer, where less sure ones are often read into right statements.
BELIEF, SURE_BELIEF, ABOUT_BELIEF = 0.6, 0.8, 0.3
# How strongly the answer's marks for the other key points count. An answer that gets most of them wrong is seldom right about the
# remaining one.
COMPANY = 1.2
# If a sentence is already the quote of a surer key point, another sentence is quoted whose probability of the same class is at
# least this high.
OTHER_QUOTE = 0.5
# A class is about as likely as the best one if its evidence is at least this share of the best one's.
CLOSE = 0.6
# Probabilities are rounded, so one may be 0. As a factor, 0 would cancel the other probability.
_LEAST = 1e-3


@dataclass(frozen=True, slots=True)
class Marked:
    """The class of a key point, the share of its weight that it earns (0 to 1), and the sentence that shows the class.

    `other` is a class that is about as likely and would change the score, or None if there is none.
    """

    label: int
    share: float
    quote: Span | None
    other: int | None = None


@dataclass(frozen=True, slots=True)
class Alike:
    """An answer's likeness to all key points together and to each, as shares of the model answer's likeness.

    An empty `each` says nothing about the single points.
    """

    whole: float = 1.0
    each: tuple[float, ...] = ()

    def to(self, index: int) -> float:
        """Return the likeness to one key point."""
        return self.each[index] if self.each else 1.0


@dataclass(frozen=True, slots=True)
class Asserted:
    """The sentence that asserts a misconception. `sureness` serves only to compare misconceptions: it can exceed 1."""

    quote: Span
    sureness: float


def mark(reading: Reading, company: float = 0.0, alike: float = 1.0, own: float = 1.0) -> Marked:
    """Return the mark of a key point.

    `company` says how wrong (1) or right (-1) the answer is about the other key points. `alike` is the answer's likeness to all
    key points, and `own` to this one, as shares of the model answer's.
    """
    if reading.likeness < LEAST:
        return Marked(NOTHING, 0.0, None)
    evidence = _in_company(combined(reading), company)
    scaled = np.asarray(evidence / _bars(alike, own), dtype=np.float32)
    label = _label(scaled, evidence, reading)
    other = _other(scaled, label)
    if label == WRONG:
        place = int(_shown(reading, WRONG).argmax())
        # What has nothing to do with the point earns as little, but is no reason to correct the candidate.
        if reading.near is not None and reading.near[place] < ABOUT_BELIEF:
            return Marked(NOTHING, 0.0, None, other)
        return Marked(label, 0.0, reading.spans[place], other)
    expected = float(evidence[MADE] + 0.5 * evidence[PARTIAL])
    share = float(np.clip((expected - NO_SHARE) / (FULL_SHARE - NO_SHARE), 0.0, 1.0))
    return Marked(label, share, None if label == NOTHING else _best(reading, label), other)


def mark_all(readings: Sequence[Reading], alike: Alike | None = None) -> list[Marked]:
    """Return the marks of all key points of an answer. Two points share a quote only if no other sentence shows the mark.

    `alike` is the answer's likeness to the key points, by default that of the model answer.
    """
    tone, alike = _tone(readings), alike or Alike()
    found = [mark(one, _without(tone, index), alike.whole, alike.to(index)) for index, one in enumerate(readings)]
    order = sorted(range(len(found)), key=lambda index: -_sureness(readings[index], found[index].label))
    used: set[Span] = set()
    for index in order:
        one, reading = found[index], readings[index]
        if one.quote in used:
            found[index] = one = replace(one, quote=_another(reading, one, used))
        if one.quote:
            used.add(one.quote)
    return found


def company_of(points: Sequence[Reading]) -> float:
    """Return how wrong (1) or right (-1) an answer is about its key points on average."""
    return float(_tone(points).mean())


def asserted(reading: Reading, company: float = 0.0) -> Asserted | None:
    """Return the sentence that asserts a misconception, or None if none does.

    `company` says how wrong (1) or right (-1) the answer is about the key points.
    """
    evidence = combined(reading)
    evidence[MADE] *= math.exp(COMPANY * company)
    if evidence[MADE] < BELIEF or evidence[MADE] <= evidence[WRONG]:
        return None
    return Asserted(_best(reading, MADE), float(evidence[MADE]))


def surely_asserted(reading: Reading, company: float = 0.0) -> Asserted | None:
    """Return the same as `asserted`, but None if it is not sure enough to be corrected."""
    found = asserted(reading, company)
    return found if found and found.sureness >= SURE_BELIEF and reading.likeness >= ABOUT_BELIEF else None


def _tone(readings: Sequence[Reading]) -> Floats:
    """Return, for each key point, how wrong (1) or right (-1) the answer is about it."""
    evidence = np.array([combined(reading) for reading in readings], dtype=np.float32).reshape(len(readings), 4)
    return np.asarray(evidence[:, WRONG] - evidence[:, MADE], dtype=np.float32)


def _without(tone: Floats, index: int) -> float:
    """Return the mean of `tone` without the item at `index`, or 0 if there is no other item."""
    return float((tone.sum() - tone[index]) / (len(tone) - 1)) if len(tone) > 1 else 0.0


def _in_company(evidence: Floats, company: float) -> Floats:
    """Shift evidence between "made" and "wrong" according to the other key points.

    The sum of the two, and the evidence for "partial" and "nothing", stay the same.
    """
    made, wrong = float(evidence[MADE]) * math.exp(-COMPANY * company), float(evidence[WRONG]) * math.exp(COMPANY * company)
    found = evidence.copy()
    found[[MADE, WRONG]] = np.array([made, wrong]) * float(evidence[MADE] + evidence[WRONG]) / max(made + wrong, 1e-9)
    return found


def combined(reading: Reading) -> Floats:
    """Return the evidence (0 to 1) for each class.

    It is the geometric mean of the class's probability for all sentences together and for the sentence where the class is
    likeliest, so it is high only if both are high. For "nothing", the sentence where that class is least likely counts.
    """
    clearest = reading.each.max(axis=0)
    clearest[NOTHING] = reading.each[:, NOTHING].min()
    whole, alone = np.maximum(reading.whole, _LEAST), np.maximum(clearest, _LEAST)
    return np.asarray(whole**TOGETHER * alone ** (1 - TOGETHER), dtype=np.float32)


def _bars(alike: float, own: float) -> Floats:
    """Return, for each class, the number by which its evidence is divided before the classes are compared."""
    absent = ABSENT * math.exp(ESTRANGED * min(0.0, alike - ALIKE) + APART * min(0.0, own - NEAR))
    return np.array([{NOTHING: absent, WRONG: SURER}.get(label, 1.0) for label in range(4)], dtype=np.float32)


def _label(scaled: Floats, evidence: Floats, reading: Reading) -> int:
    label = int(scaled.argmax())
    return WRONG if label == MADE and _contradicted_in_place(evidence, reading) else label


def _other(scaled: Floats, label: int) -> int | None:
    """Return the likeliest class that would change the score, or None if it is not about as likely as the best one."""
    worthless = label in (NOTHING, WRONG)
    others = [one for one in range(4) if one != label and not (worthless and one in (NOTHING, WRONG))]
    other = max(others, key=lambda one: float(scaled[one]))
    return other if scaled[other] >= CLOSE * scaled.max() else None


def _contradicted_in_place(evidence: Floats, reading: Reading) -> bool:
    """Return whether "wrong" is likelier than "made" in the sentence where "made" is likeliest.

    Returns False if the answer as a whole clearly makes the point.
    """
    made, wrong = reading.each[int(reading.each[:, MADE].argmax()), [MADE, WRONG]]
    return bool(wrong > made and evidence[WRONG] > IN_PLACE * evidence[MADE])


def _best(reading: Reading, label: int) -> Span:
    """Return the sentence that best shows a class."""
    return reading.spans[int(_shown(reading, label).argmax())]


def _shown(reading: Reading, label: int) -> Floats:
    """Return, for each sentence, how well it shows a class to people.

    Several sentences of an answer often have nearly the same probability; the one whose words are closest to the point is the
    quote that people understand.
    """
    shown = reading.each[:, label]
    return shown if reading.near is None else np.asarray(shown * np.maximum(reading.near, LEAST), dtype=np.float32)


def _sureness(reading: Reading, label: int) -> float:
    return float(reading.each[:, label].max())


def _another(reading: Reading, found: Marked, used: set[Span]) -> Span | None:
    """Return the unused sentence that best shows the same class, or the sentence in `found` if there is none."""
    rows = [
        (float(shown), span)
        for row, shown, span in zip(reading.each, _shown(reading, found.label), reading.spans, strict=True)
        if span not in used and row[found.label] >= OTHER_QUOTE
    ]
    return max(rows, key=lambda pair: pair[0])[1] if rows else found.quote
