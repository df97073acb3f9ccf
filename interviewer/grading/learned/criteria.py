"""Criteria: the texts that say what to look for in an answer. The network reads each one with sentences of the answer."""

from __future__ import annotations

WORDS_OF_QUESTION = 25


def of_point(point: str, gap: str = "") -> str:
    """Return the criterion for a key point. `gap`, the feedback for answers that miss the point, adds the facts."""
    return f"{_ended(point)} {gap}".strip()


def of_question(point: str, question: str) -> str:
    """Return a criterion made from a key point and the beginning of the question, for points without a `gap`."""
    return f"{_ended(point)} Question: {' '.join(question.split()[:WORDS_OF_QUESTION])}"


def of_misconception(claim: str, correction: str = "") -> str:
    """Return the criterion for a misconception. The class "made" then means that the answer asserts it."""
    return f"Asserts: {_ended(claim)} Instead of: {correction}" if correction else f"Asserts: {_ended(claim)}"


def _ended(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."
