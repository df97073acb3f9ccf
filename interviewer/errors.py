"""Expected errors. Each AppError has an HTTP status and a short message for the user."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from interviewer.wording import counted

logger = logging.getLogger(__name__)


class AppError(Exception):
    """An expected error with a message for the user. `status` is the HTTP status that the API returns.

    `details` are extra fields in the body of the API's error response. `page_message` is the message that pages show, if it
    differs from `user_message`.
    """

    status = 500
    user_message = "Something went wrong on our side. Please try again."
    page_message = ""
    details: Mapping[str, str] = {}

    def __init__(self, user_message: str | None = None) -> None:
        self.user_message = user_message or self.user_message
        super().__init__(self.user_message)


class BadRequest(AppError):
    """The input is invalid."""

    status = 400
    user_message = "That input isn't valid."


class InvalidFields(BadRequest):
    """Form fields are invalid. `fields` maps field names to error messages. The first one is also the `user_message`."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = fields
        super().__init__(next(iter(fields.values())))


class Unauthorized(AppError):
    """The user is not signed in, or the credentials are wrong."""

    status = 401
    user_message = "Unauthorized"


class PaymentRequired(AppError):
    """The user has no usable credit. The API returns the same message for every `reason`; pages show `explanation` instead."""

    status = 402
    user_message = "You do not have enough credits to start a new interview or your subscription has expired."

    def __init__(self, reason: str, explanation: str) -> None:
        self.details = {"reason": reason}
        super().__init__()
        self.page_message = explanation


class NotFound(AppError):
    """The resource does not exist, or belongs to another user."""

    status = 404
    user_message = "Not found"


class Conflict(AppError):
    """The action is not possible in the current state."""

    status = 409
    user_message = "You can't do that right now."


class PortalRequired(Conflict):
    """The payment service allows this change only on its own pages, at `portal_url`."""

    user_message = "Nothing has changed yet. To change this plan, go to Lemon Squeezy."

    def __init__(self, portal_url: str) -> None:
        self.portal_url = portal_url
        self.details = {"portal_url": portal_url}
        super().__init__()


class TooLarge(AppError):
    """The input is larger than allowed."""

    status = 413
    user_message = "That's too long."


class Unprocessable(AppError):
    """A part of the input is well-formed JSON, but does not have the shape or the values that this part needs."""

    status = 422
    user_message = "That input can't be processed."


class TooManyRequests(AppError):
    """A rate limit is reached. `retry_after` is the number of seconds to wait."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        self.retry_after = max(1, retry_after)
        short = self.retry_after < 100
        wait = counted(self.retry_after, "second") if short else counted(-(-self.retry_after // 60), "minute")
        super().__init__(f"Too many attempts. Please wait {wait}, then try again.")


class AllowanceUsed(TooManyRequests):
    """A free allowance is used up. `retry_after` is the number of seconds to wait."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(int(retry_after))
        AppError.__init__(self, message)


class Unavailable(AppError):
    """A dependency is unavailable. A later retry may succeed."""

    status = 503
    user_message = "The service is unavailable right now. Please try again in a moment."


class Crowded(Unavailable):
    """A queue is full or closed, or no slot became free in time.

    The user's input is stored or was not accepted, so the user can try again.
    """

    user_message = "Too many people are using the site right now. Nothing was lost. Please try again in a moment."


class TooMuchAtOnce(TooManyRequests):
    """A user or client has too many operations in progress. `retry_after` is the number of seconds to wait."""

    def __init__(self, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        AppError.__init__(self, "You have too many requests in progress. Please wait for some to finish, then try again.")


class MailDelayed(Unavailable):
    """The mail could not be sent now. A later retry may succeed.

    If the mail service asks for a pause before any further mail, `retry_after` is the length of the pause in seconds. This does
    not count as a failed attempt at this mail.
    """

    user_message = "We couldn't send the email right now."

    def __init__(self, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__()


class MailRefused(AppError):
    """The mail service permanently rejects a mail, because its recipient, our API key, or our sender is invalid."""

    status = 502
    user_message = "We couldn't send the email."


class IdentityRefused(Unauthorized):
    """GitHub sign-in could not confirm the user's identity.

    For example, the user denied access, the authorization code or our cookie is invalid, or the GitHub account's primary email
    address is not verified.
    """

    user_message = "GitHub didn't confirm who you are. Please try again."


class IdentityUnavailable(AppError):
    """GitHub is unreachable, fails, rate limits us, or rejects our configuration."""

    status = 502
    user_message = "We can't reach GitHub right now. Please try again in a moment, or sign in with your email address."


class PaymentsUnavailable(AppError):
    """The payment service is unreachable, fails, or rejects our credentials."""

    status = 502
    user_message = "We can't reach Lemon Squeezy right now. Nothing has changed. Please try again in a few minutes."


class PaymentsRefused(AppError):
    """The payment service rejects this request. A retry will not help."""

    status = 502
    user_message = (
        "Lemon Squeezy didn't accept this request. Nothing has changed. "
        "Please reload the page and try again. If it keeps happening, let us know."
    )


class SubscriptionNotCancelled(PaymentsUnavailable):
    """The account cannot be deleted, because its subscription could not be canceled and would still be charged."""

    user_message = (
        "We couldn't cancel your plan, so we haven't deleted your account. If we had, you'd keep getting charged. "
        "Please try again in a few minutes."
    )


class InterviewerError(Unavailable):
    """The interviewer failed. The user's input is stored, so the user can try again.

    `reason` is the cause for the operator, such as the model server's own words. Users never see it.
    """

    user_message = "The interviewer isn't available right now. Nothing was lost. Please try again in a moment."

    def __init__(self, user_message: str | None = None, *, reason: str = "") -> None:
        self.reason = reason
        super().__init__(user_message)


class InterviewerTimeout(InterviewerError):
    """The interviewer did not respond in time."""

    user_message = "The interviewer took too long to reply. Nothing was lost. Please try again."


class InterviewerLoading(InterviewerError):
    """The model server is still loading the model."""

    user_message = "The interviewer is still starting up. Nothing was lost. Please try again in a minute."


class InterviewerUnreachable(InterviewerError):
    """The interviewer could not be reached, or the connection to it broke off."""

    user_message = "We couldn't reach the interviewer. Nothing was lost. Please try again."


class InterviewerBusy(InterviewerError):
    """The model server rejects the request because its rate limit or capacity is exhausted."""

    user_message = "The interviewer is too busy right now. Nothing was lost. Please try again in a moment."


class InterviewerQuota(InterviewerError):
    """The account at the model provider has no credit left. Retries fail until the operator tops it up."""

    user_message = "The interviewer can't take any work right now. The problem is on our end, and nothing was lost."


class InterviewerMisconfigured(InterviewerError):
    """The model server rejects our API key, model, or request. Retries fail until the operator fixes the configuration."""

    user_message = "The interviewer isn't working right now. The problem is on our end, and nothing was lost."


class InterviewerTooLong(InterviewerError):
    """The request is longer than the model's context, although everything that may be shortened was."""

    user_message = "That's more text than the interviewer can read at once. Nothing was lost."


class InterviewerRefused(InterviewerError):
    """The provider's content filter, or the model itself, refuses to process the text. The same text will be refused again."""

    user_message = "The AI provider's content filter refused this text. Nothing was lost."


class InterviewerBadOutput(InterviewerError):
    """The interviewer's reply could not be parsed or is invalid."""

    user_message = "We couldn't read the interviewer's reply. Nothing was lost. Please try again."


class StartupError(Exception):
    """The app or command cannot start or continue. The message is meant for the operator."""


def page_message_of(error: Exception) -> str:
    """Return the message that pages show for an error. An unexpected error is logged and gets a generic message."""
    found = as_app_error(error)
    return found.page_message or found.user_message


def as_app_error(error: Exception) -> AppError:
    """Return the error if it is an AppError. An unexpected error is logged and replaced by a generic AppError."""
    if isinstance(error, AppError):
        return error
    logger.error("unexpected error", exc_info=error)
    return AppError()
