"""PostgreSQL: statements on asyncpg connections of our own, several requests in one round trip."""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future, Task
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement
from sqlalchemy import URL, MetaData
from sqlalchemy.ext.asyncio import create_async_engine

from ..errors import ApiError, database_error, internal_error, unreachable
from .admission import Door, Gate, Job
from .base import Arguments, Backend, Returned, Settings, Statement, Write

LANES = 4
"""Connections for reads, and as many for writes. Measured: with more, batches get smaller and the rate falls."""
BATCH = 16
"""Requests in one round trip at the most: past it the wait for the whole batch outweighs what sharing saves."""
STREAMS = 4
"""Streams at a time, each on a connection of its own."""
CHUNK = 1_000
"""Rows of a stream fetched at a time."""
PREPARED = 256
"""Statements each connection keeps prepared."""
CONNECT_TIMEOUT = 5.0

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Prepared: TypeAlias = "PreparedStatement[asyncpg.Record]"
ReadWork: TypeAlias = tuple[Statement, Arguments]

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.InterfaceError,
    OSError,
)
"""What says that the connection is gone, rather than that the statement is wrong; but see :func:`is_lost`."""
STALE = (asyncpg.InvalidCachedStatementError, asyncpg.InvalidSQLStatementNameError)
"""What says that a prepared statement has to be prepared again: a table was altered under it."""

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
        self.engine = create_async_engine(
            self.url,
            echo=settings.log_sql,
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_pre_ping=False,
            connect_args={"server_settings": server_settings},
        )
        self.dialect = self.engine.dialect
        # What the wire shows of times does not depend on where the server stands.
        formats = {"timezone": "UTC", "datestyle": "ISO, MDY", "intervalstyle": "postgres"}
        _, connect = self.dialect.create_connect_args(self.url)
        self._connect_arguments: dict[str, Any] = {
            **connect,
            "server_settings": {**connect.get("server_settings", {}), **server_settings, **formats},
            "timeout": CONNECT_TIMEOUT,
        }
        for name in ("prepared_statement_cache_size", "prepared_statement_name_func", "async_fallback"):
            self._connect_arguments.pop(name, None)
        self._lanes: list[ReadLane | WriteLane] = []

    async def connect(self) -> Connection:
        """A new connection."""
        connection: Connection = await asyncpg.connect(**self._connect_arguments)
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
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
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

    def read(self, statement: Statement, arguments: Arguments, timeout: float) -> Future[Any]:
        return self._reads.enter(
            (statement, arguments),
            timeout,
            group=statement,
            together=statement.joined is not None,
            same=(statement, arguments),
        )

    def write(self, write: Write, timeout: float) -> Future[Returned]:
        together = write.statement.joined is not None and write.check is None
        return self._writes.enter(write, timeout, group=write.statement, together=together)

    async def stream(self, statement: Statement, arguments: Arguments) -> AsyncIterator[list[str]]:
        await self._streams.enter()
        try:
            connection = await self.connect()
            try:
                # A stream may take as long as its reader does; what bounds it is that the reader may go away.
                await connection.execute("SET statement_timeout = 0")
                async with connection.transaction(isolation="repeatable_read", readonly=True):
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
        async with self.engine.begin() as connection:
            # One of several processes that start at once creates, the others wait; the number is arbitrary.
            await connection.exec_driver_sql("SELECT pg_advisory_xact_lock(724676937)")
            await connection.run_sync(metadata.create_all)

    def translate(self, error: BaseException) -> ApiError | None:
        if is_lost(error) or isinstance(error, TimeoutError):
            return unreachable()
        if isinstance(error, asyncpg.PostgresError):
            return database_error(
                error.sqlstate or "XX000", error.message or str(error), details=error.detail, hint=error.hint
            )
        if isinstance(error, asyncpg.InterfaceError):
            return database_error("22P02", str(error))
        return None


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, rather than the statement wrong."""
    # asyncpg's refusal to encode a value is an InterfaceError too, and a ValueError besides.
    return isinstance(error, LOST) and not isinstance(error, ValueError)


class Lane:
    """A connection, made when first needed and again when it was lost, and its prepared statements."""

    def __init__(self, backend: PostgreSQLBackend) -> None:
        self.backend = backend
        self._connection: Connection | None = None
        self._prepared: OrderedDict[str, Prepared] = OrderedDict()
        self._task: Task[None] | None = None

    async def connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._prepared.clear()
            self._connection = await self.backend.connect()
        return self._connection

    async def prepared(self, text: str) -> Prepared:
        """The prepared statement for a text, on this connection."""
        statement = self._prepared.get(text)
        if statement is not None and self._connection is not None and not self._connection.is_closed():
            return statement
        connection = await self.connected()
        if self.backend.settings.log_sql:
            log.info("%s", text)
        statement = self._prepared[text] = await connection.prepare(text)
        if len(self._prepared) > PREPARED:
            self._prepared.popitem(last=False)
        return statement

    async def retrying(self, attempt: Callable[[], Awaitable[Any]]) -> Any:
        """Runs what only reads; once more where the connection was lost or the statement had become stale."""
        try:
            return await attempt()
        except STALE:
            self._prepared.clear()
        except LOST as error:
            if not is_lost(error):
                raise
            self.drop()
        return await attempt()

    def drop(self) -> None:
        """Gives the connection up; the next use makes a new one."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None
        self._prepared.clear()

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        if self._connection is not None:
            try:
                await self._connection.close(timeout=2)
            except (*LOST, TimeoutError):
                self._connection.terminate()

    def failed(self, error: BaseException) -> ApiError:
        """What the clients of a failed batch are told."""
        if isinstance(error, ApiError):
            return error
        if is_lost(error):
            self.drop()
        translated = self.backend.translate(error)
        if translated is None:
            log.error("A batch failed", exc_info=error)
            return internal_error()
        return translated


class ReadLane(Lane):
    """Runs reads: one by one, or several sets of arguments of one statement in one round trip."""

    def __init__(self, backend: PostgreSQLBackend, door: Door[ReadWork]) -> None:
        super().__init__(backend)
        self.door = door

    def run(self, batch: list[Job[ReadWork]]) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(batch))

    async def _run(self, batch: list[Job[ReadWork]]) -> None:
        try:
            if len(batch) > 1:
                await self.retrying(lambda: self._together(batch))
            else:
                await self.retrying(lambda: self._alone(batch[0]))
        except asyncio.CancelledError:
            fail(batch, timed_out())
        except asyncpg.PostgresError as error:
            # One of many may be at fault: each is run again, to get its own answer.
            if len(batch) > 1 and not is_lost(error):
                await self._one_by_one(batch)
            else:
                fail(batch, self.failed(error))
        except Exception as error:
            fail(batch, self.failed(error))
        finally:
            self.door.open(self)

    async def _alone(self, job: Job[ReadWork]) -> None:
        statement, arguments = job.work
        prepared = await self.prepared(statement.text)
        job.resolve(await prepared.fetchrow(*arguments))

    async def _together(self, batch: list[Job[ReadWork]]) -> None:
        joined = batch[0].work[0].joined
        assert joined is not None
        prepared = await self.prepared(joined)
        rows = await prepared.fetch(*zip(*[job.work[1] for job in batch], strict=True))
        for job, row in zip(batch, rows, strict=True):
            job.resolve(row)

    async def _one_by_one(self, batch: list[Job[ReadWork]]) -> None:
        for job in batch:
            try:
                await self._alone(job)
            except asyncio.CancelledError:
                job.fail(timed_out())
            except (*LOST, asyncpg.PostgresError) as error:
                job.fail(self.failed(error))


class WriteLane(Lane):
    """Runs writes: inserts of one shape joined into one statement, and again one by one where that fails."""

    def __init__(self, backend: PostgreSQLBackend, door: Door[Write]) -> None:
        super().__init__(backend)
        self.door = door

    def run(self, batch: list[Job[Write]]) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(batch))

    async def _run(self, batch: list[Job[Write]]) -> None:
        try:
            if self._connection is not None and self._connection.is_closed():
                self.drop()
            if len(batch) == 1 or not await self._together(batch):
                for job in batch:
                    await self._alone(job)
        except asyncio.CancelledError:
            fail(batch, timed_out())
        except Exception as error:
            fail(batch, self.failed(error))
        finally:
            self.door.open(self)

    async def _together(self, batch: list[Job[Write]]) -> bool:
        """Runs the whole batch as one statement, which is one transaction; False where it failed and left nothing."""
        sets = [arguments for job in batch for arguments in job.work.sets]
        try:
            rows, _ = await self._fetch_joined(batch[0].work.statement, sets)
        except STALE:
            self._prepared.clear()
            return False
        except asyncpg.PostgresError as error:
            if is_lost(error):
                raise
            return False
        start = 0
        for job in batch:
            end = start + len(job.work.sets)
            job.resolve(Returned(rows[start:end], end - start))
            start = end
        return True

    async def _fetch_joined(self, statement: Statement, sets: Sequence[Arguments]) -> Returned:
        assert statement.joined is not None
        prepared = await self.prepared(statement.joined)
        rows = await prepared.fetch(*zip(*sets, strict=True))
        return Returned(rows, len(rows) or affected(prepared.get_statusmsg()))

    async def _alone(self, job: Job[Write]) -> None:
        try:
            try:
                returned = await self._write(job.work)
            except STALE:
                self._prepared.clear()
                returned = await self._write(job.work)
        except asyncio.CancelledError:
            job.fail(timed_out())
        except (ApiError, *LOST, asyncpg.PostgresError, TimeoutError) as error:
            job.fail(self.failed(error))
        else:
            job.resolve(returned)

    async def _write(self, write: Write) -> Returned:
        if len(write.sets) == 1 and write.check is None:
            return await self._execute(write.statement, write.sets[0])
        connection = await self.connected()
        async with connection.transaction():
            if write.statement.joined is not None:
                returned = await self._fetch_joined(write.statement, write.sets)
            else:
                parts = [await self._execute(write.statement, arguments) for arguments in write.sets]
                rows: list[Any] = [row for part in parts for row in part.rows]
                returned = Returned(rows, sum(part.touched for part in parts))
            if write.check is not None:
                write.check(returned)
        return returned

    async def _execute(self, statement: Statement, arguments: Arguments) -> Returned:
        prepared = await self.prepared(statement.text)
        rows = await prepared.fetch(*arguments)
        return Returned(rows, len(rows) or affected(prepared.get_statusmsg()))


def affected(status: str | None) -> int:
    """How many rows a command touched, by its status such as ``UPDATE 3``."""
    command, _, count = (status or "").rpartition(" ")
    return int(count) if command in ("INSERT 0", "UPDATE", "DELETE") else 0


def fail(batch: Sequence[Job[Any]], error: ApiError) -> None:
    for job in batch:
        job.fail(error)


def timed_out() -> ApiError:
    """The answer for a statement that was stopped at its deadline."""
    return database_error("57014", "canceling statement due to statement timeout")
