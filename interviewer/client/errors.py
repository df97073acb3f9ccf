"""What a call of the API can end in but its result."""

from __future__ import annotations

from collections.abc import Mapping


class ApiError(Exception):
    """The server refused or failed: `status` is HTTP's, `message` a sentence for a person.

    `retry_after` is the number of seconds after which the server wants to be asked again, None when it does not say. `details`
    are further fields of its answer. Neither passwords nor tokens are ever part of it.
    """

    def __init__(
        self, status: int, message: str, retry_after: float | None = None, details: Mapping[str, str] | None = None
    ) -> None:
        self.status, self.message, self.retry_after, self.details = status, message, retry_after, details or {}
        super().__init__(status, message, retry_after)

    def __str__(self) -> str:
        return f"{self.message} ({self.status})" if self.status else self.message


class Unauthorized(ApiError):
    """401: nobody is signed in, the sign-in has ended, or the credentials are wrong."""


class PaymentRequired(ApiError):
    """402: no usable credit."""

    @property
    def reason(self) -> str:
        """Which case it is: `none_left`, `subscription_paused` or `subscription_expired`; empty when the server does not say."""
        return self.details.get("reason", "")


class NotFound(ApiError):
    """404: it does not exist, or belongs to somebody else."""


class Conflict(ApiError):
    """409: the state of things forbids it right now."""

    @property
    def portal_url(self) -> str:
        """The page of the payment service where it can be done instead; empty when there is none."""
        return self.details.get("portal_url", "")


class TooManyRequests(ApiError):
    """429: tried too often; `retry_after` tells when it may go on."""


class Unavailable(ApiError):
    """503: something the server depends on does not answer. An answer that was sent is kept: see `Client.retry`."""


class Unreachable(ApiError):
    """No answer at all, after all the tries; the status is 0. What was asked for may have been done nevertheless."""


class InvalidAnswer(ApiError):
    """What came back is not what this API answers: perhaps the address is another server's."""


BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthorized,
    402: PaymentRequired,
    404: NotFound,
    409: Conflict,
    429: TooManyRequests,
    503: Unavailable,
}


def error_for(status: int, message: str, retry_after: float | None = None, details: Mapping[str, str] | None = None) -> ApiError:
    """Return the error of a status."""
    return BY_STATUS.get(status, ApiError)(status, message, retry_after, details)
