"""Follow the work on an interview from a background event, and show its events on the page as they arrive.

The state's lock is held only while input is copied and results are shown, never while the interviewer works.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from structlog.contextvars import bind_contextvars

from interviewer.accounts.browser_sessions import AuthenticatedUser
from interviewer.errors import Conflict, TooLarge
from interviewer.interviews.events import Event, Judged
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.views import InterviewView
from interviewer.state import showing
from interviewer.state.access import client, message_for_page, services
from interviewer.state.interview_fields import InterviewFields
from interviewer.state.notices import SHORTEN
from interviewer.state.streaming import batched


@asynccontextmanager
async def showing_errors(state: InterviewFields) -> AsyncIterator[None]:
    """Show an error raised in the block on the page, and always reset `sending` at the end. Unauthorized is re-raised."""
    try:
        yield
    except Exception as error:
        message = message_for_page(error)
        if isinstance(error, TooLarge):
            message += f" {SHORTEN}"
        async with state:
            state.error, state.behind = message, isinstance(error, Conflict)
    finally:
        async with state:
            state.sending = False


def bounded(person: AuthenticatedUser, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """Yield the events. Until they end, they count as one of the user's concurrent streams.

    Pages and the API share the limit on these streams. Before the first event, raises TooMuchAtOnce if the user has too many, and
    Crowded if this process has too many.
    """
    return services().following.through(person.user_id, events)


async def follow(state: InterviewFields, stream: int, events: AsyncIterator[Event]) -> None:
    """Show events as they arrive. If the page has started a newer stream, shows only scores."""
    growing = showing.StreamedTexts()
    async for batch in batched(events):
        async with state:
            for event in batch:
                if state._stream == stream:
                    showing.apply(state, event, growing)
                elif isinstance(event, Judged):
                    showing.show_score(state, event.turn)


async def settle(state: InterviewFields, stream: int) -> bool:
    """Clear the progress indicators of a finished stream, unless the page has started a newer one.

    Returns whether the page has to load again because its state was dropped in the meantime. A new state has shown nothing yet,
    so its stream number is 0.
    """
    async with state:
        if state._stream == stream:
            showing.settle(state)
        return state._stream == 0


async def catch_up(state: InterviewFields, stream: int, person: AuthenticatedUser, view: InterviewView) -> bool:
    """Follow work on an interview that is already in progress: its start, or an answer submitted in a tab that was closed.

    Errors are shown on the page. Returns whether the page has to load again because its state was dropped in the meantime.
    """
    bind_contextvars(interview_id=view.id)
    interviews = services().interviews
    async with state:
        address = client(state)
    async with showing_errors(state):
        if view.status is InterviewStatus.STARTING:
            await follow(state, stream, bounded(person, interviews.follow_start(person.user_id, view.id)))
        for turn in view.incomplete_turns:
            if turn.leased:
                completing = interviews.complete(person.user_id, view.id, turn.question_id, address)
                await follow(state, stream, bounded(person, completing))
        await report_if_finished(state, stream, person)
    return await settle(state, stream)


async def report_if_finished(state: InterviewFields, stream: int, person: AuthenticatedUser) -> None:
    """Show the report if the interview is finished and the page has not started a newer stream. Otherwise, does nothing."""
    async with state:
        wanted = state.interview_id if state.phase == "finished" and state._stream == stream else 0
    if wanted:
        view = await services().interviews.view(person.user_id, wanted)
        async with state:
            showing.show_report(state, view)
