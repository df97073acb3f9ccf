"""Compares the conversations of simulated users with what is stored: each message once, each with one reply, and right scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import text

from interviewer.interviews.exchange import (
    MAX_CLARIFICATIONS,
    MAX_FOLLOW_UPS,
    MAX_HINTS,
    Author,
    Kind,
    Said,
    before_hint,
    whole_answer,
)
from interviewer.interviews.plan import plan_of
from interviewer.interviews.rubric import AnswerNature, Mark, MarkedPoint, Rubric, after_hint, score
from tests.chaos.checking import credit_problems
from tests.chaos.crowd import connected
from tests.chaos.talkers import Program, Spoken, Talker
from tests.support.openai_server import KEY_POINTS, KEYWORDS

_MESSAGES = """
SELECT i.id AS interview, i.status, i.plan, i.answers_judged, i.score_sum, q.position, m.author, m.kind, m.number, m.content,
  v.score
FROM interviews i JOIN conversations c ON c.interview_id = i.id JOIN questions q ON q.conversation_id = c.id
  LEFT JOIN messages m ON m.question_id = q.id LEFT JOIN verdicts v ON v.message_id = m.id
WHERE i.user_id = :user ORDER BY i.id, q.position, m.number, m.author DESC
"""
_RUBRIC = Rubric.model_validate({"key_points": KEY_POINTS, "model_answer": "First I would measure."})
_LIMITS = (
    (Author.USER, Kind.CLARIFICATION, MAX_CLARIFICATIONS),
    (Author.USER, Kind.HINT, MAX_HINTS),
    (Author.INTERVIEWER, Kind.FOLLOW_UP, MAX_FOLLOW_UPS),
)


def differences(database_url: str, who: Sequence[Talker | Program]) -> list[str]:
    """Return one sentence for each difference found."""
    with connected(database_url) as connection:
        found = []
        for one in who:
            rows = list(connection.execute(text(_MESSAGES), {"user": one.account.id}).all())
            problems = [*_of_rows(rows, one.words.sent), *credit_problems(connection, one)]
            if isinstance(one, Talker):
                problems += _screen(rows, one)
            found += [f"account {one.account.id}: {problem}" for problem in problems]
        return found


def _of_rows(rows: Sequence[Any], sent: Sequence[Spoken]) -> Iterator[str]:
    stored = set()
    for interview, of_interview in groupby(rows, key=lambda row: row.interview):
        lines, positions = list(of_interview), []
        for position, of_question in groupby(lines, key=lambda row: row.position):
            messages = [row for row in of_question if row.author]
            spoken = [one for one in sent if (one.interview_id, one.position) == (interview, position)]
            positions.append(position)
            stored.add((interview, position))
            for problem in (*_question(messages), *_compared(messages, spoken)):
                yield f"question {position} of interview {interview} {problem}"
        if positions != list(range(1, len(positions) + 1)):
            yield f"interview {interview} has the questions {positions}"
        yield from _sums(lines)
    for one in sent:
        if (one.interview_id, one.position) not in stored:
            yield f"question {one.position} of interview {one.interview_id} is not stored"


def _compared(messages: Sequence[Any], spoken: Sequence[Spoken]) -> Iterator[str]:
    """Compare the user's messages with what was sent. Only the last one may be missing, if no reply to it was seen."""
    found = [(row.kind, row.content) for row in messages if row.author == Author.USER]
    wanted = [(one.kind.value, one.text) for one in spoken]
    optional = bool(spoken) and not spoken[-1].replied
    if found != wanted and not (optional and found == wanted[:-1]):
        yield f"has the messages {found}, sent were {wanted}"


def _question(messages: Sequence[Any]) -> Iterator[str]:
    """Check that each message has exactly one reply, or the verdict if it is the last one, and the score."""
    said = [Said(Author(row.author), Kind(row.kind), row.content) for row in messages]
    scores = [row.score for row in messages if row.score is not None]
    if len(scores) > 1 or (scores and messages[-1].score is None):
        yield f"has the verdicts {scores}"
    turns = [Author.USER, Author.INTERVIEWER] * len(said)
    if [one.author for one in said] != turns[: len(said)] or len(said) % 2 != len(scores):
        yield f"has messages by {[one.author.value for one in said]} and {len(scores)} verdicts"
    for author, kind, most in _LIMITS:
        if (count := sum((one.author, one.kind) == (author, kind) for one in said)) > most:
            yield f"has {count} messages of the kind {kind.value}"
    for asked, reply in zip(said[::2], said[1::2], strict=False):
        expected = Kind.FOLLOW_UP if asked.kind is Kind.ANSWER else asked.kind
        if reply.kind is not expected or not reply.text.endswith((".", "?")):
            yield f"has the message {asked.kind.value} with the reply {reply.kind.value}: {reply.text!r}"
    if scores and scores[0] != _score(said):
        yield f"has the score {scores[0]}, not {_score(said)}"


def _score(said: Sequence[Said]) -> int:
    """Return the score by the words that the fake model looks for."""
    answer = whole_answer(said).casefold()
    marks = [
        MarkedPoint(key_point=index, mark=Mark.HIT if word in answer else Mark.MISSED, quote=word if word in answer else "")
        for index, word in enumerate(KEYWORDS)
    ]
    return score(_RUBRIC, after_hint(marks, before_hint(said)), AnswerNature.ANSWER)


def _sums(rows: Sequence[Any]) -> Iterator[str]:
    """Check that the interview's totals match its verdicts, and that it is finished exactly when it has all of them."""
    first, scores = rows[0], [row.score for row in rows if row.score is not None]
    if (first.answers_judged, first.score_sum) != (len(scores), sum(scores)):
        yield f"interview {first.interview} has the sums {first.answers_judged}, {first.score_sum} of {scores}"
    if (first.status == "finished") != (len(scores) == plan_of(first.plan).total):
        yield f"interview {first.interview} is {first.status} with {len(scores)} verdicts"


def _screen(rows: Sequence[Any], person: Talker) -> Iterator[str]:
    """Check that the page showed at the end the newest score. A page that showed the start form is not checked."""
    if person.seen is None:
        yield "the final page was not captured"
        return
    scores = [row.score for row in rows if row.interview == person.seen.interview_id and row.score is not None]
    if person.seen.phase != "start" and person.seen.last_score != (scores[-1] if scores else None):
        yield f"the page showed the score {person.seen.last_score}, stored are {scores}"
