"""Reading an interview whole: in two statements, however long it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.db import interviews as queries
from interviewer.db.models import Interview, JobProfile
from interviewer.domain.topics import TOTAL_QUESTIONS
from interviewer.errors import NotFound
from interviewer.services.events import Asked, Event, Judged
from interviewer.services.views import InterviewView, TurnRow, interview_view, turn_view


@dataclass(frozen=True, slots=True)
class Loaded:
    """An interview with everything that belongs to it, as it stood in one transaction."""

    interview: Interview
    conversation_id: int | None
    job: JobProfile | None
    rows: tuple[TurnRow, ...]

    def view(self) -> InterviewView:
        """Return what may be shown of it."""
        return interview_view(self.interview, self.conversation_id, self.job, self.rows)

    def row(self, question_id: int) -> TurnRow:
        """Return the turn of this question; raises NotFound."""
        for row in self.rows:
            if row.question.id == question_id:
                return row
        raise NotFound("This question does not belong to the interview.")


async def found(session: AsyncSession, user_id: int, interview_id: int, *, lock: bool = False) -> Loaded:
    """Load one of the user's interviews with all its turns; raises NotFound, also for somebody else's."""
    loaded = await queries.load(session, interview_id, user_id, lock=lock)
    if loaded is None:
        raise NotFound("Interview not found")
    interview, conversation_id, job = loaded
    rows = await queries.turns(session, conversation_id) if conversation_id is not None else ()
    return Loaded(interview, conversation_id, job, tuple(TurnRow(*row) for row in rows))


def with_row(loaded: Loaded, changed: TurnRow) -> Loaded:
    """Return the interview with one turn exchanged."""
    rows = tuple(changed if row.question.id == changed.question.id else row for row in loaded.rows)
    return replace(loaded, rows=rows)


def known(loaded: Loaded, row: TurnRow) -> list[Event]:
    """Return the events of what is stored already for an answer."""
    asked = len(loaded.rows)
    events: list[Event] = []
    if row.verdict is not None:
        events.append(Judged(turn_view(row, asked), finished=row.question.position == TOTAL_QUESTIONS))
    following = next((other for other in loaded.rows if other.question.position == row.question.position + 1), None)
    if following is not None and following.answer is None:
        events.append(Asked(turn_view(following, asked)))
    return events
