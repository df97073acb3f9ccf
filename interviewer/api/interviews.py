"""The API's endpoints for interviews."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response
from pydantic import WithJsonSchema
from structlog.contextvars import bind_contextvars

from interviewer.api.access import Client, Person, Services
from interviewer.api.openapi import RESUMED, refused, refused_with, streamed
from interviewer.api.schemas import Body, InterviewBody, PathId, Refused, StartedBody, described, interview_document, nullable
from interviewer.api.streaming import respond
from interviewer.core.ids import id_of
from interviewer.credits.rules import Refusal
from interviewer.errors import BadRequest, InterviewerError, PaymentRequired
from interviewer.interviews.events import Completed, Started
from interviewer.interviews.plan import (
    BAD_COUNT,
    BAD_FOLLOW_UPS,
    BAD_LANGUAGE,
    BAD_LEVEL,
    BAD_TOPICS,
    LANGUAGES,
    MAX_PER_TOPIC,
    MAX_QUESTIONS,
    STANDARD_PER_TOPIC,
    InvalidPlan,
    Plan,
    requested,
    too_many,
)
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.topics import TOPICS, Level
from interviewer.interviews.user_text import MAX_JOB_DESCRIPTION, MAX_RESUME, NO_RESUME, too_long

router = APIRouter(prefix="/api/interviews", tags=["interviews"])
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="A repeated key does nothing twice: it returns the first request's result, for answers within 24 hours.",
    ),
]
_NO_JOB = "This doesn't look like a job description. Paste its text, or leave the box empty for a general interview."
_JOB_TOO_LONG = too_long("The job description", 31_000, MAX_JOB_DESCRIPTION)
_RESUME_TOO_LONG = too_long("Your résumé", 21_000, MAX_RESUME)
_NO_PLAN = (BAD_TOPICS, BAD_COUNT, too_many(36), BAD_LEVEL, BAD_LANGUAGE, BAD_FOLLOW_UPS)
_FOUND = {400: "Invalid ID", 404: "Interview not found"}


# Any, because `requested` checks the types and has a specific error for each.
_Topics = Annotated[
    Any,
    nullable(
        {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": len(TOPICS)},
            "minItems": 1,
            "maxItems": len(TOPICS),
            "uniqueItems": True,
            "description": "The topics' IDs, in the order to ask about them. Default: all six.",
        }
    ),
]
_PerTopic = Annotated[
    Any,
    nullable(
        {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_PER_TOPIC,
            "description": f"Questions per topic, at most {MAX_QUESTIONS} in all. Default: {STANDARD_PER_TOPIC}.",
        }
    ),
]
_Level = Annotated[
    Any, nullable({"type": "string", "enum": [*Level, None], "description": "Default: the level in the job description."})
]
_Language = Annotated[
    Any, nullable({"type": "string", "enum": [*LANGUAGES, None], "description": "The language for code. Default: any."})
]
_FollowUps = Annotated[
    Any,
    nullable(
        {
            "type": "boolean",
            "description": "Whether the interviewer may ask follow-ups. One arrives as another interviewer message in the same "
            "question, which stays open; the reply to it is sent like an answer.",
            "default": False,
        }
    ),
]


class Start(Body):
    """The plan of an interview; every field is optional."""

    model_config = described(
        example={"job_description": "Senior backend engineer: Python, PostgreSQL, five years of experience."}
    )
    job_description: Annotated[
        str,
        nullable({"type": "string", "maxLength": MAX_JOB_DESCRIPTION, "description": "Default: a general interview."}),
    ] = ""
    topics: _Topics = None
    questions_per_topic: _PerTopic = None
    level: _Level = None
    programming_language: _Language = None
    follow_ups: _FollowUps = None
    resume: Annotated[
        str,
        nullable(
            {
                "type": "string",
                "maxLength": MAX_RESUME,
                "description": "The text of your résumé. Introduction and behavioral questions can refer to it. Default: none.",
            }
        ),
    ] = ""

    def plan(self) -> Plan:
        """Return the requested plan. Raises BadRequest if it is invalid."""
        try:
            return requested(self.model_dump(exclude={"job_description", "resume"}, exclude_none=True))
        except InvalidPlan as error:
            raise BadRequest(str(error)) from error


class Change(Body):
    """The new status of an interview."""

    model_config = described("status", example={"status": "paused"})
    status: Annotated[Any, WithJsonSchema({"type": "string", "enum": ["paused", "active"]})] = None


def path_id(raw: str) -> int:
    """Parse an ID from a path parameter. Raises BadRequest if it is not a valid ID."""
    if not (id := id_of(raw)):
        raise BadRequest("Invalid ID")
    return id


@router.post(
    "",
    status_code=201,
    operation_id="startInterview",
    response_model=StartedBody,
    openapi_extra=RESUMED,
    responses=streamed(201, "Started", StartedBody)
    | refused(
        {
            400: [_NO_JOB, NO_RESUME, *_NO_PLAN],
            413: [_JOB_TOO_LONG, _RESUME_TOO_LONG],
            503: f"{InterviewerError.user_message} We've returned your credit.",
        }
    )
    | refused_with(Refused, {402: [{"error": PaymentRequired.user_message, "reason": one.value} for one in Refusal]}),
)
async def start(
    body: Start, person: Person, services: Services, client: Client, request: Request, key: IdempotencyKey = ""
) -> Response:
    """Start an interview. It costs one credit, which is returned if no first question can be asked."""
    plan = body.plan()
    begun = services.interviews.start(
        person.user_id, body.job_description, key, client, plan=plan, shows_turns=plan.follow_ups, resume=body.resume
    )
    events = services.following.through(person.user_id, begun)
    started = await anext(events)
    assert isinstance(started, Started)
    bind_contextvars(interview_id=started.interview_id)

    async def done(_completed: Completed | None) -> StartedBody:
        loaded = await services.interviews.load(person.user_id, started.interview_id)
        return StartedBody(
            interview_id=started.interview_id,
            conversation_id=loaded.conversation_id or 0,
            first_question=loaded.rows[0].question.prompt,
        )

    return await respond(request, events, done)


@router.get("", include_in_schema=False)
@router.patch("", include_in_schema=False)
async def nothing(_person: Person) -> None:
    """Raise BadRequest, because the path has no ID."""
    raise BadRequest("Missing ID")


@router.get("/{interview_id}", operation_id="getInterview", response_model_exclude_none=True, responses=refused(_FOUND))
async def show(interview_id: PathId, person: Person, services: Services) -> InterviewBody:
    """Return one of your interviews."""
    return await _shown(services, person.user_id, path_id(interview_id))


@router.patch(
    "/{interview_id}",
    operation_id="changeInterview",
    response_model_exclude_none=True,
    responses=refused({**_FOUND, 400: ["Invalid ID", "Invalid status", "Invalid status transition"]}),
)
async def change(interview_id: PathId, body: Change, person: Person, services: Services) -> InterviewBody:
    """Pause or resume an interview."""
    id = path_id(interview_id)
    if body.status not in (InterviewStatus.PAUSED.value, InterviewStatus.ACTIVE.value):
        raise BadRequest("Invalid status")
    await services.interviews.set_status(person.user_id, id, InterviewStatus(body.status))
    return await _shown(services, person.user_id, id)


async def _shown(services: Services, user_id: int, interview_id: int) -> InterviewBody:
    return InterviewBody(interview=interview_document(await services.interviews.load(user_id, interview_id)))
