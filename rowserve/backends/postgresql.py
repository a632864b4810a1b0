"""PostgreSQL: statements on asyncpg connections of our own, several requests in one round trip."""

from __future__ import annotations

import asyncio
import inspect
import logging
from asyncio import Future
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import asyncpg
from sqlalchemy import URL, MetaData, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from .. import identifiers
from ..errors import ApiError, database_error, refused_by, unreachable
from .admission import Door, Gate
from .base import Arguments, Backend, Returned, Settings, Statement, Write
from .postgresql_lanes import LOST, STALE, ReadLane, ReadWork, WriteLane, is_lost
from .postgresql_writing import SET_LOCAL, Connection, Prepared, Writing, search_path, set_up
from .roles import acting_for, acting_in_session, as_connected

LANES = 4
"""Connections for reads, and as many for writes. Measured with 2, 4 and 8: 8 were slower, 2 and 4 about alike."""
BATCH = 16
"""Requests in one round trip at the most; all of them wait for the last. Other sizes were not measured."""
STREAMS = 4
"""Streams at a time, each on a connection of its own."""
CHUNK = 1_000
"""Rows of a stream fetched at a time."""
CONNECT_TIMEOUT = 5.0
KEPT = 4_000_000
"""Bytes of a block that has been freed: the server's process then keeps twice as much from one answer to the next."""
EPOCH = datetime(2000, 1, 1)
FORMATS = {"timezone": "UTC", "datestyle": "ISO, MDY", "intervalstyle": "postgres"}
"""What the wire shows of times does not depend on where the server stands."""
SET_FORMATS = "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in FORMATS.items())
"""Holds until the end of the transaction."""

log = logging.getLogger("rowserve.sql")


class PostgreSQLBackend(Backend):
    """Statements on PostgreSQL, in lanes for reads and lanes for writes; sessions on a pool without overflow."""

    def __init__(self, url: URL, settings: Settings) -> None:
        self.url = url.set(drivername="postgresql+asyncpg")
        self.settings = settings
        server_settings = {
            "application_name": "rowserve",
            "statement_timeout": str(int(settings.timeout * 1_000)),
        }
        if settings.search_path:
            server_settings["search_path"] = search_path(settings.search_path)
        self.engine = create_async_engine(
            self.url,
            echo=settings.log_sql,
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_pre_ping=False,
            connect_args={
                "server_settings": server_settings,
                "timeout": CONNECT_TIMEOUT,
                "async_creator_fn": self._connect_session,
            },
        )
        self.dialect = self.engine.dialect
        identifiers.quoting(self.dialect)
        self.autocommit = {"isolation_level": "AUTOCOMMIT"}
        _, connect = self.dialect.create_connect_args(self.url)
        self._connect_arguments: dict[str, Any] = {
            **connect,
            "server_settings": {**connect.get("server_settings", {}), **server_settings, **FORMATS},
            "timeout": CONNECT_TIMEOUT,
        }
        for name in ("prepared_statement_cache_size", "prepared_statement_name_func", "async_fallback"):
            self._connect_arguments.pop(name, None)
        unknown = set(self._connect_arguments) - set(inspect.signature(asyncpg.connect).parameters)
        if unknown:
            raise ValueError(
                f"The URL has parameters that asyncpg does not know: {', '.join(sorted(unknown))}. "
                "Leave them out; for TLS write ?ssl=require."
            )
        self._lanes: list[ReadLane | WriteLane] = []
        self.roles = settings.roles
        if self.roles is not None:
            # Sessions that only read have transactions too, for settings to hold in.
            self.autocommit = {}
            self._act_in_sessions()

        @event.listens_for(self.engine.sync_engine, "checkout")
        def still_open(connection: Any, record: Any, proxy: Any) -> None:
            # Known without asking the server. The pool then makes a new connection.
            if connection.driver_connection.is_closed():
                raise DisconnectionError

    def _act_in_sessions(self) -> None:
        """Has sessions of requests act for who asks, as resources do."""

        @event.listens_for(self.engine.sync_engine, "begin")
        def act(connection: Any) -> None:
            local = acting_in_session()
            if local:
                names, values = zip(*local, strict=True)
                connection.exec_driver_sql(SET_LOCAL, (list(names), list(values)))

    async def connect(self, *, readonly: bool = False) -> Connection:
        """A new connection; one that is to read only refuses to write, whatever function it is that would."""
        arguments = self._connect_arguments
        if readonly:
            settings = {**arguments["server_settings"], "default_transaction_read_only": "on"}
            arguments = {**arguments, "server_settings": settings}
        connection: Connection = await asyncpg.connect(**arguments)
        await keep_last_days(connection)
        if readonly:
            await keep_memory(connection)
        return connection

    async def _connect_session(self, **arguments: Any) -> Connection:
        """A new connection for the pool of sessions, or the answer to those who needed it."""
        try:
            connection: Connection = await asyncpg.connect(**arguments)
        except (*LOST, asyncpg.PostgresError, TimeoutError) as error:
            raise self.translate(error) or error from error
        return connection

    async def open(self) -> None:
        settings = self.settings
        self._reads: Door[ReadWork] = Door(max_waiting=settings.max_waiting, batch=BATCH)
        self._writes: Door[Write] = Door(max_waiting=settings.max_waiting, batch=BATCH)
        self._streams = Gate(STREAMS, max_waiting=settings.max_waiting, timeout=settings.timeout)
        self._lanes = [ReadLane(self, self._reads) for _ in range(LANES)]
        self._lanes += [WriteLane(self, self._writes) for _ in range(LANES)]
        try:
            await self._lanes[0].connected()  # the others connect when they are first needed
            # SQLAlchemy asks its first connection what server it is: not in a request, which may be cancelled.
            async with self.engine.connect():
                pass
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, ApiError) as error:
            raise ConnectionError(self._cannot_connect(error)) from error
        for lane in self._lanes:
            lane.door.open(lane)  # type: ignore[arg-type]

    def _cannot_connect(self, error: BaseException) -> str:
        where = self.url.render_as_string(hide_password=True).replace("+asyncpg", "")
        if isinstance(error, asyncpg.InvalidPasswordError | asyncpg.InvalidAuthorizationSpecificationError):
            return f"PostgreSQL refused the user or password of {where}: {error}. Check both in the URL."
        if isinstance(error, asyncpg.InvalidCatalogNameError):
            return f"The database of {where} does not exist: create it with `createdb {self.url.database}`."
        reason = str(error) or type(error).__name__
        return f"Cannot connect to {where}: {reason}. Check that the server is running and that the URL names it."

    async def close(self) -> None:
        await self._reads.drained()
        await self._writes.drained()
        await asyncio.gather(*(lane.close() for lane in self._lanes))
        await self.engine.dispose()

    def read(
        self, statement: Statement, arguments: Arguments, timeout: float, *, timezone: str | None = None
    ) -> Future[Any]:
        local = () if self.roles is None else acting_for()
        work = (statement, arguments, timezone, local)
        together = statement.joined is not None and timezone is None and not local
        return self._reads.enter(work, timeout, group=statement, together=together, same=work)

    def write(self, write: Write, timeout: float) -> Future[Returned]:
        if self.roles is not None:
            write = replace(write, local=acting_for())
        together = write.statement.joined is not None and write.statement.is_shared and write.is_plain
        return self._writes.enter(write, timeout, group=write.statement, together=together)

    async def write_in(self, session: AsyncSession, write: Write) -> Returned:
        connection = await self._driver(session)
        with self._translating():
            return await Writing(OneConnection(connection)).run(write)

    async def read_in(
        self, session: AsyncSession, statement: Statement, arguments: Arguments, *, timezone: str | None = None
    ) -> list[Any]:
        connection = await self._driver(session)
        with self._translating():
            await set_up(connection, statement, timezone, ())
            return await connection.fetch(statement.text, *arguments)

    async def _driver(self, session: AsyncSession) -> Connection:
        """The driver's connection of a session, in its transaction."""
        await session.flush()
        connection = await session.connection()
        if not session.info.get("rowserve_formats"):
            # The first statement, with which SQLAlchemy begins the transaction.
            await connection.exec_driver_sql(SET_FORMATS)
            session.info["rowserve_formats"] = True
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        return cast(Connection, driver)

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except (*LOST, asyncpg.PostgresError) as error:
            raise self.translate(error) or error from error

    async def stream(
        self, statement: Statement, arguments: Arguments, *, timezone: str | None = None
    ) -> AsyncGenerator[list[str], None]:
        local = () if self.roles is None else acting_for()
        await self._streams.enter()
        try:
            connection = await self.connect()
            try:
                # A stream may take as long as its reader does; what bounds it is that the reader may go away.
                await connection.execute("SET statement_timeout = 0")
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    await set_up(connection, statement, timezone, local)
                    cursor = await connection.cursor(statement.text, *arguments)
                    while rows := await cursor.fetch(CHUNK):
                        yield [row[0] for row in rows]
            finally:
                connection.terminate()
        except (*LOST, asyncpg.PostgresError) as error:
            raise self.translate(error) or error from error
        finally:
            self._streams.leave()

    async def ping(self) -> None:
        try:
            connection = await self.connect()
            try:
                await connection.execute("SELECT 1")
            finally:
                connection.terminate()
        except (*LOST, asyncpg.PostgresError, TimeoutError) as error:
            raise ConnectionError(self._cannot_connect(error)) from error

    async def create_tables(self, metadata: MetaData) -> None:
        with as_connected():
            await self._create_tables(metadata)

    async def _create_tables(self, metadata: MetaData) -> None:
        async with self.engine.begin() as connection:
            # One of several processes that start at once creates, the others wait; the number is arbitrary.
            await connection.exec_driver_sql("SELECT pg_advisory_xact_lock(724676937)")
            await connection.run_sync(metadata.create_all)

    def translate(self, error: BaseException) -> ApiError | None:
        if is_lost(error) or isinstance(error, TimeoutError):
            return unreachable()
        if isinstance(error, STALE):
            # Of a session, which cannot be run again by itself; a lane prepares the statement anew.
            return database_error("53000", str(error), hint="A table was altered meanwhile. Try again.")
        if isinstance(error, asyncpg.PostgresError):
            return refused_by(error.message or "") or database_error(
                error.sqlstate or "XX000", error.message or str(error), details=error.detail, hint=error.hint
            )
        if isinstance(error, asyncpg.InterfaceError):
            return database_error("22P02", str(error))
        return None


class OneConnection:
    """The statements of a connection that is another's, each prepared for but one use."""

    def __init__(self, connection: Connection) -> None:
        self.connection: Connection | None = connection
        self._prepare = connection.prepare

    async def prepared(self, text: str) -> Prepared:
        return await self._prepare(text)


async def keep_last_days(connection: Connection) -> None:
    """Has the first and the last day that Python knows stored as they are: asyncpg makes infinity of both, and people
    do write 9999-12-31."""
    for name, encode in (("date", days_of), ("timestamp", microseconds_of), ("timestamptz", microseconds_of)):
        await connection.set_type_codec(
            name, schema="pg_catalog", format="tuple", encoder=encode, decoder=lambda value: value
        )


async def keep_memory(connection: Connection) -> None:
    """Has the server keep the memory of one answer for the next (decision 0019)."""
    await connection.execute(f"SELECT length(repeat(' ', {KEPT}))")


def days_of(day: date) -> tuple[int]:
    """PostgreSQL's number for a day."""
    return (day.toordinal() - EPOCH.toordinal(),)


def microseconds_of(moment: datetime) -> tuple[int]:
    """PostgreSQL's number for a moment."""
    epoch = EPOCH if moment.tzinfo is None else EPOCH.replace(tzinfo=UTC)
    return ((moment - epoch) // timedelta(microseconds=1),)
