"""Terms of use and privacy notice: the site's promises, which must match what the code does."""

from __future__ import annotations

import reflex as rx

from interviewer.accounts.browser_sessions import FLASH_SECONDS, SESSION_LIFETIME
from interviewer.components.forms import LINK
from interviewer.components.layout import shell
from interviewer.credits.rules import FAILED_START, ONE_FOR_ONE
from interviewer.wording import duration

Section = tuple[str, tuple[str, ...]]

_TERMS: tuple[Section, ...] = (
    (
        "What Interviewer is",
        (
            "Interviewer lets you practice backend engineering interviews. A program asks the questions and scores the answers: "
            "either a language model or the built-in interviewer, which uses a question bank. The interview page tells you which. Both can ask follow-up questions.",
            "Scores are meant for practice. They aren't a certification, they can be wrong, and no one should use them to make decisions about a person.",
        ),
    ),
    (
        "Your account",
        (
            "Sign up with an email address that belongs to you. Keep your password to yourself: anyone who has it can sign in as you.",
            "Each new account with a new email address gets one free credit. Creating accounts to collect free credits isn't allowed.",
        ),
    ),
    (
        "Credits, plans, and money",
        (
            f"{ONE_FOR_ONE} {FAILED_START} Single credits never expire. Plan credits "
            "roll over from month to month, and you can use them while your plan is active, in its trial period, or has a payment past due.",
            "Lemon Squeezy is our merchant of record: it handles payments, taxes, and receipts. You can cancel your "
            "plan anytime on the account page. It will run out when the period you've paid for is over. "
            "As soon as you cancel, even before your plan ends, your plan credits are on hold until you have an active plan again.",
            "If a payment is refunded, we remove the credits it paid for. If you've already used them, we'll deduct them from the next credits you get. "
            "Your credit history lists every change.",
        ),
    ),
    (
        "Fair use",
        (
            "Don't try to access other people's data or disrupt the service, and don't resell the service without our permission. "
            "You may use the API from your own programs, within its limits.",
            "What you write stays yours. Don't paste anything you aren't allowed to share, such as confidential job descriptions or someone else's personal data.",
        ),
    ),
    (
        "If something goes wrong",
        (
            "In an interview, we save what you write before we reply to it or score it, and if a step fails, you can try again. Even so, we offer the service as is, "
            "with no promise that it will always be available. Nothing here limits your legal rights as a consumer.",
            "You can end this agreement anytime by deleting your account. If you break these terms, you may lose access.",
        ),
    ),
)

_PRIVACY: tuple[Section, ...] = (
    (
        "What we keep, and why",
        (
            "Your account: your email address, the name you chose, a hash of your password (never the password itself), and the ID of your GitHub account if you connected it.",
            "Your interviews: the job description you pasted, the text of the résumé you added, the questions, everything you and the interviewer say about them (your answers, follow-ups, clarifying questions, and hints), the verdicts and scores, and your most recent interview options. We keep the same data about the questions you practice. The service can't work without this data.",
            "Your résumé is optional, and only introduction and behavioral questions use it. If you choose a file, we read its text and don't keep the file.",
            "Your purchases: orders, invoices, and subscriptions as Lemon Squeezy reports them, and your credit history. We never see your card data.",
            "Technical records: your sign-in sessions (a hash of each session's secret, the browser or app you used, when the session "
            "began, and when you last used it), request counts per IP address, which we use to prevent abuse and keep for at most a day, "
            "and logs, which don't contain your answers, other messages, passwords, or tokens.",
        ),
    ),
    (
        "Who else sees it",
        (
            "The interviewer: if this site uses a language model, the job description, the questions, and what you say about them are sent to its provider so that the model "
            "can ask questions, reply to you, and score your answers. Your résumé is sent along only for introduction and behavioral questions, without the email addresses, phone numbers, and web addresses that we recognize. With the built-in interviewer, none of this is sent to a language model provider. The interview page tells you which one you're talking to.",
            "Depending on how this site is set up, it may use these services: Resend to send emails, Lemon Squeezy to handle payments, "
            "GitHub to tell us who you are when you sign in with it, and Sentry or a compatible service to collect error reports. "
            "A report says what failed and where in our code, with the IDs of the request and the interview. It doesn't contain what you wrote, "
            "your name, or your email address.",
            "If you share a report by link, anyone with the link can read that report, including what you said in the interview, until you stop sharing it. "
            "A shared report doesn't show your résumé, and leaves out the sentence in which a question mentions it.",
            "Dictation uses your browser's speech recognition. Your browser may send the audio to the company that makes it. We never receive it.",
            "If other companies host this site or its database, they store the data for us. We share it with no one else. No advertising, no tracking, no third-party analytics. Our pages load nothing from other sites.",
        ),
    ),
    (
        "What we store in your browser",
        (
            "One cookie for your session, and another for the few minutes that a GitHub sign-in takes. We need them to sign you in. "
            f"A third cookie carries a one-time message, such as an error, to the next page, and expires after {FLASH_SECONDS} seconds. Scripts can't read any of them.",
            "In your browser's own storage: drafts of answers you haven't sent, the job description you last typed, your choice of light or dark mode, "
            "when you paused an interview, and small settings. They don't expire on their own. Signing out removes them in most browsers. You can also "
            "clear your site data.",
        ),
    ),
    (
        "How long we keep it, and your rights",
        (
            "We keep your data until you delete it. On the account page, you can export everything as a file or delete your account. If you delete it, we cancel your plan "
            "first, then immediately erase your personal data and your interviews, along with everything said in them. We keep payment records and your credit history for accounting, with your identity removed. "
            "Our backups may hold older data for a while.",
            "After you delete your account or disconnect GitHub, we keep a keyed hash of the email address or GitHub ID, so that the free credit can't be claimed again. "
            "The hash doesn't contain the address or ID itself, and we keep it indefinitely.",
            f"You're signed out after {duration(SESSION_LIFETIME)} of inactivity. Links in our emails expire within a day.",
            "You can ask what we store about you, have it corrected or erased, and complain to a data protection authority. Write to the address our emails come from.",
        ),
    ),
)


def terms() -> rx.Component:
    """Return the terms of use."""
    return _document("Terms of use", "The rules for using this site, in plain English.", _TERMS, ("Privacy", "/privacy"))


def privacy() -> rx.Component:
    """Return the privacy notice."""
    return _document("Privacy", "What happens to the data you enter here.", _PRIVACY, ("Terms of use", "/terms"))


def _document(title: str, about: str, sections: tuple[Section, ...], other: tuple[str, str]) -> rx.Component:
    return shell(
        rx.el.article(
            rx.el.h1(title, class_name="font-serif text-3xl font-bold"),
            rx.el.p(about, class_name="mt-1 text-lg text-muted"),
            *[
                rx.el.section(
                    rx.el.h2(heading, class_name="mb-2 font-serif text-xl font-bold"),
                    *[rx.el.p(paragraph, class_name="mt-3 leading-relaxed") for paragraph in paragraphs],
                    class_name="mt-9",
                )
                for heading, paragraphs in sections
            ],
            rx.el.p(
                "See also: ", rx.el.a(other[0], href=other[1], class_name=LINK), class_name="mt-10 border-t border-line pt-5"
            ),
        ),
        width="max-w-2xl",
    )
