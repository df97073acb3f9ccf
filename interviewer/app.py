"""The application: pages, the API beside them, and what lives as long as the process."""

from __future__ import annotations

from functools import partial

import reflex as rx

from interviewer import api, wiring
from interviewer.api.middleware import CacheHeaders, EventIds, OriginGuard, Requests, SecurityHeaders
from interviewer.pages import account, dashboard, interview, landing, not_found, outbox, practice, profile, review
from interviewer.settings import get_settings
from interviewer.state.account import LoginState, OutboxState, ResetPasswordState, ResetRequestState, SignupState, VerifyState
from interviewer.state.billing import BillingState
from interviewer.state.dashboard import DashboardState
from interviewer.state.interview import InterviewState
from interviewer.state.practice import PracticeState
from interviewer.state.profile import ProfileState
from interviewer.state.review import ReviewState
from interviewer.state.session import SessionState
from interviewer.state.skills import SkillsState

settings = get_settings()
ORIGINS = [settings.site_url.rstrip("/"), *settings.allowed_origins]

app = rx.App(
    stylesheets=["/theme.css", "/room.css"],
    theme=None,
    html_lang="en",
    head_components=[rx.el.script(src=f"/{name}.js", defer=True) for name in ("drafts", "forms", "room", "speech")],
    api_transformer=[
        api.build(ORIGINS),
        CacheHeaders,
        partial(SecurityHeaders, https_only=settings.production),
        partial(OriginGuard, allowed=ORIGINS),
        Requests,
    ],
)
app.add_middleware(EventIds())  # type: ignore[arg-type]  # it has the two methods that are called
app.register_lifespan_task(wiring.running)

_ABOUT = "Practise backend interviews: twelve questions, a rubric fixed before every answer, and a verdict you can check."

app.add_page(
    landing.landing, route="/", title="Interviewer: practise the backend interview", description=_ABOUT, on_load=SessionState.load
)
app.add_page(
    account.signup,
    route="/signup",
    title="Create an account · Interviewer",
    description=_ABOUT,
    on_load=[SessionState.load, SignupState.load],
)
app.add_page(
    account.login, route="/login", title="Sign in · Interviewer", description=_ABOUT, on_load=[SessionState.load, LoginState.load]
)
app.add_page(
    account.reset_request,
    route="/reset-request",
    title="Forgot your password? · Interviewer",
    on_load=[SessionState.load, ResetRequestState.load],
)
app.add_page(
    account.reset_password,
    route="/reset-password",
    title="Choose a new password · Interviewer",
    on_load=[SessionState.load, ResetPasswordState.load],
)
app.add_page(
    account.verify_email,
    route="/verify-email",
    title="Confirm your address · Interviewer",
    on_load=[SessionState.load, VerifyState.load],
)
app.add_page(
    dashboard.dashboard,
    route="/dashboard",
    title="Dashboard · Interviewer",
    on_load=[SessionState.require, DashboardState.load, BillingState.load, SkillsState.load, BillingState.watch],
)
app.add_page(
    interview.interview, route="/interview", title="Interview · Interviewer", on_load=[SessionState.require, InterviewState.load]
)
app.add_page(
    review.review,
    route="/interview/[interview_id]",
    title="Review · Interviewer",
    on_load=[SessionState.require, ReviewState.load],
)
app.add_page(
    practice.practice, route="/practice", title="Practise · Interviewer", on_load=[SessionState.require, PracticeState.load]
)
app.add_page(
    profile.profile,
    route="/account",
    title="Account · Interviewer",
    on_load=[SessionState.require, ProfileState.load, BillingState.load, BillingState.watch],
)
app.add_page(not_found.not_found, route="/404", title="Not found · Interviewer", on_load=SessionState.load)
if not settings.production:
    app.add_page(outbox.outbox, route="/outbox", title="Outbox · Interviewer", on_load=[SessionState.load, OutboxState.load])
