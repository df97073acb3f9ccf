"""Connections whose waits for the server end, even when it is suspended and answers nothing at all."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

Result = TypeVar("Result")

# Seconds that the server gets for one statement. Its own limit is shorter, so this ends only what the server does not end.
ANSWER_WAIT = 20.0


class BoundedConnection(psycopg.AsyncConnection[Any]):
    """A connection that is closed when the server does not answer in time.

    The server's own timeouts and keepalives do not help there: the kernel goes on answering for a suspended process.
    """

    async def wait(self, gen: PQGen[Result], *arguments: Any, **options: Any) -> Result:
        """Wait for the server; raises `psycopg.OperationalError` when it takes too long.

        Cancelling the statement, which psycopg tries first, takes up to ten seconds more.
        """
        try:
            async with asyncio.timeout(ANSWER_WAIT):
                return await super().wait(gen, *arguments, **options)
        except TimeoutError as error:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the server has not answered for {ANSWER_WAIT:.0f} seconds") from error
