"""A client for the REST API, for use in other programs. It needs `httpx2` and `pydantic` but no other part of this project.

    with Client("https://interviewer.example.com") as client:
        client.sign_in("ada@example.com", "...")
        interview = client.start("Backend engineer, Go and PostgreSQL")
        conversation = client.answer(interview.interview_id, "I work on ...")

`AsyncClient` has the same methods as coroutines. All errors are instances of `ApiError`. See docs/api.md for details.
"""

from __future__ import annotations

from .aio import AsyncClient
from .errors import (
    ApiError,
    Conflict,
    InvalidAnswer,
    NotFound,
    PaymentRequired,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from .models import (
    Account,
    CodeTest,
    CodeTests,
    Conversation,
    Dashboard,
    Exchange,
    FollowUp,
    Interview,
    Message,
    PastInterview,
    Question,
    Started,
    StartOptions,
    Tokens,
    Topic,
)
from .streams import Done, Event, FeedbackText, FollowUpText, QuestionText, Score
from .sync import Client

__all__ = [
    "Account",
    "ApiError",
    "AsyncClient",
    "Client",
    "CodeTest",
    "CodeTests",
    "Conflict",
    "Conversation",
    "Dashboard",
    "Done",
    "Event",
    "Exchange",
    "FeedbackText",
    "FollowUp",
    "FollowUpText",
    "Interview",
    "InvalidAnswer",
    "Message",
    "NotFound",
    "PastInterview",
    "PaymentRequired",
    "Question",
    "QuestionText",
    "Score",
    "StartOptions",
    "Started",
    "Tokens",
    "TooManyRequests",
    "Topic",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
]
