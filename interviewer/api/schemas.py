"""The API's request and response bodies, as existing clients expect them, and how they are built from the services' data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, cast

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from interviewer.accounts.passwords import MAX_PASSWORD, MIN_PASSWORD
from interviewer.accounts.user_names import MAX_USERNAME
from interviewer.api.code_fields import ResultsDocument, results_document
from interviewer.api.examples import CONVERSATION, INTERVIEW, STARTED
from interviewer.core.ids import MAX_ID
from interviewer.credits.rules import Refusal
from interviewer.interviews.exchange import Author, Kind
from interviewer.interviews.job import JobFindings, markdown
from interviewer.interviews.plan import Plan
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.rubric import percentage
from interviewer.interviews.tables import Message
from interviewer.interviews.topics import TOPICS, Level, topic_by_id
from interviewer.interviews.views import Loaded, TurnRow, is_answer
from interviewer.wording import counted


def described(*required: str, example: Mapping[str, Any]) -> ConfigDict:
    """Return a model's configuration: an example, and the fields that the OpenAPI document marks as `required`.

    Validation accepts requests without them, because each route has its own error for a missing field.
    """

    def describe(schema: dict[str, Any]) -> None:
        if required:
            schema["required"] = list(required)
        for name in required:
            schema["properties"][name].pop("default", None)
        schema["examples"] = [dict(example)]

    return ConfigDict(json_schema_extra=describe)


# These limits only appear in the OpenAPI document. They are enforced deeper in the code, with a specific error for each.
_ID: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": MAX_ID - 1}
PathId = Annotated[str, WithJsonSchema({**_ID, "examples": [7]})]
Id = Annotated[int | None, WithJsonSchema(_ID)]
Email = Annotated[str, WithJsonSchema({"type": "string", "format": "email", "maxLength": 254})]
Username = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_USERNAME,
            "pattern": r"^[^<>]*[^<>\s][^<>]*$",
            "description": "Invisible characters, line breaks, web addresses and email addresses are refused.",
        }
    ),
]
Password = Annotated[str, WithJsonSchema({"type": "string", "format": "password", "minLength": 1, "maxLength": MAX_PASSWORD})]
NewPassword = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "format": "password",
            "minLength": MIN_PASSWORD,
            "maxLength": MAX_PASSWORD,
            "description": "Passwords that are easy to guess are refused.",
        }
    ),
]
Secret = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1})]


class Body(BaseModel):
    """A request body. A `null` field counts as absent."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        return {name: value for name, value in given.items() if value is not None} if isinstance(given, dict) else given


def nullable(schema: Mapping[str, Any]) -> WithJsonSchema:
    """Return the schema of an optional field that may be `null`."""
    return WithJsonSchema({**schema, "type": [schema["type"], "null"]})


class Error(BaseModel):
    """An error. Some errors have an additional field for programs."""

    error: str = Field(description="A sentence for people to read.", examples=["Interview not found"])


class Refused(Error):
    """An error with the reason why no interview was started."""

    reason: Annotated[
        Refusal,
        WithJsonSchema(
            {
                "type": "string",
                "enum": [one.value for one in Refusal],
                "description": "The reason. A paused or expired subscription keeps its credits.",
            }
        ),
    ]


class Elsewhere(Error):
    """An error for a change that can only be made on the payment service's page, with the URL of that page if there is one."""

    portal_url: str | None = Field(default=None, description="Where to make the change; only for PayPal subscriptions.")


class Nothing(BaseModel):
    """An empty object; the request succeeded."""

    model_config = described(example={})


class Done(BaseModel):
    """A confirmation."""

    message: str = Field(description="A sentence for people to read.")


class MessageDocument(BaseModel):
    """A message about a question.

    After the first question, an interviewer message's content is a JSON string: an `Exchange`, or if `kind` is set, a `FollowUp`.
    """

    conversation_id: int
    topic_id: int
    question_id: int = Field(description="The question's number within the topic.")
    created_at: datetime
    author: Literal["system", "interviewer", "user"]
    content: str = Field(description="Empty for a user's skip and request for a hint.")
    kind: Literal["answer", "skip", "follow_up", "clarification", "hint"] | None = Field(
        default=None,
        description="Only if the client is shown follow-ups, for all messages but questions and verdicts. A user's clarifying "
        "question and request for a hint have the same kind as the reply.",
    )


class QuestionDocument(BaseModel):
    """A question with all its messages."""

    conversation_id: int
    topic_id: int
    question_number: int
    prompt: str
    created_at: datetime
    messages: list[MessageDocument]


class TopicDocument(BaseModel):
    """One of the six topics, with its questions by number. There are none until the topic is reached."""

    id: int
    conversation_id: int
    name: str
    questions: dict[str, QuestionDocument]


class ConversationDocument(BaseModel):
    """A conversation. When it is finished, `current_topic` and `current_question_number` are 0."""

    id: int
    interview_id: int
    current_topic: int
    current_subtopic: str
    current_question_number: int
    created_at: datetime
    updated_at: datetime
    topics: dict[str, TopicDocument]


class ConversationBody(BaseModel):
    """A conversation, wrapped as clients expect it."""

    model_config = described(example=CONVERSATION)
    conversation: ConversationDocument


class Exchange(BaseModel):
    """The content of an interviewer's message after the first question: the verdict on an answer and the next question."""

    topic: str
    subtopic: str
    question: str
    score: int | None
    feedback: str
    next_topic: str
    next_subtopic: str
    next_question: str
    tests: ResultsDocument | None = Field(default=None, description="The tests of the answer's code, if the question has any.")

    def content(self) -> str:
        """Return the JSON text of the message. Without tests, it has no such field, which earlier clients don't know."""
        found = self.model_dump(mode="json", exclude={"tests"})
        tests = {"tests": self.tests.model_dump(mode="json", exclude_none=True)} if self.tests else {}
        return json.dumps(found | tests, ensure_ascii=False, separators=(",", ":"))


class FollowUp(BaseModel):
    """The content of an interviewer's message that leaves the question open: a follow-up, a clarification or a hint."""

    kind: Literal["follow_up", "clarification", "hint"]
    topic: str
    subtopic: str
    question: str
    follow_up: str = Field(description="What the interviewer says, for every kind.")


class InterviewDocument(BaseModel):
    """An interview. `length` is in minutes, and `score` is a percentage of the points possible so far."""

    id: int
    conversation_id: int | None = None
    user_id: int
    length: int
    number_questions: int
    number_questions_answered: int
    score_numerator: int
    score: int | None = None
    difficulty: Level
    status: InterviewStatus
    language: str
    prompt: str
    jd_summary: str
    first_question: str
    subtopic: str
    created_at: datetime
    updated_at: datetime


class InterviewBody(BaseModel):
    """An interview, wrapped as clients expect it."""

    model_config = described(example=INTERVIEW)
    interview: InterviewDocument


class StartedBody(BaseModel):
    """A started interview."""

    model_config = described(example=STARTED)
    interview_id: int
    conversation_id: int
    first_question: str


def interview_document(loaded: Loaded) -> InterviewDocument:
    """Build the API's representation of an interview."""
    interview, first = loaded.interview, loaded.rows[0].question if loaded.rows else None
    findings = JobFindings.model_validate(loaded.job.profile) if loaded.job and loaded.job.profile else None
    plan = loaded.plan
    level = plan.level or (findings.level if findings else Level.MID)
    size = f"{counted(len(plan.topics), 'topic')}, {counted(plan.total, 'question')}"
    about = f" for the job {findings.title}" if findings and findings.title else ""
    return InterviewDocument(
        id=interview.id,
        conversation_id=loaded.conversation_id,
        user_id=interview.user_id,
        length=plan.minutes,
        number_questions=plan.total,
        number_questions_answered=sum(any(map(is_answer, row.messages)) for row in loaded.rows),
        score_numerator=interview.score_sum,
        score=percentage(interview.score_sum, interview.answers_judged),
        difficulty=level,
        status=InterviewStatus(interview.status),
        language="English",
        prompt=f"A {level.value} backend interview{about}: {size}.",
        jd_summary=markdown(findings) if findings else "",
        first_question=first.prompt if first else "",
        subtopic=first.subtopic if first else "",
        created_at=interview.created_at,
        updated_at=interview.updated_at,
    )


def conversation_document(loaded: Loaded, *, turns: bool) -> ConversationDocument:
    """Build the API's representation of a conversation. The interview must have its first question.

    With `turns`, it has every message. Without, each question has one message of the user with everything answered so far.
    """
    id = loaded.conversation_id or 0
    plan, last = loaded.plan, loaded.rows[-1].question
    finished = loaded.interview.status == "finished"
    topics = {str(topic.id): TopicDocument(id=topic.id, conversation_id=id, name=topic.name, questions={}) for topic in TOPICS}
    for index, row in enumerate(loaded.rows):
        question, number = row.question, plan.place(row.question.position).number
        topics[str(question.topic_id)].questions[str(number)] = QuestionDocument(
            conversation_id=id,
            topic_id=question.topic_id,
            question_number=number,
            prompt=question.prompt,
            created_at=question.created_at,
            messages=_messages(id, plan, loaded.rows[index - 1] if index else None, row, turns=turns),
        )
    return ConversationDocument(
        id=id,
        interview_id=loaded.interview.id,
        current_topic=0 if finished else last.topic_id,
        current_subtopic="finished" if finished else last.subtopic,
        current_question_number=0 if finished else plan.place(last.position).number,
        created_at=loaded.rows[0].question.created_at,
        updated_at=loaded.interview.updated_at,
        topics=topics,
    )


class _Said(NamedTuple):
    """One message of a conversation."""

    author: Literal["interviewer", "user"]
    at: datetime
    content: str
    kind: Any = None


def _messages(conversation_id: int, plan: Plan, before: TurnRow | None, row: TurnRow, *, turns: bool) -> list[MessageDocument]:
    """Return a question's messages: the question, with the verdict on the answer before it, then what was said about it.

    The interview's last question also has the last verdict.
    """
    question = row.question
    said = [_Said("interviewer", question.created_at, exchange(before, row).content() if before else question.prompt)]
    said += [_turn(row, message) for message in row.messages] if turns else _whole_answer(row)
    if row.verdict and plan.is_last(question.position):
        said.append(_Said("interviewer", row.verdict.created_at, exchange(row, None).content()))
    return [
        MessageDocument(
            conversation_id=conversation_id,
            topic_id=question.topic_id,
            question_id=plan.place(question.position).number,
            created_at=one.at,
            author=one.author,
            content=one.content,
            kind=one.kind,
        )
        for one in said
    ]


def _turn(row: TurnRow, message: Message) -> _Said:
    """Return a message for clients that are shown follow-ups."""
    if message.author == Author.USER:
        kind = Kind.ANSWER.value if message.kind == Kind.FINAL_ANSWER else message.kind
        return _Said("user", message.created_at, message.content, kind)
    question, kind = row.question, cast("Any", message.kind)
    place = {"topic": topic_by_id(question.topic_id).name, "subtopic": question.subtopic, "question": question.prompt}
    content = FollowUp(kind=kind, **place, follow_up=message.content)
    return _Said("interviewer", message.created_at, content.model_dump_json(), kind)


def _whole_answer(row: TurnRow) -> list[_Said]:
    """Return everything that the user answered as one message, for clients that are not shown follow-ups."""
    answers = [message for message in row.messages if is_answer(message)]
    return [_Said("user", answers[-1].created_at, row.answer_text)] if answers else []


def exchange(judged: TurnRow, opened: TurnRow | None) -> Exchange:
    """Return the verdict on one question together with the next question, if there is one."""
    question, following = judged.question, opened.question if opened else None
    return Exchange(
        topic=topic_by_id(question.topic_id).name,
        subtopic=question.subtopic,
        question=question.prompt,
        score=judged.score,
        feedback=judged.verdict.feedback if judged.verdict else "",
        next_topic=topic_by_id(following.topic_id).name if following else "",
        next_subtopic=following.subtopic if following else "",
        next_question=following.prompt if following else "",
        tests=results_document(judged.tests),
    )


def as_json(body: BaseModel) -> dict[str, Any]:
    """Return a body as JSON data, without fields that are None."""
    found: dict[str, Any] = json.loads(body.model_dump_json(exclude_none=True))
    return found
