"""Public links to reports, for readers without an account. A link contains a secret; the database stores only its hash."""

from __future__ import annotations

from datetime import datetime

from interviewer.accounts.browser_sessions import hashed, new_secret
from interviewer.core.database import Database
from interviewer.core.rate_limits import Action, Guard
from interviewer.errors import Conflict, NotFound
from interviewer.interviews.load import found
from interviewer.interviews.progress import InterviewStatus
from interviewer.reports import sharing_queries as queries
from interviewer.reports.reports import UNFINISHED, Report, Reports

PATH = "/shared/"
# The same message for links that never existed, were revoked, or belonged to an interview that was deleted.
GONE = (
    "This link doesn't lead to a report. It may be incomplete, or the owner may have stopped sharing the report. "
    "Check that you have the whole link."
)
# A secret has 43 characters. Much longer ones are rejected without a lookup.
MAX_SECRET = 100


class Sharing:
    """Creates, revokes, and opens links to reports."""

    def __init__(self, database: Database, reports: Reports, guard: Guard, site_url: str) -> None:
        self._database = database
        self._reports = reports
        self._guard = guard
        self._site_url = site_url.rstrip("/")

    async def since(self, user_id: int, interview_id: int) -> datetime | None:
        """Return when the report of one of the user's interviews was shared, or None if it is not shared.

        Raises NotFound if the interview does not exist or belongs to another user.
        """
        async with self._database.autocommit() as session:
            await found(session, user_id, interview_id)
            return await queries.since(session, interview_id)

    async def share(self, user_id: int, interview_id: int) -> tuple[str, datetime]:
        """Create a link to a finished interview's report, and return its URL and creation time.

        Any earlier link stops working. The link cannot be shown again, because only its hash is stored. Raises NotFound if the
        interview does not exist or belongs to another user, and Conflict if it is not finished.
        """
        secret = new_secret()
        async with self._database.transaction() as session:
            loaded = await found(session, user_id, interview_id, lock=True)
            if loaded.interview.status != InterviewStatus.FINISHED.value:
                raise Conflict(UNFINISHED)
            made = await queries.put(session, interview_id, hashed(secret))
        return f"{self._site_url}{PATH}{secret}", made

    async def stop(self, user_id: int, interview_id: int) -> None:
        """Revoke the link to the report of one of the user's interviews, if there is one.

        Raises NotFound if the interview does not exist or belongs to another user.
        """
        async with self._database.transaction() as session:
            await found(session, user_id, interview_id, lock=True)
            await queries.drop(session, interview_id)

    async def read(self, secret: str, client: str) -> Report:
        """Return the report behind a link, without its private parts.

        Raises NotFound for an unknown or revoked link, and TooManyRequests if the IP address `client` exceeds its rate limit.
        """
        await self._guard.check(Action.SHARED, client)
        if not secret or len(secret) > MAX_SECRET:
            raise NotFound(GONE)
        async with self._database.autocommit() as session:
            opened = await queries.opened(session, hashed(secret))
        if opened is None:
            raise NotFound(GONE)
        try:
            return await self._reports.for_others(*opened)
        except (NotFound, Conflict):
            raise NotFound(GONE) from None
