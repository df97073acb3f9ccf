"""Appeals, and repeated grading."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.errors import BadRequest, Conflict, InterviewerBadOutput, NotFound
from interviewer.interviews.appeals import VERDICT_WOULD_REPEAT
from interviewer.interviews.interviewer import AnswerBrief, Piece, Usage, VerdictDraft
from interviewer.interviews.interviewer_calls import InterviewerCalls
from interviewer.interviews.turns import Interviews
from interviewer.interviews.views import InterviewView, TurnView
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.turns import answered, started

HIT_ALL = [{"key_point": n, "mark": "hit", "quote": word} for n, word in enumerate(("first", "second", "third"))]
# The key points weigh 3, 2 and 1, so the scripted interviewer scores 5 for "first" alone and 10 for all three.
ANSWER = "The first of it."


async def judged(services: Services, user: User) -> tuple[int, TurnView]:
    interview_id, turn = await started(services, user)
    await answered(services, user, interview_id, turn, ANSWER)
    view = await services.interviews.view(user.id, interview_id)
    return interview_id, view.turns[0]


async def figures(services: Services, user: User, interview_id: int) -> InterviewView:
    return await services.interviews.view(user.id, interview_id)


async def test_mean_score_counts_and_both_verdicts_are_kept(
    services: Services, interviewer: ScriptedInterviewer, new_user: NewUser
) -> None:
    user = await new_user()
    interview_id, turn = await judged(services, user)
    interviewer.marks = []
    view = await services.appeals.hear(user.id, interview_id, turn.question_id)
    verdict = view.turns[0].verdict
    assert verdict is not None
    assert verdict.appeal is not None
    assert (verdict.appeal.first_score, verdict.appeal.score, verdict.score) == (5, 0, 3)
    assert [mark.mark for mark in verdict.marks] == ["hit", "missed", "missed"]
    assert [mark.mark for mark in verdict.appeal.marks] == ["missed"] * 3
    assert verdict.final
    assert (view.score_sum, view.answers_judged, view.percent) == (3, 1, 30)
    assert view.topic_scores[0].percent == 30


async def test_both_verdicts_have_the_version_of_their_prompts(
    services: Services, interviewer: ScriptedInterviewer, new_user: NewUser
) -> None:
    user = await new_user()
    interview_id, turn = await judged(services, user)
    interviewer.prompt_version = "later"
    await services.appeals.hear(user.id, interview_id, turn.question_id)
    loaded = await services.interviews.load(user.id, interview_id)
    [row] = [row for row in loaded.rows if row.verdict]
    assert row.verdict
    assert row.appeal
    assert (row.verdict.prompt_version, row.appeal.prompt_version) == ("test-prompts", "later")
    exported = (await services.personal.export(user.id))["interviews"][0]["questions"][0]
    assert exported["judged_by"]["prompt_version"] == "test-prompts"
    assert exported["appeal"]["judged_by"]["prompt_version"] == "later"


async def test_appeal_is_judged_blind(services: Services, interviewer: ScriptedInterviewer, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, turn = await judged(services, user)
    await services.appeals.hear(user.id, interview_id, turn.question_id)
    first, second = interviewer.answer_briefs
    assert first == second


async def test_concurrent_and_repeated_appeals_store_one(
    services: Services, interviewer: ScriptedInterviewer, new_user: NewUser, database: Database
) -> None:
    user = await new_user()
    interview_id, turn = await judged(services, user)
    interviewer.gate.clear()
    asking = [asyncio.create_task(services.appeals.hear(user.id, interview_id, turn.question_id)) for _ in range(5)]
    await asyncio.sleep(0.2)
    interviewer.gate.set()
    assert len({view.score_sum for view in await asyncio.gather(*asking)}) == 1
    assert len(interviewer.answer_briefs) == 2
    with pytest.raises(Conflict):
        await services.appeals.hear(user.id, interview_id, turn.question_id)
    async with database.transaction() as session:
        assert (await session.execute(text("SELECT count(*) FROM appeals"))).scalar_one() == 1


async def test_two_processes_store_one_appeal(
    services: Services, interviewer: ScriptedInterviewer, new_user: NewUser, database: Database
) -> None:
    from interviewer.interviews.appeals import Appeals

    user = await new_user()
    interview_id, turn = await judged(services, user)
    interviewer.marks = []
    other = Appeals(database, InterviewerCalls(database, interviewer), services.interviews)
    heard = await asyncio.gather(
        services.appeals.hear(user.id, interview_id, turn.question_id),
        other.hear(user.id, interview_id, turn.question_id),
        return_exceptions=True,
    )
    # The slower one either stores nothing or finds the other's verdict before it begins.
    assert [type(one) for one in heard if isinstance(one, BaseException)] in ([], [Conflict])
    assert (await figures(services, user, interview_id)).score_sum == 3


async def test_failed_appeal_changes_nothing_and_can_be_repeated(
    services: Services, interviewer: ScriptedInterviewer, new_user: NewUser
) -> None:
    user = await new_user()
    interview_id, turn = await judged(services, user)
    interviewer.judge_errors = [InterviewerBadOutput()]
    with pytest.raises(InterviewerBadOutput):
        await services.appeals.hear(user.id, interview_id, turn.question_id)
    assert (await figures(services, user, interview_id)).score_sum == 5
    view = await services.appeals.hear(user.id, interview_id, turn.question_id)
    assert view.score_sum == 5


async def test_appeal_is_stored_after_the_client_disconnects(
    services: Services, interviewer: ScriptedInterviewer, new_user: NewUser
) -> None:
    user = await new_user()
    interview_id, turn = await judged(services, user)
    interviewer.gate.clear()
    asking = asyncio.create_task(services.appeals.hear(user.id, interview_id, turn.question_id))
    await asyncio.sleep(0.05)
    asking.cancel()
    interviewer.gate.set()
    await services.appeals.close()
    turn = (await figures(services, user, interview_id)).turns[0]
    assert turn.verdict is not None
    assert turn.verdict.appeal is not None


async def test_appeal_requires_own_interview_and_a_verdict(services: Services, new_user: NewUser) -> None:
    user, other = await new_user(), await new_user()
    interview_id, turn = await judged(services, user)
    with pytest.raises(NotFound):
        await services.appeals.hear(other.id, interview_id, turn.question_id)
    with pytest.raises(NotFound):
        await services.appeals.hear(user.id, interview_id, 999_999)
    open_question = (await figures(services, user, interview_id)).turns[1].question_id
    with pytest.raises(BadRequest):
        await services.appeals.hear(user.id, interview_id, open_question)


async def test_deterministic_interviewer_allows_no_appeal(
    services: Services, interviewer: ScriptedInterviewer, new_user: NewUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await new_user()
    interview_id, turn = await judged(services, user)
    monkeypatch.setattr(interviewer, "deterministic", True)
    with pytest.raises(BadRequest, match=VERDICT_WOULD_REPEAT):
        await services.appeals.hear(user.id, interview_id, turn.question_id)


# -- repeated grading --------------------------------------------------------------------------------------------


class Wavering(ScriptedInterviewer):
    """An interviewer that uses one script for each judgement. A script that is an exception is raised."""

    def __init__(self, *scripts: Any) -> None:
        super().__init__()
        self.scripts = list(scripts)

    async def judge(self, brief: AnswerBrief) -> AsyncIterator[Any]:
        script = self.scripts.pop(0)
        yield Piece("Well said.")
        await asyncio.sleep(0)
        yield Usage(100, 0, 10)
        if isinstance(script, Exception):
            raise script
        yield VerdictDraft("Well said.", "answer", script)


def marks(*names: str) -> list[dict[str, Any]]:
    return [{"key_point": n, "mark": word, "quote": "first"} for n, word in enumerate(names)]


async def judged_by(database: Database, services: Services, user: User, wavering: Wavering, repeats: int) -> TurnView:
    interviews = Interviews(database, InterviewerCalls(database, wavering, repeats=repeats))
    interview_id, turn = await started(services, user)
    async for _ in interviews.answer(user.id, interview_id, turn.question_id, ANSWER, uuid4()):
        pass
    return (await interviews.view(user.id, interview_id)).turns[0]


async def test_median_of_each_mark_counts_and_extremes_are_kept(
    services: Services, database: Database, new_user: NewUser
) -> None:
    wavering = Wavering(marks("hit", "hit", "hit"), marks("hit", "missed", "missed"), marks("partial", "partial", "missed"))
    turn = await judged_by(database, services, await new_user(), wavering, 3)
    assert turn.verdict is not None
    assert [mark.mark for mark in turn.verdict.marks] == ["hit", "partial", "missed"]
    # (3 + 2 x 0.5) / 6 of 10, half up
    assert (turn.verdict.low, turn.verdict.score, turn.verdict.high) == (4, 7, 10)


async def test_failed_gradings_are_ignored(services: Services, database: Database, new_user: NewUser) -> None:
    wavering = Wavering(marks("hit", "hit", "hit"), InterviewerBadOutput(), InterviewerBadOutput())
    turn = await judged_by(database, services, await new_user(), wavering, 3)
    assert turn.verdict is not None
    assert (turn.verdict.low, turn.verdict.score, turn.verdict.high) == (10, 10, 10)


async def test_usage_of_all_gradings_is_recorded(services: Services, database: Database, new_user: NewUser) -> None:
    await judged_by(database, services, await new_user(), Wavering(*[marks("hit", "hit", "hit")] * 3), 3)
    async with database.transaction() as session:
        row = (await session.execute(text("SELECT prompt_tokens, completion_tokens FROM model_calls WHERE kind = 'judge'"))).one()
    assert tuple(row) == (300, 30)


async def test_single_grading_has_no_extremes(services: Services, database: Database, new_user: NewUser) -> None:
    await judged_by(database, services, await new_user(), Wavering(marks("hit", "hit", "hit")), 1)
    async with database.transaction() as session:
        assert tuple((await session.execute(text("SELECT score_low, score_high FROM verdicts"))).one()) == (None, None)
