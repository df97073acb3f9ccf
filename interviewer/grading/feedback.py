"""Write feedback from marks, quotes, and misconceptions, as an interviewer would say it."""

from __future__ import annotations

from collections.abc import Sequence

from interviewer.grading.judge import Scored, WrongStatement
from interviewer.interviews.rubric import AnswerNature, KeyPoint, Mark, MarkedPoint, Rubric, exact_score

MAX_QUOTE = 120
# The maximum number of made key points that the feedback mentions. The verdict lists all of them.
MAX_PRAISES = 3
MAX_WRONG = 2
# A quote of fewer words, such as "Okay, concretely:", shows nothing.
LEAST_QUOTED = 4
AFTER_HINT = "Points you covered only after the hint count for half."
_COMPLETE = ("That's a complete answer.", "You covered it.", "There's nothing important to add.")
_HINTED = "You got there with the hint."
_STRONG = ("That's a strong answer.", "You answered that well.", "Good: most of it is there.")
_ASK_NEXT = ("If we had more time, I'd ask you this:", "One to think about:", "My next question would be:")
_TRY = ("To close that gap, try answering this:", "Practice with this one:", "Try this next:")
_NON_ANSWER = (
    "That doesn't answer the question yet. In an interview, say what you do know and reason out loud from there. "
    "Even a partial answer often earns half the points."
)
_OFF_TOPIC = "I couldn't find an answer to my question in that."
_KEYWORDS = "These are the right words, but I can't tell how they fit together. Say it in sentences: what you'd do, and why."
_NOTHING_YET = "I was looking for something else here."


def write_feedback(rubric: Rubric, scored: Scored, asked: Sequence[str] = (), *, fails: bool = False) -> str:
    """Return the feedback: what was right, what was taken back, what was wrong, the most valuable gap, and a next step.

    `asked` are the follow-ups that were asked already; the next step is another question. If points were covered or partly
    covered only after the hint, the feedback says that they count for half. There is no overall praise for code that `fails`.
    """
    step = _next_step(rubric, scored, asked)
    if scored.nature is not AnswerNature.ANSWER:
        return "\n\n".join([_opening(scored), *_missing(rubric, scored), *step])
    halved = [AFTER_HINT] if any(mark.after_hint and mark.share for mark in scored.marks) else []
    parts = [
        _right(rubric, scored, fails=fails),
        *_taken_back(scored),
        *_wrong(rubric, scored),
        *_missing(rubric, scored),
        *halved,
        *step,
    ]
    return "\n\n".join(part for part in parts if part)


def _opening(scored: Scored) -> str:
    if scored.nature is AnswerNature.NON_ANSWER:
        return _NON_ANSWER
    return _KEYWORDS if any(mark.mark is not Mark.MISSED for mark in scored.marks) else _OFF_TOPIC


def _right(rubric: Rubric, scored: Scored, *, fails: bool) -> str:
    """Return praise for the heaviest key points that were made, with a quote for the first one.

    If none was made, returns "" if the answer touches or contradicts a key point or asserts a misconception; otherwise, returns a
    sentence that says so.
    """
    made = _of(rubric, scored, Mark.HIT)
    if not made:
        return (
            ""
            if _of(rubric, scored, Mark.PARTIAL) or _believed(scored) or _of(rubric, scored, Mark.CONTRADICTED)
            else _NOTHING_YET
        )
    praised = sorted(made[:MAX_PRAISES], key=lambda mark: mark.tested)
    sentences = [_praise(_point(rubric, mark)) for mark in praised]
    if quote := praised[0].quote:
        praise = sentences[0]
        sentences[0] = f"{praise.rstrip('.')}: {_quoted(quote)}" if praise.endswith(".") else f"{praise} {_quoted(quote)}"
    return " ".join(["" if fails else _overall(rubric, scored), *sentences]).strip()


def _overall(rubric: Rubric, scored: Scored) -> str:
    """Return an overall impression if the score is at least 8 and no misconception was asserted; otherwise, return ""."""
    value = exact_score(rubric, [mark.model_copy(update={"after_hint": False}) for mark in scored.marks], scored.nature)
    if _believed(scored):
        return ""
    if value >= 8 and any(mark.after_hint and mark.share for mark in scored.marks):
        return _HINTED
    if value == 10:
        return _one_of(_COMPLETE, rubric)
    return _one_of(_STRONG, rubric) if value >= 8 else ""


def _one_of(wordings: Sequence[str], rubric: Rubric) -> str:
    """Return one wording, always the same for a question, so that not all verdicts of an interview sound the same."""
    return wordings[sum(map(ord, rubric.model_answer)) % len(wordings)]


def _taken_back(scored: Scored) -> list[str]:
    """Return at most one sentence: what the candidate said first and corrected later."""
    if not scored.corrected:
        return []
    return [f"You first said {_quoted(scored.corrected[0].quote)} You corrected that later, and the correction counts."]


def _wrong(rubric: Rubric, scored: Scored) -> list[str]:
    """Return at most MAX_WRONG corrections: of misconceptions first, then of key points that the answer contradicts.

    What was taken back needs none.
    """
    taken_back = {mark.quote for mark in scored.corrected}
    said = [(one.quote, one.misconception.correction) for one in _believed(scored) if one.quote not in taken_back]
    known = {quote for quote, _ in said}
    opposite = [mark for mark in _denied(rubric, scored) if mark.quote not in known]
    said += [(mark.quote, _gap(_point(rubric, mark))) for mark in opposite]
    return [f"You said {_quoted(quote)} I'd push back on that. {correction}" for quote, correction in said[:MAX_WRONG]]


def _believed(scored: Scored) -> list[WrongStatement]:
    """Return the misconceptions that the answer asserts. A sentence that makes a key point is none: the judge misread it once."""
    return [one for one in scored.wrong if not _makes_a_point(one.quote, scored)]


def _denied(rubric: Rubric, scored: Scored) -> list[MarkedPoint]:
    """Return the key points that the answer contradicts, heaviest first, but not by a sentence that makes another point."""
    return [mark for mark in _of(rubric, scored, Mark.CONTRADICTED) if not _makes_a_point(mark.quote, scored)]


def _makes_a_point(quote: str, scored: Scored) -> bool:
    made = [mark.quote for mark in scored.marks if mark.mark is Mark.HIT and mark.quote]
    return any(quote in one or one in quote for one in made)


def _missing(rubric: Rubric, scored: Scored) -> list[str]:
    """Return at most one sentence: what to say about the heaviest key point that was missed or only touched."""
    worst = _most_valuable(rubric, scored)
    if worst is None:
        return []
    gap = _gap(_point(rubric, worst))
    if worst.mark is Mark.PARTIAL and len(worst.quote.split()) >= LEAST_QUOTED:
        return [f"You were close with {_quoted(worst.quote)} Go one step further: {_lowered(gap)}"]
    if scored.nature is AnswerNature.ANSWER and (_of(rubric, scored, Mark.HIT) or _of(rubric, scored, Mark.PARTIAL)):
        return [f"Most important next time: {_lowered(gap)}"]
    return [f"Start here: {_lowered(gap)}"]


def _next_step(rubric: Rubric, scored: Scored, asked: Sequence[str]) -> list[str]:
    """Return at most one sentence with a question to practice on that is not in `asked`.

    It is the probe of a key point that was missed, touched, or contradicted. If there is none left, it is the follow-up.
    """
    open_points = [*_weak(rubric, scored), *_denied(rubric, scored)]
    probes = [probe for mark in open_points if (probe := _point(rubric, mark).probe)]
    new = [probe for probe in probes if not any(probe in text for text in asked)]
    if new:
        return [f"{_one_of(_TRY, rubric)} {new[0]}"]
    if not rubric.follow_up or (open_points and not probes):
        return []
    return [f"{_one_of(_ASK_NEXT, rubric)} {rubric.follow_up}"]


def _most_valuable(rubric: Rubric, scored: Scored) -> MarkedPoint | None:
    """Return the heaviest key point that was missed or only touched, or None if there is none."""
    weak = _weak(rubric, scored)
    return weak[0] if weak else None


def _weak(rubric: Rubric, scored: Scored) -> list[MarkedPoint]:
    """Return the key points that were missed, only touched, or contradicted by a sentence that makes another, heaviest first."""
    misread = [mark for mark in _of(rubric, scored, Mark.CONTRADICTED) if _makes_a_point(mark.quote, scored)]
    missed = _of(rubric, scored, Mark.MISSED) + _of(rubric, scored, Mark.PARTIAL) + misread
    return sorted(missed, key=lambda mark: -_point(rubric, mark).weight)


def _of(rubric: Rubric, scored: Scored, mark: Mark) -> list[MarkedPoint]:
    """Return the key points with a mark, heaviest first."""
    return sorted((one for one in scored.marks if one.mark is mark), key=lambda one: -_point(rubric, one).weight)


def _point(rubric: Rubric, mark: MarkedPoint) -> KeyPoint:
    return rubric.key_points[mark.key_point]


def _praise(point: KeyPoint) -> str:
    return point.praise or f"You made this point: {_lowered(point.point.rstrip('.'))}."


def _gap(point: KeyPoint) -> str:
    return point.gap or f"Say this: {_lowered(point.point.rstrip('.'))}."


def _lowered(text: str) -> str:
    """Return a text with its first letter in lowercase, unless its first word has other capitals: "SQL", "PostgreSQL"."""
    first = text.split(maxsplit=1)[0] if text else ""
    return text[0].lower() + text[1:] if first[1:].islower() or first in {"A", "I"} else text


def _quoted(quote: str) -> str:
    """Return a quote in quotation marks that ends its sentence. Long quotes are cut."""
    flat = " ".join(quote.split()).rstrip(".;,:–— ")
    short = flat if len(flat) <= MAX_QUOTE else flat[: MAX_QUOTE - 1].rsplit(None, 1)[0] + "…"
    return f"“{short}”" if short.endswith(("?", "!", "…")) else f"“{short}.”"
