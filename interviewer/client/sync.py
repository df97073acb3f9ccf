"""The client for threads. Generated from `aio.py` by `tools/generate_sync_client.py`: change that file instead."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from types import TracebackType
from typing import Any, TypeVar, Unpack

import httpx2

from . import calls
from .calls import Call
from .core import Core
from .errors import ApiError, Unauthorized
from .models import Account, Conversation, Dashboard, Interview, Started, StartOptions, Tokens
from .outcomes import Answer, Broken, Outcome, Tries, answered, broken, parsed, result
from .renewal import Renewal
from .streams import MAX_EVENT, Event, Stream, is_stream

T = TypeVar("T")


class Client(Core):
    """One user's client, which threads may share. Close it, or use it as a context manager.

    Every method raises ApiError or one of its subclasses. A call that is safe to repeat is retried after a broken connection
    and while the server is busy; an expired access token is renewed.
    """

    def __init__(
        self, base_url: str, *, tokens: Tokens | None = None, timeout: float = 120.0, tries: int = 4, patience: float = 60.0
    ) -> None:
        """Connect to the site at `base_url`, which may have a path; raises ValueError for an address that is not HTTP.

        `tokens` are an earlier client's. `timeout` is how long to wait for the next byte, in seconds; an interviewer may think
        for a minute. A call is tried `tries` times, with at most `patience` seconds of waiting between all tries together.
        """
        super().__init__(base_url, tokens, timeout, tries, patience)
        self._http = httpx2.Client(**self._options)
        self._renewal = Renewal()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._renewal.finish()
        self._http.close()

    # -- accounts ------------------------------------------------------------------------------------------------

    def sign_in(self, email: str, password: str) -> Tokens:
        """Sign in and stay signed in; raises Unauthorized for a wrong address or password."""
        self._tokens = tokens = self._do(calls.sign_in(email, password))
        return tokens

    def sign_up_request(self, email: str, username: str, password: str) -> None:
        """Have a link mailed; its token is for `sign_up_confirm`. The reply is the same for an address that has an account."""
        self._do(calls.sign_up_request(email, username, password))

    def sign_up_confirm(self, token: str) -> Account:
        """Create the account and sign in until the access token expires; raises Unauthorized for an expired or used token."""
        return self._keep(self._do(calls.sign_up_confirm(token)))

    def me(self) -> Account:
        """Return the account that is signed in."""
        return self._do(calls.me(self._user_id()))

    # -- interviews ----------------------------------------------------------------------------------------------

    def start(self, job_description: str = "", *, key: str | None = None, **options: Unpack[StartOptions]) -> Started:
        """Start an interview for one credit; raises PaymentRequired, and Unavailable when the credit has been given back.

        `options` set its length and topics: see `StartOptions`. The same `key` never starts a second interview. Without one, a
        key is made for this call and its retries.
        """
        return self._do(calls.start(job_description, key, options))

    def stream_start(
        self, job_description: str = "", *, key: str | None = None, **options: Unpack[StartOptions]
    ) -> Generator[Event[Started], None, None]:
        """Start as `start` does; yields pieces of the first question as they are written, then Done."""
        with closing(self._stream(calls.start(job_description, key, options))) as events:
            yield from events

    def answer(
        self,
        interview_id: int,
        message: str,
        *,
        key: str | None = None,
        topic_id: int | None = None,
        question_id: int | None = None,
    ) -> Conversation:
        """Answer the open question and return the conversation with the verdict and the next question.

        Without a `key` one is made for this call and its retries; the same key within 24 hours replays the reply.
        `topic_id` and `question_id` (its number within the topic) name the question that is meant: an earlier one is never
        taken for the open one. Raises Conflict when the interview is not active or another question is open, and Unavailable
        when the answer is stored but not scored: see `retry`.
        """
        first = self._is_first(interview_id)
        found = self._do(calls.answer(interview_id, message, key, topic_id, question_id, first=first))
        self._begun.add(interview_id)
        return found

    def stream_answer(
        self,
        interview_id: int,
        message: str,
        *,
        key: str | None = None,
        topic_id: int | None = None,
        question_id: int | None = None,
    ) -> Generator[Event[Conversation], None, None]:
        """Answer as `answer` does; yields pieces of feedback and next question as they are written, the score, then Done.

        An empty message completes the last answer, as `retry` does.
        """
        first = self._is_first(interview_id)
        call = calls.answer(interview_id, message, key, topic_id, question_id, first=first)
        with closing(self._stream(call)) as events:
            yield from events
        self._begun.add(interview_id)

    def retry(self, interview_id: int) -> Conversation:
        """Get the missing verdict or next question of the last answer; raises ApiError 400 if nothing is missing."""
        return self.answer(interview_id, "")

    def interview(self, interview_id: int) -> Interview:
        """Return an interview; raises NotFound."""
        return self._do(calls.interview(interview_id))

    def conversation(self, interview_id: int) -> Conversation:
        """Return everything said in an interview; raises ApiError 400 for an id that is not one of yours."""
        return self._do(calls.conversation(interview_id))

    def pause(self, interview_id: int) -> Interview:
        """Pause an interview unless it is paused already; raises NotFound, and ApiError 400 for one that is finished."""
        return self._set_status(interview_id, "paused")

    def resume(self, interview_id: int) -> Interview:
        """Resume a paused interview; raises as `pause` does."""
        return self._set_status(interview_id, "active")

    def summarise_job(self, job_description: str) -> str:
        """Return what a job description asks for, as Markdown."""
        return self._do(calls.summarise_job(job_description))

    def dashboard(self, *, limit: int | None = None, before: int | None = None) -> Dashboard:
        """Return plan, credits and the newest interviews: at most `limit` (1 to 500), only those older than the id `before`."""
        return self._do(calls.dashboard(limit, before))

    # -- payment -------------------------------------------------------------------------------------------------

    def checkout(self, tier: str) -> str:
        """Return the address of a page to pay for `individual`, `pro` or `premium`; raises Conflict for a second plan."""
        return self._do(calls.checkout(tier))

    def cancel_subscription(self) -> None:
        """Cancel subscription at the end of the paid period; raises Conflict when there is none."""
        self._do(calls.cancel())

    def resume_subscription(self) -> None:
        """Undo the cancellation; raises Conflict, with a `portal_url` when that is possible only there."""
        self._do(calls.resume_subscription())

    def change_plan(self, tier: str) -> None:
        """Change to `pro` or `premium`; raises Conflict, with a `portal_url` when that is possible only there."""
        self._do(calls.change_plan(tier))

    # -- the network ---------------------------------------------------------------------------------------------

    def _do(self, call: Call[T]) -> T:
        tries = self._tries()
        while True:
            sent = self._tokens
            try:
                outcome: Outcome = answered(self._http.request(**call.request(sent)))
            except httpx2.RequestError as error:
                outcome = broken(error)
            if isinstance(outcome, Answer) and outcome.ok:
                return result(call, outcome.status, parsed(outcome.body))
            self._prepare_retry(call, outcome, sent, tries)

    def _stream(self, call: Call[T]) -> Generator[Event[T], None, None]:
        stream, tries = Stream(call), self._tries()
        while True:
            sent = self._tokens
            try:
                with self._http.stream(**stream.request(**call.request(sent))) as response:
                    if is_stream(response):
                        for event in httpx2.EventSource(response, MAX_EVENT):
                            if (taken := stream.take(event)) is not None:
                                yield taken
                            if stream.over:
                                return
                        outcome: Outcome = stream.failure or Broken("the stream broke off")
                    else:
                        response.read()
                        outcome = answered(response)
            except httpx2.RequestError as error:
                outcome = broken(error)
            tries = self._tries() if stream.advanced else tries
            self._prepare_retry(call, outcome, sent, tries)

    def _prepare_retry(self, call: Call[Any], outcome: Outcome, sent: Tokens | None, tries: Tries) -> None:
        """Renew the tokens or wait, as `tries` says; raises ApiError when the call is not to be retried."""
        if sent and tries.renews(call, outcome, sent):
            self._renewal.run(lambda: self._renew(sent))
        else:
            time.sleep(tries.pause(call, outcome))

    def _renew(self, stale: Tokens) -> None:
        """Replace expired tokens, unless another caller has done so."""
        if self._tokens is not stale:
            return
        try:
            fresh = self._do(calls.renew(stale))
        except Unauthorized:
            self._replace(stale, None)
            raise
        self._replace(stale, fresh)

    def _set_status(self, interview_id: int, status: str) -> Interview:
        try:
            return self._do(calls.set_status(interview_id, status))
        except ApiError as error:
            found = self.interview(interview_id) if calls.no_change(error) else None
            if found is None or found.status != status:
                raise
            return found

    def _is_first(self, interview_id: int) -> bool:
        if interview_id in self._begun:
            return False
        found = self.interview(interview_id)
        return found.number_questions_answered == 0
