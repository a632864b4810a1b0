"""PostgreSQL: statements on asyncpg connections of our own, several requests in one round trip."""

from __future__ import annotations

import asyncio
import inspect
import logging
from asyncio import Future, Task
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement
from sqlalchemy import URL, MetaData, event
from sqlalchemy.exc import DisconnectionError
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
CANCEL_TIMEOUT = 1.0
"""Seconds the server has to end a statement that was cancelled."""
EPOCH = datetime(2000, 1, 1)

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
    asyncpg.InternalClientError,  # what it was told while it was idle has put it out of step
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
            connect_args={
                "server_settings": server_settings,
                "timeout": CONNECT_TIMEOUT,
                "async_creator_fn": self._connect_session,
            },
        )
        self.dialect = self.engine.dialect
        self.autocommit = {"isolation_level": "AUTOCOMMIT"}
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
        unknown = set(self._connect_arguments) - set(inspect.signature(asyncpg.connect).parameters)
        if unknown:
            raise ValueError(
                f"The URL has parameters that asyncpg does not know: {', '.join(sorted(unknown))}. "
                "Leave them out; for TLS write ?ssl=require."
            )
        self._lanes: list[ReadLane | WriteLane] = []

        @event.listens_for(self.engine.sync_engine, "checkout")
        def still_open(connection: Any, record: Any, proxy: Any) -> None:
            # Known without asking the server. The pool then makes a new connection.
            if connection.driver_connection.is_closed():
                raise DisconnectionError

    async def connect(self) -> Connection:
        """A new connection."""
        connection: Connection = await asyncpg.connect(**self._connect_arguments)
        await keep_last_days(connection)
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

    async def stream(self, statement: Statement, arguments: Arguments) -> AsyncGenerator[list[str], None]:
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
        if isinstance(error, STALE):
            # Of a session, which cannot be run again by itself; a lane prepares the statement anew.
            return database_error("53000", str(error), hint="A table was altered meanwhile. Try again.")
        if isinstance(error, asyncpg.PostgresError):
            return database_error(
                error.sqlstate or "XX000", error.message or str(error), details=error.detail, hint=error.hint
            )
        if isinstance(error, asyncpg.InterfaceError):
            return database_error("22P02", str(error))
        return None


async def keep_last_days(connection: Connection) -> None:
    """Has the first and the last day that Python knows stored as they are: asyncpg makes infinity of both, and people
    do write 9999-12-31."""
    for name, encode in (("date", days_of), ("timestamp", microseconds_of), ("timestamptz", microseconds_of)):
        await connection.set_type_codec(
            name, schema="pg_catalog", format="tuple", encoder=encode, decoder=lambda value: value
        )


def days_of(day: date) -> tuple[int]:
    """PostgreSQL's number for a day."""
    return (day.toordinal() - EPOCH.toordinal(),)


def microseconds_of(moment: datetime) -> tuple[int]:
    """PostgreSQL's number for a moment."""
    epoch = EPOCH if moment.tzinfo is None else EPOCH.replace(tzinfo=UTC)
    return ((moment - epoch) // timedelta(microseconds=1),)


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
        self._begun = False
        self._cancelled_at = 0.0

    async def connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._prepared.clear()
            self._connection = await self.backend.connect()
        return self._connection

    async def prepared(self, text: str) -> Prepared:
        """The prepared statement for a text, on this connection."""
        if self.backend.settings.log_sql:
            log.info("%s", text)
        statement = self._prepared.get(text)
        if statement is not None and self._connection is not None and not self._connection.is_closed():
            return statement
        connection = await self.connected()
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
        """Cancels the statement. Where the server does not even react to that, the connection is given up."""
        now = asyncio.get_running_loop().time()
        if self._task is None or not self._begun:
            return  # a task that is cancelled before its first step would never open its door again
        if not self._task.cancelling():
            self._cancelled_at = now
            self._task.cancel()
        elif now - self._cancelled_at > CANCEL_TIMEOUT:
            self._cancelled_at = now
            self.drop()
            self._task.cancel()

    def waiting(self) -> bool:
        return False

    def cancelled(self, batch: Sequence[Job[Any]]) -> None:
        """Answers those whose statement was cancelled, and leaves no transaction behind."""
        fail(batch, timed_out())
        if self._connection is not None and not self._connection.is_closed() and self._connection.is_in_transaction():
            self.drop()

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
        self._begun = False
        self._task = asyncio.get_running_loop().create_task(self._run(batch))

    async def _run(self, batch: list[Job[ReadWork]]) -> None:
        self._begun = True
        try:
            if len(batch) == 1 or not await self._all_together(batch):
                for job in batch:
                    await self._one(job)
        except asyncio.CancelledError:
            self.cancelled(batch)
        except Exception as error:
            fail(batch, self.failed(error))
        finally:
            self.door.open(self)

    async def _all_together(self, batch: list[Job[ReadWork]]) -> bool:
        """Runs the batch as one statement; False where one of them is at fault, and each has to get its own answer."""
        try:
            await self.retrying(lambda: self._together(batch))
        except Exception as error:
            if is_lost(error):
                raise
            return False
        return True

    async def _one(self, job: Job[ReadWork]) -> None:
        try:
            await self.retrying(lambda: self._alone(job))
        except Exception as error:
            job.fail(self.failed(error))

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


class WriteLane(Lane):
    """Runs writes: inserts of one shape joined into one statement, and again one by one where that fails."""

    def __init__(self, backend: PostgreSQLBackend, door: Door[Write]) -> None:
        super().__init__(backend)
        self.door = door

    def run(self, batch: list[Job[Write]]) -> None:
        self._begun = False
        self._task = asyncio.get_running_loop().create_task(self._run(batch))

    async def _run(self, batch: list[Job[Write]]) -> None:
        self._begun = True
        try:
            if self._connection is not None and self._connection.is_closed():
                self.drop()
            if len(batch) == 1 or not await self._together(batch):
                for job in batch:
                    await self._alone(job)
        except asyncio.CancelledError:
            self.cancelled(batch)
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
        except Exception as error:
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
        except Exception as error:
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
