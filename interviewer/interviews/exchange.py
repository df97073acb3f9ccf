"""The rules of the conversation about one question: who may say what next, and what counts for the verdict.

A candidate answers, asks a clarifying question, or asks for a hint. The interviewer replies to each: with a verdict, or with a
follow-up, a clarification, or a hint that leaves the question open. Pure functions of what has been said so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from interviewer.interviews.clarifying import may_be_question
from interviewer.interviews.code_run import NO_CODE, Code

# How many clarifying questions and hints a candidate gets for each question.
MAX_CLARIFICATIONS, MAX_HINTS = 2, 1
# How many follow-ups any interviewer asks about one question at most.
MAX_FOLLOW_UPS = 2


class Author(StrEnum):
    """Who says something."""

    INTERVIEWER = "interviewer"
    USER = "user"


class Kind(StrEnum):
    """What a message is. A clarification is the candidate's question and also the reply to it; so is a hint.

    A final answer is one that no follow-up may follow, because the client would not understand it. A skip ends the question: it
    scores 0 if nothing was answered before; otherwise, what was answered counts.
    """

    ANSWER = "answer"
    FINAL_ANSWER = "final_answer"
    SKIP = "skip"
    FOLLOW_UP = "follow_up"
    CLARIFICATION = "clarification"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Said:
    """One message about a question, after the question itself. `code` is what came with it if it is code."""

    author: Author
    kind: Kind
    text: str
    code: Code = NO_CODE


class NotAllowed(ValueError):
    """The candidate can't say this now. The message is a sentence for the user."""


NO_MORE_CLARIFICATIONS = (
    f"You have asked {MAX_CLARIFICATIONS} clarifying questions. Answer with what you have, and say what you assume."
)
NO_MORE_HINTS = "You already have the hint for this question."
WAITING = "The interviewer hasn't replied to your last message yet."
NOT_YOURS = "Only the interviewer asks follow-ups."
# The interviewer's reply to an answer that the AI provider refuses to process. The refused answer is kept, but it does not count.
REWRITE = (
    "The AI provider's content filter refused this answer, so it can't be scored. It's kept, but please write it again in other "
    "words. If that is refused too, or if you skip it, the question counts as skipped."
)
# The interviewer's reply to a clarifying question, or to a request for a hint, that the AI provider refuses to process.
NOT_REPLIED = "The AI provider's content filter refused this. Answer with what you have, and say what you assume."
# In words. A reply of at most this length, such as "I don't know", may be given to two follow-ups.
SHORT_REPLY = 8


def is_open(said: Sequence[Said]) -> bool:
    """Return whether the candidate may speak: nothing has been said yet, or the interviewer has replied to everything."""
    return not said or said[-1].author is Author.INTERVIEWER


def check(said: Sequence[Said], kind: Kind) -> None:
    """Check that the candidate may send a message of this kind. Raises NotAllowed if not."""
    if kind is Kind.FOLLOW_UP:
        raise NotAllowed(NOT_YOURS)
    if not is_open(said):
        raise NotAllowed(WAITING)
    if kind is Kind.CLARIFICATION and _count(said, Author.USER, kind) >= MAX_CLARIFICATIONS:
        raise NotAllowed(NO_MORE_CLARIFICATIONS)
    if kind is Kind.HINT and _count(said, Author.USER, kind) >= MAX_HINTS:
        raise NotAllowed(NO_MORE_HINTS)


def is_allowed(said: Sequence[Said], kind: Kind) -> bool:
    """Return whether the candidate may send a message of this kind."""
    try:
        check(said, kind)
    except NotAllowed:
        return False
    return True


def is_repeated(said: Sequence[Said], kind: Kind, text: str) -> bool:
    """Return whether a message is the candidate's last one, sent again.

    Messages without a text are the same if their kinds are. If the interviewer has replied to the last message, the same short
    answer is a new one, and so is a text as a final answer that was taken for a clarifying question.
    """
    last = next((one for one in reversed(said) if one.author is Author.USER), None)
    if last is None or last.text != text or (not text and last.kind is not kind):
        return False
    if last.kind is Kind.CLARIFICATION and kind is Kind.FINAL_ANSWER:
        return False
    is_answer = last.kind in (Kind.ANSWER, Kind.FINAL_ANSWER)
    return not (is_answer and is_open(said) and len(text.split()) <= SHORT_REPLY)


def may_follow_up(said: Sequence[Said], most: int) -> bool:
    """Return whether the interviewer may ask a follow-up about the last message, if at most `most` are asked about a question."""
    if not said or said[-1].author is not Author.USER or said[-1].kind is not Kind.ANSWER:
        return False
    return _count(without_refused(said), Author.INTERVIEWER, Kind.FOLLOW_UP) < most


def may_clarify(said: Sequence[Said]) -> bool:
    """Return whether the interviewer may take the last message, sent as an answer, for a clarifying question and reply to it."""
    if not said or said[-1].author is not Author.USER or said[-1].kind is not Kind.ANSWER:
        return False
    return _count(said, Author.USER, Kind.CLARIFICATION) < MAX_CLARIFICATIONS and may_be_question(said[-1].text)


def may_stay_open(said: Sequence[Said], *, follow_ups: bool) -> bool:
    """Return whether the reply to the last message may leave the question open, in an interview with or without follow-ups."""
    if is_open(said):
        return False
    if said[-1].kind in (Kind.CLARIFICATION, Kind.HINT):
        return True
    return follow_ups and (may_follow_up(said, MAX_FOLLOW_UPS) or may_clarify(said))


def is_rewrite_asked(said: Sequence[Said]) -> bool:
    """Return whether the interviewer has asked for an answer in other words."""
    return any(one.author is Author.INTERVIEWER and one.text == REWRITE for one in said)


def without_refused(said: Sequence[Said]) -> Sequence[Said]:
    """Return what was said without an answer that was refused, and without the request to write it again."""
    if not is_rewrite_asked(said):
        return said
    place = next(place for place, one in enumerate(said) if one.author is Author.INTERVIEWER and one.text == REWRITE)
    return [*said[: max(0, place - 1)], *said[place + 1 :]]


def answers(said: Sequence[Said]) -> list[str]:
    """Return the texts that are judged, in order: the answer and the replies to follow-ups."""
    spoken = (one for one in without_refused(said) if one.author is Author.USER and one.text)
    return [one.text for one in spoken if one.kind in (Kind.ANSWER, Kind.FINAL_ANSWER)]


def whole_answer(said: Sequence[Said]) -> str:
    """Return everything that is judged as one text."""
    return SEPARATOR.join(answers(said))


def until_hint(said: Sequence[Said]) -> Sequence[Said]:
    """Return what was said before the hint, or all of it if there was none."""
    hints = (place for place, one in enumerate(said) if one.author is Author.INTERVIEWER and one.kind is Kind.HINT)
    return said[: next(hints, len(said))]


def before_hint(said: Sequence[Said]) -> str:
    """Return the part of the whole answer that was said before the hint, or all of it if there was none."""
    return whole_answer(until_hint(said))


SEPARATOR = "\n\n"


def _count(said: Sequence[Said], author: Author, kind: Kind) -> int:
    return sum(one.author is author and one.kind is kind for one in said)
