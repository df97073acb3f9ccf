"""New accounts with their free credit, created directly in a site's database. Signing up in the browser takes five seconds."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from interviewer.accounts.browser_sessions import Sessions
from interviewer.accounts.signup import hash_password
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.credits import free_credit

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
    user = User(email=f"{name.lower()}{time.time_ns()}@example.com", username=name, password_hash=await hash_password(PASSWORD))
    try:
        async with database.transaction() as session:
            session.add(user)
            await session.flush()
            await free_credit.grant_free_credit(session, user)
        return user.email, await Sessions(database).open(user, BROWSER)
    finally:
        await database.close()
