"""PostgreSQL in a test: the backend of production, on shares of one connection."""

from __future__ import annotations

from asyncio import Future
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import asyncpg
from sqlalchemy import URL, event

from ..backends import Arguments, Returned, Settings, Statement, Write
from ..backends.postgresql import CHUNK, PostgreSQLBackend
from ..backends.postgresql_lanes import LOST
from .faults import Faults
from .postgresql_share import Connection, Share
from .queries import Queries


class PostgreSQLTestBackend(PostgreSQLBackend):
    """Statements on one connection, in a transaction that is rolled back when it is closed."""

    def __init__(self, url: URL, settings: Settings, queries: Queries, faults: Faults) -> None:
        # One connection more, for the test's own session.
        super().__init__(url, replace(settings, pool_size=settings.pool_size + 1))
        self._queries = queries
        self._faults = faults

        @event.listens_for(self.engine.sync_engine, "begin")
        def begin(connection: Any) -> None:
            outer = connection.get_execution_options().get("rowserve_test", False)
            connection.connection.driver_connection.outer = outer

    async def open(self) -> None:
        try:
            connection = await asyncpg.connect(**self._connect_arguments)
        except (*LOST, asyncpg.PostgresError, TimeoutError) as error:
            raise ConnectionError(self._cannot_connect(error)) from error
        await connection.execute("BEGIN")
        self.one = Connection(connection, self.settings.timeout, self._queries, self._faults)
        await super().open()

    async def connect(self, *, readonly: bool = False) -> Any:
        """A new connection, which is a share of the one that there is."""
        return Share(self.one, readonly=readonly)

    async def _connect_session(self, **_: Any) -> Any:
        return Share(self.one)

    async def close(self) -> None:
        await super().close()
        await self.one.close()

    def read(
        self, statement: Statement, arguments: Arguments, timeout: float, *, timezone: str | None = None
    ) -> Future[Any]:
        self._faults.turn_away()
        return super().read(statement, arguments, timeout, timezone=timezone)

    def write(self, write: Write, timeout: float) -> Future[Returned]:
        self._faults.turn_away()
        return super().write(write, timeout)

    async def stream(
        self, statement: Statement, arguments: Arguments, *, timezone: str | None = None
    ) -> AsyncGenerator[list[str], None]:
        rows = await self.read(replace(statement, many=True), arguments, self.settings.timeout, timezone=timezone)
        for start in range(0, len(rows), CHUNK):
            yield [row[0] for row in rows[start : start + CHUNK]]
