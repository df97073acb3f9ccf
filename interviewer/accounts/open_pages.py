"""Which session, and which shared report, the state of each page was filled for.

Reflex keeps the state of a page under a token that the client chooses, and sends it to any client with that token. So the
server keeps it under a key of its own instead, made of that token and of the session in the cookie: another session, an ended one
or none leads to another, empty state. What ends while its page is open, or its state kept, is found by looking all of them up in
one statement, at once when the database notifies of an end and every few seconds in any case.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic
from typing import Protocol

from interviewer.accounts import session_queries as queries
from interviewer.accounts.browser_sessions import hashed, new_secret
from interviewer.core.background_tasks import Background
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.notify import ENDINGS, News
from interviewer.errors import AppError, Unavailable

logger = logging.getLogger(__name__)

# Seconds between two looks when the database notifies of nothing: a session can also expire, and a notice get lost.
LOOK_EVERY = 10.0
# Seconds that a connection waits for the database before it goes on without its kept state.
CHECK_WAIT = 3.0
# Seconds that a page of an ended session stays connected, unless it sends something: the one that ended it is still answered.
GRACE = 1.0
# Seconds between two pages that have to connect again, so that they do not all come at once.
BETWEEN_PAGES = 0.02
# Seconds without an event after which a page's state has expired (see rxconfig.py).
KEPT_FOR = 6 * 3600.0


class Standing(StrEnum):
    """What the database says of the session in a connection's cookie; a visitor without one counts as live."""

    LIVE = "live"
    ENDED = "ended"
    UNKNOWN = "unknown"


async def _nothing() -> None:
    """Close a connection that cannot be closed yet."""


@dataclass(slots=True, eq=False)
class Connection:
    """The websocket of a page. `session` and `share` are hashes of secrets, empty without one."""

    key: str
    session: str = ""
    standing: Standing = Standing.LIVE
    # Found alive when the connection was made.
    share: str = ""
    # The check made for the connection also covers the first time that the whole state is sent.
    checked: bool = True
    ended: bool = False
    close: Callable[[], Awaitable[None]] = _nothing


@dataclass(slots=True)
class _Kept:
    """What the state under a key was filled for, and when its page was last heard of."""

    session: str
    share: str = ""
    seen: float = 0.0


class Forget(Protocol):
    """What is done about kept states whose owner is gone."""

    async def state(self, key: str) -> None:
        """Drop everything that is kept under a key."""

    async def report(self, key: str, share: str) -> None:
        """Take the report of an ended link off the page under a key."""


class OpenPages:
    """The pages that this process serves, or whose state it keeps."""

    def __init__(self, database: Database, news: News) -> None:
        self._database = database
        self._news = news
        self._connections: set[Connection] = set()
        self._by_key: dict[str, Connection] = {}
        self._kept: dict[str, _Kept] = {}
        self._closing = Background()

    # -- connections ---------------------------------------------------------------------------------------------------

    async def connect(self, token: str, secret: str) -> Connection:
        """Return a new connection for a client's token and the session's secret in its cookie, in one statement at most.

        Its key leads to the state that was filled for this session, as long as that lives. Without an answer of the database the
        state is left alone, and the page gets it back as soon as there is one.
        """
        session = hashed(secret) if secret else ""
        connection = Connection(_key(Standing.LIVE, session, token), session)
        share = self._kept[connection.key].share if connection.key in self._kept else ""
        try:
            alive = await self._alive({session}, {share})
        except Unavailable:
            if session:
                # Never the same again: a session that may have ended must not find what was filled meanwhile.
                connection.standing, connection.key = Standing.UNKNOWN, _key(Standing.UNKNOWN, session, new_secret())
        else:
            connection.share = share if share in alive else ""
            if session and session not in alive:
                if connection.key in self._kept:
                    self._news.wake(ENDINGS)
                connection.standing, connection.session = Standing.ENDED, ""
                connection.key = _key(Standing.ENDED, session, token)
        self._connections.add(connection)
        self._by_key[connection.key] = connection
        self._keep(connection.key, connection.session)
        return connection

    def disconnect(self, connection: Connection) -> None:
        """Forget a connection; what its page's state was filled for stays known as long as that may be kept."""
        self._connections.discard(connection)
        if self._by_key.get(connection.key) is connection:
            del self._by_key[connection.key]
        kept = self._kept.get(connection.key)
        if kept is not None and not kept.session and not kept.share:
            del self._kept[connection.key]

    # -- what the states hold ------------------------------------------------------------------------------------------

    def touch(self, key: str) -> bool:
        """Note that an event came for a page; False if nothing is known of it."""
        kept = self._kept.get(key)
        if kept is None:
            return False
        kept.seen = monotonic()
        return True

    def fill(self, key: str, secret: str) -> None:
        """Note whose the state under a key is; Reflex gives the second of two connections with one token a key of its own."""
        if secret:
            self._keep(key, hashed(secret))

    def session_of(self, key: str) -> str:
        """Return the hash of the session that the state under a key is of, empty without one."""
        return self._kept[key].session if key in self._kept else ""

    def show(self, key: str, share: str) -> None:
        """Note the hash of the link whose report is on a page, empty for none."""
        if key in self._kept:
            self._kept[key].share = share

    def _keep(self, key: str, session: str) -> None:
        self._kept.setdefault(key, _Kept(session)).seen = monotonic()

    async def check(self, key: str, secret: str, share: str) -> tuple[bool, bool]:
        """Tell whether session and share live of a page whose whole state is about to be sent; raises Unavailable.

        A share of which the database says nothing counts as ended: the page reads its report again anyway.
        """
        connection = self._by_key.get(key)
        if connection is not None and connection.checked:
            connection.checked, session = False, ""
            share = "" if share == connection.share else share
        else:
            session = connection.session if connection else hashed(secret) if secret else ""
        try:
            alive = await self._alive({session}, {share})
        except Unavailable:
            if session:
                raise
            alive = set()
        if session and session not in alive:
            self._news.wake(ENDINGS)
        return not session or session in alive, not share or share in alive

    # -- what ends -----------------------------------------------------------------------------------------------------

    async def watch(self, forget: Forget) -> None:
        """Close the pages and drop the states of sessions and shares that have ended, for ever."""
        while True:
            # Waited for before the look, so that what ends during it leads to another one.
            notice = asyncio.create_task(self._news.wait(ENDINGS, LOOK_EVERY))
            try:
                await self.look(forget)
            except AppError as error:
                logger.warning("whether sessions of open pages have ended is not known: %s", error.user_message)
            except Exception:
                logger.exception("looking for ended sessions failed")
            try:
                await notice
            finally:
                notice.cancel()

    async def look(self, forget: Forget) -> None:
        """Find out what has ended, and begin to close and drop what belongs to it; raises Unavailable."""
        self._drop_expired()
        unknown = [one for one in self._connections if one.standing is Standing.UNKNOWN]
        sessions = {one.session for one in self._kept.values()} | {one.session for one in self._connections}
        shares = {one.share for one in self._kept.values()}
        if not unknown and not any(sessions | shares):
            return
        alive = await self._alive(sessions, shares, ask=bool(unknown))
        dead = (sessions | shares) - alive - {""}
        ended = [one for one in self._connections if one.session in dead]
        states = {key for key, kept in self._kept.items() if kept.session in dead} | {one.key for one in unknown}
        reports = [(key, kept.share) for key, kept in self._kept.items() if kept.share in dead and key not in states]
        for connection in ended:
            connection.ended = True
        for key in states:
            self._kept.pop(key, None)
        for key, _ in reports:
            self._kept[key].share = ""
        if ended or states or reports:
            logger.info("%d open pages and %d kept states lost their session or share", len(ended), len(states) + len(reports))
            # Unknown no more: with a new connection they get their state back.
            self._closing.spawn(self._end([*ended, *unknown], states, reports, forget))

    def _drop_expired(self) -> None:
        oldest = monotonic() - KEPT_FOR
        for key in [key for key, kept in self._kept.items() if kept.seen < oldest and key not in self._by_key]:
            del self._kept[key]

    async def _end(self, connections: list[Connection], states: set[str], reports: list[tuple[str, str]], forget: Forget) -> None:
        for key, share in reports:
            await _attempt(forget.report(key, share))
        await asyncio.sleep(GRACE)
        for connection in connections:
            self._closing.spawn(_attempt(connection.close()))
            await asyncio.sleep(BETWEEN_PAGES)
        for key in states:
            await _attempt(forget.state(key))

    async def _alive(self, sessions: Collection[str], shares: Collection[str], *, ask: bool = False) -> set[str]:
        """Return which of these hashes live; asks the database only if there are any, or to `ask` whether it answers."""
        sessions, shares = [one for one in sessions if one], [one for one in shares if one]
        if not sessions and not shares and not ask:
            return set()
        try:
            async with asyncio.timeout(CHECK_WAIT), self._database.autocommit() as session:
                return await queries.alive(session, sessions, shares, utcnow())
        except TimeoutError:
            raise Unavailable from None


def _key(standing: Standing, session: str, token: str) -> str:
    """Return the key of a state: it cannot be made without the cookie, and as a token it leads to another state."""
    return hashed(f"{standing} {session} {token}")


async def _attempt(work: Awaitable[None]) -> None:
    """Do something for one page; that it fails must not keep it from being done for the next one."""
    try:
        await work
    except Exception:
        logger.exception("an ended page could not be closed or dropped")
