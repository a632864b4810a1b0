"""SQLite in a test: the backend of production, on shares of one connection."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import aiosqlite
from sqlalchemy import URL, event

from ..backends import Arguments, Returned, Settings, Statement, Write
from ..backends.sqlite import SQLiteBackend
from .faults import Faults
from .queries import Queries
from .sqlite_share import Connection, Share


class SQLiteTestBackend(SQLiteBackend):
    """Statements on one connection, in a transaction that is rolled back when it is closed."""

    def __init__(self, url: URL, settings: Settings, queries: Queries, faults: Faults) -> None:
        # One connection more, for the test's own session.
        super().__init__(url, replace(settings, pool_size=settings.pool_size + 1))
        self._queries = queries
        self._faults = faults
        self._one: Connection | None = None

        @event.listens_for(self.engine.sync_engine, "do_connect")
        def connect(dialect: Any, record: Any, arguments: Any, options: dict[str, Any]) -> None:
            options["async_creator_fn"] = self._connect_session

        @event.listens_for(self.engine.sync_engine, "begin", insert=True)
        def begin(connection: Any) -> None:
            outer = connection.get_execution_options().get("rowserve_test", False)
            connection.connection.driver_connection._conn.outer = outer

    @property
    def one(self) -> Connection:
        assert self._one is not None
        return self._one

    def connect(self, *, readonly: bool) -> Any:
        """A new connection, which is a share of the one that there is."""
        if self._one is None:
            return super().connect(readonly=readonly)
        return Share(self._one, readonly=readonly, case_sensitive=True)

    def _connect_session(self, *_: Any, **__: Any) -> aiosqlite.Connection:
        return aiosqlite.Connection(lambda: Share(self.one), iter_chunk_size=64)  # type: ignore[arg-type, return-value]

    def _prepare_file(self) -> None:
        super()._prepare_file()
        self._one = Connection(super().connect(readonly=False), self.busy_timeout, self._queries, self._faults)

    async def close(self) -> None:
        await super().close()
        await asyncio.get_running_loop().run_in_executor(None, self.one.close)

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
        self._faults.turn_away()
        async for rows in super().stream(statement, arguments, timezone=timezone):
            yield rows
