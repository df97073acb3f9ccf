"""Errors that a user may see: each carries an HTTP status and one sentence for a person."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from interviewer.wording import counted

logger = logging.getLogger(__name__)


class AppError(Exception):
    """A refusal or failure with words for the user; `status` is the HTTP status that the API answers.

    `details` are further fields of the API's answer, for programs; `page_message` is what the pages say, where that is more.
    """

    status = 500
    user_message = "Something went wrong on our side. Please try again."
    page_message = ""
    details: Mapping[str, str] = {}

    def __init__(self, user_message: str | None = None) -> None:
        self.user_message = user_message or self.user_message
        super().__init__(self.user_message)


class BadRequest(AppError):
    """The input cannot be used as it is."""

    status = 400
    user_message = "That input cannot be used."


class InvalidFields(BadRequest):
    """Fields of a form cannot be used as they are: `fields` has a sentence for each by its name, the first is the message."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = fields
        super().__init__(next(iter(fields.values())))


class Unauthorized(AppError):
    """Nobody is signed in, or the credentials are wrong."""

    status = 401
    user_message = "Unauthorized"


class PaymentRequired(AppError):
    """No usable credit. What programs read is the same for every `reason`; `explanation` tells people which case it is."""

    status = 402
    user_message = "You do not have enough credits to start a new interview or your subscription has expired."

    def __init__(self, reason: str, explanation: str) -> None:
        self.details = {"reason": reason}
        super().__init__()
        self.page_message = explanation


class NotFound(AppError):
    """It does not exist, or belongs to somebody else."""

    status = 404
    user_message = "Not found"


class Conflict(AppError):
    """The state of things forbids it right now."""

    status = 409
    user_message = "That is not possible right now."


class DoneElsewhere(Conflict):
    """A change that the payment service makes only on its own pages; `portal_url` leads there."""

    user_message = "Nothing is changed yet: this subscription can be changed only on the payment service's own page."

    def __init__(self, portal_url: str) -> None:
        self.portal_url = portal_url
        self.details = {"portal_url": portal_url}
        super().__init__()


class TooLarge(AppError):
    """The input is longer than allowed."""

    status = 413
    user_message = "That is too long."


class TooManyRequests(AppError):
    """Tried too often; `retry_after` is the number of seconds to wait."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        self.retry_after = max(1, retry_after)
        short = self.retry_after < 100
        wait = counted(self.retry_after, "second") if short else counted(-(-self.retry_after // 60), "minute")
        super().__init__(f"Too many tries. Please wait {wait}, then try again.")


class AllowanceUsed(TooManyRequests):
    """Something that is free only so often has been done so often; `retry_after` is the number of seconds to wait."""

    def __init__(self, words: str, retry_after: float) -> None:
        super().__init__(int(retry_after))
        AppError.__init__(self, words)


class Unavailable(AppError):
    """Something this depends on does not answer; trying again later makes sense."""

    status = 503
    user_message = "The service is unavailable right now. Please try again in a moment."


class Crowded(Unavailable):
    """More is going on than can be done at once; what the user sent is stored, or was not taken, and can be tried again."""

    user_message = "Too many people are here at once. Nothing is lost: try again in a moment."


class TooMuchAtOnce(TooManyRequests):
    """One user or client has too much going on at once; `retry_after` is the number of seconds to wait."""

    def __init__(self, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        AppError.__init__(self, "You have too much going on at once. Please wait until some of it is done, then try again.")


class MailDelayed(Unavailable):
    """The mail could not be handed over now; trying again later makes sense.

    `retry_after`: the mail service takes no mail at all for so many seconds, which says nothing against this one.
    """

    user_message = "The mail could not be sent right now."

    def __init__(self, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__()


class MailRefused(AppError):
    """The mail service will never take this mail: its address, our key or our sender is wrong."""

    status = 502
    user_message = "The mail could not be sent."


class IdentityRefused(Unauthorized):
    """The other site does not say who this is: the code is no good, or there is no verified address."""

    user_message = "GitHub did not confirm who you are. Please try again."


class IdentityUnavailable(AppError):
    """GitHub cannot be reached right now, limits our requests, or refuses our configuration."""

    status = 502
    user_message = "GitHub cannot be reached right now. Please try again in a moment, or sign in with your e-mail address."


class PaymentsUnavailable(AppError):
    """The payment service cannot be asked right now, or refuses us."""

    status = 502
    user_message = "The payment service cannot be reached right now. Nothing has changed: please try again in a few minutes."


class PaymentsRefused(AppError):
    """The payment service refuses this one request; trying again will not help."""

    status = 502
    user_message = (
        "The payment service refuses this. Nothing has changed: "
        "please reload the page, and if it happens again, tell the people who run this site."
    )


class SubscriptionNotCancelled(PaymentsUnavailable):
    """An account cannot be deleted while its subscription would go on being charged."""

    user_message = (
        "Your subscription could not be cancelled, so nothing was deleted: you would have gone on paying. "
        "Please try again in a few minutes."
    )


class InterviewerError(Unavailable):
    """The interviewer failed; what the user sent is stored and can be judged again."""

    user_message = "The interviewer is not available right now. Nothing is lost: try again in a moment."


class InterviewerTimeout(InterviewerError):
    """It took too long."""

    user_message = "The interviewer took too long to reply. Nothing is lost: try again."


class InterviewerUnreachable(InterviewerError):
    """No connection, or it broke off in the middle."""

    user_message = "The connection to the interviewer broke off. Nothing is lost: try again."


class InterviewerBusy(InterviewerError):
    """Its rate limit or capacity is reached."""

    user_message = "The interviewer is busy with other people. Nothing is lost: try again in a moment."


class InterviewerMisconfigured(InterviewerError):
    """It refuses our key, model or request: trying again will not help until the operator acts."""

    user_message = "The interviewer refuses our requests; the people who run this site have to look at it. Nothing is lost."


class InterviewerBadOutput(InterviewerError):
    """It replied with something that is not what was asked for."""

    user_message = "The interviewer's reply could not be read. Nothing is lost: try again."


class StartupError(Exception):
    """The application cannot start; the message is one clear sentence for the operator."""


def page_words(error: Exception) -> str:
    """Return what a page says of an error; an unexpected one is logged and stays vague."""
    found = for_the_user(error)
    return found.page_message or found.user_message


def for_the_user(error: Exception) -> AppError:
    """Return an error fit for the user; an unexpected one is logged and stays vague."""
    if isinstance(error, AppError):
        return error
    logger.error("unexpected failure", exc_info=error)
    return AppError()
