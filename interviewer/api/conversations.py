"""The API's endpoints for the conversation of an interview."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import Response
from pydantic import Field, WithJsonSchema
from structlog.contextvars import bind_contextvars

from interviewer.api.access import Client, Person, Services
from interviewer.api.code_fields import LANGUAGE, TEST_RESULTS
from interviewer.api.interviews import IdempotencyKey, path_id
from interviewer.api.openapi import RESUMED, refused, streamed
from interviewer.api.schemas import Body, ConversationBody, PathId, conversation_document, described, nullable
from interviewer.api.streaming import respond
from interviewer.errors import BadRequest, InterviewerError, NotFound
from interviewer.interviews.code_run import (
    BAD_LANGUAGE,
    MALFORMED,
    NO_TESTS,
    UNKNOWN_TEST,
    WRONG_LANGUAGE,
    code_of_request,
)
from interviewer.interviews.events import Completed
from interviewer.interviews.exchange import NO_MORE_CLARIFICATIONS, NO_MORE_HINTS, REWRITE, Kind
from interviewer.interviews.message_api import (
    ALREADY_BEGUN,
    ANOTHER_QUESTION,
    INCOMPLETE_QUESTION_REFERENCE,
    OTHER_ANSWER,
    OTHER_MESSAGE,
    Sent,
)
from interviewer.interviews.user_text import MAX_ANSWER, too_long
from interviewer.interviews.views import Loaded

router = APIRouter(prefix="/api/conversations", tags=["conversations"])
INVALID = "Invalid ID"
ANSWER_TOO_LONG = too_long("Your answer", 25_000, MAX_ANSWER)
_ANSWERED = streamed(
    201, "The interviewer has replied: with a score and the next question, or a follow-up", ConversationBody
) | refused(
    {
        400: ["Missing ID", INVALID, "Missing message", INCOMPLETE_QUESTION_REFERENCE],
        413: ANSWER_TOO_LONG,
        422: [MALFORMED, BAD_LANGUAGE, NO_TESTS, WRONG_LANGUAGE, UNKNOWN_TEST],
        503: InterviewerError.user_message,
    }
)
_INACTIVE = "Interview is not active"
_CONFLICTS = [_INACTIVE, OTHER_ANSWER, OTHER_MESSAGE, ANOTHER_QUESTION, NO_MORE_CLARIFICATIONS, NO_MORE_HINTS, REWRITE]
Turns = Annotated[
    str,
    Header(
        alias="X-Interview-Turns",
        max_length=20,
        description="Send `1` to be asked follow-ups, and to be shown follow-ups, clarifications and hints, in interviews that "
        "were started in the pages.",
    ),
]


class Answer(Body):
    """An answer, or another message about the current question.

    `conversation_id` may identify the conversation; `topic_id` and `question_id` together identify the question.
    """

    model_config = described(example={"message": "First I would measure where the time goes, because a guess is often wrong."})
    message: Annotated[
        str,
        nullable(
            {
                "type": "string",
                "maxLength": MAX_ANSWER,
                "description": "May be empty only to complete what is missing for the last message, or for a hint or a skip.",
            }
        ),
    ] = ""
    conversation_id: Annotated[
        Any, WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+$"}, {"type": "null"}]})
    ] = None
    topic_id: int | None = Field(default=None, strict=True, description="The topic of the question being answered, 1 to 6.")
    question_id: int | None = Field(
        default=None,
        strict=True,
        description="The question's number within the topic. If both fields name an earlier question, its reply is replayed if "
        "the text is the same; any other text gets 409. Such a request never answers the open question.",
    )

    kind: Annotated[
        Literal["answer", "clarification", "hint", "skip"],
        nullable(
            {
                "type": "string",
                "enum": ["answer", "clarification", "hint", "skip", None],
                "default": "answer",
                "description": "A clarification (a question to the interviewer) and a hint get a reply, and the question stays "
                "open. A skip ends the question: only what was answered before it counts. With `follow_ups`, a message "
                "without a kind that only asks something is a clarification.",
            }
        ),
    ] = "answer"
    language: Annotated[Any, WithJsonSchema(LANGUAGE)] = None
    test_results: Annotated[Any, WithJsonSchema(TEST_RESULTS)] = None

    def sent(self, key: str, *, first: bool = False, turns: bool = False) -> Sent:
        """Return the submission for the use case.

        Raises BadRequest if only one of `topic_id` and `question_id` is set, and Unprocessable if the language or the test
        results are malformed.
        """
        kind, is_sure = Kind(self.kind), "kind" in self.model_fields_set
        return Sent(
            self.message,
            key,
            self.conversation_id,
            self.topic_id,
            self.question_id,
            first,
            kind,
            turns=turns,
            is_sure=is_sure,
            code=code_of_request(self.language, self.test_results),
        )


@dataclass(frozen=True, slots=True)
class Submitted:
    """The parts of a request that submits an answer, shared by the two routes."""

    interview_id: PathId
    body: Answer
    person: Person
    services: Services
    client: Client
    request: Request
    key: IdempotencyKey = ""
    turns: Turns = ""


Submission = Annotated[Submitted, Depends()]


@router.post("/create", include_in_schema=False)
@router.post("/append", include_in_schema=False)
@router.get("", include_in_schema=False)
async def nothing(_person: Person) -> None:
    """Raise BadRequest, because the path has no ID."""
    raise BadRequest("Missing ID")


@router.post(
    "/create/{interview_id}",
    status_code=201,
    operation_id="createConversation",
    response_model=ConversationBody,
    openapi_extra=RESUMED,
    responses=_ANSWERED | refused({409: [ALREADY_BEGUN, *_CONFLICTS]}),
)
async def create(submission: Submission) -> Response:
    """Answer the first question."""
    return await _reply(submission, first=True)


@router.post(
    "/append/{interview_id}",
    status_code=201,
    operation_id="appendToConversation",
    response_model=ConversationBody,
    openapi_extra=RESUMED,
    responses=_ANSWERED | refused({409: _CONFLICTS}),
)
async def append(submission: Submission) -> Response:
    """Answer the current question, ask about it, or complete what is missing for the last message."""
    return await _reply(submission)


@router.get(
    "/{interview_id}",
    operation_id="getConversation",
    response_model_exclude_none=True,
    responses=refused({400: ["Missing ID", INVALID]}),
)
async def show(interview_id: PathId, person: Person, services: Services, turns: Turns = "") -> ConversationBody:
    """Return the whole conversation."""
    loaded = await _loaded(services, person.user_id, path_id(interview_id))
    shown = _asks(turns) or loaded.interview.shows_turns
    return ConversationBody(conversation=conversation_document(loaded, turns=shown))


def _asks(turns: str) -> bool:
    """Return whether a client asks to be shown follow-ups, clarifications, and hints."""
    return turns.strip() == "1"


async def _reply(submission: Submitted, *, first: bool = False) -> Response:
    services, user_id, id = submission.services, submission.person.user_id, path_id(submission.interview_id)
    sent = submission.body.sent(submission.key, first=first, turns=_asks(submission.turns))
    try:
        reply = await services.programs.reply(user_id, id, sent, submission.client)
    except NotFound:
        raise BadRequest(INVALID) from None
    bind_contextvars(interview_id=id)

    async def done(completed: Completed | None) -> ConversationBody:
        loaded = completed.loaded if completed else await _loaded(services, user_id, id)
        return ConversationBody(conversation=conversation_document(loaded, turns=reply.turns))

    events = services.following.through(user_id, reply.events)
    delivered = partial(services.receipts.note, reply.question_id, reply.number)
    return await respond(submission.request, events, done, arrived=delivered, turns=reply.turns)


async def _loaded(services: Services, user_id: int, interview_id: int) -> Loaded:
    """Return an interview with its conversation.

    Raises BadRequest if the interview is unknown, belongs to another user, or has no question yet.
    """
    try:
        loaded = await services.interviews.load(user_id, interview_id)
    except NotFound:
        raise BadRequest(INVALID) from None
    if not loaded.rows:
        raise BadRequest(INVALID)
    return loaded
