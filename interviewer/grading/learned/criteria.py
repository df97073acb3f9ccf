"""The first text of a pair: what is looked for in the answer."""

from __future__ import annotations

WORDS_OF_QUESTION = 25


def of_point(point: str, gap: str = "") -> str:
    """Return the criterion for a key point; `gap`, what to say when it is missing, brings the facts."""
    return f"{_ended(point)} {gap}".strip()


def of_question(point: str, question: str) -> str:
    """Return the criterion for a key point without further facts, with the beginning of the question."""
    return f"{_ended(point)} Question: {' '.join(question.split()[:WORDS_OF_QUESTION])}"


def of_misconception(claim: str, correction: str = "") -> str:
    """Return the criterion for a false belief; "made" then means that the answer asserts it."""
    return f"Asserts: {_ended(claim)} Instead of: {correction}" if correction else f"Asserts: {_ended(claim)}"


def _ended(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."
