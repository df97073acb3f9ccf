"""New accounts with their free credit, created directly in a site's database. Signing up in the browser takes five seconds."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from interviewer.accounts.browser_sessions import Sessions
from interviewer.accounts.signup import hash_password
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.credits import free_credit, ledger
from interviewer.credits.rules import CreditType

PASSWORD = "correct horse battery"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140"


def sign_up_in(database_url: str, name: str) -> tuple[str, str]:
    """Create an account and sign in. Returns its email address and the secret for the session cookie.

    Runs in a separate thread, because Playwright has an event loop in the caller's thread.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _sign_up(database_url, name)).result()


async def _sign_up(database_url: str, name: str) -> tuple[str, str]:
    database = Database(database_url, pool_size=2)
    try:
        user = await add_user(database, f"{name.lower()}{time.time_ns()}@example.com", name)
        return user.email, await Sessions(database).open(user, BROWSER)
    finally:
        await database.close()


async def add_user(database: Database, email: str, name: str, more_credits: int = 0) -> User:
    """Create an account with its free credit and `more_credits`. Its password is PASSWORD."""
    user = User(email=email, username=name, password_hash=await hash_password(PASSWORD))
    async with database.transaction() as session:
        session.add(user)
        await session.flush()
        await free_credit.grant_free_credit(session, user)
        if more_credits:
            key = f"test:{user.id}"
            await ledger.change(
                session, user, CreditType.INDIVIDUAL, more_credits, reason="test", source="test", business_key=key
            )
    return user
