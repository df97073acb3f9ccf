"""The words of every mail."""

from __future__ import annotations

from urllib.parse import quote

from interviewer.ports import Mail


def verification(to: str, username: str, site_url: str, secret: str) -> Mail:
    """Mail with the link that creates an account."""
    link = f"{site_url}verify-email?token={quote(secret)}"
    text = (
        f"Hello {username},\n\n"
        f"open this page and confirm to create your Interviewer account:\n\n{link}\n\n"
        "The link works once, for 24 hours. Your first interview is free.\n\n"
        "If you did not ask for this, ignore this mail: without a click no account is created.\n"
    )
    return Mail(to, "Confirm your e-mail address", text)


def already_known(to: str, site_url: str) -> Mail:
    """Mail to somebody who signs up again."""
    text = (
        "Hello,\n\n"
        "somebody, probably you, wanted to create an Interviewer account with this address. You have one already: sign in at\n\n"
        f"{site_url}login\n\n"
        "If it was not you, nothing has changed and nothing needs to be done.\n"
    )
    return Mail(to, "You already have an account", text)


def welcome(to: str, username: str, site_url: str) -> Mail:
    """Mail that welcomes a new user."""
    text = (
        f"Welcome {username},\n\n"
        "your account is ready, with one free interview in it. Six topics, two questions each, and a verdict "
        "on every answer that tells what it is based on. It takes about half an hour; you can pause at any time.\n\n"
        f"{site_url}interview\n"
    )
    return Mail(to, "Welcome to Interviewer", text)
