"""The text colors of scores. They repeat what a number, a word, or a sign next to them says."""

from __future__ import annotations

import reflex as rx

from interviewer.interviews.rubric import MAX_SCORE, PASS_SCORE
from interviewer.reports.readiness import WEAK, Band

_TONES = {Band.PASSED: "text-good", Band.MIDDLE: "text-half", Band.LOW: "text-bad"}
_WEAK_SCORE = MAX_SCORE * WEAK // 100


def band_text(band: rx.Var[str], class_name: str) -> rx.Var[str]:
    """Return `class_name` with the text color of a band, or with muted text if the band is empty."""
    return rx.match(band, *((one.value, f"{class_name} {tone}") for one, tone in _TONES.items()), f"{class_name} text-muted")


def score_text(score: rx.Var[int], class_name: str) -> rx.Var[str]:
    """Return `class_name` with the text color of an answer's score (0 to 10)."""
    passed, middle, low = (f"{class_name} {_TONES[band]}" for band in (Band.PASSED, Band.MIDDLE, Band.LOW))
    return rx.cond(score >= PASS_SCORE, passed, rx.cond(score >= _WEAK_SCORE, middle, low))
