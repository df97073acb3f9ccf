"""Templates of all mails, each as plain text and HTML."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from urllib.parse import quote

from interviewer.accounts.lifetimes import RESET_LIFETIME, VERIFICATION_LIFETIME
from interviewer.core.mail import Mail
from interviewer.credits.rules import FIRST_FREE
from interviewer.interviews.plan import FIRST_CHOICE, SHORT, plan_duration
from interviewer.wording import duration

# Email clients support little CSS, so styles are inline and no external resources are loaded.
_PAGE = """\
<!doctype html><html lang="en"><body style="margin:0;padding:24px;background:#f6f3ec;color:#1d1b16;font:16px/1.55 Georgia,serif">
<div style="max-width:520px;margin:0 auto;background:#fffdf8;border:1px solid #ddd6c7;border-radius:8px;padding:28px">
<p style="margin:0 0 20px;font-size:20px;font-weight:bold">Inter<span style="background:#ffe88a">viewer</span></p>
{body}
</div></body></html>
"""
_PARAGRAPH = '<p style="margin:0 0 16px">{}</p>'
_BUTTON = (
    '<p style="margin:24px 0"><a href="{link}" style="display:inline-block;background:#17593c;color:#ffffff;text-decoration:none;'
    'padding:12px 22px;border-radius:6px;font-weight:bold">{label}</a></p><p style="margin:0 0 16px;font-size:13px;color:#645e52;'
    'word-break:break-all">{link}</p>'
)


def _mail(to: str, subject: str, before: list[str], link: str = "", label: str = "", after: tuple[str, ...] = ()) -> Mail:
    """Build a mail from the paragraphs `before` and `after`, with an optional link as a button between them."""
    text = "\n\n".join([*before, *([link] if link else []), *after]) + "\n"
    parts = [_PARAGRAPH.format(escape(paragraph)) for paragraph in before]
    if link:
        parts.append(_BUTTON.format(link=escape(link), label=escape(label)))
    parts += [_PARAGRAPH.format(escape(paragraph)) for paragraph in after]
    return Mail(to, subject, text, _PAGE.format(body="\n".join(parts)))


def verification(to: str, username: str, site_url: str, secret: str) -> Mail:
    """Return the sign-up mail. Its link leads to the page on which the user creates the account."""
    return _mail(
        to,
        "Confirm your email address",
        [
            f"Hi {username},",
            f"You signed up for Interviewer as {username}. To create your account, open this link, then enter the password you "
            "chose or a new one:",
        ],
        f"{site_url}verify-email?token={quote(secret)}",
        "Create my account",
        (
            f"The link works once and expires in {duration(VERIFICATION_LIFETIME)}. {FIRST_FREE}",
            "Wasn't you? Someone may have entered your address by mistake. Ignore this email, and no account will be created.",
        ),
    )


def already_known(to: str, site_url: str) -> Mail:
    """Return the mail for a sign-up with the email address of an existing account."""
    return _mail(
        to,
        "You already have an account",
        [
            "Hello,",
            "Someone, probably you, tried to sign up for Interviewer with this email address. You already have an account.",
            "Sign in here:",
        ],
        f"{site_url}login",
        "Sign in",
        (
            f"Forgot your password? Choose a new one at {site_url}reset-request",
            "If it wasn't you, you don't need to do anything. Nothing has changed.",
        ),
    )


def welcome(to: str, username: str, site_url: str, *, free: bool) -> Mail:
    """Return the mail that welcomes a new user. `free` says whether the account got the free credit."""
    if not free:
        return _mail(
            to,
            "Welcome to Interviewer",
            [
                f"Welcome, {username}!",
                "Your account is ready. You already had your free interview with another account, so this one starts without "
                "credits. Practicing individual questions is free.",
            ],
            f"{site_url}dashboard",
            "Go to my dashboard",
        )
    return _mail(
        to,
        "Welcome to Interviewer",
        [
            f"Welcome, {username}!",
            "Your account is ready and comes with one free interview. "
            f"Choose the standard interview ({FIRST_CHOICE.total} questions, {plan_duration(FIRST_CHOICE)}) or the short one "
            f"({SHORT.total} questions, {plan_duration(replace(SHORT, follow_ups=FIRST_CHOICE.follow_ups))}). "
            "After each answer, you'll get a verdict that quotes what you wrote. You can pause anytime.",
        ],
        f"{site_url}interview",
        "Start my interview",
    )


def reset(to: str, username: str, site_url: str, secret: str) -> Mail:
    """Return the mail with the link for choosing a new password."""
    return _mail(
        to,
        "Choose a new password",
        [f"Hi {username},", "You can choose a new password for your Interviewer account here:"],
        f"{site_url}reset-password?token={quote(secret)}",
        "Choose a new password",
        (
            f"The link works once and expires in {duration(RESET_LIFETIME)}.",
            "If you didn't ask for this, you can ignore this email. Your password stays the same.",
        ),
    )


def password_to_choose(to: str, username: str, site_url: str, secret: str) -> Mail:
    """Return the mail for an account that has no password because its pending sign-ups had different passwords."""
    return _mail(
        to,
        "Choose your password",
        [
            f"Hi {username},",
            "Your account is ready, but it doesn't have a password yet. Someone signed up more than once with this address, each "
            "time with a different password, so we didn't keep any of them. Choose your password here:",
        ],
        f"{site_url}reset-password?token={quote(secret)}",
        "Choose my password",
        (
            f"The link works once and expires in {duration(RESET_LIFETIME)}. You can get a new one anytime: "
            f"{site_url}reset-request",
        ),
    )


def password_removed(to: str, username: str, site_url: str) -> Mail:
    """Return the mail saying that signing in with GitHub removed a password that was never used."""
    return _mail(
        to,
        "We removed the password from your account",
        [
            f"Hi {username},",
            "From now on, you'll sign in to your Interviewer account with GitHub.",
            "The account also had a password that was never used to sign in. Someone else may have chosen it when they signed up "
            "with your address, so we removed it and signed out every other device. Your interviews and credits are still there.",
            "Want a password too? Choose one here:",
        ],
        f"{site_url}reset-request",
        "Choose a password",
        (f"If you didn't sign in with GitHub, choose a password now and disconnect GitHub at {site_url}account",),
    )


def password_changed(to: str, username: str, site_url: str, *, github: bool) -> Mail:
    """Return the mail saying that the password was changed. `github` says whether the user can also sign in with GitHub."""
    return _mail(
        to,
        "Your password was changed",
        [
            f"Hi {username},",
            "The password for your Interviewer account was just changed, and we signed you out on every device.",
            *(["You can still sign in with GitHub. To turn that off, disconnect GitHub on your account page."] if github else []),
            "If this wasn't you, choose a new password right away:",
        ],
        f"{site_url}reset-request",
        "Choose a new password",
    )


def github_connected(to: str, username: str, site_url: str) -> Mail:
    """Return the mail saying that GitHub was connected to the account."""
    return _mail(
        to,
        "Your account is now connected to GitHub",
        [
            f"Hi {username},",
            "From now on, you can also sign in to your Interviewer account with GitHub.",
            "To turn that off, disconnect GitHub on your account page:",
        ],
        f"{site_url}account",
        "Go to my account",
        ("If this wasn't you, disconnect GitHub and choose a new password right away.",),
    )


def deleted(to: str, username: str, site_url: str) -> Mail:
    """Return the mail that confirms the deletion of an account."""
    return _mail(
        to,
        "Your account has been deleted",
        [
            f"Hi {username},",
            "We've deleted your Interviewer account and erased your interviews and personal data. We keep payment records "
            "and your credit history for accounting, with your identity removed.",
            f"You're welcome back anytime: {site_url}",
        ],
    )
