"""PostgreSQL's lanes: connections that run one batch at a time, several requests in one round trip."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from asyncio import Task
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement
from sqlalchemy import Table

from .. import identifiers
from ..errors import ApiError, database_error, internal_error
from .admission import Door, Job
from .base import Arguments, Returned, Settings, Statement, Write
from .upserts import Keys

PREPARED = 256
"""Statements each connection keeps prepared."""
SET_TIME_ZONE = "SELECT set_config('TimeZone', $1, true)"
"""Holds until the end of the transaction, and no longer."""
CANCEL_TIMEOUT = 1.0
"""Seconds the server has to end a statement that was cancelled."""

SET_SEARCH_PATH = "SELECT set_config('search_path', $1, true)"
"""Holds until the end of the transaction."""

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Prepared: TypeAlias = "PreparedStatement[asyncpg.Record]"
ReadWork: TypeAlias = tuple[Statement, Arguments, str | None]
"""A statement, its arguments, and the time zone that it shows moments in if that is not the connection's own."""
Work = TypeVar("Work")
Run: TypeAlias = Callable[[Prepared, Sequence[Arguments]], Coroutine[Any, Any, Returned]]

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


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, rather than the statement wrong."""
    # asyncpg's refusal to encode a value is an InterfaceError too, and a ValueError besides.
    return isinstance(error, LOST) and not isinstance(error, ValueError)


class Connector(Protocol):
    """What makes a lane's connections, and knows the errors of its driver."""

    settings: Settings

    async def connect(self, *, readonly: bool = False) -> Connection: ...

    def translate(self, error: BaseException) -> ApiError | None: ...


class Lane(ABC, Generic[Work]):
    """A connection, made when first needed and again when it was lost, and its prepared statements."""

    readonly = False

    def __init__(self, connector: Connector, door: Door[Work]) -> None:
        self._connector = connector
        self.door = door
        self._connection: Connection | None = None
        self._prepared: OrderedDict[str, Prepared] = OrderedDict()
        self._task: Task[None] | None = None
        self._begun = False
        self._cancelled_at = 0.0

    def run(self, batch: list[Job[Work]]) -> None:
        self._begun = False
        self._task = asyncio.get_running_loop().create_task(self._run(batch))

    async def _run(self, batch: list[Job[Work]]) -> None:
        self._begun = True
        try:
            if len(batch) == 1 or not await self.together(batch):
                for job in batch:
                    await self.alone(job)
        except asyncio.CancelledError:
            self.cancelled(batch)
        except Exception as error:
            fail(batch, self.failed(error))
        finally:
            self.door.open(self)

    @abstractmethod
    async def together(self, batch: list[Job[Work]]) -> bool:
        """Runs a batch as one statement; False where that failed and left nothing, and each has to run alone, to get
        its own answer. Raises where the connection is lost."""

    @abstractmethod
    async def alone(self, job: Job[Work]) -> None:
        """Runs one job, and answers it whatever comes."""

    async def connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._prepared.clear()
            self._connection = await self._connector.connect(readonly=self.readonly)
        return self._connection

    async def prepared(self, text: str) -> Prepared:
        """The prepared statement for a text, on this connection."""
        if self._connector.settings.log_sql:
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
        translated = self._connector.translate(error)
        if translated is None:
            log.error("A batch failed", exc_info=error)
            return internal_error()
        return translated


class ReadLane(Lane[ReadWork]):
    """Runs reads: one by one, or several sets of arguments of one statement in one round trip."""

    readonly = True

    async def together(self, batch: list[Job[ReadWork]]) -> bool:
        try:
            await self.retrying(lambda: self._read_joined(batch))
        except Exception as error:
            if is_lost(error):
                raise
            return False
        return True

    async def alone(self, job: Job[ReadWork]) -> None:
        try:
            await self.retrying(lambda: self._read(job))
        except Exception as error:
            job.fail(self.failed(error))

    async def _read(self, job: Job[ReadWork]) -> None:
        statement, arguments, timezone = job.work
        if timezone is None and not statement.search_path:
            prepared = await self.prepared(statement.text)
            fetch = prepared.fetch if statement.many else prepared.fetchrow
            job.resolve(await fetch(*arguments))
            return
        connection = await self.connected()
        async with connection.transaction(readonly=True):
            if statement.search_path:
                await connection.fetchval(SET_SEARCH_PATH, search_path(statement.search_path))
            if timezone is not None:
                await connection.fetchval(SET_TIME_ZONE, timezone)
            prepared = await self.prepared(statement.text)
            fetch = prepared.fetch if statement.many else prepared.fetchrow
            found = await fetch(*arguments)
        job.resolve(found)

    async def _read_joined(self, batch: list[Job[ReadWork]]) -> None:
        joined = batch[0].work[0].joined
        assert joined is not None
        prepared = await self.prepared(joined)
        rows = await prepared.fetch(*zip(*[job.work[1] for job in batch], strict=True))
        for job, row in zip(batch, rows, strict=True):
            job.resolve(row)


class RolledBack(Exception):  # noqa: N818 - it is no error of anybody's
    """Ends a transaction that was only to be tried."""


class WriteLane(Lane[Write]):
    """Runs writes: inserts of one shape joined into one statement, and again one by one where that fails."""

    async def together(self, batch: list[Job[Write]]) -> bool:
        joined = batch[0].work.statement.joined
        assert joined is not None
        sets = [arguments for job in batch for arguments in job.work.sets]
        try:
            rows, _ = await fetch_joined(await self.prepared(joined), sets)
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

    async def alone(self, job: Job[Write]) -> None:
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
        statement = write.statement
        if write.is_single:
            return await fetch(await self.prepared(statement.text), write.sets[0])
        if statement.joined is not None:
            try:
                if write.is_plain:
                    return await fetch_joined(await self.prepared(statement.joined), write.sets)
                return await self._transaction(write, statement.joined, fetch_joined)
            except asyncpg.DivisionByZeroError:
                pass  # a trigger has swallowed a row; one by one, it is known which
        return await self._transaction(write, statement.text, fetch_each)

    async def _transaction(self, write: Write, text: str, run: Run) -> Returned:
        # All on one connection: what is lost in the middle is not to go on, on another, as prepared() would have it.
        prepared = await self.prepared(text)
        connection = self._connection
        assert connection is not None
        try:
            async with connection.transaction():
                if write.statement.search_path:
                    await connection.fetchval(SET_SEARCH_PATH, search_path(write.statement.search_path))
                if write.timezone is not None:
                    await connection.fetchval(SET_TIME_ZONE, write.timezone)
                returned = await run_sets(write, prepared, run)
                if write.check is not None:
                    write.check(returned)
                if write.rollback:
                    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
                    raise RolledBack
        except RolledBack:
            pass
        return returned


async def run_sets(write: Write, prepared: Prepared, run: Run) -> Returned:
    """Runs a statement for all sets of a write."""
    sets, statement = write.sets, write.statement
    if write.later:
        if statement.is_shared and not (run is fetch_joined and refers_to_itself(write.table)):
            return await in_parts(write, partial(run, prepared))
        sets = await all_sets(write)
    if statement.key and run is fetch_each:
        keys = Keys(statement)
        for arguments in sets:
            keys.add(arguments)
    return await run(prepared, sets)


async def in_parts(write: Write, run: Callable[[Sequence[Arguments]], Coroutine[Any, Any, Returned]]) -> Returned:
    """Runs part after part: while one is on its way, the next is made."""
    rows: list[Any] = []
    touched = 0
    later = iter(write.later)
    sets: Sequence[Arguments] | None = write.sets
    while sets is not None:
        running = asyncio.create_task(run(sets))
        try:
            # One turn of the loop for the driver to write, one for uvloop to send what was written.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            sets = next(later, None)
        except asyncio.CancelledError:
            running.cancel()
            raise
        finally:  # what is wrong with this part comes before what is wrong with the next
            part = await running
        rows += part.rows
        touched += part.touched
    return Returned(rows, touched)


async def fetch(prepared: Prepared, arguments: Arguments) -> Returned:
    """Runs a statement once."""
    rows = await prepared.fetch(*arguments)
    return Returned(rows, len(rows) or affected(prepared.get_statusmsg()))


async def fetch_joined(prepared: Prepared, sets: Sequence[Arguments]) -> Returned:
    """Runs a statement that takes each parameter as an array, once for all sets."""
    return await fetch(prepared, tuple(zip(*sets, strict=True)))


async def fetch_each(prepared: Prepared, sets: Sequence[Arguments]) -> Returned:
    """Runs a statement once for each of the sets."""
    if prepared.get_attributes():
        rows = await prepared.fetchmany(sets)
        return Returned(rows, len(rows))
    # Without rows to count, only the status of each says how many there were.
    return Returned([], sum([(await fetch(prepared, arguments)).touched for arguments in sets]))


def refers_to_itself(table: Table) -> bool:
    """Whether a row may refer to one that comes after it, which it may where one statement inserts both."""
    return any(key.referred_table is table for key in table.foreign_key_constraints)


async def all_sets(write: Write) -> list[Arguments]:
    """All sets of a write at once, letting others run between one part and the next."""
    sets = list(write.sets)
    for part in write.later:
        sets += part
        await asyncio.sleep(0)
    return sets


def search_path(schemas: Sequence[str]) -> str:
    """The value of PostgreSQL's setting."""
    return ", ".join(map(identifiers.POSTGRESQL.quote_identifier, schemas))


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
