"""SQLite: a few threads that read, one that writes, each with a connection and a batch at a time."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import tempfile
import time
from asyncio import Future
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, MetaData, event, util
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from .. import identifiers
from ..errors import ApiError
from .admission import Door, Gate, overloaded
from .base import Arguments, Backend, Returned, Settings, SharedSessionError, Statement, Write
from .sqlite_errors import translated
from .sqlite_functions import register
from .sqlite_output import register_output
from .sqlite_qualified import QualifyingCompiler
from .sqlite_threads import ReadThread, ReadWork, WriteThread
from .sqlite_writing import Writing, told

READERS = 2
"""Threads that read. Measured with 1, 2 and 3: one was slower, a third gained nothing that could be told from noise."""
READ_BATCH = 16
"""Reads set side by side in one statement. A power of two, as are the smaller ones, so that few texts are prepared."""
WRITE_BATCH = 256
"""Writes in one transaction."""
STREAMS = 4
CHUNK = 1_000
BUSY_TIMEOUT = 5.0
"""Seconds to wait for another process that writes."""


T = TypeVar("T")

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
        # Half of the time there is, so that there is another attempt.
        self.busy_timeout = min(BUSY_TIMEOUT, settings.timeout / 2)
        self.engine = create_async_engine(
            self.url,
            echo=settings.log_sql,
            pool_size=settings.pool_size,
            max_overflow=0,
            connect_args={"timeout": self.busy_timeout, "isolation_level": None},
        )
        self.dialect = self.engine.dialect
        identifiers.quoting(self.dialect)
        self.dialect.statement_compiler = QualifyingCompiler
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
            if isinstance(context.original_exception, SharedSessionError):
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
        register(connection)
        register_output(connection)
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
        self._readers = [ReadThread(self.connect(readonly=True), self._reads, loop) for _ in range(READERS)]
        self._writer = WriteThread(self.connect(readonly=False), self._writes, loop, self.writing)
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

    def read(
        self, statement: Statement, arguments: Arguments, timeout: float, *, timezone: str | None = None
    ) -> Future[Any]:
        work = (statement, arguments)
        return self._reads.enter(work, timeout, group=statement, together=statement.joined is not None, same=work)

    def write(self, write: Write, timeout: float) -> Future[Returned]:
        return self._writes.enter(write, timeout, group=None, together=True)

    async def write_in(self, session: AsyncSession, write: Write) -> Returned:
        def run(connection: sqlite3.Connection) -> Returned:
            writing = Writing(connection)
            try:
                return writing.run(write)
            except (sqlite3.Error, OverflowError, UnicodeError) as error:
                raise told(error, replace(write, sets=[writing.arguments]), connection) from error

        return await self._on_thread(session, run)

    async def read_in(
        self, session: AsyncSession, statement: Statement, arguments: Arguments, *, timezone: str | None = None
    ) -> list[Any]:
        def run(connection: sqlite3.Connection) -> list[Any]:
            rows: list[Any] = translating(connection.execute, statement.text, arguments).fetchall()
            return rows

        return await self._on_thread(session, run)

    async def _on_thread(self, session: AsyncSession, run: Callable[[sqlite3.Connection], T]) -> T:
        """Calls with the connection of a session, in its transaction, on the thread that it belongs to."""
        await session.flush()
        raw = await (await session.connection()).get_raw_connection()
        driver: Any = raw.driver_connection
        connection: sqlite3.Connection = driver._conn
        if not raw.info.get("rowserve_functions"):
            await driver._execute(register, connection)
            await driver._execute(register_output, connection)
            raw.info["rowserve_functions"] = True

        def called() -> T:
            # Sessions have SQLite's own LIKE.
            connection.execute("PRAGMA case_sensitive_like=ON")
            try:
                return run(connection)
            finally:
                connection.execute("PRAGMA case_sensitive_like=OFF")

        timer = asyncio.get_running_loop().call_later(self.settings.timeout, connection.interrupt)
        try:
            result: T = await driver._execute(called)
        except asyncio.CancelledError:
            connection.interrupt()
            raise
        finally:
            timer.cancel()
        return result

    async def stream(
        self, statement: Statement, arguments: Arguments, *, timezone: str | None = None
    ) -> AsyncGenerator[list[str], None]:
        loop = asyncio.get_running_loop()
        await self._streams.enter()
        try:
            with ThreadPoolExecutor(1, "rowserve-stream") as executor:
                connection = await loop.run_in_executor(executor, lambda: self.connect(readonly=True))
                try:
                    cursor = await loop.run_in_executor(
                        executor, translating, connection.execute, statement.text, arguments
                    )
                    while rows := await loop.run_in_executor(executor, translating, cursor.fetchmany, CHUNK):
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


def translating(call: Callable[..., Any], *arguments: Any) -> Any:
    """Calls, and tells of an error in the very thread: what a function of a statement raised is kept there."""
    try:
        return call(*arguments)
    except sqlite3.Error as error:
        raise translated(error) from error


def interrupting(connection: Any) -> Callable[[], None]:
    """What stops the statement that runs on a session's connection."""
    driver: sqlite3.Connection = connection.connection.driver_connection._conn
    return driver.interrupt


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
