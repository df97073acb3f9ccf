"""Queries for the plan that a user last chose in the start form."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.core.columns import utcnow
from interviewer.interviews.tables import PlanChoice


async def last_choice(session: AsyncSession, user_id: int) -> dict[str, Any] | None:
    """Return the plan document that the user last chose in the start form, or None before the first choice."""
    statement = select(col(PlanChoice.plan)).where(col(PlanChoice.user_id) == user_id)
    return (await session.execute(statement)).scalar_one_or_none()


async def remember_choice(session: AsyncSession, user_id: int, plan: dict[str, Any]) -> None:
    """Store a plan document as the user's last choice, replacing the previous one."""
    values = {"plan": plan, "updated_at": utcnow()}
    new = insert(PlanChoice).values(user_id=user_id, **values)
    await session.execute(new.on_conflict_do_update(index_elements=["user_id"], set_=values))
