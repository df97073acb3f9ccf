"""Every known deviation of chat/completions servers, through start, answer, verdict, and retry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlmodel import col

from interviewer.core.database import Database
from interviewer.interviews import replies
from interviewer.interviews.events import Asked, Event, Failed, FeedbackPiece, FollowUpPiece, Judged, QuestionPiece, Started
from interviewer.interviews.exchange import Author, Kind, Said
from interviewer.interviews.interviewer import AnswerBrief
from interviewer.interviews.interviewer_calls import InterviewerCalls
from interviewer.interviews.model_server import server
from interviewer.interviews.model_server.options import ServerOptions
from interviewer.interviews.openai_client import OpenAIInterviewer
from interviewer.interviews.plan import STANDARD
from interviewer.interviews.replies import Reply
from interviewer.interviews.rubric import Judgement
from interviewer.interviews.tables import ModelCall
from interviewer.interviews.turns import Interviews
from tests.conftest import NewUser
from tests.support import openai_server
from tests.support.interviewer import RUBRIC
from tests.support.openai_server import FEEDBACK, REPLY, Behavior
from tests.support.server_failures import failing
from tests.support.server_quirks import working

ANSWER = "First I measure, because guesses mislead; the trade-off is the time it takes."
FOLLOW_UP = "You said you measure. What does that cost you?"
OPTIONS = ServerOptions(reply_seconds=5, first_token_seconds=5, idle_seconds=5)


@pytest.fixture
def behavior() -> Behavior:
    return Behavior(marks_by_keyword=True)


@pytest.fixture
async def model(behavior: Behavior, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenAIInterviewer]:
    monkeypatch.setattr(server, "LOADING_PAUSE", 0.01)
    with openai_server.running(behavior) as url:
        model = OpenAIInterviewer(model="some-model", api_key=None, base_url=url, options=OPTIONS)
        yield model
        await model.close()


@pytest.fixture
def interviews(database: Database, model: OpenAIInterviewer) -> Interviews:
    return Interviews(database, InterviewerCalls(database, model))


async def started(interviews: Interviews, user_id: int) -> list[Event]:
    return [event async for event in interviews.start(user_id, "", plan=STANDARD)]


def id_of(events: list[Event]) -> int:
    return next(event.interview_id for event in events if isinstance(event, Started))


async def answered(interviews: Interviews, user_id: int, asked: Asked, interview_id: int) -> list[Event]:
    return [event async for event in interviews.answer(user_id, interview_id, asked.turn.question_id, ANSWER, uuid4())]


def pieces(events: list[Event], kind: type[QuestionPiece | FeedbackPiece]) -> list[str]:
    return [event.text for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("name", working())
async def test_interview_works_despite(interviews: Interviews, behavior: Behavior, new_user: NewUser, name: str) -> None:
    behavior.quirk = quirk = working()[name]
    user = await new_user()
    begun = await started(interviews, user.id)
    asked = begun[-1]
    assert isinstance(asked, Asked), begun
    assert len(behavior.requests) <= quirk.requests
    assert "".join(pieces(begun, QuestionPiece)) == asked.turn.prompt, "what is shown is what is stored"
    done = await answered(interviews, user.id, asked, id_of(begun))
    assert not [event for event in done if isinstance(event, Failed)]
    verdict = next(event.turn.verdict for event in done if isinstance(event, Judged))
    assert verdict is not None
    assert (verdict.score, verdict.feedback) == (10, FEEDBACK.strip())
    assert "".join(pieces(done, FeedbackPiece)) == verdict.feedback
    assert any(isinstance(event, Asked) for event in done)


@pytest.mark.parametrize("name", working())
async def test_decision_is_read_despite(model: OpenAIInterviewer, behavior: Behavior, name: str) -> None:
    """The model follows up on an answer, then replies to a clarifying question, then judges."""
    behavior.quirk, behavior.follow_ups = working()[name], [FOLLOW_UP] * 3  # some replies are lost on the way

    async def result(text: str) -> tuple[Judgement | Reply, str]:
        published: list[Event] = []
        said = [Said(Author.USER, Kind.ANSWER, text)]
        brief = AnswerBrief(3, "text", "What first?", RUBRIC, text, said=said, may_follow_up=True, may_clarify=True)
        found = await replies.judge_or_reply(model, brief, published.append)
        return found, "".join(event.text for event in published if isinstance(event, FollowUpPiece | FeedbackPiece))

    assert await result(ANSWER) == (Reply(FOLLOW_UP), FOLLOW_UP)
    clarified = f"Clarification: {REPLY}"
    assert await result("Is it one region or several?") == (Reply(clarified, Kind.CLARIFICATION), clarified)
    behavior.follow_ups.clear()
    judgement, shown = await result(ANSWER)
    assert isinstance(judgement, Judgement)
    assert (judgement.score, judgement.feedback) == (10, shown)


@pytest.mark.parametrize("name", [name for name, quirk in working().items() if quirk.requests > 1])
async def test_what_was_learned_is_remembered(interviews: Interviews, behavior: Behavior, new_user: NewUser, name: str) -> None:
    behavior.quirk = working()[name]
    await started(interviews, (await new_user()).id)
    first = len(behavior.requests)
    await started(interviews, (await new_user()).id)
    assert len(behavior.requests) - first <= (2 if behavior.quirk.report == "small models" or "repair" in name else 1)


@pytest.mark.parametrize("name", failing())
async def test_failure_has_its_reason_and_a_retry_works(
    interviews: Interviews,
    database: Database,
    behavior: Behavior,
    new_user: NewUser,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    quirk = failing()[name]
    assert quirk.error is not None
    user = await new_user(2)
    begun = await started(interviews, user.id)
    asked, interview_id = begun[-1], id_of(begun)
    assert isinstance(asked, Asked)
    behavior.quirk, behavior.requests[:] = quirk, []
    failed = (await started(interviews, user.id))[-1]
    assert isinstance(failed, Failed)
    assert quirk.error.user_message in failed.error.user_message
    assert quirk.reason not in failed.error.user_message
    assert quirk.reason in caplog.text
    assert len(behavior.requests) <= quirk.requests
    if "points" in name or "loop" in name:
        return
    failures = [one.error for one in await answered(interviews, user.id, asked, interview_id) if isinstance(one, Failed)]
    assert {type(error) for error in failures} == {quirk.error}
    behavior.quirk = None
    done = await answered(interviews, user.id, asked, interview_id)
    assert any(isinstance(event, Judged) and event.turn.verdict and event.turn.verdict.score == 10 for event in done)
    async with database.transaction() as session:
        assert "ok" in (await session.scalars(select(col(ModelCall.outcome)))).all()
