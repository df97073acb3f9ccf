"""Errors of the API."""

from __future__ import annotations

from collections.abc import Mapping


class ApiError(Exception):
    """The server refused or failed: `status` is the HTTP status, `message` a sentence for users.

    `retry_after` is in seconds, None when the server does not say. `details` are further fields of the response. Passwords and
    tokens are never part of it.
    """

    def __init__(
        self, status: int, message: str, retry_after: float | None = None, details: Mapping[str, str] | None = None
    ) -> None:
        self.status, self.message, self.retry_after, self.details = status, message, retry_after, details or {}
        super().__init__(status, message, retry_after)

    def __str__(self) -> str:
        return f"{self.message} ({self.status})" if self.status else self.message


class Unauthorized(ApiError):
    """401: not signed in, signed out since, or wrong credentials."""


class PaymentRequired(ApiError):
    """402: no usable credit."""

    @property
    def reason(self) -> str:
        """The case: `none_left`, `subscription_paused` or `subscription_expired`; "" when the server does not say."""
        return self.details.get("reason", "")


class NotFound(ApiError):
    """404: it does not exist, or belongs to another user."""


class Conflict(ApiError):
    """409: not possible in the current state."""

    @property
    def portal_url(self) -> str:
        """The page of the payment service where it is possible; "" without one."""
        return self.details.get("portal_url", "")


class TooManyRequests(ApiError):
    """429: too many requests; `retry_after` says how long to wait."""


class Unavailable(ApiError):
    """503: something the server depends on does not respond. An answer that was sent is stored: see `Client.retry`."""


class Unreachable(ApiError):
    """No response after all tries; the status is 0. The request may have been carried out nevertheless."""


class InvalidAnswer(ApiError):
    """The response is not one of this API: perhaps the address is another server's."""


BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthorized,
    402: PaymentRequired,
    404: NotFound,
    409: Conflict,
    429: TooManyRequests,
    503: Unavailable,
}


def error_for(status: int, message: str, retry_after: float | None = None, details: Mapping[str, str] | None = None) -> ApiError:
    """Return the error of an HTTP status."""
    return BY_STATUS.get(status, ApiError)(status, message, retry_after, details)
