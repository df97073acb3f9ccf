"""Compares what simulated users sent and saw with what is stored: nothing may be lost or duplicated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, text

from interviewer.interviews.plan import STANDARD
from tests.chaos.crowd import Account, connected
from tests.chaos.people import Answer, Person

_TURNS = """
SELECT i.id AS interview, i.status, i.answers_judged, i.score_sum, q.id AS question, q.position, m.content, v.score,
  (SELECT count(*) FROM messages WHERE question_id = q.id AND author = 'user') AS answers,
  (SELECT count(*) FROM verdicts v JOIN messages m ON m.id = v.message_id WHERE m.question_id = q.id) AS verdicts
FROM interviews i JOIN conversations c ON c.interview_id = i.id JOIN questions q ON q.conversation_id = c.id
  LEFT JOIN messages m ON m.question_id = q.id AND m.author = 'user' LEFT JOIN verdicts v ON v.message_id = m.id
WHERE i.user_id = :user ORDER BY i.id, q.position, m.id
"""
_INTERVIEWS = "SELECT id, status FROM interviews WHERE user_id = :user ORDER BY id"
_LEDGER = "SELECT amount, source, interview_id FROM credit_transactions WHERE user_id = :user"
_BALANCE = "SELECT individual_credits + subscription_credits FROM users WHERE id = :user"


class Credited(Protocol):
    """Someone whose interviews cost credits."""

    @property
    def account(self) -> Account:
        """Their account."""

    @property
    def started(self) -> list[int]:
        """The IDs of the interviews that they started."""


def discrepancies(database_url: str, people: Sequence[Person]) -> list[str]:
    """Return one sentence for each difference found."""
    with connected(database_url) as connection:
        return [
            f"person {person.account.id}: {problem}"
            for person in people
            for problem in [*_answers(connection, person), *credit_problems(connection, person), *_screen(connection, person)]
        ]


def _rows(connection: Connection, statement: str, person: Credited) -> list[Any]:
    return list(connection.execute(text(statement), {"user": person.account.id}).all())


def _answers(connection: Connection, person: Person) -> list[str]:
    """Check that each answer is stored once, as sent and with one verdict, and that the question positions have no gaps."""
    rows, found = _rows(connection, _TURNS, person), []
    stored = {row.question: row for row in rows}
    sent: dict[int, Answer] = {answer.question_id: answer for answer in person.answers}
    if len(sent) != len(person.answers):
        found.append("one question was asked twice")
    for row in rows:
        if row.answers > 1 or row.verdicts > 1:
            found.append(f"question {row.question} has {row.answers} answers and {row.verdicts} verdicts")
        if row.content is not None and row.question not in sent:
            found.append(f"question {row.question} has an answer that no user sent")
        if row.content is not None and row.verdicts == 0:
            found.append(f"the answer to question {row.question} has no verdict")
    for answer in person.answers:
        row = stored.get(answer.question_id)
        if answer.taken and (row is None or row.content is None):
            found.append(f"the answer to question {answer.question_id} is lost")
        elif row is not None and row.content is not None and row.content != answer.text:
            found.append(f"the answer to question {answer.question_id} has different text")
    for interview in {row.interview for row in rows}:
        positions = [row.position for row in rows if row.interview == interview]
        if positions != list(range(1, len(positions) + 1)) or len(positions) > STANDARD.total:
            found.append(f"interview {interview} has the questions {positions}")
        found += _sums([row for row in rows if row.interview == interview])
    return found


def _sums(rows: Sequence[Any]) -> list[str]:
    """Check that the interview's totals match its verdicts, and that it is finished exactly when it has all of them."""
    scores = [row.score for row in rows if row.score is not None]
    first = rows[0]
    found = []
    if (first.answers_judged, first.score_sum) != (len(scores), sum(scores)):
        found.append(f"interview {first.interview} has the sums {first.answers_judged}, {first.score_sum} of {scores}")
    if (first.status == "finished") != (len(scores) == STANDARD.total):
        found.append(f"interview {first.interview} is {first.status} with {len(scores)} verdicts")
    return found


def credit_problems(connection: Connection, person: Credited) -> list[str]:
    """Check that each interview cost one credit, except that failed ones cost none.

    Also check that the balance matches the ledger, and that the stored interviews are those that the user started.
    """
    found = []
    ledger = _rows(connection, _LEDGER, person)
    balance = connection.execute(text(_BALANCE), {"user": person.account.id}).scalar_one()
    if balance != sum(row.amount for row in ledger):
        found.append(f"the balance is {balance}, the ledger says {sum(row.amount for row in ledger)}")
    taken: Counter[int] = Counter()
    for row in ledger:
        if row.interview_id is not None:
            taken[row.interview_id] -= row.amount
    interviews = _rows(connection, _INTERVIEWS, person)
    for id, status in interviews:
        if taken[id] != (0 if status == "failed" else 1):
            found.append(f"interview {id}, {status}, took {taken[id]} credits")
    if [id for id, status in interviews if status != "failed"] != person.started:
        found.append(f"interviews {interviews} are stored, the page had {person.started}")
    return found


def _screen(connection: Connection, person: Person) -> list[str]:
    """Check that the page showed at the end what is stored. A page that showed the start form is not checked."""
    seen = person.seen
    if seen is None:
        return ["the final page was not captured"]
    if seen.phase == "start":
        return []
    rows = [row for row in _rows(connection, _TURNS, person) if row.interview == seen.interview_id]
    answered = [row for row in rows if row.content is not None]
    open = [row.question for row in rows if row.content is None]
    dots = [str(row.score) if row.score is not None else "now" for row in rows]
    wanted = {
        "phase": "finished" if rows[0].status == "finished" else "live",
        "question": open[0] if open else 0,
        "last answer": answered[-1].question if answered else 0,
        "last score": answered[-1].score if answered else None,
        "dots": [*dots, *[""] * (STANDARD.total - len(dots))],
    }
    shown = {
        "phase": seen.phase,
        "question": seen.question_id,
        "last answer": seen.last_question_id,
        "last score": seen.last_score,
        "dots": seen.dots,
    }
    return [
        f"the page showed {name} {shown[name]!r}, stored is {wanted[name]!r}" for name in wanted if shown[name] != wanted[name]
    ]
