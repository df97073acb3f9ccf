"""Practice of single bank questions: any number of tries, each judged immediately, none of them part of an interview.

The built-in interviewer judges all tries, even if interviews use another one, because the bank's questions come with rubrics and
judging costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from interviewer.core.capacity import CapacityQueue, cpu_capacity
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.rate_limits import Action, Guard
from interviewer.errors import NotFound
from interviewer.interviews import replies, verdicts
from interviewer.interviews.code_check import CodeCheck
from interviewer.interviews.code_run import NO_CODE, Code, stored_run
from interviewer.interviews.code_view import RunView, run_view
from interviewer.interviews.exchange import Author, Kind, Said
from interviewer.interviews.exercise import page_text
from interviewer.interviews.interviewer import AnswerBrief, Interviewer
from interviewer.interviews.question_bank import BankItem, QuestionBank
from interviewer.interviews.rubric import PASS_SCORE, Judgement, Rubric
from interviewer.interviews.user_text import clean_answer, cleaned
from interviewer.interviews.verdict_views import MarkView
from interviewer.reports import practice_queries as queries
from interviewer.reports.tables import PracticeTry

TRIES_SHOWN = 20
NO_SUCH_QUESTION = "We can't find this question. Choose another one on your dashboard."


@dataclass(frozen=True, slots=True)
class TryView:
    """One try with its complete verdict, and the results of the question's tests, None if it has none."""

    answer: str
    score: int
    passed: bool
    feedback: str
    marks: tuple[MarkView, ...]
    at: datetime
    run: RunView | None = None


@dataclass(frozen=True, slots=True)
class ExerciseView:
    """A question with at most `TRIES_SHOWN` of the user's tries, newest first.

    `count` is the number of all tries. `best` is their highest score (0 to 10), or None before the first try. `exercise` is what
    a page gets of the question's tests; see `page_text`.
    """

    question: BankItem
    tries: tuple[TryView, ...]
    count: int
    best: int | None
    exercise: str = ""


class Practice:
    """Loads questions to practice, and judges and stores tries."""

    def __init__(
        self,
        database: Database,
        interviewer: Interviewer,
        bank: QuestionBank,
        guard: Guard,
        capacity: CapacityQueue | None = None,
    ) -> None:
        self._database = database
        self._interviewer = interviewer
        self._bank = bank
        self._guard = guard
        self._capacity = capacity or cpu_capacity()

    async def question(self, user_id: int, bank_id: str) -> ExerciseView:
        """Return a question with the user's tries at it. Raises NotFound if the bank has no such question."""
        item = self._item(bank_id)
        async with self._database.autocommit() as session:
            rows = await queries.tries_of(session, user_id, item.id, TRIES_SHOWN)
            known = {one.bank_id: one for one in await queries.practiced(session, user_id)}
        record = known.get(item.id)
        return ExerciseView(
            question=item,
            tries=tuple(self._view(row) for row in rows),
            count=record.tries if record else 0,
            best=record.best if record else None,
            exercise=page_text(self._bank.exercise(item.id), item.id),
        )

    async def attempt(
        self, user_id: int, bank_id: str, text: str, client_id: UUID, client: str = "", code: Code = NO_CODE
    ) -> TryView:
        """Judge an answer, store it with its verdict, and return the stored try.

        `code` is what comes with an answer that is code. Test results that do not fit the question are dropped.

        Sending the same answer with the same `client_id` again returns the stored try. `client` is the IP address of the request.
        Raises BadRequest if the answer is unusable, TooLarge if it is too long, NotFound if the bank has no such question,
        TooManyRequests if a rate limit is reached, Crowded if no slot is free in the queue, and a subclass of InterviewerError if
        the answer cannot be judged. After an error, nothing is stored.
        """
        item, content = self._item(bank_id), cleaned(clean_answer, text)
        if (stored := await self._sent_before(user_id, client_id)) is not None:
            if (stored.bank_id, stored.answer) == (item.id, content):
                return self._view(stored)
            client_id = uuid4()  # The answer or question has changed, so this is a new try.
        await self._guard.check(Action.ANSWER, client, str(user_id))
        exercise = self._bank.exercise(item.id)
        said = Said(Author.USER, Kind.ANSWER, content, code.fitting(exercise))
        rubric = {**item.rubric, "exercise": exercise.model_dump(mode="json") if exercise else None}
        brief = AnswerBrief(item.topic_id, item.kind, item.prompt, rubric, content, said=(said,))
        async with self._capacity.slot(user_id):
            judgement = await replies.judge(self._interviewer, brief, verdicts.unseen)
        row = _row(user_id, client_id, item, brief, judgement)
        async with self._database.autocommit() as session:
            if not await queries.add_try(session, row):
                # A concurrent request with the same ID was stored first.
                row = await queries.find_try(session, user_id, client_id) or row
        return self._view(row)

    def _view(self, row: PracticeTry) -> TryView:
        check = CodeCheck(self._bank.exercise(row.bank_id), stored_run(row.language, row.test_results))
        return TryView(
            answer=row.answer,
            score=row.score,
            passed=row.score >= PASS_SCORE,
            feedback=row.feedback,
            marks=tuple(
                MarkView(mark["point"], mark["weight"], mark["mark"], mark["quote"], note=mark.get("note", ""))
                for mark in row.marks
            ),
            at=row.created_at,
            run=run_view(check),
        )

    async def _sent_before(self, user_id: int, client_id: UUID) -> PracticeTry | None:
        async with self._database.autocommit() as session:
            return await queries.find_try(session, user_id, client_id)

    def _item(self, bank_id: str) -> BankItem:
        item = self._bank.all().get(bank_id)
        if item is None:
            raise NotFound(NO_SUCH_QUESTION)
        return item


def _row(user_id: int, client_id: UUID, item: BankItem, brief: AnswerBrief, judgement: Judgement) -> PracticeTry:
    rubric = Rubric.model_validate(brief.rubric)
    points, check, code = rubric.key_points, brief.check(rubric), brief.said[-1].code
    return PracticeTry(
        user_id=user_id,
        client_id=client_id,
        bank_id=item.id,
        topic_id=item.topic_id,
        subtopic=item.subtopic,
        answer=brief.answer,
        score=judgement.score,
        nature=judgement.nature.value,
        feedback=judgement.feedback,
        marks=[
            {
                "point": points[mark.key_point].point,
                "weight": points[mark.key_point].weight,
                "mark": mark.mark.value,
                "quote": mark.quote,
                "note": check.note(mark.key_point, mark.mark) if mark.tested else "",
            }
            for mark in judgement.marks
        ],
        language=code.language or None,
        test_results=code.run.document() if code.run else None,
        created_at=utcnow(),
    )
