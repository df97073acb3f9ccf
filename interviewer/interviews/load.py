"""Load a whole interview with two statements, regardless of its length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.errors import NotFound
from interviewer.interviews import queries
from interviewer.interviews.events import Asked, Event, Judged, Replied
from interviewer.interviews.exchange import Kind
from interviewer.interviews.progress import InterviewStatus, Missing, missing_after
from interviewer.interviews.tables import Message, Question, Verdict
from interviewer.interviews.views import Loaded, TurnRow, turn_view


async def found(session: AsyncSession, user_id: int, interview_id: int, *, lock: bool = False) -> Loaded:
    """Load one of the user's interviews with all its turns, locking the interview's row if `lock` is set.

    Raises NotFound if the interview does not exist or belongs to another user.
    """
    loaded = await queries.load(session, interview_id, user_id, lock=lock)
    if loaded is None:
        raise NotFound("Interview not found")
    interview, conversation_id, job, resume = loaded
    rows = await queries.turns(session, conversation_id) if conversation_id is not None else ()
    return Loaded(interview, conversation_id, job, tuple(TurnRow(*row) for row in rows), resume or "")


def with_row(loaded: Loaded, changed: TurnRow) -> Loaded:
    """Return the interview with the turn of the same question replaced by `changed`."""
    rows = tuple(changed if row.question.id == changed.question.id else row for row in loaded.rows)
    return replace(loaded, rows=rows)


def lacking(loaded: Loaded, row: TurnRow) -> Missing:
    """Return which of the verdict and the next question are missing for a turn whose last message has no reply yet.

    A reply to a clarifying question or a hint is missing in place of a verdict; no question follows it. Nothing is missing while
    the question is open.
    """
    if row.answer is None:
        return Missing(verdict=False, next_question=False)
    if row.verdict is None and row.answer.kind in (Kind.CLARIFICATION, Kind.HINT):
        return Missing(verdict=True, next_question=False)
    return missing_after(row.question.position, judged=row.verdict is not None, asked=len(loaded.rows), total=loaded.plan.total)


def is_incomplete(loaded: Loaded, row: TurnRow) -> bool:
    """Return whether an answered turn is missing its verdict or the next question."""
    return bool(lacking(loaded, row))


def known(loaded: Loaded, row: TurnRow) -> list[Event]:
    """Return the events for what is already stored.

    These are Replied if the interviewer replied to the last message, Judged if there is a verdict, and Asked if the next question
    is stored and has no answer.
    """
    plan, asked = loaded.plan, len(loaded.rows)
    events: list[Event] = []
    if row.answer is None:
        return [Replied(turn_view(row, plan, asked), row.said[-1].kind)] if row.said else []
    if row.verdict is not None:
        events.append(Judged(turn_view(row, plan, asked), finished=plan.is_last(row.question.position)))
    following = next((other for other in loaded.rows if other.question.position == row.question.position + 1), None)
    if following is not None and following.answer is None:
        events.append(Asked(turn_view(following, plan, asked)))
    return events


def with_stored(loaded: Loaded, row: TurnRow, stored: Sequence[Verdict | Question | Message]) -> Loaded:
    """Return the interview with the rows in `stored` added to one of its turns, without reading the database again.

    The totals and the status of `loaded.interview` are updated in place.
    """
    for new in stored:
        if isinstance(new, Question):
            loaded = replace(loaded, rows=(*loaded.rows, TurnRow(new)))
            continue
        if isinstance(new, Message):
            loaded = with_row(loaded, replace(row, messages=(*row.messages, new)))
            continue
        interview = loaded.interview
        interview.answers_judged += 1
        interview.score_sum += new.score
        interview.updated_at = new.created_at
        if loaded.plan.is_last(row.question.position):
            interview.status, interview.finished_at = InterviewStatus.FINISHED.value, new.created_at
        loaded = with_row(loaded, replace(row, verdict=new))
    return loaded
