"""Past interviews with chosen dates and scores, inserted directly into a database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import NullPool, create_engine
from sqlalchemy.orm import Session
from sqlmodel import col, select

from interviewer.core.columns import utcnow
from interviewer.core.users import User
from interviewer.grading.likeness import ShippedBank
from interviewer.interviews.plan import STANDARD, Plan
from interviewer.interviews.tables import Conversation, Interview, JobProfile, Message, Question, Verdict

_BANK = ShippedBank().all()


def add_interviews(
    database_url: str,
    email: str,
    scores: Sequence[Sequence[int]],
    job: str = "",
    every: timedelta = timedelta(days=1),
    plan: Plan = STANDARD,
) -> list[int]:
    """Add one interview per sequence of scores, the oldest first and the last one today. Returns their IDs.

    An interview with as many scores as the plan has questions is finished; with fewer, it is paused at the next question.
    """
    engine = create_engine(database_url, poolclass=NullPool)
    with Session(engine) as session:
        user = session.scalars(select(User).where(col(User.email) == email)).one()
        profile = JobProfile(user_id=user.id, text_hash=uuid4().hex, text=job, created_at=utcnow()) if job else None
        if profile:
            session.add(profile)
            session.flush()
        start = utcnow() - every * (len(scores) - 1)
        found = [
            _add(session, user.id, profile.id if profile else None, one, start + every * number, plan)
            for number, one in enumerate(scores)
        ]
        session.commit()
    return found


def _add(session: Session, user_id: int, profile_id: int | None, scores: Sequence[int], at: datetime, plan: Plan) -> int:
    finished = len(scores) == plan.total
    interview = Interview(
        user_id=user_id,
        job_profile_id=profile_id,
        status="finished" if finished else "paused",
        interviewer="builtin",
        model="test",
        plan=plan.document(),
        answers_judged=len(scores),
        score_sum=sum(scores),
        created_at=at,
        updated_at=at,
        finished_at=at if finished else None,
    )
    session.add(interview)
    session.flush()
    conversation = Conversation(interview_id=interview.id, created_at=at)
    session.add(conversation)
    session.flush()
    for position in range(1, min(len(scores) + 1, plan.total) + 1):
        score = scores[position - 1] if position <= len(scores) else None
        _add_turn(session, conversation.id, position, plan.place(position).topic.id, score, at)
    return interview.id


def _add_turn(session: Session, conversation_id: int, position: int, topic_id: int, score: int | None, at: datetime) -> None:
    of_topic = [one for one in _BANK.values() if one.topic_id == topic_id]
    item = of_topic[(position + (score or 0)) % len(of_topic)]
    question = Question(
        conversation_id=conversation_id,
        position=position,
        topic_id=item.topic_id,
        subtopic=item.subtopic,
        level=item.level,
        kind=item.kind,
        prompt=item.prompt,
        rubric=dict(item.rubric),
        bank_id=item.id,
        created_at=at,
    )
    session.add(question)
    session.flush()
    if score is None:
        return
    message = Message(question_id=question.id, author="user", content="An answer.", client_id=uuid4(), created_at=at)
    session.add(message)
    session.flush()
    session.add(
        Verdict(
            message_id=message.id,
            score=score,
            nature="answer",
            feedback="So it was.",
            marks=[],
            interviewer="builtin",
            model="test",
            created_at=at,
        )
    )
