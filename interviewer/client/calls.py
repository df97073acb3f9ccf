"""Every request as a value: what to send and how to read the response. Nothing here performs I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar
from uuid import uuid4

from pydantic import SecretStr

from .errors import ApiError
from .models import Account, Conversation, Dashboard, Interview, Started, StartOptions, Tokens

T = TypeVar("T")
Body = Mapping[str, Any]
Kind = Literal["answer", "clarification", "hint", "skip"]
MAX_KEY = 200


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request to the API.

    `read` converts the JSON of the response into the result. `key` is the Idempotency-Key. `repeatable` means that the call is
    idempotent: it may be sent again even if the server has already processed it. If `signed_in` is true, the call is sent with
    the client's access token; otherwise, it is sent with `bearer`, if that is set.
    """

    method: str
    path: str
    read: Callable[[Any], T]
    body: Body | None = field(default=None, repr=False)
    params: Mapping[str, int] = field(default_factory=dict)
    key: str = ""
    repeatable: bool = False
    signed_in: bool = True
    bearer: SecretStr | None = None

    def request(self, tokens: Tokens | None) -> dict[str, Any]:
        """Return the arguments for the HTTP client's `request` method."""
        bearer = tokens.access if self.signed_in and tokens else self.bearer
        headers = {"Authorization": f"Bearer {bearer.get_secret_value()}"} if bearer else {}
        if self.key:
            headers["Idempotency-Key"] = self.key
        content = None
        if self.body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(self.body).encode()
        return {
            "method": self.method,
            "url": self.path,
            "content": content,
            "params": self.params or None,
            "headers": headers,
        }


# -- accounts and tokens ---------------------------------------------------------------------------------------------


def sign_in(email: str, password: str) -> Call[Tokens]:
    """Return the call that exchanges an email address and a password for tokens."""
    body = {"email": email, "password": password}
    return Call("POST", "api/auth/login", _tokens("user_id"), body, repeatable=True, signed_in=False)


def renew(tokens: Tokens) -> Call[Tokens]:
    """Return the call that exchanges the refresh token for new tokens.

    The refresh token works only once, but the call is marked as repeatable: if the server has already processed it, the new
    tokens are lost with or without a retry.
    """
    body = {"user_id": tokens.user_id}
    return Call("POST", "api/auth/token", _tokens("id"), body, repeatable=True, signed_in=False, bearer=tokens.refresh)


def sign_up_request(email: str, username: str, password: str) -> Call[None]:
    """Return the call that requests a sign-up email. The link in the email has the token for `sign_up_confirm`."""
    body = {"email": email, "username": username, "password": password}
    return Call("POST", "api/auth/request-verification", _nothing, body, signed_in=False)


def sign_up_confirm(token: str) -> Call[tuple[Account, Tokens]]:
    """Return the call that creates an account. `token` is the token in the link of the sign-up email."""

    def read(found: Any) -> tuple[Account, Tokens]:
        account = Account(id=found["user_id"], username=found["username"], email=found["email"])
        return account, Tokens(user_id=account.id, access=found["jwtoken"])

    return Call("POST", "api/users", read, {"token": token}, signed_in=False)


def me(user_id: int) -> Call[Account]:
    """Return the call that requests the account of the signed-in user."""

    def read(found: Any) -> Account:
        return Account(id=found["user_id"], username=found["username"], email=found["email"])

    return Call("GET", f"api/users/{user_id:d}", read, repeatable=True)


# -- interviews ------------------------------------------------------------------------------------------------------


def start(job_description: str, key: str | None, options: StartOptions | None = None) -> Call[Started]:
    """Return the call that starts an interview.

    Raises TypeError for an unknown option, and ValueError if `key` is not 1 to 200 printable ASCII characters.
    """
    given: dict[str, Any] = dict(options or {})
    if unknown := given.keys() - StartOptions.__annotations__.keys():
        raise TypeError(f"unknown options: {', '.join(sorted(unknown))}")
    if "topics" in given:
        given["topics"] = list(given["topics"])
    body = {"job_description": job_description, **given}
    return Call("POST", "api/interviews", Started.model_validate, body, key=_key(key), repeatable=True)


def answer(
    interview_id: int,
    message: str,
    key: str | None,
    topic_id: int | None,
    question_id: int | None,
    *,
    first: bool,
    kind: Kind = "answer",
    language: str | None = None,
    test_results: Mapping[str, Any] | None = None,
) -> Call[Conversation]:
    """Return the call that answers the current question, or says something else about it, according to `kind`.

    `first` must be true for an answer if the interview has no answers yet. `topic_id` and `question_id`, if given, name the
    question that is meant. `language` and `test_results` come with an answer that is code. Raises ValueError if `key` is not
    valid in a header.
    """
    path = f"api/conversations/{'create' if first else 'append'}/{interview_id:d}"
    optional = {
        "topic_id": topic_id,
        "question_id": question_id,
        "kind": None if kind == "answer" else kind,
        "language": language,
        "test_results": test_results,
    }
    body = {"message": message, **{name: value for name, value in optional.items() if value is not None}}
    return Call("POST", path, _conversation, body, key=_key(key), repeatable=True)


def interview(interview_id: int) -> Call[Interview]:
    """Return the call that requests an interview."""
    return Call("GET", f"api/interviews/{interview_id:d}", _interview, repeatable=True)


def set_status(interview_id: int, status: str) -> Call[Interview]:
    """Return the call that pauses or resumes an interview.

    If the call is repeated, the server rejects it, because the status has already changed. `no_change` recognizes that error.
    """
    return Call("PATCH", f"api/interviews/{interview_id:d}", _interview, {"status": status}, repeatable=True)


def no_change(error: ApiError) -> bool:
    """Return whether the server rejected a status change, possibly because the interview already has that status."""
    return error.status == 400 and error.message == "Invalid status transition"


def conversation(interview_id: int) -> Call[Conversation]:
    """Return the call that requests all messages of an interview."""
    return Call("GET", f"api/conversations/{interview_id:d}", _conversation, repeatable=True)


def summarise_job(job_description: str) -> Call[str]:
    """Return the call that requests a Markdown summary of a job description."""
    return Call("POST", "api/jd", _text, {"job_description": job_description}, repeatable=True)


def dashboard(limit: int | None, before: int | None) -> Call[Dashboard]:
    """Return the call that requests the plan, the credits, and the interviews."""
    params = {name: value for name, value in (("limit", limit), ("before", before)) if value is not None}
    return Call("GET", "api/user/dashboard", Dashboard.model_validate, params=params, repeatable=True)


# -- payment ---------------------------------------------------------------------------------------------------------


def checkout(tier: str) -> Call[str]:
    """Return the call that requests the URL of a checkout page for a product."""
    return Call("POST", "api/payment/checkout", lambda found: _text(found["checkout_url"]), {"tier": tier})


def cancel() -> Call[None]:
    """Return the call that cancels the subscription, effective at the end of the current billing period."""
    return Call("POST", "api/payment/cancel", _nothing)


def resume_subscription() -> Call[None]:
    """Return the call that undoes the cancellation of the subscription."""
    return Call("POST", "api/payment/resume", _nothing)


def change_plan(tier: str) -> Call[None]:
    """Return the call that changes the subscription's plan."""
    return Call("POST", "api/payment/change-plan", _nothing, {"tier": tier})


# -- reading ---------------------------------------------------------------------------------------------------------


def _key(given: str | None) -> str:
    """Return the given Idempotency-Key, or a new one if `given` is None.

    Raises ValueError if the key is not 1 to 200 printable ASCII characters.
    """
    key = uuid4().hex if given is None else given
    if not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise ValueError(f"a key has 1 to {MAX_KEY} printable ASCII characters")
    return key


def _tokens(id_name: str) -> Callable[[Any], Tokens]:
    def read(found: Any) -> Tokens:
        return Tokens(user_id=found[id_name], access=found["jwtoken"], refresh=found["refresh_token"])

    return read


def _conversation(found: Any) -> Conversation:
    return Conversation.model_validate(found["conversation"])


def _interview(found: Any) -> Interview:
    return Interview.model_validate(found["interview"])


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise TypeError("no text")
    return found


def _nothing(_found: Any) -> None:
    return None
