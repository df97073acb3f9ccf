"""Queries for interviews, their questions, answers, and verdicts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Boolean, DateTime, Integer, Interval, Row, String, Uuid, bindparam, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.core.columns import insert_of, insert_unless, table_of, utcnow, values_of
from interviewer.interviews.exchange import Author
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.tables import (
    Appeal,
    Conversation,
    Interview,
    JobProfile,
    Message,
    ModelCall,
    Question,
    Resume,
    Verdict,
)
from interviewer.interviews.usage_queries import along

# Every status except `failed`, because failed starts are never shown.
STARTED = frozenset(InterviewStatus) - {InterviewStatus.FAILED}
# The rows per page in `all_lines`, and the characters at the beginning of a job description that are read for its title.
PAGE, TITLE_FROM = 500, 1000


class Line(NamedTuple):
    """An interview's row in a list. `job_text` is the beginning of its job description, or None if it has none."""

    id: int
    status: str
    created_at: datetime
    plan: dict[str, Any]
    answers_judged: int
    score_sum: int
    job_text: str | None


InterviewRow = tuple[Interview, int | None, JobProfile | None, str | None]
QuestionRow = tuple[Question, tuple[Message, ...], Verdict | None, Appeal | None]


_INTERVIEWS = table_of(Interview)
# The statements of every turn are built once, because building one takes longer than running it.
_ONE = (
    select(Interview, col(Conversation.id), JobProfile, col(Resume.text))
    .outerjoin(Conversation, col(Conversation.interview_id) == Interview.id)
    .outerjoin(Resume, col(Resume.interview_id) == Interview.id)
    .outerjoin(JobProfile, col(JobProfile.id) == Interview.job_profile_id)
    .where(col(Interview.id) == bindparam("id"), col(Interview.user_id) == bindparam("user_id"))
)
_ONE_LOCKED = _ONE.with_for_update(of=Interview)
_TURNS = (
    select(Question, Message, Verdict, Appeal)
    .outerjoin(Message, col(Message.question_id) == Question.id)
    .outerjoin(Verdict, col(Verdict.message_id) == Message.id)
    .outerjoin(Appeal, col(Appeal.message_id) == Message.id)
    .where(col(Question.conversation_id) == bindparam("conversation_id"))
    # The interviewer's reply has the number of the user's message, and comes after it.
    .order_by(col(Question.position), col(Message.number), col(Message.author).desc())
)
_ADD_QUESTION = along(
    insert_of(Question).on_conflict_do_nothing(index_elements=["conversation_id", "position"]).returning(col(Question.id))
)
_ADD_MESSAGE = (
    insert(table_of(Message))
    .from_select(
        [
            "question_id",
            "author",
            "kind",
            "number",
            "content",
            "client_id",
            "created_at",
            "reply_owed",
            "language",
            "test_results",
            "judging_until",
        ],
        select(
            bindparam("question_id", type_=Integer),
            literal(Author.USER.value),
            bindparam("kind", type_=String),
            bindparam("number", type_=Integer),
            bindparam("content", type_=String),
            bindparam("client_id", type_=Uuid),
            bindparam("now", type_=DateTime(timezone=True)),
            bindparam("reply_owed", type_=Boolean),
            bindparam("language", type_=String),
            bindparam("test_results", type_=JSONB(none_as_null=True)),
            func.now() + bindparam("lease", type_=Interval),
        )
        .where(_INTERVIEWS.c.id == bindparam("interview_id"), _INTERVIEWS.c.status == InterviewStatus.ACTIVE.value)
        # Locked so that the interview cannot be paused before the message is stored.
        .with_for_update(of=_INTERVIEWS),
    )
    .on_conflict_do_nothing()
    .returning(*table_of(Message).columns)
)
# A message has either a reply or a verdict, even if a worker that lost its lease comes late with the other.
_LAST = table_of(Message).alias("last")
_REPLIED = exists().where(
    _LAST.c.id == bindparam("verdicts_message_id", type_=Integer),
    col(Message.question_id) == _LAST.c.question_id,
    col(Message.number) == _LAST.c.number,
    col(Message.author) == Author.INTERVIEWER.value,
)
_NEW_VERDICT = (
    insert_unless(Verdict, _REPLIED)
    .on_conflict_do_nothing(index_elements=["message_id"])
    .returning(col(Verdict.id), col(Verdict.score), bindparam("interview_id", type_=Integer).label("interview_id"))
    .cte("verdict")
)
_NOW = bindparam("now", type_=DateTime(timezone=True))
_ADD_UNCALLED = (
    update(_INTERVIEWS)
    .where(_INTERVIEWS.c.id == _NEW_VERDICT.c.interview_id)
    .values(
        answers_judged=_INTERVIEWS.c.answers_judged + 1,
        score_sum=_INTERVIEWS.c.score_sum + _NEW_VERDICT.c.score,
        updated_at=_NOW,
    )
    .returning(_NEW_VERDICT.c.id)
)
_ADD_VERDICT = along(_ADD_UNCALLED)
_NEW_APPEAL = (
    insert_of(Appeal)
    .on_conflict_do_nothing(index_elements=["message_id"])
    .returning(col(Appeal.id), bindparam("interview_id", type_=Integer).label("interview_id"))
    .cte("appeal")
)
_ADD_APPEAL = along(
    update(_INTERVIEWS)
    .where(_INTERVIEWS.c.id == _NEW_APPEAL.c.interview_id)
    .values(score_sum=_INTERVIEWS.c.score_sum + bindparam("change", type_=Integer), updated_at=_NOW)
    .returning(_NEW_APPEAL.c.id)
)
_LINES = (
    select(
        col(Interview.id),
        col(Interview.status),
        col(Interview.created_at),
        col(Interview.plan),
        col(Interview.answers_judged),
        col(Interview.score_sum),
        func.left(col(JobProfile.text), TITLE_FROM),
    )
    .outerjoin(JobProfile, col(JobProfile.id) == Interview.job_profile_id)
    .order_by(col(Interview.id).desc())
)
_CLOSED = {"status": InterviewStatus.FINISHED.value, "finished_at": _NOW}
_ADD_LAST_VERDICT, _ADD_LAST_UNCALLED = _ADD_VERDICT.values(_CLOSED), _ADD_UNCALLED.values(_CLOSED)


async def load(session: AsyncSession, interview_id: int, user_id: int, *, lock: bool = False) -> InterviewRow | None:
    """Return the interview, its conversation's ID, its job profile and its résumé, locking the interview's row if `lock` is set.

    Returns None if the interview does not exist or belongs to another user.
    """
    found = await session.execute(_ONE_LOCKED if lock else _ONE, {"id": interview_id, "user_id": user_id})
    row = found.one_or_none()
    return (row[0], row[1], row[2], row[3]) if row else None


async def started_with(session: AsyncSession, user_id: int, key: str) -> tuple[Interview, JobProfile | None] | None:
    """Return the interview that the user started with this idempotency key, and its job profile.

    Returns None if there is none. Failed starts do not count.
    """
    statement = (
        select(Interview, JobProfile)
        .outerjoin(JobProfile, col(JobProfile.id) == Interview.job_profile_id)
        .where(
            col(Interview.user_id) == user_id,
            col(Interview.idempotency_key) == key,
            col(Interview.status) != InterviewStatus.FAILED.value,
        )
    )
    row = (await session.execute(statement)).one_or_none()
    return (row[0], row[1]) if row else None


async def turns(session: AsyncSession, conversation_id: int) -> Sequence[QuestionRow]:
    """Return a conversation's questions in order, each with its messages in order, its verdict, and its appeal.

    The verdict and the appeal are None if missing.
    """
    found: list[QuestionRow] = []
    for question, message, verdict, appeal in (await session.execute(_TURNS, {"conversation_id": conversation_id})).all():
        if not found or found[-1][0] is not question:
            found.append((question, (), None, None))
        _, messages, judged, appealed = found[-1]
        found[-1] = (question, (*messages, message) if message else messages, judged or verdict, appealed or appeal)
    return found


async def newest_active(session: AsyncSession, user_id: int) -> int | None:
    """Return the ID of the user's active or starting interview that was updated last, or None if there is none."""
    statement = (
        select(col(Interview.id))
        .where(col(Interview.user_id) == user_id, col(Interview.status).in_([InterviewStatus.ACTIVE, InterviewStatus.STARTING]))
        .order_by(col(Interview.updated_at).desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def bank_ids_seen(session: AsyncSession, user_id: int) -> list[str]:
    """Return the IDs of the bank questions that the user has been asked, the least recently asked first."""
    statement = (
        select(col(Question.bank_id))
        .join(Conversation, col(Conversation.id) == col(Question.conversation_id))
        .join(Interview, col(Interview.id) == Conversation.interview_id)
        .where(col(Interview.user_id) == user_id, col(Question.bank_id).is_not(None))
        .group_by(col(Question.bank_id))
        .order_by(func.max(col(Question.created_at)))
    )
    return [bank_id for bank_id in (await session.execute(statement)).scalars() if bank_id]


async def job_profile(session: AsyncSession, user_id: int, text: str, text_hash: str) -> JobProfile:
    """Return the user's stored profile of this job description, creating an empty one if there is none."""
    new = insert(JobProfile).values(user_id=user_id, text=text, text_hash=text_hash, created_at=utcnow())
    # Updating the hash to itself makes PostgreSQL return the existing row.
    kept = new.on_conflict_do_update(index_elements=["user_id", "text_hash"], set_={"text_hash": new.excluded.text_hash})
    stored: JobProfile = (await session.execute(kept.returning(JobProfile))).scalar_one()
    return stored


async def store_profile(session: AsyncSession, job_profile_id: int, profile: dict[str, Any]) -> None:
    """Store the analyzed profile of a job description."""
    await session.execute(update(JobProfile).where(col(JobProfile.id) == job_profile_id).values(profile=profile))


async def add_question(session: AsyncSession, question: Question, call: ModelCall) -> int | None:
    """Store a question and return its ID, or None if the position already has a question. The model call is stored either way."""
    return (await session.execute(_ADD_QUESTION, values_of(question) | values_of(call))).scalar_one_or_none()


async def add_message(session: AsyncSession, message: Message, interview_id: int, lease: timedelta) -> Message | None:
    """Store a user's message together with a lease for replying to it, and return it with its ID.

    The lease lasts for `lease` on the database's clock. Returns None and stores nothing if the question already has a message
    with this number or the interview is not active.
    """
    given = {
        "question_id": message.question_id,
        "kind": message.kind,
        "number": message.number,
        "content": message.content,
        "client_id": message.client_id,
        "now": utcnow(),
        "reply_owed": message.reply_owed,
        "language": message.language,
        "test_results": message.test_results,
    }
    stored = (await session.execute(_ADD_MESSAGE, given | {"interview_id": interview_id, "lease": lease})).one_or_none()
    return Message(**stored._mapping) if stored else None


async def take_lease(session: AsyncSession, message_id: int, lease: timedelta) -> datetime | None:
    """Take the lease on judging an answer and return its end, or None while another worker holds it."""
    free = col(Message.judging_until).is_(None) | (col(Message.judging_until) < func.now())
    statement = update(Message).where(col(Message.id) == message_id, free).values(judging_until=func.now() + lease)
    return (await session.execute(statement.returning(col(Message.judging_until)))).scalar_one_or_none()


async def renew_lease(session: AsyncSession, message_id: int, held: datetime, lease: timedelta) -> datetime | None:
    """Renew a lease that ends at `held` and return its new end, or None if another worker has taken it over."""
    statement = update(Message).where(col(Message.id) == message_id, col(Message.judging_until) == held)
    renewed = statement.values(judging_until=func.now() + lease).returning(col(Message.judging_until))
    return (await session.execute(renewed)).scalar_one_or_none()


async def release_lease(session: AsyncSession, message_id: int, held: datetime) -> None:
    """Release the lease that ends at `held`. Does nothing if another worker has taken it over."""
    statement = update(Message).where(col(Message.id) == message_id, col(Message.judging_until) == held)
    await session.execute(statement.values(judging_until=None))


async def add_verdict(
    session: AsyncSession, verdict: Verdict, interview_id: int, call: ModelCall | None, *, closes: bool
) -> int | None:
    """Store a verdict, add its score to the interview's totals, and return its ID, or None if it already has a verdict or reply.

    With `closes`, the interview is also marked as finished. The model call, if any, is stored either way.
    """
    given = {"interview_id": interview_id, "now": verdict.created_at} | values_of(verdict)
    if call is None:
        statement = _ADD_LAST_UNCALLED if closes else _ADD_UNCALLED
    else:
        statement, given = _ADD_LAST_VERDICT if closes else _ADD_VERDICT, given | values_of(call)
    verdict_id: int | None = (await session.execute(statement, given)).scalar_one_or_none()
    return verdict_id


async def add_appeal(session: AsyncSession, appeal: Appeal, interview_id: int, change: int, call: ModelCall) -> int | None:
    """Store the verdict of an appeal, add `change` to the interview's total score, and return the appeal's ID.

    Returns None if the answer already has an appeal. The model call is stored either way.
    """
    given = {"interview_id": interview_id, "change": change, "now": appeal.created_at} | values_of(appeal) | values_of(call)
    appeal_id: int | None = (await session.execute(_ADD_APPEAL, given)).scalar_one_or_none()
    return appeal_id


async def set_status(session: AsyncSession, interview_id: int, status: InterviewStatus) -> None:
    """Set an interview's status and clear its lease, which only `starting` interviews have."""
    values = {"status": status.value, "lease_until": None, "updated_at": utcnow()}
    await session.execute(update(Interview).where(col(Interview.id) == interview_id).values(values))


async def lines(
    session: AsyncSession, user_id: int, limit: int, before: int | None = None, statuses: Collection[InterviewStatus] = STARTED
) -> list[Line]:
    """Return at most `limit` of the user's interviews with one of `statuses`, newest first.

    If `before` is given, return only interviews with a lower ID, which are the older ones.
    """
    statement = _LINES.where(col(Interview.user_id) == user_id, col(Interview.status).in_(statuses)).limit(limit)
    if before is not None:
        statement = statement.where(col(Interview.id) < before)
    return [Line(*row) for row in (await session.execute(statement)).all()]


async def all_lines(
    session: AsyncSession, user_id: int, statuses: Collection[InterviewStatus] = STARTED, before: int | None = None
) -> list[Line]:
    """Return the same rows as `lines` but without a limit, reading them in pages."""
    found: list[Line] = []
    while True:
        page = await lines(session, user_id, PAGE, found[-1].id if found else before, statuses)
        found += page
        if len(page) < PAGE:
            return found


async def count(session: AsyncSession, user_id: int, status: InterviewStatus) -> int:
    """Return the number of the user's interviews with this status."""
    statement = select(func.count()).select_from(Interview)
    return (
        await session.execute(statement.where(col(Interview.user_id) == user_id, col(Interview.status) == status.value))
    ).scalar_one()


async def final_scores(session: AsyncSession, user_id: int) -> Sequence[Row[int, int]]:
    """Return (sum of scores, answers judged) for each of the user's finished interviews with a judged answer, newest first."""
    statement = (
        select(col(Interview.score_sum), col(Interview.answers_judged))
        .where(
            col(Interview.user_id) == user_id,
            col(Interview.status) == InterviewStatus.FINISHED.value,
            col(Interview.answers_judged) > 0,
        )
        .order_by(col(Interview.id).desc())
    )
    return (await session.execute(statement)).all()


async def reached(session: AsyncSession, user_id: int, interview_id: int) -> int:
    """Return the position of the newest question of one of the user's interviews, or 0 before the first question."""
    statement = (
        select(func.coalesce(func.max(col(Question.position)), 0))
        .join(Conversation, col(Conversation.id) == col(Question.conversation_id))
        .join(Interview, col(Interview.id) == Conversation.interview_id)
        .where(col(Interview.user_id) == user_id, col(Interview.id) == interview_id)
    )
    return (await session.execute(statement)).scalar_one()
