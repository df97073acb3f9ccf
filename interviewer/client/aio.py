"""The client for programs that do other things meanwhile, on asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import TracebackType
from typing import Any, TypeVar, Unpack

import httpx2

from . import calls
from .calls import Call
from .core import Core
from .errors import ApiError, Unauthorized
from .models import Account, Conversation, Dashboard, Interview, Started, StartOptions, Tokens
from .outcomes import Answer, Broken, Outcome, Tries, answered, broken, parsed, result
from .streams import MAX_EVENT, Event, Stream, is_stream

T = TypeVar("T")


class AsyncClient(Core):
    """As `Client`, with the same methods to be awaited, or iterated over with `async for`. For tasks of one event loop."""

    def __init__(
        self, base_url: str, *, tokens: Tokens | None = None, timeout: float = 120.0, tries: int = 4, patience: float = 60.0
    ) -> None:
        """Talk to the site at `base_url`; everything as for `Client`."""
        super().__init__(base_url, tokens, timeout, tries, patience)
        self._http = httpx2.AsyncClient(**self._options)
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of the connections, once tokens that are being renewed have come."""
        if self._renewing is not None:
            await asyncio.wait([self._renewing])
        await self._http.aclose()

    # -- accounts ------------------------------------------------------------------------------------------------

    async def sign_in(self, email: str, password: str) -> Tokens:
        """As `Client.sign_in`."""
        self._tokens = tokens = await self._do(calls.sign_in(email, password))
        return tokens

    async def sign_up_request(self, email: str, username: str, password: str) -> None:
        """As `Client.sign_up_request`."""
        await self._do(calls.sign_up_request(email, username, password))

    async def sign_up_confirm(self, token: str) -> Account:
        """As `Client.sign_up_confirm`."""
        return self._keep(await self._do(calls.sign_up_confirm(token)))

    async def me(self) -> Account:
        """As `Client.me`."""
        return await self._do(calls.me(self._user_id()))

    # -- interviews ----------------------------------------------------------------------------------------------

    async def start(self, job_description: str = "", *, key: str | None = None, **options: Unpack[StartOptions]) -> Started:
        """As `Client.start`."""
        return await self._do(calls.start(job_description, key, options))

    async def stream_start(
        self, job_description: str = "", *, key: str | None = None, **options: Unpack[StartOptions]
    ) -> AsyncGenerator[Event[Started], None]:
        """As `Client.stream_start`."""
        async with aclosing(self._stream(calls.start(job_description, key, options))) as events:
            async for event in events:
                yield event

    async def answer(
        self,
        interview_id: int,
        message: str,
        *,
        key: str | None = None,
        topic_id: int | None = None,
        question_id: int | None = None,
    ) -> Conversation:
        """As `Client.answer`."""
        first = await self._is_first(interview_id)
        found = await self._do(calls.answer(interview_id, message, key, topic_id, question_id, first=first))
        self._begun.add(interview_id)
        return found

    async def stream_answer(
        self,
        interview_id: int,
        message: str,
        *,
        key: str | None = None,
        topic_id: int | None = None,
        question_id: int | None = None,
    ) -> AsyncGenerator[Event[Conversation], None]:
        """As `Client.stream_answer`."""
        first = await self._is_first(interview_id)
        call = calls.answer(interview_id, message, key, topic_id, question_id, first=first)
        async with aclosing(self._stream(call)) as events:
            async for event in events:
                yield event
        self._begun.add(interview_id)

    async def retry(self, interview_id: int) -> Conversation:
        """As `Client.retry`."""
        return await self.answer(interview_id, "")

    async def interview(self, interview_id: int) -> Interview:
        """As `Client.interview`."""
        return await self._do(calls.interview(interview_id))

    async def conversation(self, interview_id: int) -> Conversation:
        """As `Client.conversation`."""
        return await self._do(calls.conversation(interview_id))

    async def pause(self, interview_id: int) -> Interview:
        """As `Client.pause`."""
        return await self._set_status(interview_id, "paused")

    async def resume(self, interview_id: int) -> Interview:
        """As `Client.resume`."""
        return await self._set_status(interview_id, "active")

    async def summarise_job(self, job_description: str) -> str:
        """As `Client.summarise_job`."""
        return await self._do(calls.summarise_job(job_description))

    async def dashboard(self, *, limit: int | None = None, before: int | None = None) -> Dashboard:
        """As `Client.dashboard`."""
        return await self._do(calls.dashboard(limit, before))

    # -- payment -------------------------------------------------------------------------------------------------

    async def checkout(self, tier: str) -> str:
        """As `Client.checkout`."""
        return await self._do(calls.checkout(tier))

    async def cancel_subscription(self) -> None:
        """As `Client.cancel_subscription`."""
        await self._do(calls.cancel())

    async def resume_subscription(self) -> None:
        """As `Client.resume_subscription`."""
        await self._do(calls.resume_subscription())

    async def change_plan(self, tier: str) -> None:
        """As `Client.change_plan`."""
        await self._do(calls.change_plan(tier))

    # -- the network ---------------------------------------------------------------------------------------------

    async def _do(self, call: Call[T]) -> T:
        tries = self._tries()
        while True:
            sent = self._tokens
            try:
                outcome: Outcome = answered(await self._http.request(**call.request(sent)))
            except httpx2.RequestError as error:
                outcome = broken(error)
            if isinstance(outcome, Answer) and outcome.ok:
                return result(call, outcome.status, parsed(outcome.body))
            await self._again(call, outcome, sent, tries)

    async def _stream(self, call: Call[T]) -> AsyncGenerator[Event[T], None]:
        stream, tries = Stream(call), self._tries()
        while True:
            sent = self._tokens
            try:
                async with self._http.stream(**stream.request(**call.request(sent))) as response:
                    if is_stream(response):
                        async for event in httpx2.EventSource(response, MAX_EVENT):
                            if (taken := stream.take(event)) is not None:
                                yield taken
                            if stream.over:
                                return
                        outcome: Outcome = stream.failure or Broken("the stream broke off")
                    else:
                        await response.aread()
                        outcome = answered(response)
            except httpx2.RequestError as error:
                outcome = broken(error)
            tries = self._tries() if stream.advanced else tries
            await self._again(call, outcome, sent, tries)

    async def _again(self, call: Call[Any], outcome: Outcome, sent: Tokens | None, tries: Tries) -> None:
        """Make ready for another try; raises ApiError when there is to be none."""
        if sent and tries.renews(call, outcome, sent):
            await self._renew(sent)
        else:
            await asyncio.sleep(tries.pause(call, outcome))

    async def _renew(self, stale: Tokens) -> None:
        """Put new tokens in place of expired ones, unless another task has done so.

        It runs on its own: a caller that is cancelled would lose tokens that are on their way, and with them the sign-in.
        """
        if self._tokens is not stale:
            return
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._exchange(stale))
            # Nobody may be left to look at what it raises.
            self._renewing.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._renewing)

    async def _exchange(self, stale: Tokens) -> None:
        try:
            fresh = await self._do(calls.renew(stale))
        except Unauthorized:
            self._replace(stale, None)
            raise
        self._replace(stale, fresh)

    async def _set_status(self, interview_id: int, status: str) -> Interview:
        try:
            return await self._do(calls.set_status(interview_id, status))
        except ApiError as error:
            found = await self.interview(interview_id) if calls.no_change(error) else None
            if found is None or found.status != status:
                raise
            return found

    async def _is_first(self, interview_id: int) -> bool:
        return interview_id not in self._begun and (await self.interview(interview_id)).number_questions_answered == 0
