"""The client for programs that wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
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


class Client(Core):
    """Somebody who uses the API; threads may share one. To be closed, or used as a context manager.

    Every method raises ApiError or one of its kinds. What does no harm twice is tried again by itself after a broken connection
    and when the server is busy; an access token that has expired is renewed.
    """

    def __init__(
        self, base_url: str, *, tokens: Tokens | None = None, timeout: float = 120.0, tries: int = 4, patience: float = 60.0
    ) -> None:
        """Talk to the site at `base_url`, which may have a path; raises ValueError when it is no http address.

        `tokens` are an earlier client's. `timeout` is how long to wait for the next byte, in seconds; an interviewer may think
        for a minute. A call is tried `tries` times, with at most `patience` seconds of waiting in between all together.
        """
        super().__init__(base_url, tokens, timeout, tries, patience)
        self._http = httpx2.Client(**self._options)
        self._renewing = threading.Lock()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    # -- accounts ------------------------------------------------------------------------------------------------

    def sign_in(self, email: str, password: str) -> Tokens:
        """Sign in and stay so; raises Unauthorized for a wrong address or password."""
        self._tokens = tokens = self._do(calls.sign_in(email, password))
        return tokens

    def sign_up_request(self, email: str, username: str, password: str) -> None:
        """Have a link mailed; its token is for `sign_up_confirm`. Nothing tells whether the address is known already."""
        self._do(calls.sign_up_request(email, username, password))

    def sign_up_confirm(self, token: str) -> Account:
        """Create the account and be signed in until the access token expires; raises Unauthorized for a dead token."""
        return self._keep(self._do(calls.sign_up_confirm(token)))

    def me(self) -> Account:
        """Return one's own account."""
        return self._do(calls.me(self._user_id()))

    # -- interviews ----------------------------------------------------------------------------------------------

    def start(self, job_description: str = "", *, key: str | None = None, **options: Unpack[StartOptions]) -> Started:
        """Start an interview for one credit; raises PaymentRequired, and Unavailable when the credit has been given back.

        `options` say how long it is, and on what: see `StartOptions`. The same `key` again starts no second one. Without one, a
        key is made for this call and its repetitions.
        """
        return self._do(calls.start(job_description, key, options))

    def stream_start(
        self, job_description: str = "", *, key: str | None = None, **options: Unpack[StartOptions]
    ) -> Generator[Event[Started], None, None]:
        """Start as `start` does; yields pieces of the first question as they are written, then Done."""
        yield from self._stream(calls.start(job_description, key, options))

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

        Without a `key` one is made for this call and its repetitions; the same again within 24 hours replays the reply.
        `topic_id` and `question_id` (its number within the topic) name the question that is meant: an earlier one is never
        taken for the open one. Raises Conflict when the interview is not active or another question is open, and Unavailable
        when the answer is kept but not judged: see `retry`.
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

        An empty message does what is missing for the last answer, as `retry` does.
        """
        first = self._is_first(interview_id)
        yield from self._stream(calls.answer(interview_id, message, key, topic_id, question_id, first=first))
        self._begun.add(interview_id)

    def retry(self, interview_id: int) -> Conversation:
        """Have done what is missing for the last answer, its verdict or the next question; raises ApiError 400 if nothing is."""
        return self.answer(interview_id, "")

    def interview(self, interview_id: int) -> Interview:
        """Return an interview; raises NotFound."""
        return self._do(calls.interview(interview_id))

    def conversation(self, interview_id: int) -> Conversation:
        """Return everything said in an interview; raises ApiError 400 for an id that is not one of yours."""
        return self._do(calls.conversation(interview_id))

    def pause(self, interview_id: int) -> Interview:
        """Pause an interview, if it is not paused already; raises NotFound, and ApiError 400 for one that is finished."""
        return self._set_status(interview_id, "paused")

    def resume(self, interview_id: int) -> Interview:
        """Go on with a paused interview; raises as `pause` does."""
        return self._set_status(interview_id, "active")

    def summarise_job(self, job_description: str) -> str:
        """Return what is found in a job description, as Markdown."""
        return self._do(calls.summarise_job(job_description))

    def dashboard(self, *, limit: int | None = None, before: int | None = None) -> Dashboard:
        """Return plan, credits and the newest interviews: at most `limit` (1 to 500), only those older than the id `before`."""
        return self._do(calls.dashboard(limit, before))

    # -- payment -------------------------------------------------------------------------------------------------

    def checkout(self, tier: str) -> str:
        """Return the address of a page where `individual`, `pro` or `premium` is paid; raises Conflict for a second plan."""
        return self._do(calls.checkout(tier))

    def cancel_subscription(self) -> None:
        """End the subscription at the end of what is paid; raises Conflict when there is none."""
        self._do(calls.cancel())

    def resume_subscription(self) -> None:
        """Take the cancellation back; raises Conflict, with a `portal_url` where it can be done only there."""
        self._do(calls.resume_subscription())

    def change_plan(self, tier: str) -> None:
        """Change to `pro` or `premium`; raises Conflict, with a `portal_url` where it can be done only there."""
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
            self._again(call, outcome, sent, tries)

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
            self._again(call, outcome, sent, tries)

    def _again(self, call: Call[Any], outcome: Outcome, sent: Tokens | None, tries: Tries) -> None:
        """Make ready for another try; raises ApiError when there is to be none."""
        if sent and tries.renews(call, outcome, sent):
            self._renew(sent)
        else:
            time.sleep(tries.pause(call, outcome))

    def _renew(self, stale: Tokens) -> None:
        """Put new tokens in place of expired ones, unless another thread has done so."""
        with self._renewing:
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
        return interview_id not in self._begun and self.interview(interview_id).number_questions_answered == 0
