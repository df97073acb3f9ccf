"""Ask a chat/completions server, and ask again for less if it refuses what it cannot do."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream

from interviewer.core import metrics
from interviewer.errors import (
    InterviewerBadOutput,
    InterviewerBusy,
    InterviewerError,
    InterviewerLoading,
    InterviewerRefused,
    InterviewerTimeout,
    InterviewerTooLong,
    InterviewerUnreachable,
)
from interviewer.interviews.interviewer import Usage
from interviewer.interviews.model_server import messages
from interviewer.interviews.model_server.budget import estimated_tokens
from interviewer.interviews.model_server.capabilities import (
    SMALLEST_CONTEXT,
    Capabilities,
    Learned,
    OncePerPeriod,
    first_capabilities,
    is_one_off,
    without_refused,
)
from interviewer.interviews.model_server.failures import ServerError, as_error, failure_of
from interviewer.interviews.model_server.http_chunks import join_chunks
from interviewer.interviews.model_server.messages import Order, Repair
from interviewer.interviews.model_server.options import Format, ServerOptions, address_of
from interviewer.interviews.model_server.pacing import PacedBlocks
from interviewer.interviews.model_server.reading import GrowingReply
from interviewer.interviews.model_server.silent_cuts import Suspicion, cut_at
from interviewer.interviews.model_server.stream import FILTERED, StreamParser

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
# Of one call, repetitions included.
MOST_REQUESTS = 6
# How often a request is repeated after a failure that may pass, and the seconds before the first repetition, doubled each time.
RETRIES, PAUSE = 2, 0.5
# A longer pause that a server asks for is left to the user.
LONGEST_PAUSE = 20.0
# Seconds between requests while a server says that it is loading the model.
LOADING_PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class Shown:
    """New text of a field that is shown, or the whole text so far of one that only says how to show the others."""

    field: str
    text: str


@dataclass(slots=True)
class Call:
    """What one call of the interviewer has used up so far: its requests, retries, and seconds of waiting for the model."""

    requests: int = 0
    retries: int = 0
    waited: float = 0.0
    was_empty: bool = False
    reply: GrowingReply | None = None  # the last reply, as far as it was received


class ModelServer:
    """One server with one model, and what has been learned about them."""

    def __init__(self, *, model: str, api_key: str | None, base_url: str | None, options: ServerOptions) -> None:
        """Create a client. Self-hosted servers often need no `api_key`."""
        join_chunks()
        address = address_of(base_url)
        self.model, self._options, self._secret = model, options, api_key or ""
        self.learned = Learned(first_capabilities(options, address, model))
        self._cuts, self._suspected = OncePerPeriod(), Suspicion()
        self._client = AsyncOpenAI(
            api_key=api_key or "none",
            base_url=address.url,
            max_retries=0,
            timeout=httpx2.Timeout(options.first_token_seconds + options.reply_seconds, connect=CONNECT_SECONDS),
            default_query={**address.query, **options.extra_query},
            default_headers={"api-key": api_key} if address.is_azure and api_key else None,
        )

    async def reply(self, order: Order, call: Call, repair: Repair | None = None) -> AsyncIterator[Shown | Usage | GrowingReply]:
        """Yield the shown fields in pieces and the token usage if the server sends it, then the complete reply.

        What the server refuses is dropped from the next request, and what worked is remembered. Raises a subclass of
        InterviewerError if the request fails or there is no JSON object in the reply. `repair` is an earlier reply to correct.
        """
        asked = self.learned.now()
        if repair is not None and not asked.shows_schema:
            asked = replace(asked, enforces=False)
        is_lasting = repair is None or repair.ignored
        while True:
            fields = tuple(order.schema["properties"])
            growing = call.reply = GrowingReply(fields, order.shown, order.unseen, chatters=asked.chatters)
            body = messages.body_of(order, self.model, asked, self._options, repair)
            call.requests += 1
            try:
                async for item in self._once(body, asked, growing, order.spare):
                    if isinstance(item, Usage) and (at := self._cut_at(body, item.prompt)) is not None:
                        asked = replace(asked, context=at)
                        self.learned.note_context(at)
                    yield item
            except (ServerError, _NoText) as refusal:
                changed = None if growing.has_shown else await self._next(asked, refusal, call)
                if changed is None:
                    raise self._error(refusal) from refusal
                is_lasting = is_lasting and not (isinstance(refusal, ServerError) and is_one_off(refusal.failure))
                asked = changed
            else:
                if is_lasting:
                    self.learned.note(replace(asked, chatters=growing.chatters))
                yield growing
                return

    async def _next(self, asked: Capabilities, refusal: ServerError | _NoText, call: Call) -> Capabilities | None:
        """Return what to ask for next after a failed request, or None if nothing is left to try. Waits if a pause may help."""
        if call.requests >= MOST_REQUESTS:
            return None
        if isinstance(refusal, _NoText):
            if refusal.is_cut:
                return None if asked.reasons else replace(asked, reasons=True)
            was_empty, call.was_empty = call.was_empty, True
            return None if was_empty else self._shorter(asked, None)
        failure, error = refusal.failure, as_error(refusal.failure)
        if isinstance(error, InterviewerTooLong):
            return self._shorter(asked, failure.context_limit)
        if isinstance(error, InterviewerLoading):
            return asked if await self._waited_for_model(call) else None
        if is_one_off(failure):
            return replace(asked, format=Format.NONE) if asked.format is not Format.NONE else None
        if isinstance(error, InterviewerRefused):
            return None
        if (changed := without_refused(asked, failure)) is not None:
            logger.info("the model server refused an option (%s); asking again without it", failure)
            return changed
        may_pass = isinstance(error, InterviewerBusy) or type(error) is InterviewerError
        return asked if may_pass and await self._paused(call, failure.retry_after) else None

    def _shorter(self, asked: Capabilities, limit: int | None) -> Capabilities | None:
        """Return the capabilities with a smaller context: the one that the server names, or half of the present one."""
        now = messages.context_of(asked, self._options)
        smaller = limit if limit and SMALLEST_CONTEXT <= limit < now else now // 2
        return replace(asked, context=smaller) if smaller >= SMALLEST_CONTEXT else None

    async def _paused(self, call: Call, retry_after: float | None) -> bool:
        """Wait before a request is repeated. Returns whether to repeat it."""
        pause = PAUSE * 2**call.retries if retry_after is None else retry_after
        if call.retries >= RETRIES or pause > LONGEST_PAUSE:
            return False
        call.retries += 1
        await asyncio.sleep(pause)
        return True

    async def _waited_for_model(self, call: Call) -> bool:
        """Wait while the server loads the model, which does not count as a request. Returns whether to ask again."""
        if call.waited >= self._options.first_token_seconds:
            return False
        call.waited += LOADING_PAUSE
        call.requests -= 1
        await asyncio.sleep(LOADING_PAUSE)
        return True

    def _error(self, refusal: ServerError | _NoText) -> InterviewerError:
        if isinstance(refusal, _NoText):
            return InterviewerBadOutput(reason="the server sent no text; a prompt longer than the model's context can cause this")
        metrics.MODEL_REFUSALS.labels(str(refusal.failure.status), refusal.failure.label).inc()
        return as_error(refusal.failure)

    async def _once(
        self, body: dict[str, Any], asked: Capabilities, growing: GrowingReply, spare: str
    ) -> AsyncIterator[Shown | Usage]:
        """Make one request and read its reply into `growing`, which may lack the field `spare` if the reply was cut off in it."""
        options, parser = self._options, StreamParser()
        first = options.first_token_seconds + (0 if asked.streams else options.reply_seconds)
        loop, end = asyncio.get_running_loop(), 0.0
        with translated_errors(parser, self._secret):
            async with asyncio.timeout(first) as limit, await self._post(body) as stream:
                # The SDK's iterator would double the CPU time. Text that arrives in one block is shown at once.
                blocks = PacedBlocks(stream.response.aiter_bytes())
                async for block in blocks:
                    for name, text in growing.feed(parser.read(block)):
                        yield Shown(name, text)
                    if parser.began:
                        end = end or loop.time() + options.reply_seconds
                        may_wait = not parser.finish and (growing.may_wait or parser.reasons)
                        pause = blocks.pause() if may_wait else 0.0
                        limit.reschedule(min(loop.time() + pause + options.idle_seconds, end))
                    if growing.is_stuck:
                        break
                else:
                    for name, text in growing.feed(parser.end()):
                        yield Shown(name, text)
        if parser.usage is not None:
            yield parser.usage
        for name, text in growing.rest(_complete(growing, parser, spare)):
            yield Shown(name, text)

    def _cut_at(self, body: dict[str, Any], counted: int, *, is_probe: bool = False) -> int | None:
        """Return the number of tokens to which the server cut the prompt, or None if it did not. Logged once an hour.

        One prompt may have such a number of tokens by chance, so only a second one of another length confirms it, or a probe.
        """
        sent = "".join(message["content"] for message in body["messages"])
        at = self._suspected.confirmed(cut_at(sent, counted), len(sent), is_sure=is_probe)
        if at is not None and self._cuts.is_due():
            logger.warning(
                "the model server cut a prompt of about %d tokens to %d without a word: let it load the model with a larger "
                "context (for Ollama, set OLLAMA_CONTEXT_LENGTH), or set OPENAI_CONTEXT_TOKENS=%d",
                estimated_tokens(sent),
                at,
                at,
            )
        return at

    async def probe_context(self, seconds: float) -> None:
        """Send the longest prompt that an interview may send, to find out whether the server cuts it. Failures are ignored.

        The reply is one token. `seconds` is the most time that it may take.
        """
        body = messages.probe_body(self.model, self.learned.now(), self._options)
        with suppress(ServerError, InterviewerError, TimeoutError):
            with translated_errors(StreamParser(), self._secret):
                async with asyncio.timeout(seconds):
                    response = await self._client.post("/chat/completions", cast_to=httpx2.Response, body=body)
            parser = StreamParser()
            parser.read(response.content)
            parser.end()
            if parser.usage is not None and (at := self._cut_at(body, parser.usage.prompt, is_probe=True)) is not None:
                self.learned.note_context(at)

    async def _post(self, body: dict[str, Any]) -> AsyncStream[object]:
        # The SDK's `create` validates each chunk in Python, which takes 0.15 ms per token or 50 ms per turn.
        return await self._client.post(
            "/chat/completions", cast_to=object, stream=True, stream_cls=AsyncStream[object], body=body
        )

    async def models(self, seconds: float) -> list[str]:
        """Return the names of the models that the server lists, whatever the shape of the list.

        `seconds` is the most time that it may take. Raises a subclass of InterviewerError if the request fails or the reply is no
        list of models.
        """
        try:
            with translated_errors(StreamParser(), self._secret):
                async with asyncio.timeout(seconds):
                    response = await self._client.get("/models", cast_to=httpx2.Response)
                    return model_names(response.content)
        except ServerError as error:
            raise as_error(error.failure) from error

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._client.close()


class _NoText(Exception):
    """A reply without any text. `is_cut` is set if its limit was reached, which happens when a model reasons for long."""

    def __init__(self, *, is_cut: bool) -> None:
        self.is_cut = is_cut
        super().__init__("no text")


def _complete(growing: GrowingReply, parser: StreamParser, spare: str) -> dict[str, Any]:
    """Return the object in a reply that has ended. Raises the error that fits if there is none.

    If the reply was cut off in the last field, and that is the `spare` one, the object without it is returned.
    """
    if parser.finish in FILTERED:
        raise InterviewerRefused(reason=f"the server stopped the reply: {parser.finish}")
    if not growing.buffer.strip():
        if not parser.finish:
            raise InterviewerUnreachable(reason="the reply ended without text and without a finish reason")
        raise _NoText(is_cut=parser.finish == "length")
    try:
        return growing.document()
    except InterviewerBadOutput as error:
        if (growing.is_stuck or parser.finish == "length") and growing.drop(spare):
            return growing.document()
        if growing.is_stuck:
            raise InterviewerBadOutput(reason="the model repeated itself, so its reply was stopped") from error
        if parser.finish == "length":
            growing.is_cut = True
            raise InterviewerBadOutput(reason="the reply was cut off at its limit: raise OPENAI_MAX_TOKENS") from error
        if not parser.finish:
            raise InterviewerUnreachable(reason="the reply ended in the middle, without a finish reason") from error
        raise


@contextmanager
def translated_errors(parser: StreamParser, secret: str) -> Iterator[None]:
    """Translate exceptions of the SDK, its HTTP client, and the timeout into ServerError and subclasses of InterviewerError."""
    try:
        yield
    except openai.APIStatusError as error:
        pause = _seconds(error.response.headers.get("retry-after"))
        body = error.body if error.body is not None else error.response.text
        raise ServerError(failure_of(error.status_code, body, secret=secret, retry_after=pause)) from error
    except (openai.APITimeoutError, httpx2.TimeoutException, TimeoutError) as error:
        if parser.pinged and not parser.began:
            raise InterviewerLoading(reason="no first token within OPENAI_FIRST_TOKEN_SECONDS, but signs of life") from error
        limit = "OPENAI_TIMEOUT or OPENAI_IDLE_SECONDS" if parser.began else "OPENAI_FIRST_TOKEN_SECONDS"
        raise InterviewerTimeout(reason=f"the limit {limit} was reached") from error
    except (openai.APIConnectionError, httpx2.HTTPError) as error:
        cause = error.__cause__ if isinstance(error, openai.APIConnectionError) and error.__cause__ else error
        raise InterviewerUnreachable(reason=f"{type(cause).__name__}: {cause}"[:200]) from error
    except openai.OpenAIError as error:
        raise InterviewerError(reason=type(error).__name__) from error


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header or ""))
    except ValueError:
        return None


def model_names(body: bytes) -> list[str]:
    """Return the names in a list of models: in OpenAI's shape, in Ollama's, or a bare list.

    Raises InterviewerBadOutput for anything else.
    """
    try:
        found = json.loads(body)
    except ValueError as error:
        raise InterviewerBadOutput(reason="the list of models is not JSON") from error
    if isinstance(found, dict):
        found = found.get("data", found.get("models"))
    if not isinstance(found, list):
        raise InterviewerBadOutput(reason="the list of models has an unknown shape")
    named = (one if isinstance(one, str) else one.get("id") or one.get("name") for one in found if isinstance(one, str | dict))
    return [name for name in named if isinstance(name, str)]
