"""Examples of the larger response bodies, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from interviewer.interviews.topics import TOPICS

_AT, _LATER = "2026-03-02T09:30:00Z", "2026-03-02T09:34:10Z"
_QUESTION = "Tell me about a service that you have run in production."
_NEXT = "Which of its numbers did you watch, and why those?"
_VERDICT = (
    '{"topic":"Introduction","subtopic":"Experience","question":"Tell me about a service that you have run in production.",'
    '"score":7,"feedback":"You name the service, its load and your part in it.","next_topic":"Introduction",'
    '"next_subtopic":"Operations","next_question":"Which of its numbers did you watch, and why those?"}'
)
_FOLLOW_UP = (
    '{"kind":"follow_up","topic":"Introduction","subtopic":"Operations",'
    '"question":"Which of its numbers did you watch, and why those?","follow_up":"At what latency would you have been paged?"}'
)

STARTED: dict[str, Any] = {"interview_id": 7, "conversation_id": 7, "first_question": _QUESTION}
INTERVIEW: dict[str, Any] = {
    "interview": {
        "id": 7,
        "conversation_id": 7,
        "user_id": 3,
        "length": 30,
        "number_questions": 12,
        "number_questions_answered": 1,
        "score_numerator": 7,
        "score": 70,
        "difficulty": "senior",
        "status": "active",
        "language": "English",
        "prompt": "A senior backend interview: 6 topics, 12 questions.",
        "jd_summary": "### JD Context\n\n- **Level:** senior\n",
        "first_question": _QUESTION,
        "subtopic": "Experience",
        "created_at": _AT,
        "updated_at": _LATER,
    }
}


def _message(number: int, author: str, content: str, kind: str = "") -> dict[str, Any]:
    place = {"conversation_id": 7, "topic_id": 1, "question_id": number}
    said = {"created_at": _AT if number == 1 else _LATER, "author": author, "content": content}
    return {**place, **said, **({"kind": kind} if kind else {})}


def _question(number: int, prompt: str, *messages: dict[str, Any]) -> dict[str, Any]:
    place = {"conversation_id": 7, "topic_id": 1, "question_number": number}
    return {**place, "prompt": prompt, "created_at": _AT if number == 1 else _LATER, "messages": list(messages)}


_QUESTIONS = {
    "1": _question(
        1,
        _QUESTION,
        _message(1, "interviewer", _QUESTION),
        _message(1, "user", "I ran the order service of a shop: 200 requests a second, two of us on call.", "answer"),
    ),
    "2": _question(
        2,
        _NEXT,
        _message(2, "interviewer", _VERDICT),
        _message(2, "user", "The latency of checkout, because a slow one costs orders.", "answer"),
        _message(2, "interviewer", _FOLLOW_UP, "follow_up"),
    ),
}
CONVERSATION: dict[str, Any] = {
    "conversation": {
        "id": 7,
        "interview_id": 7,
        "current_topic": 1,
        "current_subtopic": "Operations",
        "current_question_number": 2,
        "created_at": _AT,
        "updated_at": _LATER,
        "topics": {
            str(topic.id): {
                "id": topic.id,
                "conversation_id": 7,
                "name": topic.name,
                "questions": _QUESTIONS if topic.id == 1 else {},
            }
            for topic in TOPICS
        },
    }
}
