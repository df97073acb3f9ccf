"""The client for asyncio. `sync.py` is generated from this file by `tools/generate_sync_client.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import Any, TypeVar, Unpack

import httpx2

from . import calls
from .calls import Call, Kind
from .core import Core
from .errors import ApiError, Unauthorized
from .models import Account, Conversation, Dashboard, Interview, Started, StartOptions, Tokens
from .outcomes import Answer, Broken, Outcome, Tries, answered, broken, parsed, result
from .renewal import AsyncRenewal
from .streams import MAX_EVENT, Event, Stream, is_stream

T = TypeVar("T")


class AsyncClient(Core):
    """One user's client, for the tasks of one event loop.

    Close it after use, or use it as a context manager. Every method raises ApiError or one of its subclasses. A call is retried
    if the server responds with 429 or could not be reached. An idempotent call is also retried after a 503 or a broken
    connection. An expired access token is renewed automatically if there is a refresh token.
    """

    def __init__(
        self,
        base_url: str,
        *,
        tokens: Tokens | None = None,
        timeout: float = 120.0,
        tries: int = 4,
        patience: float = 60.0,
        turns: bool = False,
    ) -> None:
        """Create a client for the site at `base_url`, which may have a path.

        Raises ValueError if it is not an HTTP URL. `tokens` are those of an earlier client. `timeout` is the maximum wait for the
        next byte, in seconds; an interviewer may take a minute. Each call is tried at most `tries` times, and waits at most
        `patience` seconds in total between tries. With `turns`, the client is asked follow-ups and shown follow-ups,
        clarifications and hints in every interview for which the user wants them, not only in those that it starts itself with
        `follow_ups`.
        """
        super().__init__(base_url, tokens, timeout, tries, patience, turns=turns)
        self._http = httpx2.AsyncClient(**self._options)
        self._renewal = AsyncRenewal()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Wait for a token renewal in progress, then close the connections."""
        await self._renewal.finish()
        await self._http.aclose()

    # -- accounts ------------------------------------------------------------------------------------------------

    async def sign_in(self, email: str, password: str) -> Tokens:
        """Sign in and return the tokens, which the client keeps and renews.

        Raises Unauthorized if the email address or password is wrong.
        """
        self._tokens = tokens = await self._do(calls.sign_in(email, password))
        return tokens

    async def sign_up_request(self, email: str, username: str, password: str) -> None:
        """Request an email with a confirmation link. Pass the token in the link to `sign_up_confirm`.

        The response is the same if the email address already has an account.
        """
        await self._do(calls.sign_up_request(email, username, password))

    async def sign_up_confirm(self, token: str) -> Account:
        """Create the account and sign in. The access token cannot be renewed, so sign in again after it has expired.

        Raises Unauthorized if the token is invalid or expired. Raises Conflict if the email address already has an account.
        """
        return self._keep(await self._do(calls.sign_up_confirm(token)))

    async def me(self) -> Account:
        """Return the account of the signed-in user. Raises Unauthorized if the client is not signed in."""
        return await self._do(calls.me(self._user_id()))

    # -- interviews ----------------------------------------------------------------------------------------------

    async def start(self, job_description: str = "", *, key: str | None = None, **options: Unpack[StartOptions]) -> Started:
        """Start an interview for one credit.

        Raises PaymentRequired if there is no usable credit, and Unavailable if the start failed and the credit was returned.
        `options` set the length and topics; see `StartOptions`. Calls with the same `key` start only one interview. If `key` is
        None, a key is generated for this call and its retries.
        """
        return await self._do(calls.start(job_description, key, options))

    async def stream_start(
        self, job_description: str = "", *, key: str | None = None, **options: Unpack[StartOptions]
    ) -> AsyncGenerator[Event[Started], None]:
        """Start an interview, as `start` does, but stream the first question.

        Yields pieces of the question as they are written, then Done.
        """
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
        language: str | None = None,
        test_results: Mapping[str, Any] | None = None,
    ) -> Conversation:
        """Answer the current question or a follow-up to it, and return the conversation with the interviewer's reply.

        That is the verdict and the next question, or a follow-up if the interview has them: see `Conversation.follow_up`.

        For 24 hours, a call with the same `key` replays the reply. If `key` is None, a key is generated for this call and its
        retries. `topic_id` and `question_id` (the number within the topic) optionally name the question being answered, so that
        an answer to an earlier question is never taken as an answer to the current question. `language` is that of an answer that
        is code, such as "python", and `test_results` are the results of the question's tests, if you ran them: see the API's
        documentation. `Exchange.tests` has them again.

        Raises Conflict if the interview is not active, if the last answer has a different text and is still missing its verdict
        or the next question, or if the named question is neither the current one nor answered with this message. Raises
        Unavailable if the answer was stored but could not be scored, or if the next question could not be asked; see `retry`.
        """
        first = await self._is_first(interview_id)
        call = calls.answer(
            interview_id,
            message,
            key,
            topic_id,
            question_id,
            first=first,
            language=language,
            test_results=test_results,
        )
        found = await self._do(call)
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
        kind: Kind = "answer",
        language: str | None = None,
        test_results: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Event[Conversation], None]:
        """Answer like `answer`, or with another `kind`, like `ask`, `hint`, or `skip`.

        Yields pieces of the feedback and of the next question as they are written and the score, or pieces of a follow-up,
        clarification or hint, and finally Done. An empty answer completes the last message, like `retry`.
        """
        first = kind == "answer" and await self._is_first(interview_id)
        call = calls.answer(
            interview_id,
            message,
            key,
            topic_id,
            question_id,
            first=first,
            kind=kind,
            language=language,
            test_results=test_results,
        )
        async with aclosing(self._stream(call)) as events:
            async for event in events:
                yield event
        if kind == "answer":
            self._begun.add(interview_id)

    async def ask(self, interview_id: int, message: str, *, key: str | None = None) -> Conversation:
        """Ask a clarifying question, and return the conversation with the reply; see `Conversation.follow_up`.

        The current question stays open. Raises Conflict if all clarifying questions for it are used up, or for the same reasons
        as `answer`. `key` works as for `answer`.
        """
        return await self._do(calls.answer(interview_id, message, key, None, None, first=False, kind="clarification"))

    async def hint(self, interview_id: int, *, key: str | None = None) -> Conversation:
        """Request the hint for the current question, and return the conversation with it; see `Conversation.follow_up`.

        Points covered only after the hint count for half. The question stays open. Raises Conflict if the hint is used up, or for
        the same reasons as `answer`. `key` works as for `answer`.
        """
        return await self._do(calls.answer(interview_id, "", key, None, None, first=False, kind="hint"))

    async def skip(self, interview_id: int, *, key: str | None = None) -> Conversation:
        """End the current question, and return the conversation with the verdict and the next question.

        The verdict is on what was answered before, or 0. Raises the same errors as `answer`, and `key` works as there.
        """
        return await self._do(calls.answer(interview_id, "", key, None, None, first=False, kind="skip"))

    async def retry(self, interview_id: int) -> Conversation:
        """Request the missing reply to the last message: its verdict, next question, follow-up, clarification or hint.

        Raises ApiError with status 400 if nothing is missing, and Conflict if the interview is finished.
        """
        return await self.answer(interview_id, "")

    async def interview(self, interview_id: int) -> Interview:
        """Return an interview. Raises NotFound if it does not exist or belongs to another user."""
        return await self._do(calls.interview(interview_id))

    async def conversation(self, interview_id: int) -> Conversation:
        """Return all messages of an interview.

        Raises ApiError with status 400 if the ID is unknown, or if the interview belongs to another user or has no question yet.
        """
        return await self._do(calls.conversation(interview_id))

    async def pause(self, interview_id: int) -> Interview:
        """Pause an interview and return it. Does nothing if the interview is already paused.

        Raises NotFound if the interview does not exist or belongs to another user, and ApiError with status 400 if it is still
        starting or is finished.
        """
        return await self._set_status(interview_id, "paused")

    async def resume(self, interview_id: int) -> Interview:
        """Resume a paused interview and return it. Does nothing if the interview is already active.

        Raises the same errors as `pause`.
        """
        return await self._set_status(interview_id, "active")

    async def summarise_job(self, job_description: str) -> str:
        """Return a Markdown summary of a job description."""
        return await self._do(calls.summarise_job(job_description))

    async def dashboard(self, *, limit: int | None = None, before: int | None = None) -> Dashboard:
        """Return the plan, the credits, and the newest interviews.

        `limit` (1 to 500) is the maximum number of interviews. If `before` is given, only interviews older than the one with that
        ID are returned.
        """
        return await self._do(calls.dashboard(limit, before))

    # -- payment -------------------------------------------------------------------------------------------------

    async def checkout(self, tier: str) -> str:
        """Return the URL of a checkout page for `individual`, `pro`, or `premium`.

        Raises Conflict if `tier` is a plan and the user already has a plan.
        """
        return await self._do(calls.checkout(tier))

    async def cancel_subscription(self) -> None:
        """Cancel the subscription, effective at the end of the current billing period.

        Raises Conflict if there is no active subscription.
        """
        await self._do(calls.cancel())

    async def resume_subscription(self) -> None:
        """Undo the cancellation of the subscription.

        Raises Conflict if there is no canceled subscription, if another one is active, or if the subscription can only be resumed
        in the payment service's portal. In the last case, the error has a `portal_url`.
        """
        await self._do(calls.resume_subscription())

    async def change_plan(self, tier: str) -> None:
        """Change the subscription's plan to `pro` or `premium`.

        Raises Conflict if there is no subscription that can be changed, if it already has this plan, or if it can only be changed
        in the payment service's portal. In the last case, the error has a `portal_url`.
        """
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
            await self._prepare_retry(call, outcome, sent, tries)

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
            await self._prepare_retry(call, outcome, sent, tries)

    async def _prepare_retry(self, call: Call[Any], outcome: Outcome, sent: Tokens | None, tries: Tries) -> None:
        """Renew the access token if it has expired; otherwise, wait before the next try.

        Raises Unauthorized if the refresh token is rejected. Raises ApiError if the call must not be retried, if no tries are
        left, or if the wait would be too long.
        """
        if sent and tries.renews(call, outcome, sent):
            await self._renewal.run(lambda: self._renew(sent))
        else:
            await asyncio.sleep(tries.pause(call, outcome))

    async def _renew(self, stale: Tokens) -> None:
        """Replace the expired tokens `stale`, unless another call has already replaced them.

        If the refresh token is rejected, signs out and raises Unauthorized.
        """
        if self._tokens is not stale:
            return
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
        if interview_id in self._begun:
            return False
        found = await self.interview(interview_id)
        return found.number_questions_answered == 0
