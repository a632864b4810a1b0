"""The one PostgreSQL connection of a test, and the shares of it that stand in for connections."""

from __future__ import annotations

import asyncio
from asyncio import Task
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from ..backends.postgresql import SET_FORMATS
from ..backends.postgresql_writing import Connection as Driver
from ..backends.postgresql_writing import Prepared
from .faults import Faults
from .queries import Queries, first_word

T = TypeVar("T")

READING = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN", "FETCH"})
"""First words of what may do without a turn to write: it is tried whether the server takes it for reading."""
ENDING = frozenset({"BEGIN", "START", "COMMIT", "END", "ABORT", "PREPARE"})
DEFERRABLE = """
SELECT string_agg(format('%I.%I', nspname, conname), ', ') FILTER (WHERE condeferred), count(*)
FROM pg_constraint JOIN pg_namespace ON pg_namespace.oid = connamespace WHERE condeferrable
"""
DISK_FULL = """
DO $$ BEGIN RAISE SQLSTATE '53100' USING MESSAGE = 'could not write to file "pg_wal": No space left on device'; END $$
"""


class Connection:
    """A connection in a transaction that is never committed.

    Args:
        connection: asyncpg's own.
        patience: seconds that one who wants to write waits for another.
        queries: where statements are noted.
        faults: what is to go wrong.

    Attributes:
        statement: held while a statement runs: one at a time.
        writer: held by the share whose transaction is open and has written, unless that is the test's own.
        ending: rollbacks of shares that were given up.
    """

    def __init__(self, connection: Driver, patience: float, queries: Queries, faults: Faults) -> None:
        self.connection = connection
        self.patience = patience
        self.queries = queries
        self.faults = faults
        self.statement = asyncio.Lock()
        self.writer = asyncio.Lock()
        self.ending: set[Task[None]] = set()

    async def run(self, call: Callable[[], Awaitable[T]], *, readonly: bool, delay: float, commit: bool = False) -> T:
        """Runs one statement in a savepoint, so that nothing is left of it if it fails, and the transaction goes on.

        Args:
            call: runs it.
            readonly: whether it may only read.
            delay: seconds that it takes longer.
            commit: whether it is a transaction of its own.
        """
        async with self.statement:
            try:
                await self.control(f"SAVEPOINT statement{'; SET TRANSACTION READ ONLY' if readonly else ''}")
                if delay:
                    await self.connection.fetchval("SELECT pg_sleep($1)", delay)
                result = await call()
                if commit:
                    await self.check()
            except BaseException:
                await self.control("ROLLBACK TO statement; RELEASE statement")
                raise
            await self.control("RELEASE statement")
            return result

    async def control(self, text: str) -> None:
        """Makes or ends savepoints: wholly, though the task be cancelled meanwhile."""
        await finished(self.connection.execute(text))

    async def check(self) -> None:
        """Does what a COMMIT does before it is one: looks at the constraints that wait for it."""
        if self.faults.commit_fails():
            await self.connection.execute(DISK_FULL)
        row = await self.connection.fetchrow(DEFERRABLE)
        assert row is not None
        deferred, count = row
        if count:
            await self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            if deferred:
                await self.connection.execute(f"SET CONSTRAINTS {deferred} DEFERRED")

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """A turn to write."""
        await self.wait_to_write()
        try:
            yield
        finally:
            self.writer.release()

    async def wait_to_write(self) -> None:
        """Returns with the lock of writers held. Raises ``QueryCanceledError`` if that takes too long."""
        try:
            async with asyncio.timeout(self.patience):
                await self.writer.acquire()
        except TimeoutError:
            error = asyncpg.QueryCanceledError(message := "canceling statement due to statement timeout")
            error.message = message
            error.hint = "In a test, writing transactions take turns: another one is still open."
            raise error from None

    async def close(self) -> None:
        """Undoes all that was done."""
        while self.ending:
            await asyncio.wait(self.ending)
        if not self.connection.is_closed():
            await self.connection.execute("ROLLBACK")
            await self.connection.close()


async def finished(work: Coroutine[Any, Any, object]) -> None:
    """Waits until something is done, though the task be cancelled meanwhile."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


class Share:
    """A share of a test's connection, used as an ``asyncpg.Connection`` of its own would be.

    Its transactions are savepoints, made when they first write; each statement is in a savepoint besides, so that one
    that fails spoils its own transaction and no other.

    Args:
        one: the connection.
        readonly: whether it refuses to write.

    Attributes:
        outer: whether it is the test's own: others' transactions may begin and end within its own.
    """

    def __init__(self, one: Connection, *, readonly: bool = False) -> None:
        self.one = one
        self.readonly = readonly
        self.outer = False
        self._begun = False
        self._held = False
        self._written = False
        self._failed = False
        self._closed = False

    @property
    def name(self) -> str:
        """The name of its savepoint."""
        return f"share_{id(self)}"

    def is_closed(self) -> bool:
        return self._closed or self.one.connection.is_closed()

    def is_in_transaction(self) -> bool:
        return self._begun

    async def set_type_codec(self, *_: object, **__: object) -> None:
        """Nothing: the codecs of all shares are those of the one connection."""

    async def reload_schema_state(self) -> None:
        await self.one.connection.reload_schema_state()

    async def prepare(self, text: str, *, name: str | None = None) -> Statement:
        prepare = self.one.connection.prepare
        if self._held:
            return Statement(self, text, await prepare(text, name=name))
        prepared = await self.one.run(lambda: prepare(text, name=name), readonly=True, delay=0)
        return Statement(self, text, prepared)

    async def execute(self, text: str) -> str:
        return await self.run(text, lambda: self.one.connection.execute(text))

    async def executemany(self, text: str, sets: Sequence[Sequence[Any]]) -> None:
        await self.run(text, lambda: self.one.connection.executemany(text, sets))

    async def fetch(self, text: str, *arguments: Any) -> Any:
        return await self.run(text, lambda: self.one.connection.fetch(text, *arguments))

    async def fetchval(self, text: str, *arguments: Any) -> Any:
        return await self.run(text, lambda: self.one.connection.fetchval(text, *arguments))

    async def fetchrow(self, text: str, *arguments: Any) -> Any:
        return await self.run(text, lambda: self.one.connection.fetchrow(text, *arguments))

    def transaction(self, *, readonly: bool = False, **_: object) -> Transaction:
        return Transaction(self)

    async def run(self, text: str, call: Callable[[], Awaitable[T]]) -> T:
        """Runs a statement.

        Args:
            text: what decides whether it is to be tried as one that only reads.
            call: runs it.
        """
        word = first_word(text)
        self._check(word, text)
        if text != SET_FORMATS:
            self.one.queries.note(text)
        if self._held or word in ("SAVEPOINT", "RELEASE", "ROLLBACK"):
            return await self._run_bare(call)
        try:
            return await self._run(word, text, call)
        except BaseException:
            self._failed = self._begun
            raise

    def _check(self, word: str, text: str) -> None:
        if self._closed:
            raise asyncpg.InterfaceError("connection is closed")
        if word in ENDING or (word == "ROLLBACK" and " TO " not in text.upper()):
            raise asyncpg.InterfaceError(f"{word} as a statement cannot be tested: have the session do it")
        if self._failed and word != "ROLLBACK":
            raise asyncpg.InFailedSQLTransactionError(
                "current transaction is aborted, commands ignored until end of transaction block"
            )
        if not self.outer and self.one.faults.connection_is_lost():
            self.terminate()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    async def _run_bare(self, call: Callable[[], Awaitable[T]]) -> T:
        """Runs what is no statement that could fail, or that holds the connection for itself."""
        if self._held:
            return await call()
        if not self._begun:
            raise asyncpg.NoActiveSQLTransactionError("a savepoint can only be used in transaction blocks")
        await self._write()
        async with self.one.statement:
            result = await call()
        self._failed = False
        return result

    async def _run(self, word: str, text: str, call: Callable[[], Awaitable[T]]) -> T:
        run = self.one.run
        delay = 0.0 if self.outer else self.one.faults.delay
        if self.readonly:
            return await run(call, readonly=True, delay=delay)
        if word in READING and not self._written and "set_config(" not in text:
            try:
                return await run(call, readonly=True, delay=delay)
            except asyncpg.ReadOnlySQLTransactionError:
                pass
        if self._begun:
            await self._write()
            return await run(call, readonly=False, delay=delay)
        async with self.one.writing():
            return await run(call, readonly=False, delay=delay, commit=True)

    async def begin(self) -> None:
        self._begun = True
        if self.readonly:
            # What it sets for itself is undone with it; until then nobody else may see that.
            await self.one.statement.acquire()
            self._held = True
            await self.one.control(f"SAVEPOINT {self.name}; SET TRANSACTION READ ONLY")

    async def _write(self) -> None:
        """Makes a savepoint of the transaction, once no other has written. The test's own lets others in."""
        if self._written:
            return
        await self.one.wait_to_write()
        try:
            async with self.one.statement:
                self._written = True
                await self.one.control(f"SAVEPOINT {self.name}")
        finally:
            if self.outer or not self._written:
                self.one.writer.release()

    async def commit(self) -> None:
        if self._held or self._failed or not self._written:
            await self.rollback()
            return
        await finished(self._end(self._release))

    async def _release(self) -> None:
        try:
            if not self.outer:
                await self.one.check()
        except BaseException:
            await self._undo()
            raise
        # Settings of the transaction have ended with it: those that are left are the connection's.
        await self.one.control(f"RELEASE {self.name}; RESET ALL; RESET ROLE")

    async def rollback(self) -> None:
        if self._held:
            try:
                await self._undo()
            finally:
                self._begun = self._held = False
                self.one.statement.release()
        elif self._written:
            await finished(self._end(self._undo))
        else:
            self._begun = self._failed = self.outer = False

    async def _undo(self) -> None:
        await self.one.control(f"ROLLBACK TO {self.name}; RELEASE {self.name}")

    async def _end(self, end: Callable[[], Awaitable[None]]) -> None:
        """Ends a transaction that has written, and lets the next one write."""
        if self.outer:
            await self.one.wait_to_write()
        try:
            async with self.one.statement:
                await end()
        finally:
            self._begun = self._written = self._failed = self.outer = False
            self.one.writer.release()

    async def close(self, **_: object) -> None:
        self._closed = True
        await self.rollback()

    def terminate(self) -> None:
        self._closed = True
        if self._begun:
            task = asyncio.get_running_loop().create_task(self.rollback())
            self.one.ending.add(task)
            task.add_done_callback(self.one.ending.discard)


class Transaction:
    """A transaction of a share."""

    def __init__(self, share: Share) -> None:
        self._share = share

    async def start(self) -> None:
        try:
            await self._share.begin()
        except BaseException:
            await self._share.rollback()
            raise

    async def commit(self) -> None:
        await self._share.commit()

    async def rollback(self) -> None:
        await self._share.rollback()

    async def __aenter__(self) -> None:
        await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await (self.commit() if kind is None else self.rollback())


class Statement:
    """A prepared statement of a share."""

    def __init__(self, share: Share, text: str, prepared: Prepared) -> None:
        self._share = share
        self._text = text
        self._prepared = prepared

    async def fetch(self, *arguments: Any) -> list[Any]:
        return await self._share.run(self._text, lambda: self._prepared.fetch(*arguments))

    async def fetchrow(self, *arguments: Any) -> Any:
        return await self._share.run(self._text, lambda: self._prepared.fetchrow(*arguments))

    async def fetchmany(self, sets: Sequence[Sequence[Any]]) -> list[Any]:
        return await self._share.run(self._text, lambda: self._prepared.fetchmany(sets))

    async def cursor(self, *arguments: Any) -> Rows:
        """All of the rows: a cursor of the server would be in the way of others' savepoints."""
        return Rows(await self.fetch(*arguments))

    def get_attributes(self) -> Any:
        return self._prepared.get_attributes()

    def get_statusmsg(self) -> str | None:
        return self._prepared.get_statusmsg()


class Rows:
    """What a cursor has left to fetch."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = iter(rows)

    async def fetch(self, size: int) -> list[Any]:
        return [row for _, row in zip(range(size), self._rows, strict=False)]
