"""The errors that the client raises."""

from __future__ import annotations

from collections.abc import Mapping


class ApiError(Exception):
    """The server rejected a request or failed.

    `status` is the HTTP status, and `message` is a sentence for users. `retry_after` is in seconds, or None if the server does
    not set it. `details` are the other text fields of the response. None of these attributes contains passwords or tokens.
    """

    def __init__(
        self, status: int, message: str, retry_after: float | None = None, details: Mapping[str, str] | None = None
    ) -> None:
        self.status, self.message, self.retry_after, self.details = status, message, retry_after, details or {}
        super().__init__(status, message, retry_after)

    def __str__(self) -> str:
        return f"{self.message} ({self.status})" if self.status else self.message


class Unauthorized(ApiError):
    """401: not signed in, signed out in the meantime, or wrong credentials."""


class PaymentRequired(ApiError):
    """402: no usable credit."""

    @property
    def reason(self) -> str:
        """The reason: `none_left`, `subscription_paused`, or `subscription_expired`, or "" if the server gives none."""
        return self.details.get("reason", "")


class NotFound(ApiError):
    """404: the resource does not exist or belongs to another user."""


class Conflict(ApiError):
    """409: the operation is not possible in the current state."""

    @property
    def portal_url(self) -> str:
        """The URL of the payment service's portal if the operation is possible there; otherwise ""."""
        return self.details.get("portal_url", "")


class TooManyRequests(ApiError):
    """429: too many requests. `retry_after` is the number of seconds to wait."""


class Unavailable(ApiError):
    """503: a service that the server depends on is unavailable.

    If the call was an answer, the answer may already be stored: see `Client.retry`.
    """


class Unreachable(ApiError):
    """No response, even after the retries that were allowed. `status` is 0. The server may have processed the request anyway."""


class InvalidAnswer(ApiError):
    """The response is not a valid response of this API. `base_url` may be the URL of another server."""


BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthorized,
    402: PaymentRequired,
    404: NotFound,
    409: Conflict,
    429: TooManyRequests,
    503: Unavailable,
}


def error_for(status: int, message: str, retry_after: float | None = None, details: Mapping[str, str] | None = None) -> ApiError:
    """Return the error for an HTTP status, or an ApiError if the status has no class of its own."""
    return BY_STATUS.get(status, ApiError)(status, message, retry_after, details)
