"""Follow work on an interview from a background event: its events go onto the page as they come.

The state's lock is held only to copy input and to show what has come, never while the interviewer works.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from structlog.contextvars import bind_contextvars

from interviewer.accounts.browser_sessions import SignedIn
from interviewer.errors import Conflict, TooLarge
from interviewer.interviews.events import Event, Judged
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.views import InterviewView
from interviewer.state import showing
from interviewer.state.access import client, services, words_of
from interviewer.state.interview_fields import InterviewFields
from interviewer.state.streaming import batched


@asynccontextmanager
async def explaining(state: InterviewFields) -> AsyncIterator[None]:
    """Show an error raised in the block as a sentence, and make the page usable again in any case. Unauthorized passes."""
    try:
        yield
    except Exception as error:
        words = words_of(error)
        if isinstance(error, TooLarge):
            words += " It is still in the box: shorten it."
        async with state:
            state.error, state.behind = words, isinstance(error, Conflict)
    finally:
        async with state:
            state.sending = False


def bounded(person: SignedIn, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """Return the events as one of the streams that a user may follow at once, on pages and through the API together."""
    return services().following.through(person.user_id, events)


async def follow(state: InterviewFields, stream: int, events: AsyncIterator[Event]) -> None:
    """Show events as they come; from a stream that is no longer the newest, only scores."""
    growing = showing.Growing()
    async for batch in batched(events):
        async with state:
            for event in batch:
                if state._stream == stream:
                    showing.apply(state, event, growing)
                elif isinstance(event, Judged):
                    showing.note_score(state, event.turn)


async def settle(state: InterviewFields, stream: int) -> bool:
    """End the signs of work of a stream that has ended; return whether the state was dropped meanwhile, so the page must load.

    A state that has shown nothing yet replaces one that was dropped with its store.
    """
    async with state:
        if state._stream == stream:
            showing.settle(state)
        return state._stream == 0


async def catch_up(state: InterviewFields, stream: int, person: SignedIn, view: InterviewView) -> bool:
    """Join the work that is under way for an interview: its start, or that on an answer of a closed tab. Return as `settle`."""
    bind_contextvars(interview_id=view.id)
    interviews = services().interviews
    async with state:
        address = client(state)
    async with explaining(state):
        if view.status is InterviewStatus.STARTING:
            await follow(state, stream, bounded(person, interviews.follow_start(person.user_id, view.id)))
        for turn in view.incomplete_turns:
            if turn.claimed:
                completing = interviews.complete(person.user_id, view.id, turn.question_id, address)
                await follow(state, stream, bounded(person, completing))
        await report_if_finished(state, stream, person)
    return await settle(state, stream)


async def report_if_finished(state: InterviewFields, stream: int, person: SignedIn) -> None:
    """Read the final figures once the last verdict is there."""
    async with state:
        wanted = state.interview_id if state.phase == "finished" and state._stream == stream else 0
    if wanted:
        view = await services().interviews.view(person.user_id, wanted)
        async with state:
            showing.show_report(state, view)
