"""The Reflex application: pages, HTTP API, middleware, and background tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import reflex as rx
from reflex_base.event.processor import EventProcessor
from starlette.types import ASGIApp

from interviewer import api, wiring
from interviewer.api.maintenance import Maintenance
from interviewer.api.middleware import CacheHeaders, EventIds, LocalRedirects, OriginGuard, Paths, Requests, SecurityHeaders
from interviewer.api.open_pages import OwnPages
from interviewer.api.request_headers import BoundedHeaders
from interviewer.api.websockets import Websockets
from interviewer.components.failure import boundary
from interviewer.components.head import head
from interviewer.pages import account, dashboard, interview, landing, legal, not_found, outbox, practice, profile, review, shared
from interviewer.settings import get_settings
from interviewer.state import backlog, ownership, retention, shared_store
from interviewer.state.account import LoginState, OutboxState, ResetPasswordState, ResetRequestState, SignupState, VerifyState
from interviewer.state.billing import BillingState
from interviewer.state.dashboard import DashboardState
from interviewer.state.event_gate import EventGate
from interviewer.state.interview import InterviewState
from interviewer.state.practice import PracticeState
from interviewer.state.profile import ProfileState
from interviewer.state.review import ReviewState
from interviewer.state.session import SessionState
from interviewer.state.sharing import SharedState, ShareState
from interviewer.state.skills import SkillsState

settings = get_settings()
Loads = Sequence[Any]
ORIGINS = [settings.site_url.rstrip("/"), *settings.allowed_origins]


class Site(rx.App):
    """The Reflex application, with limits on unfinished events and with our own outermost middleware."""

    @property
    def event_processor(self) -> EventProcessor:
        """Return Reflex's event processor, with limits on unfinished events."""
        return backlog.bounded(self, super().event_processor)

    def __call__(self) -> ASGIApp:
        """Return the ASGI application, wrapped in the middleware that sees every request first."""
        return Paths(BoundedHeaders(super().__call__()))


app = Site(
    stylesheets=["/theme.css", "/room.css", "/print.css"],
    theme=None,
    html_lang="en",
    head_components=head(settings.site_url if settings.production else "/"),
    # `components/notices.py` replaces Reflex's toaster, because it matches the site's style.
    app_wraps={(55, "ErrorBoundary"): boundary},
    toaster=None,
    backend_exception_handler=shared_store.explain,
    api_transformer=[
        api.build(ORIGINS),
        CacheHeaders,
        LocalRedirects,
        partial(SecurityHeaders, https_only=settings.production),
        OwnPages,
        partial(OriginGuard, allowed=ORIGINS, https_only=settings.site_url.startswith("https:")),
        EventGate,
        partial(Websockets, bounded=settings.rate_limits),
        *([Maintenance] if settings.maintenance else []),
        Requests,
    ],
)
app.add_middleware(ownership.Ownership(), index=0)
app.add_middleware(EventIds())  # type: ignore[arg-type]  # it has the two methods that are called
app.register_lifespan_task(wiring.running)
app.register_lifespan_task(shared_store.watch)
app.register_lifespan_task(ownership.watch)
app.register_lifespan_task(retention.watch)
app.register_lifespan_task(backlog.watch)

_ABOUT = "Practice backend interviews, with a rubric set before every answer and a verdict you can check."
_PUBLIC = settings.site_url if settings.production else "/"


def _page(
    component: Callable[[], rx.Component], route: str, title: str, about: str = _ABOUT, *, loads: Loads, crawlers: str = ""
) -> None:
    """Add a page. `loads` are the events that run when it loads, and `crawlers` is the content of its robots meta tag, if any."""
    app.add_page(
        component,
        route=route,
        title=title,
        description=about,
        image=f"{_PUBLIC}og.png",
        meta=[
            {"property": "og:title", "content": title},
            {"property": "og:description", "content": about},
            *([{"name": "robots", "content": crawlers}] if crawlers else []),
        ],
        on_load=list(loads),
    )


_page(landing.landing, "/", "Interviewer: practice backend interviews", loads=[SessionState.load])
_page(
    account.signup,
    "/signup",
    "Create an account · Interviewer",
    "Create an account and try your first backend interview for free.",
    loads=[SessionState.load, SignupState.load],
)
_page(
    account.login,
    "/login",
    "Sign in · Interviewer",
    "Sign in to continue your interviews.",
    loads=[SessionState.load, LoginState.load],
)
_page(
    account.reset_request,
    "/reset-request",
    "Forgot your password? · Interviewer",
    "Get an email with a link to choose a new password.",
    loads=[SessionState.load, ResetRequestState.load],
)
_page(
    account.reset_password,
    "/reset-password",
    "Choose a new password · Interviewer",
    "Choose a new password for your account.",
    loads=[SessionState.load, ResetPasswordState.load],
)
_page(
    account.verify_email,
    "/verify-email",
    "Create your account · Interviewer",
    "Confirm your email address to create your account.",
    loads=[SessionState.load, VerifyState.load],
)
_page(
    legal.terms,
    "/terms",
    "Terms of use · Interviewer",
    "The terms for using Interviewer: accounts, credits, plans, and fair use.",
    loads=[SessionState.load],
)
_page(
    legal.privacy,
    "/privacy",
    "Privacy · Interviewer",
    "What Interviewer stores about you, why, for how long, and who else sees it.",
    loads=[SessionState.load],
)
_page(
    dashboard.dashboard,
    "/dashboard",
    "Dashboard · Interviewer",
    "Your interviews, your scores over time, and what to practice next.",
    loads=[SessionState.require, DashboardState.load, BillingState.load, SkillsState.load, BillingState.watch],
)
_page(
    interview.interview,
    "/interview",
    "Interview · Interviewer",
    "Practice a backend interview: short, standard, or focused on a few topics.",
    loads=[SessionState.require, InterviewState.load],
)
_page(
    review.review,
    "/interview/[interview_id]",
    "Report · Interviewer",
    "An interview report: your scores, and every answer with its verdict.",
    loads=[SessionState.require, ReviewState.load, ShareState.load],
)
_page(
    shared.shared,
    "/shared/[token]",
    "A shared report · Interviewer",
    "A practice interview report: the scores, and every answer with its verdict.",
    loads=[SessionState.load, SharedState.load],
    crawlers="noindex, nofollow",
)
_page(
    practice.practice,
    "/practice",
    "Practice · Interviewer",
    "Practice individual questions as often as you like, for free.",
    loads=[SessionState.require, PracticeState.load],
)
_page(
    profile.profile,
    "/account",
    "Account · Interviewer",
    "Your profile, plan, credit history, and data.",
    loads=[SessionState.require, ProfileState.load, BillingState.load, BillingState.watch],
)
_page(not_found.not_found, "/404", "Not found · Interviewer", "There's no page at this address.", loads=[SessionState.load])
if not settings.production:
    _page(
        outbox.outbox,
        "/outbox",
        "Outbox · Interviewer",
        "Emails that would have been sent.",
        loads=[SessionState.load, OutboxState.load],
    )
