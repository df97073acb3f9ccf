"""Errors that users may see: each carries an HTTP status and one sentence for the user."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from interviewer.wording import counted

logger = logging.getLogger(__name__)


class AppError(Exception):
    """A refusal or failure with a message for the user; `status` is the API's HTTP status.

    `details` are extra fields of the API's error body; `page_message` is what the pages show, where that differs.
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
    user_message = "We can't use that input."


class InvalidFields(BadRequest):
    """Form fields are invalid: `fields` maps field names to sentences, the first of which is the message."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = fields
        super().__init__(next(iter(fields.values())))


class Unauthorized(AppError):
    """No user is signed in, or the credentials are wrong."""

    status = 401
    user_message = "Unauthorized"


class PaymentRequired(AppError):
    """No usable credit. The API message is the same for every `reason`; `explanation` names the case for users."""

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
    """The current state does not allow it."""

    status = 409
    user_message = "That isn't possible right now."


class DoneElsewhere(Conflict):
    """A change that the payment service allows only on its own pages; `portal_url` leads there."""

    user_message = "Nothing has changed yet. You can change this subscription only on the payment service's own page."

    def __init__(self, portal_url: str) -> None:
        self.portal_url = portal_url
        self.details = {"portal_url": portal_url}
        super().__init__()


class TooLarge(AppError):
    """The input is longer than allowed."""

    status = 413
    user_message = "That's too long."


class TooManyRequests(AppError):
    """Rate limited; `retry_after` is the number of seconds to wait."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        self.retry_after = max(1, retry_after)
        short = self.retry_after < 100
        wait = counted(self.retry_after, "second") if short else counted(-(-self.retry_after // 60), "minute")
        super().__init__(f"Too many attempts. Please wait {wait}, then try again.")


class AllowanceUsed(TooManyRequests):
    """A free allowance is used up; `retry_after` is the number of seconds to wait."""

    def __init__(self, words: str, retry_after: float) -> None:
        super().__init__(int(retry_after))
        AppError.__init__(self, words)


class Unavailable(AppError):
    """A dependency does not answer; a later retry may succeed."""

    status = 503
    user_message = "The service is unavailable right now. Please try again in a moment."


class Crowded(Unavailable):
    """The queue is full. What the user sent is stored or was not accepted, and can be retried."""

    user_message = "Too many people are using the site right now. Nothing is lost. Try again in a moment."


class TooMuchAtOnce(TooManyRequests):
    """One user or client has too much in progress; `retry_after` is the number of seconds to wait."""

    def __init__(self, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        AppError.__init__(self, "You have too many requests running at once. Wait for some of them to finish, then try again.")


class MailDelayed(Unavailable):
    """The mail could not be sent now; a later retry may succeed.

    `retry_after` is set when the mail service accepts no mail at all for that many seconds; this mail is then not at fault.
    """

    user_message = "We couldn't send the email right now."

    def __init__(self, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__()


class MailRefused(AppError):
    """The mail service permanently rejects this mail: its address, our key or our sender is wrong."""

    status = 502
    user_message = "We couldn't send the email."


class IdentityRefused(Unauthorized):
    """GitHub does not confirm the identity: the code is invalid, or the account has no verified address."""

    user_message = "GitHub didn't confirm who you are. Please try again."


class IdentityUnavailable(AppError):
    """GitHub is unreachable, rate limits us, or rejects our configuration."""

    status = 502
    user_message = "We can't reach GitHub right now. Please try again in a moment, or sign in with your email address."


class PaymentsUnavailable(AppError):
    """The payment service is unreachable, or rejects our credentials."""

    status = 502
    user_message = "We can't reach the payment service right now. Nothing has changed. Please try again in a few minutes."


class PaymentsRefused(AppError):
    """The payment service rejects this request; a retry will not help."""

    status = 502
    user_message = (
        "The payment service refused this request. Nothing has changed. "
        "Reload the page. If it happens again, tell the people who run this site."
    )


class SubscriptionNotCancelled(PaymentsUnavailable):
    """An account cannot be deleted while its subscription would still be charged."""

    user_message = (
        "We couldn't cancel your subscription, so we didn't delete anything: you would have kept paying. "
        "Please try again in a few minutes."
    )


class InterviewerError(Unavailable):
    """The interviewer failed. What the user sent is stored and can be judged later."""

    user_message = "The interviewer isn't available right now. Nothing is lost. Try again in a moment."


class InterviewerTimeout(InterviewerError):
    """The interviewer took too long."""

    user_message = "The interviewer took too long to reply. Nothing is lost. Try again."


class InterviewerUnreachable(InterviewerError):
    """The connection to the interviewer failed or broke off."""

    user_message = "The connection to the interviewer dropped. Nothing is lost. Try again."


class InterviewerBusy(InterviewerError):
    """The interviewer's rate limit or capacity is exhausted."""

    user_message = "The interviewer is busy with other people. Nothing is lost. Try again in a moment."


class InterviewerMisconfigured(InterviewerError):
    """The interviewer rejects our key, model or request. Retries fail until the operator fixes the configuration."""

    user_message = "The interviewer is rejecting our requests. Nothing is lost, but the people who run this site need to fix it."


class InterviewerBadOutput(InterviewerError):
    """The interviewer's reply is invalid."""

    user_message = "We couldn't read the interviewer's reply. Nothing is lost. Try again."


class StartupError(Exception):
    """The application cannot start; the message is one sentence for the operator."""


def page_words(error: Exception) -> str:
    """Return the message that a page shows for an error; an unexpected error is logged and gets a generic message."""
    found = for_the_user(error)
    return found.page_message or found.user_message


def for_the_user(error: Exception) -> AppError:
    """Return the error as an AppError; an unexpected one is logged and replaced by a generic one."""
    if isinstance(error, AppError):
        return error
    logger.error("unexpected error", exc_info=error)
    return AppError()
