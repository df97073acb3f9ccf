"""Tracks which session, and which shared report, each page's Reflex state was loaded for.

Reflex keeps a page's state under a token that the client chooses, and sends the state to any client with that token. So the
server uses a key of its own, derived from that token and the session in the cookie. With another session, an ended session, or no
session, the same token leads to a different, empty state.

A session or a share link may end while a page still uses it, or while the page's state is kept. To find those that have ended,
one statement checks all of them. It runs when a notification says that some have ended, and at least every LOOK_EVERY seconds.
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
from interviewer.core.notify import ENDINGS, Notifier
from interviewer.errors import AppError, Unavailable

logger = logging.getLogger(__name__)

# Seconds between checks if no notification arrives. Sessions expire without a notification, and notifications can be lost.
LOOK_EVERY = 10.0
# Seconds to wait for the database. After that, a new connection continues without its kept state.
CHECK_WAIT = 3.0
# Seconds that an idle page of an ended session stays connected, so that the response to the event that ended the session can
# still arrive.
GRACE = 1.0
# Seconds between closing two pages, so that not all of them reconnect at once.
CLOSE_INTERVAL = 0.02
# Seconds without an event after which Reflex drops a page's state (see rxconfig.py).
STATE_LIFETIME = 6 * 3600.0


class Standing(StrEnum):
    """Status of the session in a connection's cookie, according to the database. A visitor without a session counts as live."""

    LIVE = "live"
    ENDED = "ended"
    UNKNOWN = "unknown"


async def _nothing() -> None:
    """Do nothing. This is the default `close` of a connection."""


@dataclass(slots=True, eq=False)
class Connection:
    """A page's websocket and the key of its state. `session` and `share` are hashes of secrets, or empty."""

    key: str
    session: str = ""
    standing: Standing = Standing.LIVE
    # Set only if the share was live when the page connected.
    share: str = ""
    # True until the whole state is sent for the first time, because the check made while connecting still covers that send.
    checked: bool = True
    ended: bool = False
    close: Callable[[], Awaitable[None]] = _nothing


@dataclass(slots=True)
class _Kept:
    """The session and share that a kept state was loaded for, and when its page last sent an event (monotonic seconds)."""

    session: str
    share: str = ""
    seen: float = 0.0


class Forget(Protocol):
    """Cleans up kept states whose session or share has ended."""

    async def state(self, key: str) -> None:
        """Cancel the page's running event handlers and drop its state, stored under `key`."""

    async def report(self, key: str, share: str) -> None:
        """Remove a shared report from the page state stored under `key`.

        `share` is the hash of the report's share link, which is no longer valid.
        """


class OpenPages:
    """The pages that this process serves, and the states that it keeps for them."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier
        self._connections: set[Connection] = set()
        self._by_key: dict[str, Connection] = {}
        self._kept: dict[str, _Kept] = {}
        self._closing = Background()

    # -- connections ---------------------------------------------------------------------------------------------------

    async def connect(self, token: str, secret: str) -> Connection:
        """Return a new connection for a client's token and the secret in its session cookie.

        While the session is live, the connection's key leads to the state loaded for the session. Executes at most one statement.
        If the database does not respond, a signed-in page gets an empty state. Once the database responds, the page reconnects
        and gets its own state back.
        """
        session = hashed(secret) if secret else ""
        connection = Connection(_key(Standing.LIVE, session, token), session)
        share = self._kept[connection.key].share if connection.key in self._kept else ""
        try:
            alive = await self._alive({session}, {share})
        except Unavailable:
            if session:
                # Use a one-time key. The session may have ended, so state stored now must not be reachable by a later connection.
                connection.standing, connection.key = Standing.UNKNOWN, _key(Standing.UNKNOWN, session, new_secret())
        else:
            connection.share = share if share in alive else ""
            if session and session not in alive:
                if connection.key in self._kept:
                    self._notifier.wake(ENDINGS)
                connection.standing, connection.session = Standing.ENDED, ""
                connection.key = _key(Standing.ENDED, session, token)
        self._connections.add(connection)
        self._by_key[connection.key] = connection
        self._keep(connection.key, connection.session)
        return connection

    def disconnect(self, connection: Connection) -> None:
        """Forget a closed connection.

        The record of the page's state is kept until it expires, unless the state has neither a session nor a share.
        """
        self._connections.discard(connection)
        if self._by_key.get(connection.key) is connection:
            del self._by_key[connection.key]
        kept = self._kept.get(connection.key)
        if kept is not None and not kept.session and not kept.share:
            del self._kept[connection.key]

    # -- kept states ---------------------------------------------------------------------------------------------------

    def touch(self, key: str) -> bool:
        """Record an event from a page. Returns False if no state is kept under its key."""
        kept = self._kept.get(key)
        if kept is None:
            return False
        kept.seen = monotonic()
        return True

    def fill(self, key: str, secret: str) -> None:
        """Record the session of a state that has no record yet. Does nothing if `secret` is empty.

        A state can lack a record because Reflex gives the second of two connections with the same token a new key.
        """
        if secret:
            self._keep(key, hashed(secret))

    def session_of(self, key: str) -> str:
        """Return the hash of the session that the state under a key belongs to, or an empty string if there is none."""
        return self._kept[key].session if key in self._kept else ""

    def show(self, key: str, share: str) -> None:
        """Record which shared report a page shows. `share` is the hash of its share link, or empty for none.

        Does nothing if no state is kept under `key`.
        """
        if key in self._kept:
            self._kept[key].share = share

    def _keep(self, key: str, session: str) -> None:
        self._kept.setdefault(key, _Kept(session)).seen = monotonic()

    async def check(self, key: str, secret: str, share: str) -> tuple[bool, bool]:
        """Return whether the session and the share are live. Called before a page's whole state is sent.

        An absent session or share counts as live. The first send after connecting relies on the check made while connecting. If
        the session has ended, `watch` is woken to clean up.

        Raises Unavailable if the session has to be checked and the database does not respond. If only the share cannot be
        checked, it counts as ended, because the page reads its report again anyway.
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
            self._notifier.wake(ENDINGS)
        return not session or session in alive, not share or share in alive

    # -- ended sessions and shares -------------------------------------------------------------------------------------

    async def watch(self, forget: Forget) -> None:
        """Call `look` whenever sessions or shares end, and at least every LOOK_EVERY seconds.

        Logs errors and runs until canceled.
        """
        while True:
            # Start waiting before the check, so that a session that ends during the check triggers another one.
            notice = asyncio.create_task(self._notifier.wait(ENDINGS, LOOK_EVERY))
            try:
                await self.look(forget)
            except AppError as error:
                logger.warning("could not check whether sessions of open pages have ended: %s", error.user_message)
            except Exception:
                logger.exception("checking for ended sessions failed")
            try:
                await notice
            finally:
                notice.cancel()

    async def look(self, forget: Forget) -> None:
        """Find ended sessions and shares, and start cleaning up after them in the background.

        Pages of ended sessions are closed and their states dropped. Reports of ended shares are removed from their pages. Raises
        Unavailable if the database does not respond.
        """
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
            logger.info(
                "%d open pages and %d stored page states lost their session or share link", len(ended), len(states) + len(reports)
            )
            # Pages of unknown standing are closed, too: the database responds again, so reconnecting gives them their state back.
            self._closing.spawn(self._end([*ended, *unknown], states, reports, forget))

    def _drop_expired(self) -> None:
        oldest = monotonic() - STATE_LIFETIME
        for key in [key for key, kept in self._kept.items() if kept.seen < oldest and key not in self._by_key]:
            del self._kept[key]

    async def _end(self, connections: list[Connection], states: set[str], reports: list[tuple[str, str]], forget: Forget) -> None:
        for key, share in reports:
            await _attempt(forget.report(key, share))
        await asyncio.sleep(GRACE)
        for connection in connections:
            self._closing.spawn(_attempt(connection.close()))
            await asyncio.sleep(CLOSE_INTERVAL)
        for key in states:
            await _attempt(forget.state(key))

    async def _alive(self, sessions: Collection[str], shares: Collection[str], *, ask: bool = False) -> set[str]:
        """Return which of these hashes are live.

        If there are no hashes, queries the database only if `ask`, to find out whether it responds. Raises Unavailable if the
        database does not respond within CHECK_WAIT seconds.
        """
        sessions, shares = [one for one in sessions if one], [one for one in shares if one]
        if not sessions and not shares and not ask:
            return set()
        try:
            async with asyncio.timeout(CHECK_WAIT), self._database.autocommit() as session:
                return await queries.alive(session, sessions, shares, utcnow())
        except TimeoutError:
            raise Unavailable from None


def _key(standing: Standing, session: str, token: str) -> str:
    """Return the key of a state.

    The key cannot be computed without the cookie's secret. A client that sends the key itself as its token gets another state.
    """
    return hashed(f"{standing} {session} {token}")


async def _attempt(work: Awaitable[None]) -> None:
    """Run one page's cleanup. A failure is logged, so that the cleanup of the next page still runs."""
    try:
        await work
    except Exception:
        logger.exception("a page whose session ended could not be closed")
