"""Tracks whether the database accepts writes. With a full disk, or as a standby, it still serves reads."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from time import monotonic

from sqlalchemy.engine import ExceptionContext

from interviewer.core import logs

logger = logging.getLogger(__name__)

# SQLSTATEs of PostgreSQL's disk_full and read_only_sql_transaction.
REFUSALS = frozenset({"53100", "25006"})
# Seconds between probes after a refused write. Meanwhile the load balancer sends no visitors here, so no other write would reveal
# that the database accepts writes again.
TRY_EVERY = 5.0
# Creates a file on disk, as storing an answer may do. The temporary table is dropped at the end of the transaction.
PROBE = "CREATE TEMPORARY TABLE probe_of_writes ON COMMIT DROP AS SELECT generate_series(1, 20000)"

_throttle = logs.LogThrottle(10.0)


def refuses_writes(error: BaseException | None) -> bool:
    """Return whether a driver error means that the database refuses all writes."""
    return getattr(error, "sqlstate", None) in REFUSALS


class Writes:
    """Records that the database refuses writes, until a probe succeeds. Probes run only when `refused` is called."""

    def __init__(self, probe: Callable[[], Awaitable[None]]) -> None:
        """`probe` writes to the database and raises an error if the write fails."""
        self._probe = probe
        self._refused = False
        self._tried = 0.0

    def note(self, context: ExceptionContext) -> None:
        """Record that the database refuses writes, if the error says so.

        This is the listener for the engine's `handle_error` event.
        """
        if refuses_writes(context.original_exception):
            self._refused, self._tried = True, monotonic()
            if _throttle.lets("writes"):
                logger.error("the database refuses writes (%s)", getattr(context.original_exception, "sqlstate", ""))

    async def refused(self) -> bool:
        """Return whether the database has refused a write and no probe has succeeded since.

        Probes first if the last refused write or probe was more than TRY_EVERY seconds ago.
        """
        if self._refused and monotonic() - self._tried > TRY_EVERY:
            self._tried = monotonic()
            try:
                await self._probe()
            except Exception as error:
                logger.debug("a test write failed (%s)", type(error).__name__)
            else:
                self._refused = False
                logger.warning("the database accepts writes again")
        return self._refused
