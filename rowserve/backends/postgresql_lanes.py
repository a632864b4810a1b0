"""PostgreSQL's lanes: connections that run one batch at a time, several requests in one round trip."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from asyncio import Task
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from operator import itemgetter
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import asyncpg

from ..errors import ApiError, internal_error, timed_out
from .admission import Door, Job
from .base import Arguments, Returned, Settings, Statement, Write
from .conflicts import pauses
from .postgresql_writing import Connection, Prepared, Writing, fetch_joined, set_up
from .roles import Local

PREPARED = 256
"""Statements each connection keeps prepared."""
CANCEL_TIMEOUT = 1.0
"""Seconds the server has to end a statement that was cancelled."""

ReadWork: TypeAlias = tuple[Statement, Arguments, str | None, Local]
"""A statement, its arguments, the time zone that it shows moments in if that is not the connection's own, and settings
of its transaction."""
Work = TypeVar("Work")

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
CONFLICTS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""What says that another transaction was in the way, and that it would go well now."""

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
        self.connection: Connection | None = None
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
        if self.connection is None or self.connection.is_closed():
            self._prepared.clear()
            self.connection = await self._connector.connect(readonly=self.readonly)
        return self.connection

    async def prepared(self, text: str) -> Prepared:
        """The prepared statement for a text, on this connection."""
        if self._connector.settings.log_sql:
            log.info("%s", text)
        statement = self._prepared.get(text)
        if statement is not None and self.connection is not None and not self.connection.is_closed():
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
        if self.connection is not None:
            self.connection.terminate()
        self.connection = None
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
        if self.connection is not None and not self.connection.is_closed() and self.connection.is_in_transaction():
            self.drop()

    async def close(self) -> None:
        if self.connection is not None:
            try:
                await self.connection.close(timeout=2)
            except (*LOST, TimeoutError):
                self.connection.terminate()

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
        statement, arguments, timezone, local = job.work
        if timezone is None and not (statement.search_path or local):
            prepared = await self.prepared(statement.text)
            fetch = prepared.fetch if statement.many else prepared.fetchrow
            job.resolve(await fetch(*arguments))
            return
        connection = await self.connected()
        async with connection.transaction(readonly=True):
            await set_up(connection, statement, timezone, local)
            prepared = await self.prepared(statement.text)
            fetch = prepared.fetch if statement.many else prepared.fetchrow
            found = await fetch(*arguments)
        job.resolve(found)

    async def _read_joined(self, batch: list[Job[ReadWork]]) -> None:
        joined = batch[0].work[0].joined
        assert joined is not None
        prepared = await self.prepared(joined)
        rows = await prepared.fetch(*zip(*[job.work[1] for job in batch], strict=True))
        for job, row in zip(batch, sorted(rows, key=itemgetter(-1)), strict=True):
            job.resolve(row[:-1])


class WriteLane(Lane[Write]):
    """Runs writes: inserts of one shape joined into one statement, and again one by one where that fails."""

    def __init__(self, connector: Connector, door: Door[Write]) -> None:
        super().__init__(connector, door)
        self._writing = Writing(self)

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
                returned = await self._writing.run(job.work)
            except STALE:
                self._prepared.clear()
                returned = await self._writing.run(job.work)
            except CONFLICTS:
                returned = await self._again(job.work)
        except Exception as error:
            job.fail(self.failed(error))
        else:
            job.resolve(returned)

    async def _again(self, write: Write) -> Returned:
        """Runs a write that another has got in the way of, until it succeeds or enough is enough."""
        for pause in pauses():
            await asyncio.sleep(pause)
            try:
                return await self._writing.run(write)
            except CONFLICTS as error:
                conflict = error
        raise conflict


def fail(batch: Sequence[Job[Any]], error: ApiError) -> None:
    for job in batch:
        job.fail(error)
