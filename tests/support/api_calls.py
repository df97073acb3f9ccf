"""Requests that several tests of the API send, and the contents of its error responses."""

from __future__ import annotations

from typing import Any

import httpx2
from sqlalchemy import select

from interviewer.wiring import Services

STREAM = {"Accept": "text/event-stream"}


async def started(program: httpx2.AsyncClient, **body: Any) -> int:
    answer = await program.post("/api/interviews", json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["interview_id"])


async def said(program: httpx2.AsyncClient, id: int, message: str, how: str = "append", **headers: str) -> httpx2.Response:
    return await program.post(f"/api/conversations/{how}/{id}", json={"message": message}, headers=headers)


async def stored(services: Services, model: Any) -> int:
    async with services.database.transaction() as session:
        return len((await session.execute(select(model))).all())


def as_bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def error_of(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"error"}
    return answer.status_code, answer.json()["error"]
