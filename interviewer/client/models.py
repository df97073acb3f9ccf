"""The API's responses. Fields added by newer servers are ignored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Tokens(_Model):
    """The tokens of the user `user_id`.

    `refresh` is empty after a sign-up, which means that the access token cannot be renewed. To stay signed in when your program
    restarts, store the tokens as securely as passwords. `get_secret_value()` returns a token's text.
    """

    user_id: int
    access: SecretStr
    refresh: SecretStr = SecretStr("")

    @field_validator("access", "refresh")
    @classmethod
    def _can_be_sent(cls, value: SecretStr) -> SecretStr:
        """Reject tokens that are not valid in an HTTP header."""
        if not (value.get_secret_value().isascii() and value.get_secret_value().isprintable()):
            raise ValueError("no token")
        return value


class Account(_Model):
    """A user's account."""

    id: int
    username: str
    email: str


class StartOptions(TypedDict, total=False):
    """Options for starting an interview.

    By default, the server asks two questions on every topic. `topics` are topic IDs (1 to 6) in the order in which they are
    asked. `level` is `junior`, `mid-level`, or `senior`; if it is not given, the job description decides. `programming_language`
    is a name such as `Go`. With `follow_ups`, the interviewer may ask a follow-up instead of scoring an answer at once: see
    `Conversation.follow_up`. `resume` is a résumé as text, which introduction and behavioral questions can refer to.
    """

    topics: Sequence[int]
    questions_per_topic: int
    level: str
    programming_language: str
    follow_ups: bool
    resume: str


class Started(_Model):
    """An interview that has started, with its first question."""

    interview_id: int
    conversation_id: int
    first_question: str


class Interview(_Model):
    """An interview.

    `length` is in minutes. `score` is in percent of the maximum so far, or None before the first verdict. `status` is `starting`,
    `active`, `paused`, or `finished`. `difficulty` is `junior`, `mid-level`, or `senior`.
    """

    id: int
    conversation_id: int | None = None
    user_id: int
    length: int
    number_questions: int
    number_questions_answered: int
    score_numerator: int
    score: int | None = None
    difficulty: str
    status: str
    language: str = ""
    prompt: str = ""
    jd_summary: str = ""
    first_question: str = ""
    subtopic: str = ""
    created_at: datetime
    updated_at: datetime


class CodeTest(_Model):
    """A test with its result. `input`, `expected`, and `got` or `error` are there only if it failed."""

    name: str
    passed: bool
    hidden: bool = False
    seconds: float = 0.0
    input: str | None = None
    expected: str | None = None
    got: str | None = None
    error: str | None = None


class CodeTests(_Model):
    """The results of a question's tests. `outcome` is `ran`, `syntax`, `timeout`, or `not_run`."""

    outcome: str
    language: str = ""
    passed: int
    total: int
    cases: tuple[CodeTest, ...] = ()


class Exchange(_Model):
    """The verdict on an answer and the next question, which is empty after the last answer.

    `score` ranges from 0 to 10, and 7 passes. It is None while the answer is not scored: see `Client.retry`. `tests` are the
    results of the tests of the answer's code, None if the question has none.
    """

    topic: str
    subtopic: str
    question: str
    score: int | None
    feedback: str
    next_topic: str
    next_subtopic: str
    next_question: str
    tests: CodeTests | None = None


class FollowUp(_Model):
    """What the interviewer says while a question stays open. `kind` is `follow_up`, `clarification`, or `hint`."""

    kind: str
    text: str = Field(validation_alias="follow_up")


class Message(_Model):
    """A message about a question.

    `author` is `system`, `interviewer`, or `user`. `kind` is `answer`, `skip`, `follow_up`, `clarification`, or `hint`. It is
    None for questions and verdicts, and for all messages if the client is not shown follow-ups; see `turns` of `Client`.
    """

    conversation_id: int
    topic_id: int
    question_id: int
    created_at: datetime
    author: str
    content: str
    kind: str | None = None

    @property
    def follow_up(self) -> FollowUp | None:
        """The follow-up, clarification or hint in an interviewer's message. None for other messages."""
        if self.author != "interviewer":
            return None
        try:
            return FollowUp.model_validate_json(self.content)
        except ValidationError:
            return None

    @property
    def exchange(self) -> Exchange | None:
        """The verdict and next question in an interviewer's message. None for plain text and for messages of other authors."""
        if self.author != "interviewer":
            return None
        try:
            return Exchange.model_validate_json(self.content)
        except ValidationError:
            return None


class Question(_Model):
    """A question with its messages. `question_number` counts within its topic."""

    conversation_id: int
    topic_id: int
    question_number: int
    prompt: str
    created_at: datetime
    messages: tuple[Message, ...]


class Topic(_Model):
    """A topic with the questions asked so far, keyed by their numbers."""

    id: int
    conversation_id: int
    name: str
    questions: dict[int, Question]


class Conversation(_Model):
    """All messages of an interview. `topics` is keyed by topic ID."""

    id: int
    interview_id: int
    current_topic: int
    current_subtopic: str
    current_question_number: int
    created_at: datetime
    updated_at: datetime
    topics: dict[int, Topic]

    @property
    def finished(self) -> bool:
        """Whether the interview is finished."""
        return self.current_topic == 0

    @property
    def question(self) -> Question | None:
        """The newest question, or None if the interview is finished."""
        topic = self.topics.get(self.current_topic)
        return topic.questions.get(self.current_question_number) if topic else None

    @property
    def follow_up(self) -> FollowUp | None:
        """What the interviewer said last, if it left the question open: a follow-up, a clarification, or a hint. Else None."""
        return self.question.messages[-1].follow_up if self.question else None

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """All verdicts, oldest first."""
        questions = [question for _, topic in sorted(self.topics.items()) for _, question in sorted(topic.questions.items())]
        # Sort by time, because an interview may take the topics in any order.
        questions.sort(key=lambda question: question.created_at)
        messages = (message for question in questions for message in question.messages)
        return tuple(exchange for message in messages if (exchange := message.exchange))


class PastInterview(_Model):
    """An interview in a list. `score` is in percent, or None before the first verdict."""

    id: int
    started_at: datetime
    score: int | None = None


class Dashboard(_Model):
    """The plan, the credits, and the interviews, newest first. `plan` is `free`, `pro`, or `premium`."""

    email: str
    plan: str
    status: str
    subscription_start_date: datetime | None = None
    subscription_end_date: datetime | None = None
    individual_credits: int
    subscription_credits: int
    past_interviews: tuple[PastInterview, ...]
