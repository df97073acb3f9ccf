"""The API's endpoints for the dashboard and for analyzing job descriptions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, WithJsonSchema

from interviewer.api.access import Client, Person, Services
from interviewer.api.openapi import answered, refused
from interviewer.api.schemas import Body, described
from interviewer.billing.account_view import Plan
from interviewer.billing.catalogue import Product
from interviewer.core.ids import MAX_ID
from interviewer.credits.rules import SubscriptionStatus
from interviewer.errors import InterviewerError
from interviewer.interviews.job import markdown
from interviewer.interviews.user_text import MAX_JOB_DESCRIPTION

router = APIRouter(tags=["dashboard"])
MOST = 500


class PastInterview(BaseModel):
    """A past interview. `score` is a percentage, and is missing until an answer is scored."""

    id: int
    started_at: datetime
    score: int | None = None


class DashboardBody(BaseModel):
    """Credits, plan, and past interviews, newest first."""

    model_config = described(
        example={
            "email": "ada@example.com",
            "plan": "pro",
            "status": "active",
            "subscription_start_date": "2026-03-01T00:00:00Z",
            "subscription_end_date": "2026-04-01T00:00:00Z",
            "individual_credits": 1,
            "subscription_credits": 9,
            "past_interviews": [{"id": 7, "started_at": "2026-03-02T09:30:00Z", "score": 70}],
        }
    )
    email: str
    plan: Literal["free", "pro", "premium"]
    status: SubscriptionStatus | Literal["inactive"]
    subscription_start_date: datetime | None = None
    subscription_end_date: datetime | None = None
    individual_credits: int
    subscription_credits: int
    past_interviews: list[PastInterview]


class JobDescription(Body):
    """A job description, at most 30,000 characters."""

    model_config = described(
        "job_description", example={"job_description": "Senior backend engineer: Python, PostgreSQL, five years of experience."}
    )
    job_description: Annotated[str, WithJsonSchema({"type": "string", "minLength": 20, "maxLength": MAX_JOB_DESCRIPTION})] = ""


@router.get("/api/user/dashboard", operation_id="getDashboard", response_model=DashboardBody, response_model_exclude_none=True)
async def dashboard(
    person: Person,
    services: Services,
    limit: Annotated[int | None, Query(ge=1, le=MOST, description="The most interviews to return. Default: all.")] = None,
    before: Annotated[int | None, Query(ge=1, lt=MAX_ID, description="Only interviews older than the one with this ID.")] = None,
) -> DashboardBody:
    """Return your dashboard."""
    standing = await services.plans.standing(person.user_id)
    past = await services.dashboard.past(person.user_id, limit, before)
    plan = standing.plan
    return DashboardBody(
        email=person.email,
        plan=plan_word(plan),
        status=plan.status,
        subscription_start_date=plan.started_at,
        subscription_end_date=plan.ends_at or plan.renews_at,
        individual_credits=standing.balances.individual,
        subscription_credits=standing.balances.subscription,
        past_interviews=[PastInterview(id=one.id, started_at=one.started_at, score=one.percent) for one in past],
    )


def plan_word(plan: Plan) -> Literal["free", "pro", "premium"]:
    """Return the plan's name in the API.

    If the current product is unknown, the last known one counts. The name is "free" if neither is known, as for a user without a
    subscription, or if the plan has expired.
    """
    known = plan.product or plan.last_known
    if known is None or plan.status == SubscriptionStatus.EXPIRED:
        return "free"
    return "pro" if known is Product.PRO else "premium"


@router.post(
    "/api/jd",
    operation_id="analyseJobDescription",
    response_model=str,
    responses=answered(200, "Markdown", "### JD Context\n\n- **Level:** senior\n")
    | refused({400: "Invalid job description", 503: InterviewerError.user_message}),
)
async def job_description(body: JobDescription, person: Person, services: Services, client: Client) -> JSONResponse:
    """Return a summary of a job description, as Markdown in a JSON string."""
    findings = await services.interviews.analyze_job(person.user_id, body.job_description, client)
    return JSONResponse(markdown(findings))
