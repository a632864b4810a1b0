"""SQLite: a few threads that read, one that writes, each with a connection and a batch at a time."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import tempfile
import threading
import time
from asyncio import AbstractEventLoop, Future
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeAlias

from sqlalchemy import URL, MetaData, event, util
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import create_async_engine

from ..errors import ApiError, database_error, internal_error
from .admission import Door, Gate, Job, overloaded
from .base import Arguments, Backend, Returned, Settings, Statement, Write
from .sqlite_errors import translated

READERS = 2
"""Threads that read. Measured: two keep the event loop's thread busy; more take turns on its lock."""
READ_BATCH = 16
"""Reads set side by side in one statement. A power of two, as are the smaller ones, so that few texts are prepared."""
WRITE_BATCH = 256
"""Writes in one transaction."""
STREAMS = 4
CHUNK = 1_000
BUSY_TIMEOUT = 5.0
"""Seconds to wait for another process that writes."""

ReadWork: TypeAlias = tuple[Statement, Arguments]
Outcome: TypeAlias = "tuple[Job[Any], Any]"

log = logging.getLogger("rowserve.sql")


class SQLiteBackend(Backend):
    """Statements on SQLite. All writing in the process, sessions' included, passes one door, first come first
    served; reading never waits for it."""

    def __init__(self, url: URL, settings: Settings) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if url.database in (None, "", ":memory:"):
            # Several connections have to see one database, which SQLite's own memory databases make slow.
            self._folder = tempfile.TemporaryDirectory(prefix="rowserve-")
            url = url.set(database=f"{self._folder.name}/memory.db")
        self.url = url.set(drivername="sqlite+aiosqlite")
        self.path = Path(url.database or "")
        self.settings = settings
        self.busy_timeout = min(BUSY_TIMEOUT, settings.timeout)
        self.engine = create_async_engine(
            self.url,
            echo=settings.log_sql,
            pool_size=settings.pool_size,
            max_overflow=0,
            connect_args={"timeout": self.busy_timeout, "isolation_level": None},
        )
        self.dialect = self.engine.dialect
        # The driver's connections are in autocommit mode already: nothing has to be set and set back.
        self.autocommit = {"rowserve_autocommit": True}
        self.writing = asyncio.Lock()
        self._abandoned: set[asyncio.Task[None]] = set()
        self._guard_sessions()
        self._bound_sessions()

    def _guard_sessions(self) -> None:
        """Has sessions' transactions pass the same door as the writer."""
        engine = self.engine.sync_engine

        @event.listens_for(engine, "connect")
        def configure(connection: Any, record: Any) -> None:
            cursor = connection.cursor()
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        @event.listens_for(engine, "begin")
        def begin(connection: Any) -> None:
            options = connection.get_execution_options()
            if options.get("rowserve_autocommit") or options.get("isolation_level") == "AUTOCOMMIT":
                return
            if options.get("rowserve_reading"):
                connection.exec_driver_sql("BEGIN")
                return
            util.await_only(self._acquire_writing())
            connection.info["rowserve_writing"] = True
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        @event.listens_for(engine, "reset")
        def roll_back(connection: Any, record: Any, state: Any) -> None:
            # A COMMIT that failed leaves the transaction open, and SQLAlchemy believes that it is not.
            if not state.terminate_only and connection.driver_connection.in_transaction:
                connection.rollback()

        @event.listens_for(engine, "checkin")
        def release(connection: Any, record: Any) -> None:
            if record.info.pop("rowserve_writing", False):
                self.writing.release()

    async def _acquire_writing(self) -> None:
        try:
            async with asyncio.timeout(self.settings.timeout):
                await self.writing.acquire()
        except TimeoutError:
            raise overloaded(1.0) from None

    def _bound_sessions(self) -> None:
        """Stops a session's statement at its deadline, or when its task is cancelled. PostgreSQL does so by itself."""
        engine = self.engine.sync_engine

        @event.listens_for(engine, "before_cursor_execute")
        def start(connection: Any, *_: object) -> None:
            interrupt = interrupting(connection)
            timer = asyncio.get_running_loop().call_later(self.settings.timeout, interrupt)
            connection.info["rowserve_timer"] = timer

        @event.listens_for(engine, "after_cursor_execute")
        def finish(connection: Any, *_: object) -> None:
            connection.info.pop("rowserve_timer").cancel()

        @event.listens_for(engine, "handle_error")
        def failed(context: Any) -> None:
            connection = context.connection
            if isinstance(context.original_exception, InvalidRequestError):
                return  # a second task was refused; the timer is that of the first one's statement
            timer = None if connection is None else connection.info.pop("rowserve_timer", None)
            if timer is not None:
                timer.cancel()
                if not isinstance(context.original_exception, Exception):
                    self._abandon(connection)

    def _abandon(self, connection: Any) -> None:
        """Stops the statement of a task that was cancelled, and lets go of SQLite's lock: closing the connection,
        which SQLAlchemy does next, would keep it for as long as anything refers to the statement."""
        interrupting(connection)()
        task = asyncio.get_running_loop().create_task(connection.connection.driver_connection.rollback())
        self._abandoned.add(task)
        task.add_done_callback(self._abandoned.discard)

    def connect(self, *, readonly: bool) -> sqlite3.Connection:
        """A new connection, for any one thread at a time."""
        connection = sqlite3.connect(
            self.path,
            timeout=self.busy_timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        pragmas = ["synchronous=FULL", "foreign_keys=ON", "case_sensitive_like=ON"]
        if readonly:
            pragmas.append("query_only=ON")
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("unicode_lower", 1, unicode_lower, deterministic=True)
        if self.settings.log_sql:
            connection.set_trace_callback(log.info)
        return connection

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        settings = self.settings
        try:
            await loop.run_in_executor(None, self._prepare_file)
        except (sqlite3.Error, OSError) as error:
            raise ConnectionError(self._cannot_open(error)) from error
        async with self.engine.connect():
            pass  # SQLAlchemy prepares itself: better now than in a request that may be cancelled
        self._reads: Door[ReadWork] = Door(max_waiting=settings.max_waiting, batch=READ_BATCH)
        self._writes: Door[Write] = Door(max_waiting=settings.max_waiting, batch=WRITE_BATCH)
        self._streams = Gate(STREAMS, max_waiting=settings.max_waiting, timeout=settings.timeout)
        self._readers = [ReadThread(self, self._reads, loop) for _ in range(READERS)]
        self._writer = WriteThread(self, self._writes, loop)
        for reader in self._readers:
            self._reads.open(reader)
        self._writes.open(self._writer)

    def _prepare_file(self) -> None:
        if not self.path.resolve().parent.is_dir():
            raise FileNotFoundError(f"the folder {self.path.resolve().parent} does not exist")
        connection = self.connect(readonly=False)
        try:
            switch_to_wal(connection)
            # Writes nothing, and yet fails where nothing can be written.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"PRAGMA user_version={connection.execute('PRAGMA user_version').fetchone()[0]}")
            connection.execute("ROLLBACK")
        finally:
            connection.close()

    def _cannot_open(self, error: BaseException) -> str:
        reason = str(error)
        advice = "Check the path in the URL."
        if "does not exist" in reason:
            advice = "Create it, or name another in the URL."
        elif "readonly" in reason or "unable to open" in reason:
            advice = "Check that the file and its folder may be written to."
        elif "not a database" in reason:
            advice = "Name another file in the URL."
        return f"Cannot open the SQLite database {self.path}: {reason}. {advice}"

    async def close(self) -> None:
        await self._reads.drained()
        await self._writes.drained()
        for thread in (*self._readers, self._writer):
            await asyncio.get_running_loop().run_in_executor(None, thread.close)
        await self.engine.dispose()
        if self._folder is not None:
            self._folder.cleanup()

    def read(self, statement: Statement, arguments: Arguments, timeout: float) -> Future[Any]:
        return self._reads.enter(
            (statement, arguments), timeout, group=statement, together=True, same=(statement, arguments)
        )

    def write(self, write: Write, timeout: float) -> Future[Returned]:
        return self._writes.enter(write, timeout, group=None, together=True)

    async def stream(self, statement: Statement, arguments: Arguments) -> AsyncGenerator[list[str], None]:
        loop = asyncio.get_running_loop()
        await self._streams.enter()
        try:
            with ThreadPoolExecutor(1, "rowserve-stream") as executor:
                connection = await loop.run_in_executor(executor, lambda: self.connect(readonly=True))
                try:
                    cursor = await loop.run_in_executor(executor, connection.execute, statement.text, arguments)
                    while rows := await loop.run_in_executor(executor, cursor.fetchmany, CHUNK):
                        yield [row[0] for row in rows]
                finally:
                    connection.interrupt()
                    await loop.run_in_executor(executor, connection.close)
        except sqlite3.Error as error:
            raise translated(error) from error
        finally:
            self._streams.leave()

    async def ping(self) -> None:
        def reach() -> None:
            connection = self.connect(readonly=True)
            try:
                connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
            finally:
                connection.close()

        try:
            await asyncio.get_running_loop().run_in_executor(None, reach)
        except sqlite3.Error as error:
            raise ConnectionError(self._cannot_open(error)) from error

    async def create_tables(self, metadata: MetaData) -> None:
        # The transaction begins IMMEDIATE, so of several processes that start at once one creates, the others wait.
        async with self.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)

    def translate(self, error: BaseException) -> ApiError | None:
        return translated(error) if isinstance(error, sqlite3.Error) else None


class Thread:
    """A thread with a connection, as a lane: runs a batch, then hands the outcomes to the event loop at once."""

    def __init__(self, backend: SQLiteBackend, door: Door[Any], loop: AbstractEventLoop, *, readonly: bool) -> None:
        self.backend = backend
        self.door = door
        self.loop = loop
        self.connection = backend.connect(readonly=readonly)
        self._stopped = False
        # An executor would make a future for each batch, and take four locks where one will do.
        self.batches: SimpleQueue[list[Job[Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=type(self).__name__, daemon=True)
        self._thread.start()

    def run(self, batch: list[Job[Any]]) -> None:
        self._stopped = False
        self.batches.put(batch)

    def _work(self) -> None:
        while (batch := self.batches.get()) is not None:
            self.loop.call_soon_threadsafe(self._done, self._outcomes(batch))

    def _outcomes(self, batch: list[Job[Any]]) -> list[Outcome]:
        try:
            return self.outcomes(batch)
        except Exception as error:  # whatever it is, nobody may be left waiting
            return [(job, told(error)) for job in batch]

    def outcomes(self, batch: list[Job[Any]]) -> list[Outcome]:
        """Runs a batch; for each job what came out: a result, or the error its client is told."""
        raise NotImplementedError

    def _done(self, outcomes: list[Outcome]) -> None:
        for job, outcome in outcomes:
            if isinstance(outcome, Exception):
                job.fail(outcome)
            else:
                job.resolve(outcome)
        self.door.open(self)

    def cancel(self) -> None:
        self._stopped = True
        self.connection.interrupt()

    def waiting(self) -> bool:
        return False

    def close(self) -> None:
        self.batches.put(None)
        self._thread.join()
        self.connection.close()


class ReadThread(Thread):
    """Runs reads. Several of one statement are set side by side in one SELECT: Python's lock is then given up and
    taken back once for all of them, not for each."""

    def __init__(self, backend: SQLiteBackend, door: Door[ReadWork], loop: AbstractEventLoop) -> None:
        super().__init__(backend, door, loop, readonly=True)

    def outcomes(self, batch: list[Job[ReadWork]]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        start = 0
        while start < len(batch):
            size = 1 << ((len(batch) - start).bit_length() - 1)
            outcomes += self._together(batch[start : start + size])
            start += size
        return outcomes

    def _together(self, batch: list[Job[ReadWork]]) -> list[Outcome]:
        if len(batch) == 1:
            return [self._alone(batch[0])]
        joined = batch[0].work[0].joined
        assert joined is not None
        text = side_by_side(joined, len(batch))
        arguments = [argument for job in batch for argument in job.work[1]]
        try:
            packed = self.connection.execute(text, arguments).fetchone()
        except Exception:  # one of them may be at fault
            return [self._alone(job) for job in batch]
        return [(job, unpacked(row)) for job, row in zip(batch, packed, strict=True)]

    def _alone(self, job: Job[ReadWork]) -> Outcome:
        statement, arguments = job.work
        try:
            if self._stopped:
                raise sqlite3.OperationalError("interrupted")
            return job, self.connection.execute(statement.text, arguments).fetchone()
        except Exception as error:
            return job, told(error)


@lru_cache(maxsize=2_048)
def side_by_side(text: str, size: int) -> str:
    """One SELECT of a statement that yields one text, several times, each with its own arguments."""
    return "SELECT " + ", ".join([f"({text})"] * size)


def unpacked(text: str) -> tuple[str, int, int | None, str | None]:
    """Body, rows, total and boundary, out of the lines of a packed row."""
    rows, total, boundary, body = text.split("\n", 3)
    return body, int(rows), int(total) if total else None, boundary or None


class WriteThread(Thread):
    """Group commit: all writes that wait run in one transaction, each in a savepoint of its own, and are answered
    when that one transaction is on the disk."""

    def __init__(self, backend: SQLiteBackend, door: Door[Write], loop: AbstractEventLoop) -> None:
        super().__init__(backend, door, loop, readonly=False)
        self._acquiring: asyncio.Task[None] | None = None
        self._arguments: Arguments = ()  # what is being written, for an error to say which of many it was
        self._begun = False

    def run(self, batch: list[Job[Write]]) -> None:
        self._begun = False
        self._acquiring = self.loop.create_task(self._run(batch))

    async def _run(self, batch: list[Job[Write]]) -> None:
        self._begun = True
        try:
            await self.backend.writing.acquire()
        except asyncio.CancelledError:
            self._acquiring = None
            for job in batch:
                job.fail(overloaded(1.0))
            self.door.open(self)
            return
        self._acquiring = None
        # Whoever came too late, or went away, while a session held the lock is not to be written any more.
        super().run([job for job in batch if not job.abandoned()])

    def cancel(self) -> None:
        if self._acquiring is None:
            super().cancel()
        elif self._begun:  # a task that is cancelled before its first step would never open its door again
            self._acquiring.cancel()

    def waiting(self) -> bool:
        return self._acquiring is not None

    def _done(self, outcomes: list[Outcome]) -> None:
        self.backend.writing.release()
        super()._done(outcomes)

    def outcomes(self, batch: list[Job[Write]]) -> list[Outcome]:
        try:
            return self._transaction(batch)
        except sqlite3.IntegrityError:
            # A deferred constraint is looked at by COMMIT, which does not say whose fault it is.
            return [self._own_transaction(job) for job in batch]

    def _own_transaction(self, job: Job[Write]) -> Outcome:
        try:
            return self._transaction([job])[0]
        except sqlite3.Error as error:
            return job, told(error, job.work, self.connection)

    def _transaction(self, batch: list[Job[Write]]) -> list[Outcome]:
        execute = self.connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._job(job) for job in batch]
            execute("COMMIT")
        except BaseException:
            # A COMMIT that failed leaves the transaction open.
            if self.connection.in_transaction:
                execute("ROLLBACK")
            raise
        return outcomes

    def _job(self, job: Job[Write]) -> Outcome:
        """Runs one of the writes. A single statement that fails undoes itself; what is more has a savepoint."""
        execute = self.connection.execute
        savepoint = len(job.work.sets) > 1 or job.work.check is not None
        if savepoint:
            execute("SAVEPOINT job")
        try:
            returned = self._write(job.work)
        except Exception as error:
            if not self.connection.in_transaction:
                raise  # the whole transaction is gone, as when the disk is full
            if savepoint:
                execute("ROLLBACK TO job")
                execute("RELEASE job")
            return job, told(error, replace(job.work, sets=[self._arguments]), self.connection)
        if savepoint:
            execute("RELEASE job")
        return job, returned

    def _write(self, write: Write) -> Returned:
        rows: list[Any] = []
        count = 0
        for arguments in write.sets:
            self._arguments = arguments
            cursor = self.connection.execute(write.statement.text, arguments)
            returned = cursor.fetchall()
            rows += returned
            count += len(returned) or max(cursor.rowcount, 0)
        result = Returned(rows, count)
        if write.check is not None:
            write.check(result)
        return result


def told(error: Exception, write: Write | None = None, connection: sqlite3.Connection | None = None) -> ApiError:
    """What a client is told of whatever went wrong with its statement."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, sqlite3.Error):
        return translated(error, write, connection)
    if isinstance(error, OverflowError):
        return database_error("22003", "value is out of range for type bigint")
    if isinstance(error, UnicodeError):
        return database_error("22021", 'invalid byte sequence for encoding "UTF8"')
    log.error("A statement failed", exc_info=error)
    return internal_error()


def interrupting(connection: Any) -> Callable[[], None]:
    """What stops the statement that runs on a session's connection."""
    driver: sqlite3.Connection = connection.connection.driver_connection._conn
    return driver.interrupt


def unicode_lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def switch_to_wal(connection: sqlite3.Connection) -> None:
    """Sets the journal mode, waiting for others that are doing the same: SQLite itself does not wait here."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
