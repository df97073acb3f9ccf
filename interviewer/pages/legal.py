"""Terms of use and privacy notice: the site's promises, which must match what the code does."""

from __future__ import annotations

import reflex as rx

from interviewer.accounts.browser_sessions import SESSION_LIFETIME
from interviewer.components.forms import LINK
from interviewer.components.layout import shell
from interviewer.credits.rules import FAILED_START, ONE_FOR_ONE
from interviewer.wording import duration

Section = tuple[str, tuple[str, ...]]

_TERMS: tuple[Section, ...] = (
    (
        "What this is",
        (
            "Interviewer lets you practise interviews for backend engineers. Questions are asked and answers are judged by a "
            "program, either a language model or a question bank with a scorer; the page says which.",
            "Scores are meant for practice. They are no certificate, can be wrong, and should not be used by anybody to decide about a person.",
        ),
    ),
    (
        "Your account",
        (
            "You need an e-mail address that is yours. Keep your password to yourself; whoever has it can act as you.",
            "One free credit comes with a new address. Making accounts to collect free credits is not allowed.",
        ),
    ),
    (
        "Credits, plans and money",
        (
            f"{ONE_FOR_ONE} {FAILED_START} Individual credits never expire. Credits of a plan are "
            "kept from month to month and can be used while the plan is active, on trial or past due.",
            "Payments are handled by Lemon Squeezy, the merchant of record; prices, taxes and receipts are theirs. A plan can be cancelled on the "
            "account page at any time and then ends with the period that is paid.",
            "What is refunded takes its credits back. If they are spent already, the next ones settle the difference. Every change is a line in your ledger.",
        ),
    ),
    (
        "Fair use",
        (
            "Do not try to get at other people's data, to disturb the service, or to resell it without asking. Programs may use the API within its limits.",
            "What you write stays yours. Do not paste what you may not share, such as confidential postings or somebody else's personal data.",
        ),
    ),
    (
        "If something fails",
        (
            "Answers are stored before they are judged, and a turn that fails can be tried again. The service is nevertheless offered as it is, "
            "without a promise that it is always there. Rights that the law gives you as a consumer stay untouched.",
            "You can end this at any time by deleting your account. Whoever breaks these terms can be shut out.",
        ),
    ),
)

_PRIVACY: tuple[Section, ...] = (
    (
        "What is kept, and why",
        (
            "Your account: e-mail address, the name you chose, a hash of your password (never the password), and the id of your GitHub account if you connected it.",
            "Your interviews: the job description you pasted, the questions, your answers, verdicts and scores, and the kind of interview you chose last; the same for what you practise. They are the service.",
            "Purchases: orders, invoices and subscriptions as Lemon Squeezy reports them, and a ledger of credits. Card data never comes here.",
            "Technical records: where a sign-in is open (a hash of its secret, when it began), counters against abuse by network address for at most a "
            "day, and logs without your answers, passwords or tokens.",
        ),
    ),
    (
        "Who else sees it",
        (
            "The interviewer: where a language model is set up, the job description, questions and answers are sent to its provider so that it can ask and "
            "judge. With the built-in interviewer nothing leaves this server. The interview page names the one you talk to.",
            "Mails go through Resend, payments through Lemon Squeezy, and signing in with GitHub through GitHub, each only if it is used here.",
            "If you share a report by its link, whoever has the link can read that report until you revoke it.",
            "Dictation uses your browser's speech recognition. Some browsers send the sound to their maker; this site never gets it.",
            "Nobody else. No advertising, no tracking, no statistics by third parties; pages load nothing from other sites.",
        ),
    ),
    (
        "What is stored in your browser",
        (
            "One cookie for the open session, unreadable for scripts, and for the minutes of a GitHub sign-in a second one. Both are needed for signing in.",
            "In the browser's own storage: drafts of answers you have not sent, light or dark, and small choices of the interview page. They never expire "
            "by themselves; clearing site data removes them.",
        ),
    ),
    (
        "How long, and your rights",
        (
            "Until you delete it. On the account page you can read and export everything as a file and delete the account: subscriptions are cancelled "
            "first, then interviews and personal data are erased at once. Ledger rows and payment records stay without the person, as bookkeeping demands. "
            "Backups that the operator makes may hold older data for a while.",
            f"A session ends after {duration(SESSION_LIFETIME)} without use, links in mails after at most a day.",
            "You can ask what is stored about you, have it corrected or erased, and complain to a data protection authority. Write to the address that our mails come from.",
        ),
    ),
)


def terms() -> rx.Component:
    """Return the terms of use."""
    return _document("Terms of use", "The rules of this place, in plain words.", _TERMS, ("Privacy", "/privacy"))


def privacy() -> rx.Component:
    """Return the privacy notice."""
    return _document("Privacy", "What happens to what you enter here.", _PRIVACY, ("Terms of use", "/terms"))


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
