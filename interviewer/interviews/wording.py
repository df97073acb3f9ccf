"""Text for scores, marks, and interviewers, shared by pages and reports."""

from __future__ import annotations

from interviewer.interviews.rubric import MAX_SCORE, PASS_SCORE, Mark

_INTERVIEWERS = {"builtin": "Built-in interviewer (question bank, no language model)", "openai": "AI interviewer"}
_OWN_RESUME = "Nothing else uses it, and no other user sees it. Delete anything you don't want to share, such as your address."
_RESUME_USE = {"builtin": f"It isn't sent to a language model provider. {_OWN_RESUME}"}
_RESUME_SENT = (
    "For these, we send it to the provider of the language model, without the email addresses, phone numbers, and web addresses "
    f"that we recognize. {_OWN_RESUME}"
)
MARKS: dict[str, str] = {
    Mark.HIT: "Covered",
    Mark.PARTIAL: "Partly covered",
    Mark.MISSED: "Missed",
    Mark.CONTRADICTED: "Contradicted",
}
# A topic without a score may never get one, but an answer without a score can still be scored.
NO_TOPIC_SCORE, NO_SCORE_YET = "not scored", "not scored yet"
ANSWER_NOT_SCORED = "This answer hasn't been scored yet."
PASSING = f"{PASS_SCORE} out of {MAX_SCORE}"
MODEL_ANSWER = "A model answer"
FOLLOW_UP = "A follow-up you might get"
SECOND_VERDICT = "What the second verdict says"


def interviewer_name(name: str) -> str:
    """Return an interviewer's display name, or `name` itself if it is unknown."""
    return _INTERVIEWERS.get(name, name)


def resume_use(interviewer: str) -> str:
    """Return who sees a résumé with this interviewer, as sentences that follow the one that says which questions use it."""
    return _RESUME_USE.get(interviewer, _RESUME_SENT)


def mark_name(mark: str, *, after_hint: bool) -> str:
    """Return the name of a mark: "Covered", or "Covered after the hint" if it counts half for that reason.

    A mark that earns nothing has the same name before and after the hint.
    """
    return f"{MARKS[mark]} after the hint" if after_hint and Mark(mark).share else MARKS[mark]


def out_of(score: object) -> str:
    """Format a score with the maximum score: "7/10". On pages, `score` may be a Reflex var."""
    return f"{score}/{MAX_SCORE}"


def score_so_far(score: int | None) -> str:
    """Format an answer's score: "7/10", or "not scored yet" if it is None."""
    return NO_SCORE_YET if score is None else out_of(score)


def topic_score(percent: int | None) -> str:
    """Format a topic's score: "70%", or "not scored" if it is None."""
    return NO_TOPIC_SCORE if percent is None else f"{percent}%"


def spread(low: int, high: int) -> str:
    """Return a phrase with the range of possible scores for an answer."""
    return f"a close call: anywhere from {low} to {high}"
