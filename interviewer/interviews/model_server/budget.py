"""Fit a prompt into a model's context: the oldest history is shortened first, then the job description and the résumé."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

# Bytes of UTF-8 per token, on the safe side: English prose has about four.
BYTES_PER_TOKEN = 3.5
# In characters: what is left of an old answer, of an old question, of a job description, and of a résumé.
_OLD_ANSWER, _OLD_QUESTION, _JOB, _RESUME = 300, 160, 1_500, 3_000
_JOB_LINES = 5
# The latest turns are never dropped as a whole.
_LATEST = 2


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has."""
    return int(len(text.encode(errors="replace")) / BYTES_PER_TOKEN) + 1


def fitted(request: str, room: int) -> str:
    """Return a request, which is the JSON text of an object, shortened to about `room` tokens.

    What the reply depends on is never shortened, so the result may still be too long.
    """
    if estimated_tokens(request) <= room:
        return request
    data: dict[str, Any] = json.loads(request)
    for shorten in _steps(data):
        shorten()
        request = json.dumps({key: value for key, value in data.items() if value not in ("", [], {})}, ensure_ascii=False)
        if estimated_tokens(request) <= room:
            break
    return request


def _steps(data: dict[str, Any]) -> Iterator[Callable[[], None]]:
    history: list[dict[str, Any]] = data.get("asked_so_far") or []
    yield from (lambda turn=turn: turn.update(answer=cut(turn.get("answer", ""), _OLD_ANSWER)) for turn in history)
    yield from (
        lambda turn=turn: turn.update(answer="", question=cut(turn["question"], _OLD_QUESTION)) for turn in history[:-_LATEST]
    )
    if data.get("job"):
        yield lambda: data.update(job=_shorter_job(data["job"]))
    if data.get("resume"):
        yield lambda: data.update(resume=cut(data["resume"], _RESUME))
    if data.get("conversation"):
        yield lambda: data.update(conversation=[])
    yield from (lambda: history.__delitem__(0) for _ in history[:-_LATEST])


def _shorter_job(job: Any) -> Any:
    if isinstance(job, str):
        return cut(job, _JOB)
    return {key: value[:_JOB_LINES] if isinstance(value, list) else value for key, value in job.items()}


def cut(text: str, most: int) -> str:
    """Return a text without its middle if it is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most // 2]} […] {text[-(most // 2) :]}"
