"""What the API answers with. Fields that a later server adds are ignored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, field_validator


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Tokens(_Model):
    """What keeps a program signed in as `user_id`; `refresh` is empty after a sign-up, whose access ends by itself.

    To stay signed in across runs, store them where passwords may be stored; `get_secret_value()` gives the text.
    """

    user_id: int
    access: SecretStr
    refresh: SecretStr = SecretStr("")

    @field_validator("access", "refresh")
    @classmethod
    def _can_be_sent(cls, value: SecretStr) -> SecretStr:
        """A header takes nothing else."""
        if not (value.get_secret_value().isascii() and value.get_secret_value().isprintable()):
            raise ValueError("no token")
        return value


class Account(_Model):
    """Who somebody is."""

    id: int
    username: str
    email: str


class StartOptions(TypedDict, total=False):
    """What a start may ask for besides the job; what is left out is as the server has it: every topic, two questions each.

    `topics` are ids, 1 to 6, in the order in which they are asked about. `level` is `junior`, `mid-level` or `senior`, else the
    job description decides; `programming_language` is a name such as `Go`.
    """

    topics: Sequence[int]
    questions_per_topic: int
    level: str
    programming_language: str
    follow_ups: bool


class Started(_Model):
    """An interview that has begun."""

    interview_id: int
    conversation_id: int
    first_question: str


class Interview(_Model):
    """An interview. `length` is in minutes; `score` in percent of what could be reached so far, None before the first verdict.

    `status` is `starting`, `active`, `paused` or `finished`; `difficulty` is `junior`, `mid-level` or `senior`.
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


class Exchange(_Model):
    """The verdict on an answer and the question after it, which is empty behind the last one.

    `score` is 0 to 10, 7 passes; None while the answer is not judged: see `Client.retry`.
    """

    topic: str
    subtopic: str
    question: str
    score: int | None
    feedback: str
    next_topic: str
    next_subtopic: str
    next_question: str


class Message(_Model):
    """Something said about a question; `author` is `system`, `interviewer` or `user`."""

    conversation_id: int
    topic_id: int
    question_id: int
    created_at: datetime
    author: str
    content: str

    @property
    def exchange(self) -> Exchange | None:
        """What an interviewer's message says after the first question, None for a message in plain text."""
        if self.author != "interviewer":
            return None
        try:
            return Exchange.model_validate_json(self.content)
        except ValidationError:
            return None


class Question(_Model):
    """A question with everything said about it; `question_number` counts within its topic."""

    conversation_id: int
    topic_id: int
    question_number: int
    prompt: str
    created_at: datetime
    messages: tuple[Message, ...]


class Topic(_Model):
    """One of the six topics; its questions by their numbers, none before it is reached."""

    id: int
    conversation_id: int
    name: str
    questions: dict[int, Question]


class Conversation(_Model):
    """Everything said in an interview; its topics by their numbers, 1 to 6."""

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
        """Whether the last answer is judged."""
        return self.current_topic == 0

    @property
    def question(self) -> Question | None:
        """The question that was asked last, None when the interview is finished."""
        topic = self.topics.get(self.current_topic)
        return topic.questions.get(self.current_question_number) if topic else None

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The verdicts, the oldest first."""
        questions = [question for _, topic in sorted(self.topics.items()) for _, question in sorted(topic.questions.items())]
        # An interview may take the topics in any order.
        questions.sort(key=lambda question: question.created_at)
        messages = (message for question in questions for message in question.messages)
        return tuple(exchange for message in messages if (exchange := message.exchange))


class PastInterview(_Model):
    """An interview in the list; `score` in percent, None until there is one."""

    id: int
    started_at: datetime
    score: int | None = None


class Dashboard(_Model):
    """Plan, credits and interviews, the newest first; `plan` is `free`, `pro` or `premium`."""

    email: str
    plan: str
    status: str
    subscription_start_date: datetime | None = None
    subscription_end_date: datetime | None = None
    individual_credits: int
    subscription_credits: int
    past_interviews: tuple[PastInterview, ...]
