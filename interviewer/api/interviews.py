"""Interviews, for programs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from interviewer import wiring
from interviewer.api.access import Client, Person
from interviewer.api.schemas import InterviewBody, StartedBody, interview_document
from interviewer.api.streaming import respond
from interviewer.domain.progress import InterviewStatus
from interviewer.errors import BadRequest
from interviewer.services.events import Started
from interviewer.services.guard import Action
from interviewer.services.sessions import MAX_ID

router = APIRouter(prefix="/api/interviews", tags=["interviews"])
IdempotencyKey = Annotated[str, Header(alias="Idempotency-Key", max_length=200)]


class Start(BaseModel):
    """What an interview is about; all of it optional."""

    job_description: str = Field(default="", description="The job posting, at most 30,000 characters.")


class Change(BaseModel):
    """What an interview is to become."""

    status: Any = None


def id_of(raw: str, words: str = "Invalid ID") -> int:
    """Return the number in a path; raises BadRequest for what is none, or could be none of ours."""
    if not (raw.isascii() and raw.isdecimal()) or not 0 < int(raw[:20]) < MAX_ID:
        raise BadRequest(words)
    return int(raw)


@router.post("", status_code=201, response_model=StartedBody)
async def start(body: Start, person: Person, client: Client, request: Request, key: IdempotencyKey = "") -> Response:
    """Start an interview: it takes one credit, which comes back if no first question does."""
    services = wiring.services()
    await services.guard.check(Action.START, client, str(person.user_id))
    events = services.interviews.start(person.user_id, body.job_description, key)
    started = await anext(events)
    assert isinstance(started, Started)

    async def done() -> StartedBody:
        loaded = await services.interviews.load(person.user_id, started.interview_id)
        return StartedBody(
            interview_id=started.interview_id,
            conversation_id=loaded.conversation_id or 0,
            first_question=loaded.rows[0].question.prompt,
        )

    return await respond(request, events, done)


@router.get("")
@router.get("/")
@router.patch("")
@router.patch("/")
async def nothing(_person: Person) -> None:
    """Say that an id is missing."""
    raise BadRequest("Missing ID")


@router.get("/{interview_id}", response_model=InterviewBody, response_model_exclude_none=True)
async def show(interview_id: str, person: Person) -> InterviewBody:
    """Return one of one's own interviews."""
    return await _shown(person.user_id, id_of(interview_id))


@router.patch("/{interview_id}", response_model=InterviewBody, response_model_exclude_none=True)
async def change(interview_id: str, body: Change, person: Person) -> InterviewBody:
    """Pause an interview, or go on with it."""
    id = id_of(interview_id)
    if body.status not in (InterviewStatus.PAUSED.value, InterviewStatus.ACTIVE.value):
        raise BadRequest("Invalid status")
    await wiring.services().interviews.set_status(person.user_id, id, InterviewStatus(body.status))
    return await _shown(person.user_id, id)


async def _shown(user_id: int, interview_id: int) -> InterviewBody:
    return InterviewBody(interview=interview_document(await wiring.services().interviews.load(user_id, interview_id)))
