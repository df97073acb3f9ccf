"""Create accounts and reset passwords as users do, with the links in their mail."""

from __future__ import annotations

import re

from interviewer.core.users import User
from interviewer.wiring import Services

PASSWORD, NEW = "correct horse battery", "violet harbour lantern"


async def mailed_token(services: Services, page: str, position: int = 0) -> str:
    """Return the token from a mailed link to this page. `position` 0 is the newest mail."""
    await services.mail_sender.settle()
    assert services.outbox is not None
    found = [re.search(rf"{page}\?token=(\S+)", item.mail.text) for item in services.outbox.mails]
    return [match.group(1) for match in found if match][position]


async def link_token(services: Services, position: int = 0) -> str:
    """Return the token from a mailed confirmation link. `position` 0 is the newest mail."""
    return await mailed_token(services, "verify-email", position)


async def reset_token(services: Services) -> str:
    """Return the token from the newest mailed password reset link."""
    return await mailed_token(services, "reset-password")


async def welcome_text(services: Services) -> str:
    """Return the text of the newest welcome mail."""
    await services.mail_sender.settle()
    assert services.outbox is not None
    return next(item.mail.text for item in services.outbox.mails if item.mail.subject == "Welcome to Interviewer")


async def signed_up(services: Services, email: str = "ada@example.com", name: str = "Ada") -> User:
    """Create an account: sign up, confirm the email address, and enter the password again. Returns the user."""
    await services.accounts.request_verification(email, name, PASSWORD)
    return await services.accounts.confirm(await link_token(services), PASSWORD)
